"""The worker: batches, the three ends, outages, fencing, stopping."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from unit.stages import BlockingStage, EchoHandler, EchoStage, OutageStage, PatientStage, PoisonStage, outcome

from newswire.backoff import Backoff
from newswire.envelope import ENTRY, FEED
from newswire.errors import CacheBrokenError, ChildDiedError, FencedError, UnavailableError
from newswire.events import DEAD_LETTERS, Outcome, OutcomeKind, Reason
from newswire.log import Log, Message, Record, TopicPartition, TopicSpec, open_log
from newswire.log.sqlite import SqliteClaim
from newswire.ownership import Ownership
from newswire.partition_loop import WorkerOptions
from newswire.stage import Delivery, End, Stage
from newswire.worker import Worker, _first_of

pytestmark = pytest.mark.unit

SPECS = [TopicSpec(name) for name in ("in", "second", "out", DEAD_LETTERS, Outcome.topic)]
OPTIONS = WorkerOptions(backoff=Backoff(0.001, 0.01), drain_seconds=2.0)
DEADLINE_SECONDS = 10.0


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with one partition."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=1)
    await log.open(SPECS)
    yield log
    await log.close()


@asynccontextmanager
async def working(log: Log, stage: Stage, options: WorkerOptions = OPTIONS) -> AsyncIterator[Worker]:
    """A worker at work, stopped in the end; its error is raised."""
    worker = Worker(log, stage, options)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


async def put(log: Log, *numbers: int, topic: str = "in") -> None:
    """Publish events with their entry's id in the headers."""
    await log.publish(
        [
            Message(topic, "k", outcome(number).to_bytes(), {ENTRY: str(number), FEED: "f"})
            for number in numbers
        ]
    )


async def records(log: Log, topic: str) -> list[Record]:
    """Return everything on a topic."""
    return await log.read(topic, 0, 0)


async def echoed(log: Log) -> list[str]:
    """Return the numbers that came out, in order."""
    return [Outcome.from_bytes(record.value or b"").entry_id for record in await records(log, "out")]


async def until(log: Log, condition: Callable[[list[str]], bool]) -> None:
    """Wait until what came out is as it should be."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition(await echoed(log)):
            await asyncio.sleep(0.005)


async def committed(log: Log, count: int, topic: str = "in") -> None:
    """Wait until so many messages are dealt with."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await log.committed("echo", topic))[0] < count:
            await asyncio.sleep(0.005)


async def test_everything_is_handled_once_and_in_order(log: Log) -> None:
    """What comes in goes out, and the offset stands behind it."""
    await put(log, *range(100))
    async with working(log, EchoStage()):
        await committed(log, 100)

    assert await echoed(log) == [str(number) for number in range(100)]


async def test_a_batch_takes_what_waits_up_to_its_bound(log: Log) -> None:
    """Batches are bounded by count, and a lone message does not wait for company."""
    await put(log, *range(5))
    stage = EchoStage()
    async with working(log, stage, WorkerOptions(max_records=2)):
        await committed(log, 5)

    assert [len(batch) for batch in stage.batches] == [2, 2, 1]


async def test_a_batch_is_bounded_by_bytes(log: Log) -> None:
    """Messages larger than the bound come one by one."""
    await put(log, *range(3))
    stage = EchoStage()
    async with working(log, stage, WorkerOptions(max_bytes=10)):
        await committed(log, 3)

    assert [len(batch) for batch in stage.batches] == [1, 1, 1]


async def test_a_message_that_comes_later_is_handled_soon(log: Log) -> None:
    """An idle worker is woken, it does not wait for its next look."""
    async with working(log, EchoStage()):
        await put(log, 1)
        async with asyncio.timeout(3):
            await committed(log, 1)


