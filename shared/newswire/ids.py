"""Identifiers: the first 128 bits of SHA-256, in hex."""

import hashlib
import re
import unicodedata

SEPARATOR = (
    "\x1f"  # ASCII unit separator: cannot stand in a URL or a folded text, so parts never run together
)


def digest(*parts: str) -> str:
    """Return the first 128 bits of the SHA-256 of the parts, in hex."""
    return hashlib.sha256(SEPARATOR.join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def short_digest(*parts: str) -> str:
    """Return the first 64 bits of the SHA-256 of the parts, in hex."""
    return digest(*parts)[:16]


def fold_whitespace(text: str) -> str:
    """Return the text in Unicode NFC with every run of white space as one space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def content_hash(title: str, text: str) -> str:
    """Return the hash of what an article says, blind to white space."""
    return digest(fold_whitespace(title), fold_whitespace(text))
