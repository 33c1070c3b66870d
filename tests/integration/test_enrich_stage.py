"""The enrich stage on a real log: what it says about articles, sightings and withdrawals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.stage_world import NOW, Bench, Gate, bench_in, lift, sent, withdrawal
from structlog.testing import capture_logs

from newswire.envelope import ENTRY, FEED, FIRST_SEEN, VERSION
from newswire.errors import ChildDiedError, UnavailableError
from newswire.events import Article, Enriched, Reason, Sighting
from newswire.log.port import Message
from newswire_enrich.stage import EnrichStage

pytestmark = pytest.mark.integration

URL = "https://courier.example/a"


class TaggingChildren:
    """Finds a language and a topic in everything; remembers what it was asked."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    async def run(self, item: dict[str, Any]) -> dict[str, Any]:
        """Tag a text."""
        self.items.append(item)
        return {"language": "en", "topics": [{"id": "talks", "score": 1.0, "by": "rules 1"}]}


class DyingChildren(TaggingChildren):
    """Dies of a text that kills."""

    async def run(self, item: dict[str, Any]) -> dict[str, Any]:
        """Tag a text, unless it kills."""
        if item["text"] == "killer":
            raise ChildDiedError(Reason.CHILD_KILLED, "died of SIGKILL")
        return await super().run(item)


class StumblingChildren(TaggingChildren):
    """Fails the first times, then works."""

    def __init__(self, error: Exception, times: int) -> None:
        super().__init__()
        self.error = error
        self.left = times

    async def run(self, item: dict[str, Any]) -> dict[str, Any]:
        """Fail or tag."""
        if self.left:
            self.left -= 1
            raise self.error
        return await super().run(item)


class GatedChildren(TaggingChildren):
    """Holds a slow text until let through."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    async def run(self, item: dict[str, Any]) -> dict[str, Any]:
        """Wait, then tag."""
        if item["text"] == "slow":
            await self.gate.pass_through()
        return await super().run(item)


@contextlib.asynccontextmanager
async def enriching(folder: Path, children: Any) -> AsyncIterator[Bench]:
    """Yield a bench for the enrich stage."""
    async with bench_in(folder, EnrichStage(children)) as bench:
        yield bench


def article(entry: str, *, key: str = "A", feed: str = "f1", minutes: int = 0, **changes: Any) -> Message:
    """Return an article as ingest sends it, fetched so many minutes after NOW."""
    at = NOW + timedelta(minutes=minutes)
    fields = {
        "article_id": key, "entry_id": entry, "feed_id": feed, "seen_at": NOW, "url": URL,
        "canonical_url": URL, "title": "T", "text": "x", "content_hash": "h1", "fetched_at": at,
    }  # fmt: skip
    return sent(Article.model_validate(fields | changes), key, entry, feed)


def sighting(entry: str, *, key: str = "A", feed: str = "f2") -> Message:
    """Return a sighting as ingest sends it."""
    event = Sighting(article_id=key, entry_id=entry, feed_id=feed, url=URL, seen_at=NOW)
    return sent(event, key, entry, feed)


async def test_a_first_article_is_tagged_and_carries_its_entry(tmp_path: Path) -> None:
    """It has no outcome yet: that is the index's to say."""
    children = TaggingChildren()
    async with enriching(tmp_path, children) as bench:
        await bench.settle(article("e1", language="de", title="Title", text="Text"))
        (event,) = await bench.enriched()
        (record,) = await bench.records(Enriched.topic)

        assert await bench.outcomes() == []
    assert event is not None
    assert (event.revision, event.entry_id, event.language) == (1, "e1", "en")
    assert [topic.id for topic in event.topics] == ["talks"]
    assert (record.key, record.headers[ENTRY], record.headers[FEED]) == ("A", "e1", "f1")
    assert children.items == [{"title": "Title", "text": "Text", "language": "de"}]


async def test_an_undeclared_language_is_not_suggested_to_the_child(tmp_path: Path) -> None:
    """Undetermined is no language."""
    children = TaggingChildren()
    async with enriching(tmp_path, children) as bench:
        await bench.settle(article("e1"))

    assert children.items[0]["language"] is None


