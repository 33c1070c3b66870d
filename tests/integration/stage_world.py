"""A real log with one partition, and one stage at work on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integration.ingest_world import running, until

from newswire.backoff import Backoff
from newswire.envelope import message
from newswire.events import DEAD_LETTERS, Enriched, Event, Outcome, Withdrawal
from newswire.log.port import Log, Message, Record
from newswire.log.sqlite import SqliteLog
from newswire.partition_loop import WorkerOptions
from newswire.stage import Stage
from newswire.topics import TOPICS
from newswire.worker import Worker

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Bench:
    """Gives a stage its messages and shows what it made of them."""

    def __init__(self, log: Log, stage: Stage) -> None:
        self.log = log
        self._stage = stage

    async def publish(self, *messages: Message) -> None:
        """Put messages on the log, all at once."""
        await self.log.publish(messages)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Run the stage; it may use its time."""
        options = WorkerOptions(backoff=Backoff(0.02, 0.1), tries=3)
        async with running(Worker(self.log, self._stage, options)):
            yield

    async def settle(self, *messages: Message) -> None:
        """Run the stage until it has dealt with all that there is."""
        await self.publish(*messages)
        async with self.at_work():
            await until(self.dealt_with)

    async def dealt_with(self) -> bool:
        """Tell whether nothing is unread."""
        return all(
            [
                await self.log.committed(self._stage.group, topic) == await self.log.end_offsets(topic)
                for topic in self._stage.inputs
            ]
        )

    async def records(self, topic: str) -> list[Record]:
        """Return what lies on a topic."""
        return await self.log.read(topic, 0, 0)

    async def outcomes(self) -> list[tuple[str, str, str]]:
        """Return entry, kind and reason of all outcomes, in order."""
        found = [Outcome.from_bytes(each.value or b"") for each in await self.records(Outcome.topic)]
        return [(each.entry_id, each.kind, each.reason) for each in found]

    async def enriched(self) -> list[Enriched | None]:
        """Return all versions of articles, None for a tombstone."""
        records = await self.records(Enriched.topic)
        return [Enriched.from_bytes(each.value) if each.value else None for each in records]

    async def letters(self) -> list[tuple[str, str]]:
        """Return the keys and reasons of dead letters."""
        return [(each.key, each.headers["dl_reason"]) for each in await self.records(DEAD_LETTERS)]


@contextlib.asynccontextmanager
async def bench_in(folder: Path, stage: Stage) -> AsyncIterator[Bench]:
    """Yield a bench whose log lies in a folder."""
    log = SqliteLog(folder / "log.db", partitions=1)
    await log.open(TOPICS)
    try:
        yield Bench(log, stage)
    finally:
        await log.close()


def withdrawal(article_id: str = "A") -> Message:
    """Return a withdrawal."""
    event = Withdrawal(article_id=article_id, withdrawn_at=NOW, withdrawn_by="desk", reason="wrong")
    return message(event, article_id, source="test")


def lift(article_id: str = "A") -> Message:
    """Return the end of a withdrawal."""
    return Message(Withdrawal.topic, article_id, None)


def sent(event: Event, key: str, entry_id: str | None = None, feed_id: str | None = None) -> Message:
    """Return an event as a stage before would send it."""
    return message(event, key, source="test", entry_id=entry_id, feed_id=feed_id)


class Gate:
    """Where somebody waits until let through."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def pass_through(self) -> Any:
        """Say that the gate is reached, and wait."""
        self.reached.set()
        await self.open.wait()
