"""Health of real workers on a real log: who hangs, who waits, who stands by."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import pytest
from integration.ingest_world import running, until
from integration.kafka_world import KafkaWorld
from servers.kafka import KafkaServer
from unit.stages import BlockingStage, EchoHandler, EchoStage, OutageStage, outcome

from newswire.backoff import Backoff
from newswire.errors import LogUnavailableError, UnavailableError
from newswire.events import DEAD_LETTERS, Outcome
from newswire.health import Health
from newswire.health_server import served
from newswire.health_watch import Watch, beating
from newswire.log import Log, Message, TopicSpec, open_log
from newswire.metrics import REGISTRY
from newswire.ownership import Ownership
from newswire.partition_loop import WorkerOptions
from newswire.signs import contained
from newswire.stage import Delivery, End, Stage
from newswire.worker import Worker

pytestmark = pytest.mark.integration

SPECS = [TopicSpec(name) for name in ("in", "out", DEAD_LETTERS, Outcome.topic)]
OPTIONS = WorkerOptions(backoff=Backoff(0.01, 0.05), drain_seconds=1.0)
STUCK_SECONDS = 1.0


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with one partition and a message on it."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=1)
    await log.open(SPECS)
    await log.publish([Message("in", "k", outcome(1).to_bytes())])
    yield log
    await log.close()


class Bedside:
    """Workers at work, whose health is looked at."""

    def __init__(self, log: Log, *stages: Stage, stuck_seconds: float = STUCK_SECONDS) -> None:
        self.health = Health(stuck_seconds)
        self.workers = [Worker(log, stage, OPTIONS) for stage in stages]
        self.watch = Watch(log, self.workers, self.health)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start."""
        await self._stack.enter_async_context(beating(self.health))
        for worker in self.workers:
            await self._stack.enter_async_context(running(worker))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self._stack.aclose()

    def sees(self, condition: Callable[[Health], bool]) -> Callable[[], Awaitable[bool]]:
        """Return what looks once and says whether the health is so."""

        async def look() -> bool:
            self.health.beat()
            await self.watch.look()
            return condition(self.health)

        return look


async def stays(bedside: Bedside, condition: Callable[[Health], bool], seconds: float) -> None:
    """Look for some time; fail if the health is otherwise."""
    begun = time.monotonic()

    async def well_after() -> bool:
        assert await bedside.sees(condition)(), bedside.health.not_ready()
        return time.monotonic() - begun > seconds

    await until(well_after)


def is_alive(health: Health) -> bool:
    """Tell whether no new start is called for."""
    return not health.not_alive()


def is_ready(health: Health) -> bool:
    """Tell whether nothing keeps it from being ready."""
    return not health.not_ready()


def value(name: str, group: str = "echo") -> float | None:
    """Return what a metric of a group says."""
    return REGISTRY.get_sample_value(name, {"group": group})


class SlowChildStage(BlockingStage):
    """Has its batch in the hands of a child process, for long."""

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Wait as for a child."""
        with contained():
            return await super().act(batch)


class SlowOpeningStage(EchoStage):
    """Needs long to read its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def open(self, ownership: Ownership) -> EchoHandler:
        """Wait."""
        await self.release.wait()
        return await super().open(ownership)


