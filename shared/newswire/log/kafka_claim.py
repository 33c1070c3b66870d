"""A claim on one partition number of a group in Kafka: what was read and not committed yet, and the step.

the member's consumer ──take_in──► waiting records ──fetch──► handler ──commit──► gone from the waiting ones
                       ◄──pause/resume── bounded by count and bytes
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import structlog
from aiokafka.structs import TopicPartition

from newswire.errors import ClaimBrokenError, FencedError, MovedError
from newswire.log import port
from newswire.log.kafka_reading import record_of
from newswire.log.kafka_transactions import Placed
from newswire.log.port import Message, Position, Record

logger = structlog.get_logger()

ENOUGH_RECORDS = 2000  # of one topic, waiting; its partition is paused until half of them are gone
ENOUGH_BYTES = 2_000_000  # likewise; with 12 partitions of 3 topics up to 72 MB in a process


class Steps(Protocol):
    """Takes the atomic step."""

    async def commit(
        self,
        placed: Sequence[Placed],
        offsets: Mapping[TopicPartition, int],
        group: str,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> list[Position]:
        """See ``Transactions``."""

    async def close(self) -> None:
        """Let go."""


class Waiting:
    """Records of one topic that were read and not committed.

    Args:
        start: the committed offset.
    """

    def __init__(self, start: int) -> None:
        self.committed = start
        self.next = start
        self.bytes = 0
        self.records: deque[Record] = deque()

    def take_in(self, records: Sequence[Record]) -> None:
        """Add what was read; what is known already comes again after a rebalance."""
        for record in records:
            if record.offset >= self.next:
                self.records.append(record)
                self.next = record.offset + 1
                self.bytes += size_of(record)

    def done(self, offset: int) -> None:
        """Forget what lies below a committed offset."""
        self.committed = offset
        self.next = max(self.next, offset)
        while self.records and self.records[0].offset < offset:
            self.bytes -= size_of(self.records.popleft())

    @property
    def full(self) -> bool:
        """Whether no more should be read."""
        return len(self.records) >= ENOUGH_RECORDS or self.bytes >= ENOUGH_BYTES

    @property
    def low(self) -> bool:
        """Whether there is room for more again."""
        return len(self.records) <= ENOUGH_RECORDS // 2 and self.bytes <= ENOUGH_BYTES // 2


def size_of(record: Record) -> int:
    """Return about how many bytes a record holds."""
    return len(record.value or b"") + len(record.key)


class Owner(Protocol):
    """The member that a claim belongs to."""

    @property
    def is_alive(self) -> bool:
        """Whether the member has been running without a pause."""

    @property
    def holding(self) -> bool:
        """Whether partitions are being shared out anew, so that nothing new may be begun."""

    def resume(self, partition: TopicPartition) -> None:
        """Read on in a partition that was paused."""


class Naming(Protocol):
    """What a claim needs of its log."""

    @property
    def is_away(self) -> bool:
        """Whether it was said that the brokers do not answer."""

    def full(self, topic: str) -> str:
        """Return a topic's name with the prefix."""

    def place(self, message: Message) -> Placed:
        """Return where a message goes."""

    async def stable_offsets(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return committed offsets of a group that no transaction is about to change."""

    async def ends_of(self, partitions: Sequence[port.TopicPartition]) -> dict[port.TopicPartition, int]:
        """Return the ends of some partitions."""


class KafkaClaim:
    """The right to work on one partition number.

    Args:
        log: names and places.
        owner: the member.
        group: without the prefix.
        full_group: with it.
        number: the partition number.
        steps: takes the step.
        starts: committed offsets by topic.
    """

    def __init__(
        self,
        log: Naming,
        owner: Owner,
        group: str,
        full_group: str,
        number: int,
        steps: Steps,
        starts: Mapping[str, int],
    ) -> None:
        self.group = group
        self.number = number
        self.in_hand = False
        self.broken = asyncio.Event()
        self.waiting = {topic: Waiting(start) for topic, start in starts.items()}
        self._log = log
        self._owner = owner
        self._full_group = full_group
        self._steps = steps
        self._came = asyncio.Event()
        self._step = asyncio.Lock()

    @property
    def is_held(self) -> bool:
        """See the port."""
        return self._owner.is_alive and not self.broken.is_set()

    async def position(self, topic: str) -> int:
        """See the port."""
        return self.waiting[topic].committed

    def take_in(self, topic: str, raw: Sequence[Any]) -> bool:
        """Take in records that the consumer has read; tell whether that is enough for now."""
        waiting = self.waiting[topic]
        waiting.take_in([record_of(each, topic) for each in raw])
        self.look()
        return waiting.full

    def look(self) -> None:
        """Wake whoever waits."""
        self._came.set()

    async def fetch(self, topics: Sequence[str], *, max_records: int, max_bytes: int) -> list[Record]:
        """See the port."""
        self._came.clear()
        if self._owner.holding or self.broken.is_set():
            self.in_hand = False
            return []
        records: list[Record] = []
        for topic in topics:
            for record in islice(self.waiting[topic].records, max_records - len(records)):
                max_bytes -= size_of(record)
                if records and max_bytes < 0:
                    break
                records.append(record)
            if len(records) >= max_records or max_bytes <= 0:
                break
        self.in_hand = bool(records)
        return records

    async def wait(self, topics: Sequence[str], timeout_seconds: float) -> None:
        """See the port."""
        self.in_hand = False
        there = not self._owner.holding and any(self.waiting[topic].records for topic in topics)
        if there and not self.broken.is_set():
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), timeout_seconds)

    async def commit(
        self,
        messages: Sequence[Message],
        offsets: Mapping[str, int] | None = None,
        *,
        unless_moved: Mapping[port.TopicPartition, int] | None = None,
    ) -> list[Position]:
        """See the port."""
        placed = [self._log.place(message) for message in messages]
        moves = {
            TopicPartition(self._log.full(topic), self.number): at for topic, at in (offsets or {}).items()
        }
        check = self._check(unless_moved) if unless_moved else None
        async with self._step:
            if not self.is_held:
                self.give_up()
                raise ClaimBrokenError(f"{self.group} has let go of partition {self.number}")
            try:
                positions = await self._steps.commit(placed, moves, self._full_group, check)
            except (FencedError, asyncio.CancelledError) as error:
                if isinstance(error, ClaimBrokenError) and not self._log.is_away:
                    logger.warning("step.unknown", group=self.group, partition=self.number, error=str(error))
                self.give_up()
                raise
        for topic, at in (offsets or {}).items():
            self._done(topic, at)
        return positions

    def give_up(self) -> None:
        """Say that this claim is of no use any more; the member takes it anew if it is still ours."""
        self.broken.set()
        self.look()

    async def close(self) -> None:
        """Let go of what commits."""
        self.give_up()
        await self._steps.close()

    def _done(self, topic: str, offset: int) -> None:
        waiting = self.waiting[topic]
        waiting.done(offset)
        if waiting.low:
            self._owner.resume(TopicPartition(self._log.full(topic), self.number))

    def _check(self, unless_moved: Mapping[port.TopicPartition, int]) -> Callable[[], Awaitable[None]]:
        async def check() -> None:
            ends = await self._log.ends_of(list(unless_moved))
            for at, end in unless_moved.items():
                if ends[at] != end:
                    raise MovedError(f"{at.topic} partition {at.partition} has grown")

        return check
