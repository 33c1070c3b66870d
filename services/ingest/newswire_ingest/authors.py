"""Who wrote an article, by name."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from newswire_ingest.json_ld import resolve, text_of
from newswire_ingest.page_tree import Page, line_of
from newswire_ingest.title import fold

MAX_AUTHORS = 20
MAX_NAME_LENGTH = 100  # characters
MAX_BYLINE_LENGTH = 200  # characters
MAX_WORDS = 7

_META = ("author", "article:author", "article:author_name", "byl", "dc.creator", "dcterms.creator",
         "parsely-author", "sailthru.author", "cxenseparse:author", "citation_author")  # fmt: skip
_BYLINE = etree.XPath(
    "//*[@rel='author' or @itemprop='author'][not(ancestor::aside or ancestor::footer)]"
    "| //article//*[contains(@class, 'byline') or contains(@class, 'author-name')][not(ancestor::aside)]"
    "| //header//*[contains(@class, 'byline')]"
)
_PREFIX = re.compile(
    r"\A\W*(?:(?:written |words |story |analysis |text |report )?by|von|par|por|di|de la rédaction|door"
    r"|autora?|auteur|автор|текст|przez|redaktion|author)\b[:\s]+",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*[,;|/•·]\s*|\s+(?:and|und|et|y|e|en|i|и|і|та|&)\s+|\s+-\s+", re.IGNORECASE)
_NO_NAME = re.compile(r"https?:|www\.|@|\d|\.(?:com|org|net)\b", re.IGNORECASE)
_HANDLE = re.compile(r"\s*\(?@\w+\)?|\s*\([^()]*\)|\s*<[^<>]*>|\s*\S+@\S+")


def find_authors(page: Page) -> tuple[str, ...]:
    """Return the names of an article's authors as its page gives them, best witness only."""
    for names in (_from_json_ld(page), _from_meta(page), _from_bylines(page)):
        if found := _distinct(names):
            return found
    return ()


def _from_json_ld(page: Page) -> list[str]:
    return [name for value in _names_in(page.article.get("author"), page) for name in split_names(value)]


def _names_in(value: Any, page: Page, depth: int = 0) -> Iterator[str]:
    if isinstance(value, list) and depth <= 2:  # noqa: PLR2004 - lists in lists are seen, deeper is hostile
        for item in value[:MAX_AUTHORS]:
            yield from _names_in(item, page, depth + 1)
    elif isinstance(value, dict):
        node = resolve(value, page.nodes)
        names = node.get("name")
        for name in names if isinstance(names, list) else [names]:
            yield text_of(name)
    else:
        yield text_of(value)


def _from_meta(page: Page) -> list[str]:
    values = next((page.meta[name] for name in _META if _has_name(page.meta.get(name, ()))), ())
    return [name for value in values for name in split_names(value)]


def _has_name(values: Iterable[str]) -> bool:
    return any(split_names(value) for value in values)


def _from_bylines(page: Page) -> list[str]:
    found: list[str] = []
    for element in page.select(_BYLINE, MAX_AUTHORS):
        line = line_of(element)
        if len(line) <= MAX_BYLINE_LENGTH:
            found += split_names(line)
    return found


def split_names(text: str) -> list[str]:
    """Return the names in a byline such as "By Ada Byron and Charles Babbage (@cb)"."""
    line = _PREFIX.sub("", _HANDLE.sub("", text[:MAX_BYLINE_LENGTH]))
    pieces = (_PREFIX.sub("", piece).strip(" .:-–—\t") for piece in _SPLIT.split(line))
    return [piece for piece in pieces if _is_name(piece)]


def _is_name(text: str) -> bool:
    return 1 < len(text) <= MAX_NAME_LENGTH and len(text.split()) <= MAX_WORDS and not _NO_NAME.search(text)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    found = {fold(name): name for name in reversed(list(names)) if fold(name)}
    return tuple(reversed(found.values()))[:MAX_AUTHORS]
