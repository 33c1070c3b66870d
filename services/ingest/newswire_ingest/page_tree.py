"""The one parse of a page, and what everything else reads from it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from newswire_ingest.json_ld import Node, article_node, read_nodes

MAX_META_VALUES = 100  # of one name
MAX_META_LENGTH = 2_000  # characters of a value

_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # lxml refuses to hold them
_NOT_XML_REFERENCE = re.compile(
    r"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|fff[ef])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|6553[45]))(?:;|(?![0-9a-f]))",
    re.IGNORECASE,
)
_LONG_TAG = re.compile(r"<[a-z][^<>]{4000}", re.IGNORECASE)
# The parser takes time in the square of a tag's attributes: a megabyte of them would take hours.
_MANY_ATTRIBUTES = re.compile(
    r"""(<[a-z][^\s<>/]*+(?:[\s/]++[^\s/<>=]++(?:\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s<>"']++))?+){200})[^<>]*+""",
    re.IGNORECASE,
)
_META_KEYS = ("property", "name", "itemprop", "http-equiv")


@dataclass(frozen=True)
class Page:
    """A parsed page. The tree is read, never changed."""

    url: str
    tree: HtmlElement
    meta: dict[str, tuple[str, ...]] = field(repr=False)
    nodes: tuple[Node, ...] = field(repr=False)
    article: Node = field(repr=False)

    def first_meta(self, *names: str) -> str:
        """Return the first value of the first of these meta elements, empty if there is none."""
        return next((self.meta[name][0] for name in names if name in self.meta), "")

    def elements(self, *tags: str) -> Iterator[HtmlElement]:
        """Return the elements of these kinds in document order."""
        return self.tree.iter(*tags)  # type: ignore[no-any-return]

    def select(self, path: etree.XPath, limit: int) -> list[HtmlElement]:
        """Return the first elements that a path selects."""
        return cast("list[HtmlElement]", path(self.tree))[:limit]

    @property
    def heading(self) -> str:
        """The text of the first top heading that has any."""
        return next((text for h1 in self.elements("h1") if (text := line_of(h1))), "")


def parse_page(html: str, url: str) -> Page | None:
    """Parse a page's text; None if it holds no element at all."""
    if _LONG_TAG.search(html):
        html = _MANY_ATTRIBUTES.sub(r"\1", html)
    tree = _parse(_NOT_XML_REFERENCE.sub(" ", _NOT_XML.sub("", html)))
    if tree is None:
        return None
    meta = _read_meta(tree)
    nodes = read_nodes(_json_ld_scripts(tree))
    titles = [line_of(h1) for h1 in tree.iter("h1")] + list(meta.get("og:title", ()))
    return Page(url, tree, meta, nodes, article_node(nodes, titles))


def _parse(html: str) -> HtmlElement | None:
    # huge_tree stays off: its limits on depth and text length are what makes a hostile page harmless
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):  # empty, or of comments only
        return None


def _read_meta(tree: HtmlElement) -> dict[str, tuple[str, ...]]:
    """Return the values of all meta elements by their lower-cased names."""
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        content = " ".join((element.get("content") or "")[:MAX_META_LENGTH].split())
        if not content:
            continue
        for key in _META_KEYS:
            if name := element.get(key):
                values = found.setdefault(name.strip().lower(), [])
                values += [content] if len(values) < MAX_META_VALUES else []
    return {name: tuple(values) for name, values in found.items()}


def _json_ld_scripts(tree: HtmlElement) -> Iterator[str]:
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower():
            yield script.text or ""


def line_of(element: HtmlElement) -> str:
    """Return the text of an element as one line."""
    return (
        " ".join(" ".join(element.itertext()).split())
        if len(element)
        else " ".join((element.text or "").split())
    )
