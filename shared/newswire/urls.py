"""URLs: one spelling for each, the site that it belongs to, and the ids that are made of it.

The spelling follows RFC 3986 section 6 (case, escapes, dot segments, default ports) and reads hosts as
browsers do, so that ``http://0x7f.1/`` is seen to be ``http://127.0.0.1/``. Query parameters that only say
how a reader came to the page are cut.
"""

import re
from functools import cache, lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, unquote, urljoin, urlsplit

from publicsuffixlist import PublicSuffixList

from newswire.ids import digest
from newswire.tracking import is_tracking

MAX_LENGTH = 8_192  # characters; servers refuse longer request lines
MAX_HOST_LENGTH = 253  # characters, RFC 1035
MAX_LABEL_LENGTH = 63
MAX_IPV4_PARTS = 4
DEFAULT_PORTS = {"http": 80, "https": 443}

_UNSAFE_EDGES = "".join(map(chr, range(0x21)))  # C0 controls and space
_IN_PATH = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/]")
_IN_QUERY = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?]")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]")
_HOST = re.compile(r"[a-z0-9_\-.]+")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
ESCAPE_LENGTH = len("%41")


class BadUrlError(ValueError):
    """A text that is no URL of a page on the web; its message says why."""


def normalise(url: str, base: str | None = None) -> str:
    """Return the one spelling of an http or https URL, resolved against the base if it is relative.

    Raises ``BadUrlError`` for another scheme, a missing or impossible host, or a user name in the URL.
    """
    text = _tidy(url)
    if not text:
        raise BadUrlError("the URL is empty")
    if len(text) > MAX_LENGTH:
        raise BadUrlError(f"the URL is longer than {MAX_LENGTH} characters")
    try:
        parts = urlsplit(urljoin(_tidy(base), text) if base else text)
        port = parts.port
    except ValueError as error:
        raise BadUrlError(f"not a URL: {error}") from error
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise BadUrlError(f"not an http or https URL: {text[:100]}")
    if "@" in parts.netloc:
        raise BadUrlError("a URL with a user name or password is refused")
    host = normalise_host(parts.hostname or "")
    query = _query(parts.query)
    return f"{scheme}://{_authority(scheme, host, port)}{_path(parts.path)}" + (f"?{query}" if query else "")


def normalise_host(host: str) -> str:
    """Return a host name in lower-case ASCII, or an IP address in its usual form (IPv6 without brackets).

    Raises ``BadUrlError`` for what cannot be a host.
    """
    if ":" in host:
        return _ipv6(host)
    name = _ascii_host(unquote(host)).lower().removesuffix(".")
    if not name:
        raise BadUrlError("the URL has no host")
    labels = name.split(".")
    if not _HOST.fullmatch(name) or "" in labels:
        raise BadUrlError(f"not a host name: {host[:100]}")
    if len(name) > MAX_HOST_LENGTH or max(map(len, labels)) > MAX_LABEL_LENGTH:
        raise BadUrlError(f"the host name is too long: {host[:100]}")
    return _ipv4(labels) or name


@lru_cache(maxsize=10_000)
def registered_domain(url_or_host: str) -> str:
    """Return what somebody registered of a URL or host: ``www.bbc.co.uk`` gives ``bbc.co.uk``.

    An IP address, a single label and a public suffix are returned as they are. Raises ``BadUrlError``.
    """
    if "://" in url_or_host:
        host = urlsplit(normalise(url_or_host)).hostname or ""
    else:
        host = normalise_host(url_or_host.strip("[]"))
    if ":" in host or host.rpartition(".")[2].isdigit():
        return host
    return _suffixes().privatesuffix(host) or host


def same_site(one: str, other: str) -> bool:
    """Say whether two URLs or hosts belong to one registered domain."""
    return registered_domain(one) == registered_domain(other)


def feed_id(url: str) -> str:
    """Return the id of the feed at a URL."""
    return digest(normalise(url))


def article_id(canonical: str) -> str:
    """Return the id of the article whose canonical URL this is."""
    return digest(normalise(canonical))


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # reads its bundled list: 40 ms, once


def _tidy(url: str) -> str:
    """Remove what browsers ignore, and read backslashes as they do: as slashes."""
    text = re.sub(r"[\t\n\r]", "", url.strip(_UNSAFE_EDGES))
    address, mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    return f"{address.replace(chr(92), '/')}{mark}{rest}"


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - its tables are only needed for a host that is not ASCII

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise BadUrlError(f"not a host name: {host[:100]}") from error


def _ipv6(host: str) -> str:
    try:
        if "%" in host:
            raise BadUrlError("an address with a zone is refused")
        return str(IPv6Address(host))
    except AddressValueError as error:
        raise BadUrlError(f"not an IPv6 address: {host[:100]}") from error


def _ipv4(labels: list[str]) -> str | None:
    """Read the old notations (decimal, octal, hexadecimal, fewer parts) as the operating system does.

    None if the last label is no number: then it is a name.
    """
    if not _NUMBER.fullmatch(labels[-1]):
        return None
    try:
        numbers = [_number(label) for label in labels]
        *front, last = numbers
        if len(numbers) > MAX_IPV4_PARTS or any(number > 0xFF for number in front):  # noqa: PLR2004 - one byte each
            raise ValueError
        room = 256 ** (MAX_IPV4_PARTS - len(front))
        if last >= room:
            raise ValueError
        high = sum(number * 256 ** (3 - place) for place, number in enumerate(front))
        return str(IPv4Address(high + last))
    except ValueError as error:
        raise BadUrlError(f"not an IPv4 address: {'.'.join(labels)[:100]}") from error


def _number(label: str) -> int:
    if not _NUMBER.fullmatch(label):
        raise ValueError(label)
    if label.startswith("0x"):
        return int(label, 16)
    return int(label, 8) if label.startswith("0") else int(label)


def _authority(scheme: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    if port == 0:
        raise BadUrlError("port 0 is refused")
    return shown if port in (None, DEFAULT_PORTS[scheme]) else f"{shown}:{port}"


def _path(path: str) -> str:
    """Return the path with its escapes normalised, then its dot segments resolved."""
    segments = _IN_PATH.sub(_escape, path).split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _query(query: str) -> str:
    return "&".join(
        _IN_QUERY.sub(_escape, piece) for piece in query.split("&") if piece and not is_tracking(piece)
    )


def _escape(match: re.Match[str]) -> str:
    """Spell unreserved characters plain, all others as upper-case escapes of UTF-8."""
    token = match[0]
    if len(token) < ESCAPE_LENGTH:
        return quote(token, safe="", errors="replace")
    character = chr(int(token[1:], 16))
    return character if _UNRESERVED.fullmatch(character) else token.upper()