async def test_bytes_that_are_no_event_are_dead_lettered_with_their_outcome(log: Log) -> None:
    """The original bytes are kept, with who, where and why; the others go on."""
    await log.publish([Message("in", "k", b"{broken", {ENTRY: "e1", FEED: "f1"})])
    await put(log, 2)
    async with working(log, EchoStage()):
        await committed(log, 2)
    (letter,) = await records(log, DEAD_LETTERS)
    (ended,) = await records(log, Outcome.topic)
    event = Outcome.from_bytes(ended.value or b"")

    assert letter.value == b"{broken"
    assert letter.headers["dl_stage"] == "echo"
    assert letter.headers["dl_topic"] == "in"
    assert letter.headers["dl_offset"] == "0"
    assert letter.headers["dl_reason"] == Reason.UNREADABLE
    assert "Invalid JSON" in letter.headers["dl_error"]
    assert (event.entry_id, event.feed_id, event.kind) == ("e1", "f1", OutcomeKind.DEAD_LETTERED)
    assert await echoed(log) == ["2"]


async def test_an_event_with_unknown_fields_is_simply_handled(log: Log) -> None:
    """A newer producer may say more."""
    value = outcome(1).to_bytes()[:-1] + b',"later":{"x":1}}'
    await log.publish([Message("in", "k", value)])
    async with working(log, EchoStage()):
        await committed(log, 1)

    assert await echoed(log) == ["1"]


async def test_a_poisonous_message_is_tried_alone_and_dead_lettered(log: Log) -> None:
    """Its neighbours in the batch come through, in order."""
    await put(log, *range(6))
    stage = PoisonStage("3")
    async with working(log, stage):
        await committed(log, 6)
    (letter,) = await records(log, DEAD_LETTERS)

    assert await echoed(log) == ["0", "1", "2", "4", "5"]
    assert letter.headers["dl_attempts"] == "3"
    assert letter.headers["dl_reason"] == Reason.HANDLER_FAILED
    assert "poison" in letter.headers["dl_error"]
    assert stage.batches.count(["3"]) == 3


async def test_an_item_error_is_final_at_once(log: Log) -> None:
    """A child that died twice was tried twice already."""
    await put(log, 1)
    async with working(log, PoisonStage("1", error=ChildDiedError(Reason.CPU_LIMIT, "too slow"))):
        await committed(log, 1)
    (letter,) = await records(log, DEAD_LETTERS)

    assert letter.headers["dl_reason"] == Reason.CPU_LIMIT
    assert letter.headers["dl_attempts"] == "1"


async def test_an_outage_loses_nothing_and_dead_letters_nothing(log: Log) -> None:
    """However long it lasts; it is said once, and once that it is over."""
    await put(log, *range(4))
    stage = OutageStage(calls=20)
    with capture_logs() as lines:
        async with working(log, stage):
            await committed(log, 4)

    assert await echoed(log) == ["0", "1", "2", "3"]
    assert await records(log, DEAD_LETTERS) == []
    assert [line["event"] for line in lines if line["event"].startswith("dependency")] == [
        "dependency.down",
        "dependency.back",
    ]


async def test_stopping_does_not_wait_for_an_outage_to_end(log: Log) -> None:
    """The wait between tries is cut short."""
    await put(log, 1)
    stage = OutageStage(calls=10**9)
    async with asyncio.timeout(5):
        async with working(log, stage, WorkerOptions(backoff=Backoff(60, 60))):
            while not stage.batches:
                await asyncio.sleep(0.005)

    assert (await log.committed("echo", "in"))[0] == 0


