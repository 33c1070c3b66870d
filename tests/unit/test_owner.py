"""The owner of an article: what is known, what comes, and what follows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newswire.events import Article, Enriched, Reason, Sighting, Source
from newswire_enrich.owner import (
    Decision,
    Grown,
    Revised,
    Unchanged,
    fetched,
    next_version,
    reissued,
    replayed,
    sighted,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
URL = "https://courier.example/a"


def article(feed: str = "f1", content: str = "h1", minutes: int = 0, **changes: Any) -> Article:
    """Return an article as it was fetched, so many minutes after NOW."""
    at = NOW + timedelta(minutes=minutes)
    fields = {
        "article_id": "A", "entry_id": f"e-{feed}", "feed_id": feed, "seen_at": at, "url": URL,
        "canonical_url": URL, "title": "T", "text": "x", "content_hash": content, "fetched_at": at,
    }  # fmt: skip
    return Article.model_validate(fields | changes)


def known(**changes: Any) -> Enriched:
    """Return what is known after the first fetch."""
    decision = fetched(None, article(**changes), NOW)
    assert isinstance(decision, Revised)
    return decision.enriched


def sighting(feed: str) -> Sighting:
    """Return a sighting in a feed."""
    return Sighting(article_id="A", entry_id="s", feed_id=feed, url=f"{URL}?again", seen_at=NOW)


def kind(decision: Decision) -> Any:
    """Return the kind of a decision, short."""
    return decision.reason if isinstance(decision, Unchanged) else type(decision)


PAGE_H1 = known()
FEED_H1 = known(text_from="feed-summary")


@pytest.mark.parametrize(
    ("before", "comes", "expected"),
    [
        (None, article(), Revised),
        (None, article(text_from="feed-content"), Revised),
        (PAGE_H1, article(), Reason.SAME_CONTENT),
        (PAGE_H1, article(minutes=-9), Reason.SAME_CONTENT),
        (PAGE_H1, article("f2"), Grown),
        (PAGE_H1, article(content="h2", minutes=1), Revised),
        (PAGE_H1, article(content="h2"), Revised),
        (PAGE_H1, article("f2", content="h2", minutes=1), Revised),
        (PAGE_H1, article(content="h2", minutes=-1), Reason.OLDER_FETCH),
        (PAGE_H1, article("f2", content="h2", minutes=-1), Grown),
        (PAGE_H1, article(content="h2", minutes=1, text_from="feed-content"), Reason.FEED_TEXT),
        (PAGE_H1, article("f2", content="h2", minutes=1, text_from="feed-content"), Grown),
        (FEED_H1, article(content="h2", minutes=1, text_from="feed-content"), Revised),
        (FEED_H1, article(content="h2", minutes=-1, text_from="feed-content"), Reason.OLDER_FETCH),
        (FEED_H1, article(content="h2", minutes=1), Revised),
        (FEED_H1, article(content="h2", minutes=-1), Revised),
    ],
    ids=[
        "first", "first, of a feed", "same content", "same content, older", "same content, new source",
        "new content", "new content at the same moment", "new content, new source", "older fetch",
        "older fetch, new source", "feed text after page", "feed text after page, new source",
        "newer feed text after feed text", "older feed text after feed text", "page after feed text",
        "page fetched before the feed text",
    ],
)  # fmt: skip
def test_what_a_fetch_means(before: Enriched | None, comes: Article, expected: Any) -> None:
    """A feed's text never replaces a page's, and a page always replaces a feed's."""
    assert kind(fetched(before, comes, NOW)) == expected


def test_the_first_fetch_makes_revision_one() -> None:
    """First seen is the poll that showed it, not the fetch."""
    seen = NOW - timedelta(hours=1)
    made = known(
        seen_at=seen, language="de", published_at=NOW, published_from="feed", tags=("t",), notes=("n",)
    )

    assert (made.revision, made.first_seen_at, made.entry_id, made.version) == (1, seen, "e-f1", NOW_MS)
    assert made.sources == (Source(feed_id="f1", seen_at=seen, url=URL),)
    assert (made.language, made.enriched_at, made.content_hash) == ("de", NOW, "h1")
    assert (made.published_at, made.published_from, made.tags, made.notes) == (NOW, "feed", ("t",), ("n",))


def test_an_undeclared_language_is_undetermined() -> None:
    """Until a child has looked."""
    assert known().language == "und"


