"""The loop over one partition number: take a batch, handle it, record how each message ended, commit.

    fetch ──► decode ──► handle ──► ends: done · retry later · dead letter ──► one atomic step

A message that fails by itself is dead-lettered after a bounded number of tries. A dependency that is down
stops the partition with growing waits, loses nothing and dead-letters nothing. What a stage publishes and
the offsets of what it was made from are one commit.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from pydantic import ValidationError

from newswire import metrics
from newswire.backoff import Backoff
from newswire.envelope import dead_letter
from newswire.errors import (
    CacheBrokenError,
    FencedError,
    ItemError,
    MovedError,
    SettingsError,
    UnavailableError,
)
from newswire.events import Reason
from newswire.log.port import Message, Record
from newswire.outages import Outages
from newswire.ownership import Ownership
from newswire.pace import Pace
from newswire.stage import Dead, Delivery, Done, End, Handler, Retry, Stage
from newswire.waiting import first

logger = structlog.get_logger()

IDLE_SECONDS = 5.0  # an idle partition looks again after that, in case a bell was not heard


@dataclass(frozen=True)
class WorkerOptions:
    """Bounds of a worker.

    Attributes:
        max_records: in a batch, however quick they are.
        least_records: to which batches shrink that are slow; more where being slow has other reasons.
        first_records: in the first batch; later ones are as large as is quick.
        max_bytes: of the values in a batch; a larger message comes alone.
        tries: of a message that fails by itself.
        backoff: waits between tries.
        drain_seconds: how long stopping may wait for what is in hand, all partitions together.
        cache: folder for the cache files of large tables.
        publishes: whether the stage does; one that never does, not even dead letters, commits offsets only.
    """

    max_records: int = 1000
    least_records: int = 1
    first_records: int = 64
    max_bytes: int = 8_000_000
    tries: int = 3
    backoff: Backoff = field(default_factory=Backoff)
    drain_seconds: float = 20.0
    cache: Path | None = None
    publishes: bool = True


class PartitionLoop:
    """The loop over one partition number, until ``stop`` is set."""

    def __init__(
        self,
        stage: Stage,
        handler: Handler,
        ownership: Ownership,
        stop: asyncio.Event,
        options: WorkerOptions,
        outages: Outages,
    ) -> None:
        self._stage = stage
        self._handler = handler
        self._ownership = ownership
        self._stop = stop
        self._options = options
        self._tries: dict[tuple[str, int], int] = {}
        self._held: dict[str, float] = {}
        self._outages = outages
        self._failures = 0
        self._pace = Pace(options.first_records, options.max_records, options.least_records)

    async def run(self) -> None:
        """Handle batches until told to stop; a batch in hand is finished."""
        while not self._stop.is_set():
            records = await self._fetch()
            if records:
                started = time.monotonic()
                await self._batch(records)
                seconds = time.monotonic() - started
                metrics.BATCH_SECONDS.labels(self._stage.group).observe(seconds)
                self._pace.took(len(records), seconds)
            else:
                await self._idle()

    async def _fetch(self) -> list[Record]:
        now = time.monotonic()
        self._held = {topic: until for topic, until in self._held.items() if until > now}
        topics = [topic for topic in self._stage.inputs if topic not in self._held]
        try:
            return await self._ownership.claim.fetch(
                topics, max_records=self._pace.size, max_bytes=self._options.max_bytes
            )
        except UnavailableError as error:
            await self._outage(error)
            return []

    async def _idle(self) -> None:
        now = time.monotonic()
        seconds = min([IDLE_SECONDS, *(until - now for until in self._held.values())])
        topics = [topic for topic in self._stage.inputs if topic not in self._held]
        await first(self._ownership.claim.wait(topics, max(0.001, seconds)), self._stop.wait())

    async def _batch(self, records: list[Record]) -> None:
        """Handle a batch as one; if that fails by itself, message by message."""
        try:
            await self._step(records)
        except UnavailableError as error:
            await self._outage(error)
        except MovedError:
            return  # decide again on what is known now
        except (FencedError, CacheBrokenError, SettingsError):
            raise
        except Exception as error:  # noqa: BLE001  whatever a stage raises, the message gets its end
            if len(records) == 1:
                await self._failed_alone(records[0], error)
                return
            for record in records:
                if self._stop.is_set() or record.topic in self._held:
                    continue
                await self._batch([record])

    async def _step(self, records: list[Record]) -> None:
        async with self._ownership.lock:
            deliveries, ends = self._decode(records)
            handled = await self._handler.handle(deliveries) if deliveries else ()
            for delivery, end in zip(deliveries, handled, strict=True):
                ends[delivery.record.topic, delivery.record.offset] = end
            await self._settle(records, ends)
        self._failures = 0
        self._outages.back(self._ownership.number)

    def _decode(self, records: list[Record]) -> tuple[list[Delivery], dict[tuple[str, int], End]]:
        deliveries, ends = [], dict[tuple[str, int], End]()
        for record in records:
            try:
                event = (
                    self._stage.inputs[record.topic].from_bytes(record.value)
                    if record.value is not None
                    else None
                )
            except ValidationError as error:
                ends[record.topic, record.offset] = Dead(Reason.UNREADABLE, _first_line(error))
            else:
                deliveries.append(Delivery(record, event))
        return deliveries, ends

    async def _settle(self, records: list[Record], ends: Mapping[tuple[str, int], End]) -> None:
        """Commit, per topic, everything before its first retry."""
        messages: list[Message] = []
        offsets: dict[str, int] = {}
        for record in records:
            end = ends[record.topic, record.offset]
            if record.topic in self._held:
                continue
            if isinstance(end, Retry):
                self._hold(record, end.why)
                continue
            messages += self._messages(record, end)
            offsets[record.topic] = record.offset + 1
        if offsets:
            await self._ownership.commit(messages, offsets, unless_moved=self._handler.preconditions())
            for record in records:
                if record.offset < offsets.get(record.topic, 0):
                    self._tries.pop((record.topic, record.offset), None)
            self._count(records, ends, offsets)

    def _count(
        self, records: list[Record], ends: Mapping[tuple[str, int], End], offsets: Mapping[str, int]
    ) -> None:
        settled = [each for each in records if each.offset < offsets.get(each.topic, 0)]
        dead = sum(isinstance(ends[each.topic, each.offset], Dead) for each in settled)
        metrics.count_ends(self._stage.group, metrics.DONE, len(settled) - dead)
        metrics.count_ends(self._stage.group, metrics.DEAD_LETTER, dead)

    def _messages(self, record: Record, end: Done | Dead) -> Sequence[Message]:
        if isinstance(end, Done):
            return end.messages
        tries = self._tries.get((record.topic, record.offset), 0) + 1
        logger.warning(
            "message.dead_lettered", group=self._stage.group, topic=record.topic, partition=record.partition,
            offset=record.offset, reason=end.reason, error=end.error[:300],
        )  # fmt: skip
        return dead_letter(record, self._stage.group, end.reason, end.error, tries)

    def _hold(self, record: Record, why: str) -> None:
        """Leave a topic alone for a while."""
        tries = self._tries[record.topic, record.offset] = (
            self._tries.get((record.topic, record.offset), 0) + 1
        )
        self._held[record.topic] = time.monotonic() + self._options.backoff.seconds(tries)
        metrics.count_ends(self._stage.group, metrics.RETRY, 1)
        logger.debug(
            "message.waits", group=self._stage.group, topic=record.topic, offset=record.offset, why=why
        )

    async def _failed_alone(self, record: Record, error: Exception) -> None:
        """Count a failure of a message that was handled alone; dead-letter it when that is enough."""
        tries = self._tries.get((record.topic, record.offset), 0) + 1
        final = tries >= self._options.tries or isinstance(error, ItemError)
        if not final:
            logger.warning("message.failed", group=self._stage.group, topic=record.topic, offset=record.offset, error=repr(error))  # fmt: skip  # noqa: E501
            self._hold(record, repr(error))
            return
        reason = error.reason if isinstance(error, ItemError) else Reason.HANDLER_FAILED
        async with self._ownership.lock:
            await self._settle([record], {(record.topic, record.offset): Dead(reason, repr(error))})

    async def _outage(self, error: UnavailableError) -> None:
        """Wait while a dependency is down."""
        self._failures += 1
        self._outages.down(self._ownership.number, error)
        seconds = self._options.backoff.seconds(self._failures)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)


def _first_line(error: ValidationError) -> str:
    """Say in one line what is wrong with an event."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{error.title}: {where}: {first['msg']}" if where else f"{error.title}: {first['msg']}"
