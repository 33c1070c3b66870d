"""The stage for dashboards with a store that only remembers: what goes wrong, and on Kafka."""

import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from integration.ingest_world import running, until
from integration.kafka_world import KafkaWorld
from integration.stage_world import bench_in, sent
from servers.kafka import KafkaServer
from structlog.testing import capture_logs
from unit.test_operations_documents import feed, outcome, status

from newswire.backoff import Backoff
from newswire.events import DEAD_LETTERS, Feed, FeedStatus, Outcome
from newswire.following import Latest
from newswire.log.port import Log, Message
from newswire.partition_loop import WorkerOptions
from newswire.topics import TOPICS
from newswire.worker import Worker
from newswire_index.elastic.names import FEED_STATUS, OUTCOMES
from newswire_index.operations.documents import Add, Change, Known, Put, Step
from newswire_index.operations.stage import Feeds, OperationsStage

if TYPE_CHECKING:
    from newswire_index.operations.store import OperationsStore

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

OPTIONS = WorkerOptions(backoff=Backoff(0.02, 0.1), publishes=False)


class RememberingStore:
    """Keeps the documents; fails for the first writes."""

    def __init__(self, failures: int = 0) -> None:
        self.documents: dict[tuple[str, str], Step] = {}
        self.failures = failures
        self.writes = 0

    async def check(self) -> None:
        """See OperationsStore."""

    async def known(self, feed_ids: Collection[str]) -> dict[str, Known]:
        """See OperationsStore."""
        return dict.fromkeys(feed_ids, Known())

    async def write(self, steps: Sequence[Step]) -> None:
        """See OperationsStore."""
        self.writes += 1
        if self.failures:
            self.failures -= 1
            raise ZeroDivisionError("our own mistake")
        self.documents |= {(step.kind, step.id): step for step in steps}

    def ids(self, kind: str) -> set[str]:
        """Return the ids of the documents of an index."""
        return {document_id for each, document_id in self.documents if each == kind}


def stage_on(log: Log, store: RememberingStore) -> OperationsStage:
    """Return the stage."""
    return OperationsStage(cast("OperationsStore", store), Feeds(log))


@contextlib.asynccontextmanager
async def at_work(log: Log, *stages: OperationsStage) -> AsyncIterator[None]:
    """Run a worker for each stage."""
    async with contextlib.AsyncExitStack() as stack:
        for stage in stages:
            await stack.enter_async_context(running(Worker(log, stage, OPTIONS)))
        yield


async def test_our_own_mistakes_are_waited_for_and_never_a_dead_letter(tmp_path: Path) -> None:
    """A dead letter about a dead letter would be the next message that fails, for ever."""
    store = RememberingStore(failures=6)
    async with bench_in(tmp_path, stage_on(cast("Log", None), store)) as bench:
        stage = stage_on(bench.log, store)
        ended = sent(outcome(), "e1", "e1", "f1")
        await bench.publish(ended, Message(DEAD_LETTERS, "k", b"?", {"dl_stage": "enrich"}))
        with capture_logs() as lines:
            async with at_work(bench.log, stage):
                await until(bench.dealt_with)
        letters = await bench.records(DEAD_LETTERS)

    assert (store.failures, store.writes) == (0, 7)
    assert store.ids(OUTCOMES) == {"e1"}
    assert len(letters) == 1
    said = {line["event"] for line in lines}
    assert {"operations.failed", "dependency.down", "dependency.back"} <= said
    assert "message.dead_lettered" not in said


async def test_feeds_are_looked_up_wherever_they_lie_and_followed(tmp_path: Path) -> None:
    """Asked for again and again they are not read again; a removed one is unknown."""
    async with bench_in(tmp_path, stage_on(cast("Log", None), RememberingStore())) as bench:
        feeds = Feeds(bench.log)
        await bench.publish(Message(Feed.topic, "f1", feed().to_bytes()), Message(Feed.topic, "f2", b"?"))
        await feeds.catch_up({"f1"})
        first, broken, nobody = feeds.get("f1"), feeds.get("f2"), feeds.get("f3")
        await bench.publish(Message(Feed.topic, "f1", None))
        await feeds.catch_up({"f1"})
        cached = feeds.get("f1")
        feeds._looked_at = float("-inf")
        await feeds.catch_up(set())

        assert first == feed()
        assert (broken, nobody) == (None, None)
        assert cached is first
        assert feeds.get("f1") is None


async def test_an_unknown_feed_is_looked_for_at_most_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries sent by hand have none, and there may be many."""
    looks: list[int] = []
    catch_up = Latest.catch_up

    async def counted(latest: Latest) -> None:
        looks.append(1)
        await catch_up(latest)

    monkeypatch.setattr(Latest, "catch_up", counted)
    async with bench_in(tmp_path, stage_on(cast("Log", None), RememberingStore())) as bench:
        feeds = Feeds(bench.log)
        for _ in range(20):
            await feeds.catch_up({"manual"})

    assert len(looks) == 1


async def test_on_kafka_it_works_without_transactions_and_shares_the_work(kafka: KafkaServer) -> None:
    """Two processes, four topics, offsets only; what one has read the other does not read again."""
    async with KafkaWorld(kafka) as world:
        logs = [await world.log(TOPICS), await world.log(TOPICS)]
        store = RememberingStore()
        entries = [f"e{number}" for number in range(60)]
        await logs[0].publish([sent(feed(), "f1"), sent(status(), "f1")])
        await logs[0].publish([sent(outcome(entry_id=each), each, each, "f1") for each in entries])
        await logs[0].publish(
            [Message(DEAD_LETTERS, each, b"?", {"dl_stage": "enrich"}) for each in entries[:5]]
        )
        async with at_work(logs[0], stage_on(logs[0], store)), at_work(logs[1], stage_on(logs[1], store)):

            async def complete() -> bool:
                return len(store.documents) == 66 and await all_committed(logs[0])

            await until(complete)
        before = store.writes
        async with at_work(logs[0], stage_on(logs[0], store)):
            more = sent(outcome(entry_id="more"), "more", "more", "f1")
            await logs[1].publish([more])

            async def has_more() -> bool:
                return "more" in store.ids(OUTCOMES)

            await until(has_more)

    found = store.documents[FEED_STATUS, "f1"]
    ended = store.documents[OUTCOMES, "e7"]
    assert isinstance(found, Put)
    assert isinstance(ended, Put)
    assert (found.source["result"], ended.source["outlet"]) == ("new", "The Courier")
    assert sum(isinstance(step, Add) for step in store.documents.values()) == 5
    assert not any(isinstance(step, Change) for step in store.documents.values())
    assert store.writes - before == 1


async def all_committed(log: Log) -> bool:
    """Tell whether the group has dealt with every message."""
    for topic in (Feed.topic, FeedStatus.topic, Outcome.topic, DEAD_LETTERS):
        for number, offset in (await log.committed("index-operations", topic)).items():
            if await log.read(topic, number, offset, max_records=1):
                return False
    return True
