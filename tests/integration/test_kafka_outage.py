"""A broker that dies by kill -9 and comes back: nothing is lost or doubled, and little is said about it."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from contract.log_contract import joined, message, until, values
from integration.kafka_world import KafkaWorld
from servers.kafka import KafkaServer
from structlog.testing import capture_logs

from newswire.errors import FencedError, LogUnavailableError, UnavailableError
from newswire.log import Claim, Log, Message
from newswire.log.kafka import KafkaLog
from newswire.log.kafka_topics import TopicAdmin

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

BACK_SECONDS = 10.0  # after which work goes on again when the broker is back: promised
LONG_SECONDS = 60.0  # for what is not promised in seconds
DOWN_SECONDS = (0.0, 2.0)  # how long the broker is away at the least, time by time
MOST_LINES = 12  # whatever happens


class Load:
    """Publishes one message after the other, and remembers which were acknowledged."""

    def __init__(self, log: Log) -> None:
        self.acknowledged: list[str] = []
        self._log = log
        self._count = 0

    async def run(self) -> None:
        """Publish until cancelled; what failed is not tried again, as it may be there."""
        while True:
            self._count += 1
            text = f"{self._count}"
            with contextlib.suppress(UnavailableError):
                await self._log.publish([message("in", text, text)])
                self.acknowledged.append(text)
            await asyncio.sleep(0.01)


class Copier:
    """Copies from in to out in steps."""

    def __init__(self) -> None:
        self.copied = 0
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def gained(self, claim: Claim) -> None:
        """Copy for a claim."""
        self._tasks[claim.number] = asyncio.create_task(self._copy(claim))

    async def lost(self, claim: Claim) -> None:
        """Stop to."""
        task = self._tasks.pop(claim.number)
        task.cancel()
        await asyncio.wait({task})

    async def _copy(self, claim: Claim) -> None:
        with contextlib.suppress(FencedError):
            while True:
                records = await claim.fetch(["in"], max_records=20, max_bytes=100_000)
                copies = [Message("out", record.key, record.value) for record in records]
                if copies:
                    await claim.commit(copies, {"in": records[-1].offset + 1})
                    self.copied += len(copies)
                else:
                    await claim.wait(["in"], 1.0)


@contextlib.asynccontextmanager
async def running(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Work in the background, for a while; a failure of it is a failure of the test."""
    tasks = [asyncio.ensure_future(each()) for each in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert [task.exception() for task in tasks if not task.cancelled()] == []


async def grows(count: Callable[[], int], seconds: float) -> None:
    """Wait until something is counted again."""
    before = count()
    async with asyncio.timeout(seconds):
        while count() <= before:
            await asyncio.sleep(0.02)


async def test_a_broker_killed_under_load_loses_and_doubles_nothing(
    own_world: KafkaWorld, own_kafka: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Each time it is back everything goes on within ten seconds, and in few words."""
    log, copier = await own_world.log(), Copier()
    load = Load(log)
    member = log.member("copiers", ["in"], copier.gained, copier.lost)
    with capture_logs() as lines:
        async with running(member.run) as _, running(load.run):
            await grows(lambda: copier.copied, LONG_SECONDS)
            for seconds in DOWN_SECONDS:
                await asyncio.to_thread(own_kafka.kill)
                await asyncio.sleep(seconds)
                await asyncio.to_thread(own_kafka.start)
                await grows(lambda: copier.copied, BACK_SECONDS)
                await grows(lambda: len(load.acknowledged), LONG_SECONDS)
        await _all_copied(log, copier)
    published, copies = await values(log, "in"), await values(log, "out")

    assert sorted(copies) == sorted(published)
    assert len(set(published)) == len(published)
    assert set(load.acknowledged) <= set(published)
    assert len(lines) <= MOST_LINES, lines
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


async def _all_copied(log: KafkaLog, copier: Copier) -> None:
    """Go on without load until nothing is left."""
    member = log.member("copiers", ["in"], copier.gained, copier.lost)
    async with running(member.run), asyncio.timeout(LONG_SECONDS):
        while len(await values(log, "out")) < len(await values(log, "in")):
            await asyncio.sleep(0.05)


async def test_an_outage_is_said_once_and_so_is_its_end(
    own_world: KafkaWorld, own_kafka: KafkaServer
) -> None:
    """By the log itself, however many wait.

    Also by a process that makes the topics itself, and opened the log before there were any.
    """
    log = await own_world.log()
    with capture_logs() as lines:
        async with joined(log, "one") as one, joined(log, "two") as two:
            await until(lambda: len(one.claims) == len(two.claims) == log.partitions)
            await asyncio.to_thread(own_kafka.kill)
            async with asyncio.timeout(LONG_SECONDS):
                while not _said(lines, "log.away"):
                    await asyncio.sleep(0.05)
            assert log.is_away
            await asyncio.to_thread(own_kafka.start)
            async with asyncio.timeout(BACK_SECONDS):
                while not _said(lines, "log.back"):
                    await asyncio.sleep(0.05)

    assert not log.is_away
    assert (_said(lines, "log.away"), _said(lines, "log.back")) == (1, 1)
    assert len([line for line in lines if line["log_level"] != "debug"]) == 2


async def test_closing_does_not_wait_for_a_broker_that_is_away(
    own_world: KafkaWorld, own_kafka: KafkaServer
) -> None:
    """A service can be stopped at any time."""
    log = await own_world.log()
    async with joined(log) as group:
        await until(lambda: len(group.claims) == log.partitions)
        await asyncio.to_thread(own_kafka.kill)
    async with asyncio.timeout(LONG_SECONDS):
        await log.close()


def _said(lines: Sequence[Mapping[str, Any]], event: str) -> int:
    return sum(line["event"] == event for line in lines)


async def test_a_broker_that_goes_away_while_the_log_is_opened_is_waited_for(
    own_world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is bounded by the time that is set, and not by luck; afterwards nothing is left open."""
    await own_world.log()
    asked, cluster_id = 0, TopicAdmin.cluster_id

    async def once_away(admin: TopicAdmin) -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise LogUnavailableError("the broker has just died")
        return await cluster_id(admin)

    monkeypatch.setattr(TopicAdmin, "cluster_id", once_away)
    log = await own_world.log()
    await log.publish([message("in", "a")])

    assert asked == 2
    asked = 0
    with pytest.raises(LogUnavailableError, match="just died"):
        await own_world.log(wait_seconds=0)