def test_new_content_is_a_revision_with_all_sources() -> None:
    """First sight stays, even if this feed saw it earlier; what was tagged before is gone."""
    before = PAGE_H1.model_copy(update={"topics": ("old",), "entities": ("old",)})
    later = NOW + timedelta(minutes=5)
    earlier_sight = NOW - timedelta(days=3)
    decision = fetched(before, article("f2", content="h2", minutes=5, seen_at=earlier_sight), later)

    assert isinstance(decision, Revised)
    made = decision.enriched
    assert (made.revision, made.content_hash, made.entry_id) == (2, "h2", "e-f2")
    assert (made.first_seen_at, made.fetched_at) == (PAGE_H1.first_seen_at, later)
    assert [source.feed_id for source in made.sources] == ["f1", "f2"]
    assert (made.topics, made.entities) == ((), ())


def test_a_revision_from_a_known_source_adds_none() -> None:
    """Sources are feeds, each once."""
    decision = fetched(PAGE_H1, article(content="h2", minutes=1), NOW)

    assert isinstance(decision, Revised)
    assert decision.enriched.sources == PAGE_H1.sources


@pytest.mark.parametrize(
    "decision", [fetched(PAGE_H1, article("f2"), NOW), sighted(PAGE_H1, sighting("f2"), NOW)]
)
def test_one_more_source_changes_nothing_else(decision: Decision) -> None:
    """No fetch made this version: it carries no entry, and its tags stay as they are."""
    assert isinstance(decision, Grown)
    grown = decision.enriched

    assert [source.feed_id for source in grown.sources] == ["f1", "f2"]
    assert (grown.version, grown.entry_id) == (PAGE_H1.version + 1, None)
    same = {"version", "entry_id", "sources"}
    assert grown.model_dump(exclude=same) == PAGE_H1.model_dump(exclude=same)


def test_a_sighting_in_a_known_feed_is_nothing_new() -> None:
    """Under whatever address."""
    assert kind(sighted(PAGE_H1, sighting("f1"), NOW)) is Reason.KNOWN_SOURCE


def test_a_sighting_says_where_it_was_seen() -> None:
    """Its own address and time."""
    decision = sighted(PAGE_H1, sighting("f2"), NOW)

    assert isinstance(decision, Grown)
    assert decision.enriched.sources[-1] == Source(feed_id="f2", seen_at=NOW, url=f"{URL}?again")


@pytest.mark.parametrize("minutes", [-60, 0, 60])
def test_versions_always_grow(minutes: int) -> None:
    """The clock may stand still or go back."""
    at = NOW + timedelta(minutes=minutes)

    assert next_version(PAGE_H1, at) == max(NOW_MS + 1, NOW_MS + minutes * 60_000)
    for decision in (
        fetched(PAGE_H1, article(content="h2", minutes=1), at),
        fetched(PAGE_H1, article("f2"), at),
        sighted(PAGE_H1, sighting("f2"), at),
    ):
        assert isinstance(decision, Grown | Revised)
        assert decision.enriched.version > PAGE_H1.version


def test_the_first_version_is_the_time() -> None:
    """In milliseconds since 1970."""
    assert next_version(None, NOW) == NOW_MS


@pytest.mark.parametrize(
    ("removed_at", "version"), [(0, NOW_MS), (NOW_MS - 1, NOW_MS), (NOW_MS + 99, NOW_MS + 100)]
)
def test_what_comes_back_is_newer_than_its_tombstone(removed_at: int, version: int) -> None:
    """Also with a clock that was set back; it begins anew, as revision one."""
    decision = fetched(None, article(), NOW, removed_at)

    assert isinstance(decision, Revised)
    assert (decision.enriched.version, decision.enriched.revision) == (version, 1)


@pytest.mark.parametrize(
    ("before", "version", "again"),
    [
        (PAGE_H1, NOW_MS, True),
        (PAGE_H1, NOW_MS + 1, True),
        (PAGE_H1, NOW_MS - 1, False),
        (None, NOW_MS, False),
    ],
    ids=["as replayed", "older than replayed", "newer than replayed", "gone"],
)
def test_history_is_enriched_anew_unless_something_newer_is_known(
    before: Enriched | None, version: int, again: bool
) -> None:
    """Revision, first sight and sources stay; it carries no entry."""
    later = NOW + timedelta(hours=1)
    decision = replayed(before, version, later)

    assert (decision is not None) is again
    if decision is not None and before is not None:
        changed = {"version", "entry_id", "enriched_at"}
        made = decision.enriched
        assert made.model_dump(exclude=changed) == before.model_dump(exclude=changed)
        assert (made.version, made.entry_id, made.enriched_at) == (NOW_MS + 3_600_000, None, later)


@pytest.mark.parametrize("entry", ["e7", None])
def test_what_an_index_did_not_take_gets_a_new_version(entry: str | None) -> None:
    """For the entry of its dead letter, if it had one; the tags are those that are known."""
    made = reissued(PAGE_H1, entry, NOW)

    assert (made.version, made.entry_id) == (PAGE_H1.version + 1, entry)
    same = {"version", "entry_id"}
    assert made.model_dump(exclude=same) == PAGE_H1.model_dump(exclude=same)
