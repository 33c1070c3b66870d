"""The owner of an article: what a new fetch or sighting means for what is known. Pure.

fetched ──► unchanged (older, same content, a feed's text after a page's)
       ├──► grown (same content from a new source: no tagging again)
       └──► revised (first or new content: to be tagged)

replayed ──► revised (the same content: to be tagged anew), if nothing newer is known
reissued ──► the same in a new version, for an index that did not take the last one
"""

from dataclasses import dataclass
from datetime import datetime

from newswire.events import Article, Enriched, Reason, Sighting, Source


@dataclass(frozen=True)
class Unchanged:
    """Nothing to publish; the entry ends with the reason."""

    reason: Reason


@dataclass(frozen=True)
class Grown:
    """A known article from one more source."""

    enriched: Enriched


@dataclass(frozen=True)
class Revised:
    """New content; ``enriched`` still lacks language, entities and topics."""

    enriched: Enriched


Decision = Unchanged | Grown | Revised


def next_version(known: Enriched | None, now: datetime, removed_at: int = 0) -> int:
    """Return a version above all before, a tombstone's too: the time in ms, or one more than the last."""
    return max(int(now.timestamp() * 1000), (known.version if known else removed_at) + 1)


def sighted(known: Enriched, sighting: Sighting, now: datetime) -> Unchanged | Grown:
    """Decide about one more entry that leads to a known article."""
    source = Source(feed_id=sighting.feed_id, seen_at=sighting.seen_at, url=sighting.url)
    if _has(known, source):
        return Unchanged(Reason.KNOWN_SOURCE)
    return Grown(_grow(known, source, now))


def fetched(known: Enriched | None, article: Article, now: datetime, removed_at: int = 0) -> Decision:
    """Decide about an article that was fetched.

    Args:
        known: what is known of it.
        article: what was fetched.
        now: the time.
        removed_at: the version of its tombstone, if it was removed.
    """
    source = Source(feed_id=article.feed_id, seen_at=article.seen_at, url=article.url)
    if known is None:
        made = _revise(None, article, (source,), now)
        return Revised(made.model_copy(update={"version": next_version(None, now, removed_at)}))
    if article.content_hash == known.content_hash:
        return Unchanged(Reason.SAME_CONTENT) if _has(known, source) else Grown(_grow(known, source, now))
    stale = _stale(known, article)
    if stale is not None:
        return Unchanged(stale) if _has(known, source) else Grown(_grow(known, source, now))
    sources = known.sources if _has(known, source) else (*known.sources, source)
    return Revised(_revise(known, article, sources, now))


def replayed(known: Enriched | None, version: int, now: datetime) -> Revised | None:
    """Decide about an article that is to be enriched anew: not if it is gone or newer than the replayed one.

    No fetch made the new version, so it carries no entry; revision, first sight and sources stay.
    """
    if known is None or known.version > version:
        return None
    again = {"version": next_version(known, now), "entry_id": None, "enriched_at": now}
    return Revised(known.model_copy(update=again))


def reissued(known: Enriched, entry_id: str | None, now: datetime) -> Enriched:
    """Return the newest that is known in a new version, for the entry of a dead letter to end with."""
    return known.model_copy(update={"version": next_version(known, now), "entry_id": entry_id})


def _stale(known: Enriched, article: Article) -> Reason | None:
    """Say why content that differs is not newer, if it is not."""
    if article.text_from != "page" and known.text_from == "page":
        return Reason.FEED_TEXT
    if article.fetched_at < known.fetched_at and not (article.text_from == "page" != known.text_from):
        return Reason.OLDER_FETCH
    return None


def _has(known: Enriched, source: Source) -> bool:
    return any(each.feed_id == source.feed_id for each in known.sources)


def _grow(known: Enriched, source: Source, now: datetime) -> Enriched:
    """Return the article with one more source; no fetch made this version, so it carries no entry."""
    return known.model_copy(
        update={"version": next_version(known, now), "entry_id": None, "sources": (*known.sources, source)}
    )


def _revise(known: Enriched | None, article: Article, sources: tuple[Source, ...], now: datetime) -> Enriched:
    taken = set(Article.model_fields) & set(Enriched.model_fields) - {"language"}
    return Enriched(
        **{name: getattr(article, name) for name in taken},
        language=article.language or "und",
        version=next_version(known, now),
        revision=known.revision + 1 if known else 1,
        first_seen_at=known.first_seen_at if known else article.seen_at,
        enriched_at=now,
        sources=sources,
    )
