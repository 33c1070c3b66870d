"""What a page says about its article: title, authors, date, language, outlet, tags, paywall."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from newswire.urls import registered_domain
from newswire_ingest.authors import find_authors
from newswire_ingest.json_ld import Node, text_of
from newswire_ingest.page_tree import Page
from newswire_ingest.published import Published, find_published
from newswire_ingest.title import find_title, fold

MAX_TAGS = 30
MAX_TAG_LENGTH = 100  # characters
TEASER_LENGTH = 1_500  # characters of text below which the mark of a paywall is believed

_THREE_LETTERS = {"eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "rus": "ru",
                  "ukr": "uk", "ita": "it", "pol": "pl", "nld": "nl", "dut": "nl", "por": "pt"}  # fmt: skip
_PAYWALL = etree.XPath(
    "(//*[contains(@class, 'paywall') or contains(@id, 'paywall') or contains(@class, 'regwall')"
    " or contains(@class, 'subscriber-only') or contains(@class, 'premium-content')"
    " or contains(@class, 'piano-offer')])[1]"
)


@dataclass(frozen=True)
class Metadata:
    """What a page says about its article."""

    title: str
    authors: tuple[str, ...]
    published: Published | None
    language: str | None
    outlet: str | None
    tags: tuple[str, ...]
    closed: bool  # the page says that it is not free


def read_metadata(page: Page, fetched_at: datetime) -> Metadata:
    """Read everything but the text from a page."""
    return Metadata(
        title=find_title(page, _site_names(page)),
        authors=find_authors(page),
        published=find_published(page, fetched_at),
        language=_language(page),
        outlet=_outlet(page),
        tags=_tags(page),
        closed=_is_closed(page),
    )


def is_paywalled(page: Page, metadata: Metadata, text: str) -> bool:
    """Tell whether the text is what a paywall lets through, or behind one by the page's own word."""
    return metadata.closed or (len(text) < TEASER_LENGTH and bool(page.select(_PAYWALL, 1)))


def _site_names(page: Page) -> Iterator[str]:
    outlet = _outlet(page)
    if outlet:
        yield outlet
    yield from (name for name in (text_of(page.article.get("publisher")), *_meta_site_names(page)) if name)
    domain = registered_domain(page.url)
    yield domain
    yield domain.split(".")[0]
    yield (urlsplit(page.url).hostname or "").removeprefix("www.")


def _meta_site_names(page: Page) -> Iterator[str]:
    for name in (
        "og:site_name",
        "application-name",
        "apple-mobile-web-app-title",
        "twitter:site",
        "al:ios:app_name",
    ):
        yield page.first_meta(name).removeprefix("@")


def _outlet(page: Page) -> str | None:
    return (
        page.first_meta("og:site_name")
        or text_of(page.article.get("publisher"))
        or page.first_meta("application-name")
        or None
    )


def _language(page: Page) -> str | None:
    """Return the language that the page declares as ISO 639-1."""
    declared = (
        page.tree.get("lang")
        or page.tree.get("{http://www.w3.org/XML/1998/namespace}lang")
        or page.tree.get("xml:lang"),
        text_of(page.article.get("inLanguage")),
        page.first_meta("og:locale", "content-language", "language", "dc.language"),
    )
    for value in declared:
        code = (value or "").strip().replace("_", "-").split("-")[0].lower()
        code = _THREE_LETTERS.get(code, code)
        if len(code) == 2 and code.isascii() and code.isalpha():  # noqa: PLR2004 - ISO 639-1 has two letters
            return code
    return None


def _tags(page: Page) -> tuple[str, ...]:
    sources = (_keywords(page.article.get("keywords")), page.meta.get("article:tag", ()),
               _keywords(page.first_meta("news_keywords", "keywords")))  # fmt: skip
    for values in sources:
        if tags := _distinct(values):
            return tags
    return ()


def _keywords(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    texts = [text_of(item) for item in items[: MAX_TAGS * 2]]
    if len(texts) > 1:
        return texts
    return [piece for text in texts for piece in text.replace(";", ",").split(",")]


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    tags: dict[str, str] = {}
    for value in values:
        tag = " ".join(value.split()).strip("#")
        if 0 < len(tag) <= MAX_TAG_LENGTH:
            tags.setdefault(fold(tag) or tag, tag)
    return tuple(tags.values())[:MAX_TAGS]


def _is_closed(page: Page) -> bool:
    parts = page.article.get("hasPart")
    parts = parts if isinstance(parts, list) else [parts]
    nodes: list[Node] = [page.article, *(part for part in parts if isinstance(part, dict))]
    return page.first_meta("article:content_tier") == "locked" or any(
        str(node.get("isAccessibleForFree", "")).strip().lower() in {"false", "no", "0"} for node in nodes
    )