async def test_stopping_does_not_wait_for_the_log_to_come_back(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is the log that is away."""
    asked = asyncio.Event()

    async def away(*_: object, **__: object) -> None:
        asked.set()
        raise UnavailableError("disk full")

    monkeypatch.setattr(SqliteClaim, "fetch", away)
    async with asyncio.timeout(5):
        async with working(log, EchoStage(), WorkerOptions(backoff=Backoff(60, 60))):
            await asked.wait()


async def test_a_worker_that_is_cancelled_says_so(log: Log) -> None:
    """Whoever cancels it while it lets go must not take that for a good end."""
    await put(log, 1)
    stage = BlockingStage()
    worker = Worker(log, stage, OPTIONS)
    running = asyncio.create_task(worker.run())
    await stage.entered.wait()
    worker.stop()
    await asyncio.sleep(0.05)  # it is letting go now, and waits for the batch
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    stage.release.set()


async def test_a_retry_holds_its_topic_and_what_lies_behind(log: Log) -> None:
    """What was before it is committed; the rest comes again, in order."""
    await put(log, *range(4))
    stage = PatientStage("2")
    async with working(log, stage):
        await committed(log, 2)
        await until(log, lambda found: found == ["0", "1"])
        stage.ready = True
        await committed(log, 4)

    assert await echoed(log) == ["0", "1", "2", "3"]


async def test_a_retry_does_not_hold_other_topics(log: Log) -> None:
    """A sighting that waits for its article does not keep the article away."""
    stage = PatientStage("1", inputs=("in", "second"))
    await put(log, 1)
    async with working(log, stage):
        await put(log, 7, topic="second")
        await committed(log, 1, topic="second")
        stage.ready = True
        await committed(log, 1)

    assert sorted(await echoed(log)) == ["1", "7"]


async def test_a_verdict_on_a_topic_that_has_grown_is_given_again(log: Log) -> None:
    """The batch is handled anew, and only the last verdict is committed."""
    await put(log, 1)
    where = TopicPartition("second", 0)

    class Resting(EchoStage):
        async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
            if len(self.batches) == 1:
                await put(log, 9, topic="second")
            else:
                self.ends = {where: 1}
            return await super().act(batch)

    stage = Resting()
    stage.ends = {where: 0}
    async with working(log, stage):
        await committed(log, 1)

    assert stage.batches == [["1"], ["1"]]
    assert await echoed(log) == ["1"]


async def test_stopping_finishes_the_batch_in_hand(log: Log) -> None:
    """What is in hand is committed, then the partition is closed."""
    await put(log, 1)
    stage = BlockingStage()
    async with working(log, stage) as worker:
        await stage.entered.wait()
        worker.stop()
        worker.stop()
        asyncio.get_running_loop().call_later(0.1, stage.release.set)

    assert await echoed(log) == ["1"]
    assert stage.closed == [0]


async def test_stopping_gives_up_a_batch_that_takes_too_long(log: Log) -> None:
    """After the shared deadline it is dropped, and comes again to the next owner."""
    await put(log, 1)
    stage = BlockingStage()
    async with asyncio.timeout(5):
        async with working(log, stage, WorkerOptions(drain_seconds=0.1)):
            await stage.entered.wait()
    async with working(log, EchoStage()):
        await committed(log, 1)

    assert await echoed(log) == ["1"]


async def test_a_fenced_partition_is_dropped_without_harm(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process is the owner now: nothing of ours is written, the worker goes on."""
    await put(log, 1)

    async def fenced(*_: object, **__: object) -> None:
        raise FencedError("lost")

    monkeypatch.setattr(Ownership, "commit", fenced)
    stage = EchoStage()
    with capture_logs() as lines:
        async with working(log, stage):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not stage.closed:
                    await asyncio.sleep(0.005)

    assert await echoed(log) == []
    assert "partition.fenced" in [line["event"] for line in lines]


async def test_a_background_failure_stops_the_worker_loudly(log: Log) -> None:
    """A poller that dies silently would look like a quiet day."""

    class Dying(EchoStage):
        async def background(self, ownership: Ownership) -> None:
            del ownership
            raise RuntimeError("poller died")

    with pytest.raises(RuntimeError, match="poller died"):
        async with asyncio.timeout(5):
            await Worker(log, Dying(), OPTIONS).run()


async def test_a_stage_that_cannot_open_stops_the_worker(log: Log) -> None:
    """A table that cannot be read is not an empty one."""

    class Closed(EchoStage):
        async def open(self, ownership: Ownership) -> EchoHandler:
            del ownership
            raise RuntimeError("no table")

    worker = Worker(log, Closed(), OPTIONS)
    with pytest.raises(RuntimeError, match="no table"):
        async with asyncio.timeout(5):
            await worker.run()


async def test_a_worker_starts_and_stops_quickly_with_nothing_to_do(log: Log) -> None:
    """Idle partitions do not hold up the stop."""
    stage = EchoStage()
    async with asyncio.timeout(2):
        async with working(log, stage):
            while not stage.opened:
                await asyncio.sleep(0.005)

    assert stage.closed == stage.opened == [0]


async def test_a_fenced_background_task_lets_go_like_a_fenced_commit(log: Log) -> None:
    """A poll that finds the partition lost is no reason to stop everything, also out of a task group."""

    class Fenced(EchoStage):
        async def background(self, ownership: Ownership) -> None:
            del ownership
            raise ExceptionGroup("polls", [FencedError("lost"), FencedError("lost")])

    stage = Fenced()
    async with asyncio.timeout(5), working(log, stage):
        while not stage.closed:
            await asyncio.sleep(0.005)


async def test_two_who_find_the_partition_lost_say_so_once() -> None:
    """The loop and a poll may both be fenced; asyncio has nothing to complain of then."""
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def lost() -> None:
        raise FencedError("lost")

    async def lost_too() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise FencedError("lost")

    with pytest.raises(FencedError):
        await _first_of(lost(), lost_too(), asyncio.Event())
    gc.collect()

    assert complaints == []


async def test_a_group_with_another_error_stops_the_worker(log: Log) -> None:
    """Being fenced does not hide what else went wrong."""

    class Mixed(EchoStage):
        async def background(self, ownership: Ownership) -> None:
            del ownership
            raise ExceptionGroup("polls", [FencedError("lost"), RuntimeError("a bug")])

    with pytest.raises(ExceptionGroup, match="polls"):
        async with asyncio.timeout(5):
            await Worker(log, Mixed(), OPTIONS).run()


async def test_a_broken_cache_stops_the_worker_and_dead_letters_nothing(log: Log) -> None:
    """The messages are fine, the process is not."""
    await put(log, 1, 2)
    with pytest.raises(CacheBrokenError):
        async with asyncio.timeout(5):
            await Worker(log, PoisonStage("1", error=CacheBrokenError("broken")), OPTIONS).run()

    assert await records(log, DEAD_LETTERS) == []
    assert (await log.committed("echo", "in"))[0] == 0


async def test_a_background_that_fails_on_the_way_out_is_heard(log: Log) -> None:
    """Cancelling it must not hide its error."""

    class Clumsy(EchoStage):
        async def background(self, ownership: Ownership) -> None:
            try:
                await super().background(ownership)
            finally:
                raise RuntimeError("while stopping")

    stage = Clumsy()
    worker = Worker(log, stage, OPTIONS)
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not stage.opened:
            await asyncio.sleep(0.005)
    worker.stop()
    with pytest.raises(RuntimeError, match="while stopping"):
        await running


class LateStage(EchoStage):
    """Cannot open a partition at first, as its tables cannot be read."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    async def open(self, ownership: Ownership) -> EchoHandler:
        """Fail as long as the log is away."""
        if self.calls > 0:
            self.calls -= 1
            raise UnavailableError("the log is away")
        return await super().open(ownership)


async def test_a_partition_that_cannot_be_opened_yet_is_tried_again(log: Log) -> None:
    """The process does not end for it, and says so once."""
    stage = LateStage(3)
    await put(log, 1)
    with capture_logs() as lines:
        async with working(log, stage):
            await committed(log, 1)

    assert [line["event"] for line in lines if "dependency" in line["event"]] == [
        "dependency.down", "dependency.back"
    ]  # fmt: skip
    assert stage.opened == stage.closed


async def test_stopping_does_not_wait_for_a_partition_that_cannot_be_opened(log: Log) -> None:
    """However long the waits have grown."""
    stage = LateStage(1000)
    async with working(log, stage, WorkerOptions(backoff=Backoff(60, 60))):
        async with asyncio.timeout(5):
            while stage.calls == 1000:
                await asyncio.sleep(0.001)

    assert stage.opened == []
