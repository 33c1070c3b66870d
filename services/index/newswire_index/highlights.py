"""Passages that matched, from the marks that FTS5 sets to escaped HTML with ``<em>``."""

from collections.abc import Iterator
from html import escape

from newswire_index.sqlite_write import SEPARATOR

START, END = "\x02", "\x03"  # no document holds control characters
MAX_CHARACTERS = 1000  # of a passage: one "word" of a hostile page can be a megabyte
_BEFORE = 200  # characters kept before the first mark of a passage that is cut
MAX_LABELS = 3  # names of one article: its entity may have fifty spellings


def passage_of(marked: str) -> str:
    """Return a marked passage as HTML on one line, cut around its first mark if it is very long."""
    text = " ".join(marked.split())
    if len(text) > MAX_CHARACTERS:
        begin = max(0, text.find(START) - _BEFORE)
        text = "…" + text[begin : begin + MAX_CHARACTERS] + "…"
    return _balanced(escape(text).replace(START, "<em>").replace(END, "</em>"))


def labels_of(marked: str) -> Iterator[str]:
    """Go through the first few marked names of a joined list, as HTML."""
    found = [label for label in marked.split(SEPARATOR) if START in label]
    return (passage_of(label) for label in found[:MAX_LABELS])


def _balanced(text: str) -> str:
    return text + "</em>" * (text.count("<em>") - text.count("</em>"))
