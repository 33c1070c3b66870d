"""Repair markup that would swallow text, before the one parse of a page.

A parser forgives much, but not every slip: a tag that lost its ``>`` eats the paragraph, a comment or a
``<title>`` without its end eats the page. Each repair only inserts a few characters; nothing is removed.
Every search is linear: an end mark that was looked for once is remembered, whether it was found or not.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

MAX_NOTES = 20
MAX_REPAIRS = 1_000  # a page with more lost ends than this is no page
MAX_QUOTE_CANDIDATES = 200  # each looks back for its tag; more would make a hostile page expensive
MAX_TAG_LENGTH = 2_000  # characters looked back for the start of a tag
NOTE_LENGTH = 60  # characters of the broken tag
MIN_PROSE_WORDS = 3

_BLOCKS = "blockquote|figcaption|article|section|strong|small|span|div|h[1-6]|li|td|th|dd|dt|em|p"
_FLAGS = re.IGNORECASE | re.ASCII
_UNCLOSED_TAG = re.compile(rf"<(?:({_BLOCKS})|/({_BLOCKS}|[abiu]))([^<>]++)(?=<|\Z)", _FLAGS)
_ATTRIBUTES = re.compile(r"""(?:\s++[\w:@.-]++\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>]++))*+""", re.ASCII)
_SENTENCE_MARK = re.compile(r"[,.;:!?…。،]")
_OPAQUE_START = re.compile(r"<(?:!--|(script|style|textarea|title)(?=[\s/>]))", _FLAGS)
_OPEN_QUOTES = tuple(re.compile(rf"=\s*+{q}[^{q}<>]*+(>)[^{q}]*+({q}|\Z)") for q in "\"'")
_TAG_BEFORE = re.compile(
    r"""<[a-z][^\s/<>]*+(?:[\s/]++[\w:@.-]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>]++))?+)++\s*+""", _FLAGS
)
_ANY_TAG = re.compile(r"<[a-z/!]", _FLAGS)
_PAGE_TAG = re.compile(r"<(?:/head|body|article|main|section|nav|header|div|p|h[1-6])[\s>]", _FLAGS)
_HEAD_TAG = re.compile(r"<(?:meta|link|script|style|/head|body|div|p|h[1-6])[\s>]", _FLAGS)
_BODY_TAG = re.compile(r"<(?:/head|body|article|main|p|h1)[\s>]", _FLAGS)
_COMMENT_START, _COMMENT_END = re.compile("<!--"), re.compile("-->")
_TAG_END = re.compile(">")
_ENDS = {name: re.compile(f"</{name}", _FLAGS) for name in ("script", "style", "textarea", "title")}
# What cannot stand inside a whole element of that name, so that its end must have been lost.
_SWALLOWED = {"title": _HEAD_TAG, "style": _BODY_TAG}
# Where an element without its end is closed: scripts hold tags in strings, the others hold none.
_RESUME = {"script": _PAGE_TAG, "style": _PAGE_TAG, "textarea": _ANY_TAG, "title": _ANY_TAG}


class Insertion(NamedTuple):
    """Characters to put into the page, and what to say about it."""

    position: int
    markup: str
    note: str


class _Finder:
    """Find the next match of a pattern at or after a place, without searching the same stretch twice."""

    def __init__(self, html: str) -> None:
        self.html = html
        self._searched: dict[re.Pattern[str], tuple[int, int]] = {}

    def find(self, pattern: re.Pattern[str], start: int) -> int:
        """Return where the next match starts, or the length of the page where there is none."""
        begin, found = self._searched.get(pattern, (0, -1))
        if not begin <= start <= found:
            match = pattern.search(self.html, start)
            found = match.start() if match else len(self.html)
            self._searched[pattern] = (start, found)
        return found


def repair_markup(html: str) -> tuple[str, tuple[str, ...]]:
    """Return the page with swallowed text set free, and a note on each repair."""
    regions, insertions = _opaque_regions(html)
    starts = [start for start, _ in regions]
    for insertion in (*_lost_brackets(html), *_lost_quotes(html)):
        index = bisect_right(starts, insertion.position) - 1
        if index < 0 or regions[index][1] <= insertion.position:
            insertions.append(insertion)
    if not insertions:
        return html, ()
    insertions.sort()
    return _insert(html, insertions), _notes(insertions)


def _insert(html: str, insertions: list[Insertion]) -> str:
    pieces: list[str] = []
    done = 0
    for position, markup, _ in insertions:
        pieces += (html[done:position], markup)
        done = position
    return "".join((*pieces, html[done:]))


def _notes(insertions: list[Insertion]) -> tuple[str, ...]:
    notes = [insertion.note for insertion in insertions[:MAX_NOTES]]
    if len(insertions) > MAX_NOTES:
        notes.append(f"repaired-more: {len(insertions) - MAX_NOTES}")
    return tuple(notes)


def _opaque_regions(html: str) -> tuple[list[tuple[int, int]], list[Insertion]]:
    """Return the regions in which markup is none (comments, scripts …), and the ends that they lack."""
    finder, ahead = _Finder(html), _Finder(html)  # two, as looking ahead would forget what lies before
    regions: list[tuple[int, int]] = []
    insertions: list[Insertion] = []
    match = _OPAQUE_START.search(html)
    while match and len(insertions) < MAX_REPAIRS:
        end, insertion = _element_end(finder, match) if match[1] else _comment_end(finder, ahead, match)
        if insertion:
            insertions.append(insertion)
        regions.append((match.start(), end))
        match = _OPAQUE_START.search(html, max(end, match.end()))
    return regions, insertions


def _comment_end(finder: _Finder, ahead: _Finder, match: re.Match[str]) -> tuple[int, Insertion | None]:
    start, html = match.start(), finder.html
    end = finder.find(_COMMENT_END, start + 2)  # "<!-->" is a whole comment
    inner = html.find("<!--", match.end(), end)
    if end < len(html) and (inner < 0 or html.startswith("<!--[", start) or _is_nested(ahead, end)):
        return end, None
    resume = finder.find(_ANY_TAG, match.end())
    return resume, Insertion(resume, "-->", "repaired-open-comment")


def _is_nested(ahead: _Finder, end: int) -> bool:
    """Tell a comment around a comment from one that lost its end: only the former has one end too many."""
    after = end + 3
    close = ahead.find(_COMMENT_END, after)
    return close < len(ahead.html) and close < ahead.find(_COMMENT_START, after)


def _element_end(finder: _Finder, match: re.Match[str]) -> tuple[int, Insertion | None]:
    name, html = match[1].lower(), finder.html
    inside = finder.find(_TAG_END, match.end()) + 1
    end = finder.find(_ENDS[name], inside)
    swallowed = name in _SWALLOWED and finder.find(_SWALLOWED[name], inside) < end
    if inside > len(html) or (end < len(html) and not swallowed):
        return end, None
    resume = finder.find(_RESUME[name], inside)
    return resume, Insertion(resume, f"</{name}>", f"repaired-open-element: <{name}>")


def _lost_brackets(html: str) -> Iterator[Insertion]:
    """Yield the brackets that tags run together with prose have lost."""
    for match in _UNCLOSED_TAG.finditer(html):
        opening, closing, rest = match.groups()
        attributes = _ATTRIBUTES.match(rest) if opening else None
        skip = attributes.end() if attributes else 0
        prose = rest[skip:]
        if _is_closed_prose(prose) if closing else _is_prose(prose, opening, html, match.end()):
            position = match.start(3) + skip
            until = position + prose.index(word := prose.split(maxsplit=1)[0]) + len(word)
            tag = html[match.start() : min(until, match.start() + NOTE_LENGTH)]
            yield Insertion(position, ">", f"repaired-lost-bracket: {tag} …>")


def _is_closed_prose(rest: str) -> bool:
    """Tell whether text follows the name of an end tag, which has no attributes."""
    return "=" not in rest and (rest[0].isspace() or _starts_text(rest)) and any(map(str.isalnum, rest))


def _is_prose(rest: str, element: str, html: str, end: int) -> bool:
    """Tell whether what follows an element's name (and attributes) up to the next ``<`` is text."""
    words = rest.split()
    if not words or "=" in rest or words[0][0] in "-:/":
        return False
    closes = html[end : end + 2 + len(element)].lower() == f"</{element}".lower()
    enough = len(words) >= MIN_PROSE_WORDS
    if not rest[0].isspace() and _starts_text(rest):
        return closes or len(words) > 1
    if not rest[0].isspace() and "-" in words[0]:
        return False  # a custom element
    return enough and (closes or (rest[0].isspace() and _SENTENCE_MARK.search(rest) is not None))


def _starts_text(rest: str) -> bool:
    """Tell whether a run-together name goes on as no name of an element would."""
    return not rest[0].islower() or not rest[0].isascii()


def _lost_quotes(html: str) -> Iterator[Insertion]:
    """Yield the quotes that attributes have lost, whose values run on to the next attribute's quote."""
    for pattern in _OPEN_QUOTES:
        for number, match in enumerate(pattern.finditer(html)):
            if number >= MAX_QUOTE_CANDIDATES:
                break
            ends_at_attribute = html[match.start(2) - 1] == "=" or not match[2]
            if ends_at_attribute and _is_in_tag(html, match.start()):
                quote = match[0][1:].lstrip()[0]
                yield Insertion(match.start(1), quote, "repaired-open-quote")


def _is_in_tag(html: str, position: int) -> bool:
    start = html.rfind("<", max(0, position - MAX_TAG_LENGTH), position)
    return start >= 0 and _TAG_BEFORE.fullmatch(html, start, position) is not None
