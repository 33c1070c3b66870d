"""Text from outside that is shown on a terminal: it may say anything, but do nothing."""

import json
import re
from typing import Any

DANGEROUS = re.compile(  # control characters, what turns the direction of text, halves of characters
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
SPACES = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def plain(text: str) -> str:
    """Return text as one line without control characters: spaces for spaces, � for what else they were."""
    return DANGEROUS.sub(lambda found: " " if found[0] in SPACES else "�", text)


def json_line(row: Any) -> str:
    """Return a value as one line of JSON that is readable, and in which control characters are escaped."""
    text = json.dumps(row, ensure_ascii=False)
    return DANGEROUS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def visible(text: str) -> str:
    """Return text as one line in which whatever cannot be seen is an escape, to look at what it really is."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def visible_lines(text: str) -> str:
    """Return text whose line ends stay; all else that cannot be seen is an escape."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