class LonelyStage(EchoStage):
    """Depends on something that is away until it is put back."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True

    async def check(self) -> None:
        """See Dependent."""
        if self.away:
            raise UnavailableError("the store is away")


async def test_a_worker_with_nothing_to_do_is_ready(log: Log) -> None:
    """And stays so, however long nothing moves."""
    async with Bedside(log, EchoStage(), stuck_seconds=0.2) as bedside:
        await until(bedside.sees(is_ready))
        await stays(bedside, is_ready, 0.5)

        assert value("newswire_partitions") == 1
        assert value("newswire_stuck_partitions") == 0


async def test_a_handler_that_hangs_is_not_alive(log: Log) -> None:
    """Once the time is up, and with a word about where; when it goes on all is well."""
    stage = BlockingStage()
    async with Bedside(log, stage) as bedside:
        await stage.entered.wait()
        await until(bedside.sees(is_ready))
        lag = REGISTRY.get_sample_value("newswire_lag_messages", {"group": "echo", "topic": "in"})
        await until(bedside.sees(lambda health: bool(health.not_alive())))
        said, counted = bedside.health.not_alive(), value("newswire_stuck_partitions")
        stage.release.set()
        await until(bedside.sees(is_ready))

        assert lag == counted == 1
        assert said[0].startswith("echo has not moved in partition 0 of in for 1 s, with 1 messages to read")
        assert value("newswire_stuck_partitions") == 0


async def test_an_item_in_a_child_process_is_no_hanging_handler(log: Log) -> None:
    """It has limits of its own; a new start would only begin it again."""
    stage = SlowChildStage()
    async with Bedside(log, stage, stuck_seconds=0.2) as bedside:
        await stage.entered.wait()
        await stays(bedside, is_alive, 0.8)
        stage.release.set()


async def test_an_outage_is_not_ready_and_alive(log: Log) -> None:
    """A new start would not mend the dependency; its end is noticed, and measured."""
    stage = OutageStage(calls=1_000_000)
    before = value("newswire_outage_seconds_total") or 0.0
    async with Bedside(log, stage, stuck_seconds=0.3) as bedside:
        await until(
            bedside.sees(lambda health: "echo waits in partition 0: the store is down" in health.not_ready())
        )
        await stays(bedside, is_alive, 0.8)
        during = value("newswire_outage")
        stage.calls = 0
        await until(bedside.sees(is_ready))

        assert (during, value("newswire_outage")) == (1, 0)
        assert (value("newswire_outage_seconds_total") or 0.0) - before >= 0.8


async def test_tables_that_are_being_read_are_not_ready(log: Log) -> None:
    """Nor stuck: there may be many rows."""
    stage = SlowOpeningStage()
    async with Bedside(log, stage, stuck_seconds=0.1) as bedside:
        await until(bedside.sees(lambda health: health.not_ready() == ["echo is opening partition 0"]))
        alive = not bedside.health.not_alive()
        stage.release.set()
        await until(bedside.sees(is_ready))

        assert alive


async def test_a_dependency_is_asked_also_when_there_is_nothing_to_do(log: Log) -> None:
    """Whoever has been idle for a while does not know."""
    stage = LonelyStage()
    async with Bedside(log, stage) as bedside:
        await until(
            bedside.sees(lambda health: health.not_ready() == ["echo cannot work: the store is away"])
        )
        alive = not bedside.health.not_alive()
        stage.away = False
        await until(bedside.sees(is_ready))

        assert alive


async def test_a_log_that_is_away_is_not_ready_and_alive(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes."""

    async def away(topic: str) -> dict[int, int]:
        raise LogUnavailableError(f"{topic} cannot be read")

    stage = BlockingStage()
    async with Bedside(log, stage, stuck_seconds=0.2) as bedside:
        await stage.entered.wait()
        monkeypatch.setattr(log, "end_offsets", away)
        await stays(bedside, is_alive, 0.5)
        said = bedside.health.not_ready()
        stage.release.set()

        assert said == ["the log does not answer: in cannot be read"]


async def test_a_spare_replica_is_ready(log: Log) -> None:
    """It holds nothing, as there is one partition and somebody has it."""
    async with Bedside(log, EchoStage()) as first:
        await until(first.sees(is_ready))
        async with Bedside(log, EchoStage()) as spare:
            before = spare.health.not_ready()
            await until(spare.sees(is_ready))

            assert before == ["it is starting"]
            assert [len(each.workers[0].signs) for each in (first, spare)] == [1, 0]


async def test_on_kafka_a_worker_and_a_spare_one_are_ready(kafka: KafkaServer) -> None:
    """More members than partitions; and marks of transactions are nothing to read."""
    async with KafkaWorld(kafka) as world:
        logs = [await world.log(SPECS), await world.log(SPECS)]
        await logs[0].publish([Message("in", "k", outcome(number).to_bytes()) for number in range(5)])
        one = EchoStage()
        async with Bedside(logs[0], one, stuck_seconds=60) as first:
            await until(first.sees(is_ready))
            stages = [EchoStage() for _ in range(3)]
            async with Bedside(logs[1], *stages, stuck_seconds=60) as others:
                await until(others.sees(is_ready))
                await until(first.sees(is_ready))
                held = sorted(len(worker.signs) for worker in [*first.workers, *others.workers])
                await until(first.sees(lambda _: value_of_lag() == 0))

    assert held == [0, 1, 1, 1]


def value_of_lag() -> float | None:
    """Return how far the group is behind."""
    return REGISTRY.get_sample_value("newswire_lag_messages", {"group": "echo", "topic": "in"})


def test_an_event_loop_that_hangs_is_noticed() -> None:
    """The server answers from threads of its own, so also then."""
    from unit.test_health_server import get  # noqa: PLC0415

    health = Health(0.5)
    release, hung = threading.Event(), threading.Event()

    async def hang() -> None:
        async with beating(health):
            await asyncio.sleep(0)
            hung.set()
            release.wait(30)  # never do that on an event loop
            await asyncio.sleep(0)

    loop = threading.Thread(target=lambda: asyncio.run(hang()))
    with served(health, "127.0.0.1", 0) as port:
        loop.start()
        hung.wait()
        deadline = time.monotonic() + 10
        while get(port, "/healthz")[0] == 200:
            assert time.monotonic() < deadline
        status, text = get(port, "/healthz")
        release.set()
        loop.join()

        assert status == 503
        assert "the event loop has not turned" in text