async def test_what_comes_later_is_judged_by_what_is_known(tmp_path: Path) -> None:
    """Also within one batch; only new content is tagged again; versions always grow."""
    children = TaggingChildren()
    async with enriching(tmp_path, children) as bench:
        await bench.settle(
            article("first", minutes=5),
            article("same", minutes=6),
            article("same-new-source", feed="f2", minutes=6),
            article("older", content_hash="h0"),
            article("update", content_hash="h2", minutes=7),
            article("feed-text", content_hash="h3", minutes=8, text_from="feed-content"),
            sighting("seen-new", feed="f3"),
            sighting("seen-again", feed="f3"),
        )
        await bench.settle(article("again", content_hash="h2", minutes=9))
        events = [event for event in await bench.enriched() if event]

        assert await bench.outcomes() == [
            ("same", "unchanged", "same-content"),
            ("same-new-source", "duplicate", "other-source"),
            ("older", "unchanged", "older-fetch"),
            ("feed-text", "unchanged", "feed-text"),
            ("seen-new", "duplicate", "other-source"),
            ("seen-again", "unchanged", "known-source"),
            ("again", "unchanged", "same-content"),
        ]
    assert [(e.entry_id, e.revision, len(e.sources)) for e in events] == [
        ("first", 1, 1), (None, 1, 2), ("update", 2, 2), (None, 2, 3),
    ]  # fmt: skip
    assert len(children.items) == 2
    assert all(event.topics for event in events)
    assert len({event.first_seen_at for event in events}) == 1
    versions = [event.version for event in events]
    assert versions == sorted(set(versions))


async def test_a_version_made_by_no_fetch_carries_no_entry(tmp_path: Path) -> None:
    """Else the index would say that the entry of the first version ended twice."""
    async with enriching(tmp_path, TaggingChildren()) as bench:
        await bench.settle(article("e1"), sighting("e2"))
        headers = [record.headers for record in await bench.records(Enriched.topic)]

    assert [ENTRY in each for each in headers] == [True, False]


async def test_what_follows_stays_in_the_trace_of_its_cause(tmp_path: Path) -> None:
    """The enriched article, and each outcome."""
    one, two = article("e1"), sighting("e2", feed="f1")
    async with enriching(tmp_path, TaggingChildren()) as bench:
        await bench.settle(one, two)
        (event,) = await bench.records(Enriched.topic)
        (outcome,) = await bench.records("newswire.outcomes.v1")

    assert _trace(event.headers) == _trace(one.headers)
    assert _trace(outcome.headers) == _trace(two.headers)


def _trace(headers: Any) -> str:
    return str(headers["traceparent"]).split("-")[1]


async def test_articles_of_one_batch_are_tagged_side_by_side_and_keep_their_order(tmp_path: Path) -> None:
    """The one that takes longer holds up no other, but what follows it of the same article."""
    children = GatedChildren()
    async with enriching(tmp_path, children) as bench:
        await bench.publish(
            article("a1", text="slow"),
            article("a2", content_hash="h2", minutes=1),
            article("b1", key="B", text="quick"),
        )
        async with bench.at_work():
            await asyncio.wait_for(children.gate.reached.wait(), 5)
            await asyncio.wait_for(_asked(children, 1), 5)
            children.gate.open.set()
            await asyncio.wait_for(_asked(children, 3), 5)
        events = [event for event in await bench.enriched() if event]

    assert children.items[0]["text"] == "quick"
    assert [(e.article_id, e.entry_id, e.revision) for e in events] == [
        ("A", "a1", 1), ("A", "a2", 2), ("B", "b1", 1),
    ]  # fmt: skip


async def _asked(children: TaggingChildren, times: int) -> None:
    while len(children.items) < times:
        await asyncio.sleep(0.01)


async def test_a_sighting_waits_for_an_article_that_lies_unread(tmp_path: Path) -> None:
    """Here the article stumbled; then the sighting is a duplicate, never unavailable."""
    children = StumblingChildren(ValueError("stumbled"), 3)
    async with enriching(tmp_path, children) as bench:
        await bench.settle(article("e1"), sighting("e2"))

        assert await bench.outcomes() == [("e2", "duplicate", "other-source")]
        assert await bench.letters() == []


async def test_a_sighting_whose_article_never_comes_is_discarded(tmp_path: Path) -> None:
    """Once all articles are read; one that was dead-lettered never comes."""
    async with enriching(tmp_path, DyingChildren()) as bench:
        with capture_logs() as logs:
            await bench.settle(sighting("e1"), article("e2", key="B", text="killer"), sighting("e3", key="B"))

        assert sorted(await bench.outcomes()) == [
            ("e1", "discarded", "article-unavailable"),
            ("e2", "dead-lettered", "child-killed"),
            ("e3", "discarded", "article-unavailable"),
        ]
    assert "message.waits" not in {line["event"] for line in logs}  # all articles were in its batch


