"""What dashboards show, in a real Elasticsearch: from a real log, by the real stage."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.elastic_worlds import Worlds, worlds_on
from elasticsearch import AsyncElasticsearch
from integration.ingest_world import running, until
from integration.stage_world import Bench, bench_in, sent
from servers.elasticsearch import ElasticsearchServer
from unit.test_operations_documents import feed, outcome, status

from newswire.envelope import ENTRY, FEED, dead_letter
from newswire.events import DEAD_LETTERS, Feed, FeedStatus, Outcome, Reason
from newswire.ledger import Ledger
from newswire.log.port import Message, Record
from newswire.metrics import REGISTRY
from newswire.settings import Settings
from newswire.topics import GROUPS
from newswire_index.elastic.bulk import Bulk
from newswire_index.elastic.names import DEAD_LETTERS as LETTERS
from newswire_index.elastic.names import FEED_STATUS, OUTCOMES
from newswire_index.operations.documents import Known, Put
from newswire_index.operations.stage import Feeds, OperationsStage
from newswire_index.operations.store import OperationsStore
from newswire_index.service import operations
from newswire_index.settings import IndexSettings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

NOW = datetime.now(UTC).replace(microsecond=0)
RETENTION = timedelta(days=30)


@pytest.fixture(scope="module")
def all_worlds(elasticsearch: ElasticsearchServer) -> Iterator[Worlds]:
    """The indices of the dashboards."""
    with worlds_on(elasticsearch) as worlds:
        yield worlds


@dataclass
class Desk:
    """A log, the stage, and the indices that it writes."""

    bench: Bench
    client: AsyncElasticsearch
    worlds: Worlds
    store: OperationsStore

    async def documents(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all documents of an index by id."""
        await self.worlds.settle()
        found = await self.client.search(index=self.worlds.names().of(kind), size=1000)
        return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


