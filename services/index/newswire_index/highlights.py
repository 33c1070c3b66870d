"""Passages that matched, from the marks that FTS5 sets to escaped HTML with ``<em>``.

The passage is chosen here and not by FTS5's ``snippet``, whose time grows with the square of the matches: one
page that says the same word fifty thousand times would hold up a search for a quarter of a minute.
"""

import re
from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import islice

from newswire_index.sqlite.write import SEPARATOR

START, END = "\x86", "\x87"  # "selected area"; no document holds these, and Elasticsearch trims those below
WIDTH = 300  # characters of a passage: three lines on a terminal
MAX_LABELS = 3  # names of one article: its entity may have fifty spellings
_BEFORE = 60  # characters kept before the first match of a passage
_MAX_MATCHES = 1000  # looked at to choose a passage
_WORD_EDGE = 30  # characters within which a cut looks for white space
_MATCH = re.compile(f"{START}([^{END}]*){END}")


def passage_of(marked: str) -> str:
    """Return the part of a marked text that says most, as HTML on one line."""
    text = marked if len(marked) <= WIDTH else _cut(marked)
    line = escape(" ".join(text.split())).replace(START, "<em>").replace(END, "</em>")
    return line + "</em>" * (line.count("<em>") - line.count("</em>"))


def labels_of(marked: str) -> Iterator[str]:
    """Go through the first few marked names of a joined list, as HTML."""
    found = [label for label in marked.split(SEPARATOR) if START in label]
    return (passage_of(label) for label in found[:MAX_LABELS])


def variety(marked: str) -> int:
    """Return how many different words are marked."""
    return len({match[1].casefold() for match in islice(_MATCH.finditer(marked), _MAX_MATCHES)})


def _cut(marked: str) -> str:
    """Return a passage around the best match, between white space where there is some near."""
    begin = max(0, _best_start(marked) - _BEFORE)
    end = begin + WIDTH
    if begin:
        begin += max(0, marked.find(" ", begin, begin + _WORD_EDGE) - begin)
    if end < len(marked):
        space = marked.rfind(" ", end - _WORD_EDGE, end)
        end = space if space > 0 else end
    piece = marked[begin:end]
    if END in piece[: piece.find(START)]:  # the cut went through an earlier match
        piece = piece.replace(END, "", 1)
    return ("…" if begin else "") + piece + ("…" if end < len(marked) else "")


def _best_start(marked: str) -> int:
    """Return where the match stands after which, within a passage, most different words match."""
    matches = list(islice(_MATCH.finditer(marked), _MAX_MATCHES))
    reach = WIDTH - _BEFORE - _WORD_EDGE
    inside: Counter[str] = Counter()
    best = most = last = 0
    for place, match in enumerate(matches):
        last = max(last, place)
        while last < len(matches) and (last == place or matches[last].end() <= match.start() + reach):
            inside[matches[last][1].casefold()] += 1
            last += 1
        if len(inside) > most:
            best, most = match.start(), len(inside)
        inside -= Counter([match[1].casefold()])  # drops words that are counted no more
    return best
