"""From an extracted page, or from a feed's own text, to the article event: pure."""

from datetime import UTC, datetime

from newswire.events import Article, Entry, Moment
from newswire.fitting import fit_article
from newswire.ids import content_hash
from newswire.urls import article_id, normalise
from newswire_ingest.dates import is_plausible
from newswire_ingest.extract import Extraction
from newswire_ingest.feedtext import text_of

FEED_TEXT_CHARACTERS = 80  # a feed's text shorter than this is no article
TITLE_CHARACTERS = 100  # of a title made from the text, where a feed gives none


def from_page(
    entry: Entry, extraction: Extraction, url: str, known_id: str | None, fetched_at: datetime
) -> Article:
    """Return the article of a page.

    Args:
        entry: the entry that led to the page.
        extraction: what the page holds.
        url: where the page was in the end.
        known_id: the article id that the URL memory gave this address before.
        fetched_at: when.
    """
    published, published_from, plausible = _published(entry, extraction, fetched_at)
    title = extraction.title or entry.title or ""
    article = Article(
        article_id=known_id or article_id(extraction.canonical_url),
        entry_id=entry.entry_id, feed_id=entry.feed_id, seen_at=entry.seen_at, url=url,
        canonical_url=extraction.canonical_url, title=title,
        text=extraction.text, content_hash=content_hash(title, extraction.text),
        fetched_at=fetched_at, authors=extraction.authors or entry.authors, published_at=published,
        published_from=published_from, published_plausible=plausible,
        language=extraction.language or entry.language, outlet=entry.outlet or extraction.outlet,
        tags=tuple(dict.fromkeys((*extraction.tags, *entry.tags))), paywalled=extraction.paywalled,
        notes=extraction.notes,
    )  # fmt: skip
    return fit_article(article)


def from_feed(entry: Entry, known_id: str | None, why: str, now: datetime) -> Article | None:
    """Return the article of a feed's own text, marked so; None if the feed has too little.

    Args:
        entry: the entry.
        known_id: the article id that the URL memory gave its address before.
        why: the page could not be had; goes into the notes.
        now: stands for the time of the fetch.
    """
    content = text_of(entry.content) if entry.content else ""
    summary = text_of(entry.summary) if entry.summary else ""
    text, text_from = (content, "feed-content") if len(content) >= len(summary) else (summary, "feed-summary")
    if len(text) < FEED_TEXT_CHARACTERS:
        return None
    url = normalise(entry.origin_url or entry.url)
    title = entry.title or text.partition("\n")[0][:TITLE_CHARACTERS].strip()
    article = Article(
        article_id=known_id or article_id(url), entry_id=entry.entry_id, feed_id=entry.feed_id,
        seen_at=entry.seen_at, url=url, canonical_url=url, title=title, text=text,
        text_from="feed-content" if text_from == "feed-content" else "feed-summary",
        content_hash=content_hash(title, text), fetched_at=now, authors=entry.authors,
        published_at=entry.published_at, published_from="feed" if entry.published_at else None,
        published_plausible=is_plausible(entry.published_at, now) if entry.published_at else None,
        language=entry.language, outlet=entry.outlet, tags=entry.tags, notes=(f"page-not-had: {why}",),
    )  # fmt: skip
    return fit_article(article)


def _published(
    entry: Entry, extraction: Extraction, now: datetime
) -> tuple[Moment | None, str | None, bool | None]:
    """Return the page's date, or the feed's where the page has none that can be true."""
    believed = extraction.published_at is not None and extraction.published_plausible
    if not believed and entry.published_at and is_plausible(entry.published_at, now):
        return entry.published_at, "feed", True
    if extraction.published_at is None and entry.published_at is not None:
        return entry.published_at, "feed", False
    return extraction.published_at, extraction.published_from, extraction.published_plausible


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)
