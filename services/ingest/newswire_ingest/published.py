"""When an article was published, and which witness says so."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from lxml import etree

from newswire.events import Moment
from newswire_ingest.dates import is_plausible, moment_in_text, moment_in_url, parse_moment
from newswire_ingest.json_ld import text_of
from newswire_ingest.page_tree import Page, line_of

MAX_ELEMENTS = 20  # of a kind that are looked at
MAX_TEXT_LENGTH = 80  # characters of a line that holds a visible date

_META = (
    "article:published_time", "og:article:published_time", "article:published", "og:published_time",
    "datepublished", "publish-date", "publish_date", "published_at", "publication_date",
    "parsely-pub-date",
    "sailthru.date", "cxenseparse:recs:publishtime", "date", "dc.date", "dc.date.issued",
    "dcterms.created", "dcterms.date",
    "dc.terms.issued", "citation_publication_date", "pubdate", "article.published", "article.created",
)  # fmt: skip
_ITEMPROP = etree.XPath("//*[@itemprop='datePublished']")
_VISIBLE = etree.XPath(
    "//*[self::p or self::span or self::div or self::li]"
    "[contains(@class, 'date') or contains(@class, 'publi') or contains(@class, 'byline')"
    " or contains(@class, 'time')]"
    "[not(ancestor::aside or ancestor::footer or ancestor::nav)]"
)


class Published(NamedTuple):
    """A date of publication, its witness, and whether it can be true."""

    at: Moment
    witness: str
    plausible: bool


def find_published(page: Page, fetched_at: datetime) -> Published | None:
    """Return the first plausible date in the order of witnesses, else the first; the clock is no witness."""
    first = None
    for moment, witness in _testimonies(page):
        published = Published(moment, witness, is_plausible(moment, fetched_at))
        if published.plausible:
            return published
        first = first or published
    return first


def _testimonies(page: Page) -> Iterator[tuple[Moment, str]]:
    month_first = (page.tree.get("lang") or "").lower() in {"en-us", "en_us"}
    for value, witness in _values(page):
        if moment := parse_moment(value, month_first=month_first):
            yield moment, witness
    if day := moment_in_url(page.url):
        yield day, "url"
    for element in page.select(_VISIBLE, MAX_ELEMENTS):
        line = line_of(element)
        if len(line) <= MAX_TEXT_LENGTH and (day := moment_in_text(line, month_first=month_first)):
            yield day, "text"


def _values(page: Page) -> Iterator[tuple[str, str]]:
    for key in ("datePublished", "dateCreated"):
        yield text_of(page.article.get(key)), "json-ld"
    for name in _META:
        for value in page.meta.get(name, ())[:1]:
            yield value, f"meta:{name}"
    for element in page.select(_ITEMPROP, MAX_ELEMENTS):
        yield element.get("datetime") or element.get("content") or line_of(element), "itemprop"
    for element in list(page.elements("time"))[:MAX_ELEMENTS]:
        yield element.get("datetime") or line_of(element), "time-element"
