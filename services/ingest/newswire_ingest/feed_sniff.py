"""What a document is, by its first bytes and never by its Content-Type: JSON, a feed's XML, HTML or neither.

Cheap on purpose: an HTML page of any size is told from its head, before anything is parsed.
"""

import re
from dataclasses import dataclass
from typing import Literal

HEAD_LENGTH = 262_144  # bytes in which the first element must stand; long comments have been seen before it

_BLANK = "\ufeff\x00 \t\r\n\f\v"
_ELEMENT = re.compile(r"<(?:[A-Za-z_][\w.-]{0,50}:)?([A-Za-z_][\w.-]{0,50})(?=[\s/>])")
_FEED_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]{0,50}:)?(rss|feed|rdf)(?=[\s>])", re.IGNORECASE)
_HTML_NAMES = frozenset({
    "html", "head", "body", "title", "meta", "link", "script", "style", "noscript", "div", "p", "span", "br",
    "b", "i", "a", "h1", "h2", "h3", "center", "table", "form", "iframe", "img", "ul", "pre", "font",
    "section",
})  # fmt: skip
_PAGE_NAMES = frozenset({"html", "head", "body"})


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What a document is; for XML the name of the feed's root element and where it starts."""

    kind: Literal["json", "xml", "html", "unknown"]
    root: str = ""
    start: int = 0


def sniff(text: str) -> Sniffed:
    """Say what the text is."""
    start = _content_start(text)
    if text[start : start + 1] in {"{", "["}:
        return Sniffed("json", start=start)
    start, html_doctype = _skip_prolog(text, start)
    first = _ELEMENT.search(text, start)
    if first is None:
        return Sniffed("html" if html_doctype else "unknown")
    name = first[1].lower()
    if _FEED_ROOT.match(text, first.start()):
        return Sniffed("xml", name, first.start())
    if html_doctype or name in _PAGE_NAMES:
        return Sniffed("html")
    # a server's warnings, as text or as a scrap of HTML, may stand before the feed
    is_scrap = name in _HTML_NAMES
    if (is_scrap or first.start() > start) and (root := _FEED_ROOT.search(text, first.start())):
        return Sniffed("xml", root[1].lower(), root.start())
    return Sniffed("html" if is_scrap else "unknown")


def _content_start(text: str) -> int:
    return len(text) - len(text.lstrip(_BLANK))


def _skip_prolog(text: str, start: int) -> tuple[int, bool]:
    """Return where declarations, comments and the document type end, and whether that type is HTML."""
    is_html = False
    while True:
        while text[start : start + 1] in _BLANK and start < len(text):
            start += 1
        if text.startswith("<!--", start):
            end = _after(text, "-->", start)
        elif text.startswith("<?", start):
            end = _after(text, "?>", start)
        elif text[start : start + 9].lower() == "<!doctype":
            is_html = text[start + 9 : start + 20].strip().lower().startswith("html")
            end = _after_doctype(text, start)
        else:
            return start, is_html
        start = end


def _after_doctype(text: str, start: int) -> int:
    """Return where a document type ends, with the declarations inside its brackets."""
    end = _after(text, ">", start)
    bracket = text.find("[", start, end)
    return end if bracket < 0 else _after(text, ">", _after(text, "]", bracket) - 1)


def _after(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return len(text) if found < 0 else found + len(mark)
