"""Lines of plain text from a tree: one line for each block, in document order."""

import re
import unicodedata
from collections.abc import Collection, Iterator

from lxml import etree
from lxml.html import HtmlElement

HTML_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "td",
        "th",
        "title",
        "tr",
        "ul",
    ]
)
HTML_HIDDEN = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "math",
        "head",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "canvas",
        "select",
        "textarea",
        "button",
    ]
)

_INVISIBLE = re.compile(
    "[\u00ad\u200b\u2060\ufeff]"
)  # soft hyphen, zero-width space, word joiner, byte order mark


def lines_of(
    root: HtmlElement, blocks: Collection[str] = HTML_BLOCKS, hidden: Collection[str] = HTML_HIDDEN
) -> list[str]:
    """Return the lines of text under an element: white space folded, empty lines left out."""
    return [
        line for piece in "".join(_pieces(root, blocks, hidden)).split("\n") if (line := tidy_line(piece))
    ]


def tidy_line(text: str) -> str:
    """Return a line in Unicode NFC, without invisible characters, white space folded."""
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).split())


def _pieces(root: HtmlElement, blocks: Collection[str], hidden: Collection[str]) -> Iterator[str]:
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            if element.tag in hidden:
                walk.skip_subtree()
                continue
            if element.tag in blocks:
                yield "\n"
            yield _one_line(element.text)
        else:
            if element.tag in blocks:
                yield "\n"
            if element is not root:
                yield _one_line(element.tail)


def _one_line(text: str | None) -> str:
    """Return a text without the line breaks of its source, which are no breaks of its meaning."""
    return text.replace("\n", " ").replace("\r", " ") if text else ""