async def test_an_article_that_kills_its_child_is_dead_lettered_alone(tmp_path: Path) -> None:
    """The other articles of its batch are enriched."""
    async with enriching(tmp_path, DyingChildren()) as bench:
        await bench.settle(article("e1", text="killer"), article("e2", key="B"))
        events = [event for event in await bench.enriched() if event]

        assert await bench.letters() == [("A", "child-killed")]
        assert await bench.outcomes() == [("e1", "dead-lettered", "child-killed")]
    assert [event.article_id for event in events] == ["B"]


async def test_children_that_do_not_start_lose_nothing(tmp_path: Path) -> None:
    """An outage is waited out; it is no fault of the article."""
    children = StumblingChildren(UnavailableError("no memory for a child"), 6)
    async with enriching(tmp_path, children) as bench:
        await bench.settle(article("e1"))

        assert [event.entry_id for event in await bench.enriched() if event] == ["e1"]
        assert await bench.letters() == []


async def test_an_article_withdrawn_before_it_came_is_discarded(tmp_path: Path) -> None:
    """Nothing of it is published, and nothing is asked of a child."""
    children = TaggingChildren()
    async with enriching(tmp_path, children) as bench:
        await bench.settle(withdrawal(), article("e1"), sighting("e2"))

        assert await bench.enriched() == []
        assert await bench.outcomes() == [("e1", "discarded", "withdrawn"), ("e2", "discarded", "withdrawn")]
    assert children.items == []


async def test_withdrawing_a_known_article_removes_it_with_a_higher_version(tmp_path: Path) -> None:
    """The tombstone says which version and month; what comes later is discarded until it is lifted."""
    async with enriching(tmp_path, TaggingChildren()) as bench:
        await bench.settle(article("e1"))
        await bench.settle(withdrawal())
        await bench.settle(article("e2", content_hash="h2"))
        await bench.settle(lift())
        await bench.settle(article("e3"))
        records = await bench.records(Enriched.topic)
        events = await bench.enriched()

        assert await bench.outcomes() == [("e2", "discarded", "withdrawn")]
    assert [event and event.entry_id for event in events] == ["e1", None, "e3"]
    before, _, after = events
    assert before is not None
    assert after is not None
    assert before.version < int(records[1].headers[VERSION]) <= after.version
    assert records[1].headers[FIRST_SEEN] == before.first_seen_at.isoformat()
    assert (records[1].key, after.revision) == ("A", 1)


async def test_an_article_withdrawn_and_lifted_at_once_is_taken_anew(tmp_path: Path) -> None:
    """Within one batch too: after the tombstone nothing is known of it."""
    async with enriching(tmp_path, TaggingChildren()) as bench:
        await bench.settle(article("e1"))
        await bench.settle(withdrawal(), lift(), article("e2"))

        assert [event and event.entry_id for event in await bench.enriched()] == ["e1", None, "e2"]


async def test_withdrawing_what_is_not_there_publishes_nothing(tmp_path: Path) -> None:
    """Neither the withdrawal of an unknown article nor a second one, nor a lift."""
    async with enriching(tmp_path, TaggingChildren()) as bench:
        await bench.settle(withdrawal("B"), lift("B"))
        await bench.settle(article("e1"))
        await bench.settle(lift())
        before = len(await bench.enriched())
        await bench.settle(withdrawal())
        await bench.settle(withdrawal(), lift())

        assert (before, len(await bench.enriched())) == (1, 2)


async def test_an_article_withdrawn_while_it_was_tagged_is_not_published(tmp_path: Path) -> None:
    """Withdrawn is checked again inside the commit."""
    children = GatedChildren()
    async with enriching(tmp_path, children) as bench:
        await bench.publish(article("e1", text="slow"))
        async with bench.at_work():
            await asyncio.wait_for(children.gate.reached.wait(), 5)
            await bench.publish(withdrawal())
            children.gate.open.set()
            while not await bench.dealt_with():
                await asyncio.sleep(0.01)

        assert await bench.enriched() == []
        assert await bench.outcomes() == [("e1", "discarded", "withdrawn")]


async def test_what_is_known_survives_a_restart(tmp_path: Path) -> None:
    """The table is read again from the topic."""
    async with enriching(tmp_path, TaggingChildren()) as bench:
        await bench.settle(article("e1"))
    async with enriching(tmp_path, TaggingChildren()) as bench:
        await bench.settle(article("e2"), sighting("e3"))

        assert await bench.outcomes() == [
            ("e2", "unchanged", "same-content"),
            ("e3", "duplicate", "other-source"),
        ]