@pytest.fixture
async def desk(all_worlds: Worlds, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with indices of its own: emptied ones would remember the versions of what was there."""
    names = all_worlds.names()
    async with all_worlds.client() as client:
        indices = [names.index(names.of(kind)) for kind in (FEED_STATUS, OUTCOMES, LETTERS)]
        await client.indices.delete(index=indices, ignore_unavailable=True)
        all_worlds.made.clear()
        await all_worlds.set_up()
        async with opened(all_worlds, client, tmp_path) as desk:
            yield desk


@asynccontextmanager
async def opened(worlds: Worlds, client: AsyncElasticsearch, folder: Path) -> AsyncIterator[Desk]:
    """Yield a desk whose log lies in a folder."""
    store = OperationsStore(client, worlds.names(), RETENTION)
    stage = OperationsStage(store, None)  # type: ignore[arg-type]  # the feeds are those of the log, below
    async with bench_in(folder, stage) as bench:
        object.__setattr__(stage, "feeds", Feeds(bench.log))
        yield Desk(bench, client, worlds, store)


def of_feed(event: Feed | FeedStatus) -> Message:
    """Return an event about a feed as ingest sends it."""
    return sent(event, event.feed_id)


def ended(**changes: Any) -> Message:
    """Return an outcome as a stage sends it."""
    event = outcome(**{"at": NOW, **changes})
    return sent(event, event.entry_id, event.entry_id, event.feed_id)


def died(key: str = "a1", at: datetime = NOW) -> list[Message]:
    """Return a dead letter and its outcome."""
    original = Record("newswire.articles.v1", 0, 17, key, b"\xff any bytes", {ENTRY: "e9", FEED: "f1"}, 0)
    letter, end = dead_letter(original, "enrich", Reason.CPU_LIMIT, "used too much CPU", 3)
    return [Message(letter.topic, key, letter.value, {**letter.headers, "dl_at": at.isoformat()}), end]


def mark(letter_id: str, key: str = "a1") -> Message:
    """Return the mark that a letter was dealt with."""
    headers = {"dl_handled": letter_id, "dl_how": "replayed", "dl_by": "desk", "dl_at": NOW.isoformat()}
    return Message(DEAD_LETTERS, key, None, headers)


def rejected(index: str) -> float:
    """Return how many documents of an index were left out."""
    return REGISTRY.get_sample_value("newswire_operations_rejected_total", {"index": index}) or 0.0


async def test_a_feed_shows_its_last_poll_and_its_last_news(desk: Desk) -> None:
    """Added, polled with news, polled without: one document."""
    await desk.bench.settle(of_feed(feed()))
    added = (await desk.documents(FEED_STATUS))["f1"]
    await desk.bench.settle(of_feed(status(0)))
    await desk.bench.settle(of_feed(status(15, new_entries=0, result="unchanged", polls=8)))
    polled = (await desk.documents(FEED_STATUS))["f1"]

    assert (added["polls"], "result" in added) == (0, False)
    assert (polled["polls"], polled["result"], polled["outlet"]) == (8, "unchanged", "The Courier")
    assert polled["last_new_at"] == polled["silent_since"] == status(0).polled_at.isoformat()


async def test_what_is_known_of_a_feed_outlives_the_process(desk: Desk, tmp_path: Path) -> None:
    """The next owner finds it in the index, refreshed or not; the topic has only the last poll."""
    await desk.bench.settle(of_feed(feed()), of_feed(status(0)))
    (tmp_path / "next").mkdir()
    async with opened(desk.worlds, desk.client, tmp_path / "next") as later:
        await later.bench.settle(of_feed(feed()), of_feed(status(15, new_entries=0)))
        found = (await later.documents(FEED_STATUS))["f1"]

    assert found["silent_since"] == status(0).polled_at.isoformat()


async def test_a_change_of_a_feed_shows_without_a_poll(desk: Desk) -> None:
    """Its title, its outlet, whether it is switched off."""
    await desk.bench.settle(of_feed(feed()), of_feed(status(0)))
    await desk.bench.settle(of_feed(feed(outlet="The Gazette", enabled=False)))
    found = (await desk.documents(FEED_STATUS))["f1"]

    assert (found["outlet"], found["enabled"], found["result"]) == ("The Gazette", False, "new")


async def test_a_removed_feed_goes_and_may_come_back(desk: Desk) -> None:
    """Nobody should look for its news; added again, it begins anew."""
    await desk.bench.settle(of_feed(feed()), of_feed(status(0)))
    await desk.bench.settle(Message(Feed.topic, "f1", None), Message(FeedStatus.topic, "f1", None))
    gone = await desk.documents(FEED_STATUS)
    await desk.bench.settle(of_feed(feed(title="Again")))
    back = (await desk.documents(FEED_STATUS))["f1"]

    assert gone == {}
    assert (back["title"], back["polls"], "last_new_at" in back) == ("Again", 0, False)


async def test_a_status_without_its_feed_is_not_shown(desk: Desk) -> None:
    """It was removed in the meantime."""
    await desk.bench.settle(of_feed(status(0)))

    assert await desk.documents(FEED_STATUS) == {}


async def test_outcomes_show_with_their_outlet_the_latest_of_an_entry(desk: Desk) -> None:
    """An older one that comes later changes nothing."""
    await desk.bench.settle(of_feed(feed()))
    later, now = NOW + timedelta(seconds=5), ended(kind="dead-lettered", reason="cpu-limit")
    await desk.bench.settle(
        now, ended(kind="indexed", reason="new", at=later), ended(entry_id="e2", feed_id="manual")
    )
    await desk.bench.settle(now)
    found = await desk.documents(OUTCOMES)

    assert found.keys() == {"e1", "e2"}
    assert (found["e1"]["reason"], found["e1"]["outlet"]) == ("new", "The Courier")
    assert (found["e2"]["feed_id"], "outlet" in found["e2"]) == ("manual", False)


async def test_dead_letters_show_until_somebody_deals_with_them(desk: Desk) -> None:
    """Whatever their bytes; a letter that comes again is not open again."""
    letters = died()
    await desk.bench.settle(*letters, *died("a2"))
    before = await desk.documents(LETTERS)
    await desk.bench.settle(mark("0-0"))
    after = await desk.documents(LETTERS)
    records = await desk.bench.records(DEAD_LETTERS)

    assert [each["open"] for each in before.values()] == [True, True]
    assert (before["0-0"]["error"], before["0-0"]["attempts"]) == ("used too much CPU", 3)
    assert (after["0-0"]["open"], after["0-0"]["handled"], after["0-0"]["handled_by"]) == (
        False,
        "replayed",
        "desk",
    )
    assert after["0-1"]["open"] is True
    assert len(records) == 3


async def test_a_letter_and_its_mark_in_one_batch(desk: Desk) -> None:
    """As after a long pause; read again from the beginning they lead to the same."""
    await desk.bench.settle(*died(), mark("0-0"))
    once = await desk.documents(LETTERS)
    await desk.bench.publish(*died(), mark("7-7"))
    await desk.bench.settle()
    again = await desk.documents(LETTERS)

    assert once["0-0"]["handled"] == "replayed"
    assert again.keys() == {"0-0", "0-2"}
    assert again["0-0"] == once["0-0"]


async def test_what_is_refused_or_unreadable_is_left_out_and_never_a_dead_letter(desk: Desk) -> None:
    """Everything else in the batch is stored, and the offsets move on."""
    before = {kind: rejected(kind) for kind in (FEED_STATUS, OUTCOMES, LETTERS)}
    long = "x" * 600  # no id may be so long
    await desk.bench.settle(
        of_feed(feed()),
        ended(entry_id=long),
        ended(),
        Message(Outcome.topic, "broken", b"no JSON"),
        Message(Feed.topic, "broken", b"no JSON"),
        Message(FeedStatus.topic, "f1", b"no JSON"),
        mark("nonsense"),
        Message(DEAD_LETTERS, "k", b"", {"dl_attempts": "9" * 40}),
        Message(Feed.topic, "", feed(feed_id="").to_bytes()),
    )

    assert (await desk.documents(OUTCOMES)).keys() == {"e1"}
    assert await desk.documents(FEED_STATUS) == {}
    assert await desk.documents(LETTERS) == {}
    assert {kind: rejected(kind) - count for kind, count in before.items()} == {
        FEED_STATUS: 3, OUTCOMES: 2, LETTERS: 2,
    }  # fmt: skip
    assert len(await desk.bench.records(DEAD_LETTERS)) == 2  # those of the test
    assert await desk.bench.dealt_with()


async def test_an_outage_is_waited_for_and_nothing_is_lost(desk: Desk) -> None:
    """Here the indices are closed to writing, as with a full disk."""
    names = [desk.worlds.names().of(kind) for kind in (FEED_STATUS, OUTCOMES, LETTERS)]
    await desk.client.indices.put_settings(index=names, settings={"index.blocks.write": True})
    await desk.bench.publish(of_feed(feed()), of_feed(status(0)), ended(), *died())
    async with desk.bench.at_work():
        await asyncio.sleep(0.5)  # some tries
        moved = await desk.bench.log.committed("index-operations", Outcome.topic)
        await desk.client.indices.put_settings(index=names, settings={"index.blocks.write": None})
        await until(desk.bench.dealt_with)

    assert moved == {0: 0}
    assert [len(await desk.documents(kind)) for kind in (FEED_STATUS, OUTCOMES, LETTERS)] == [1, 2, 1]
    assert len(await desk.bench.records(DEAD_LETTERS)) == 1


async def test_what_is_older_than_the_retention_is_deleted(desk: Desk) -> None:
    """As on the log; a feed that is switched off stays, one that nobody polls any more does not."""
    old = NOW - RETENTION - timedelta(hours=1)
    await desk.store.write(
        [
            Put(OUTCOMES, "old", {"entry_id": "old", "at": old.isoformat()}, 1),
            Put(OUTCOMES, "young", {"entry_id": "young", "at": NOW.isoformat()}, 1),
            Put(LETTERS, "0-1", {"letter_id": "0-1", "at": old.isoformat()}, 1),
            Put(FEED_STATUS, "lost", {"polled_at": old.isoformat(), "enabled": True}, 1),
            Put(FEED_STATUS, "off", {"polled_at": old.isoformat(), "enabled": False}, 1),
            Put(FEED_STATUS, "new", {"enabled": True}, 1),
        ]
    )
    await desk.worlds.settle()
    dropped = await desk.store.drop_expired(NOW)

    assert dropped == 3
    assert (await desk.documents(OUTCOMES)).keys() == {"young"}
    assert await desk.documents(LETTERS) == {}
    assert (await desk.documents(FEED_STATUS)).keys() == {"off", "new"}


async def test_what_is_known_is_read_in_real_time(desk: Desk) -> None:
    """Of feeds that are not there nothing is."""
    await desk.store.write([Put(FEED_STATUS, "f1", {"silent_since": NOW.isoformat()}, 77)])

    assert await desk.store.known({"f1", "f2"}) == {"f1": Known(77, None, NOW), "f2": Known()}
    assert await desk.store.known(set()) == {}


async def test_the_index_service_runs_it_where_the_store_is_elasticsearch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a group of its own, which nobody else may take; with SQLite there is nothing to run."""
    settings = desk.worlds.settings
    monkeypatch.setenv("NEWSWIRE_ELASTICSEARCH_WAIT_SECONDS", str(settings.wait_seconds))
    elastic = Settings(store=desk.worlds.url, prefix=desk.worlds.base)
    await desk.bench.publish(of_feed(feed()), ended())
    async with operations(Settings(), IndexSettings(), desk.bench.log) as nothing:
        assert nothing == ()
    async with operations(elastic, IndexSettings(), desk.bench.log) as (worker,), running(worker):
        await until(desk.bench.dealt_with)
        await worker.check()

    assert worker.group == "index-operations"
    assert worker.group in GROUPS
    assert (await desk.documents(OUTCOMES)).keys() == {"e1"}


async def test_the_ledger_does_not_wait_for_dashboards(desk: Desk) -> None:
    """An entry has ended when its outcome lies on the log."""
    await desk.bench.publish(ended())
    balance = await Ledger(desk.bench.log).balance()

    assert (balance.seen, balance.in_flight, balance.lost) == (1, 0, ())


async def test_without_its_indices_it_says_what_to_do(desk: Desk) -> None:
    """Somebody has not set it up, or deleted them."""
    names = desk.worlds.names("nowhere.")
    store = OperationsStore(desk.client, names, RETENTION, Bulk(desk.client))

    with pytest.raises(Exception, match="newswire index setup"):
        await store.check()
    with pytest.raises(Exception, match="newswire index setup"):
        await store.write([Put(OUTCOMES, "e1", {}, 1)])
    assert await store.drop_expired(NOW) == 0
    assert not await desk.client.indices.exists(index=names.of(OUTCOMES))
