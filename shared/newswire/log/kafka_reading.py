"""Reading partitions from any offset, without a group: a few consumers that are lent out.

    read(partition, offset) ──► a consumer that stands just there, else any that is free ──► records

A consumer that has come to the end of its partition is paused, so that idle ones ask the broker nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from newswire.errors import LogUnavailableError
from newswire.log.kafka_connection import Connection
from newswire.log.port import Record

READERS = 4  # consumers at most; each has a connection
FIRST_WAIT_MS = 5  # the first look for records
WAIT_MS = 500  # later ones at most
ANSWER_SECONDS = (
    15.0  # that the broker has to answer; longer than it takes to undo a dead process's transaction
)
STOP_SECONDS = 3.0  # to leave a group; after that the group finds out by itself
FETCH_WAIT_MS = 20  # requests of a connection are answered in order: a long wait would hold up the next


def new_consumer(connection: Connection, **options: Any) -> AIOKafkaConsumer:
    """Return a consumer that sees only what was committed, from the beginning where nothing else is said."""
    defaults: dict[str, Any] = {
        **connection.options,
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
    }
    return AIOKafkaConsumer(**{**defaults, **options})


def record_of(raw: Any, topic: str) -> Record:
    """Return a record of aiokafka as the log's own.

    Args:
        raw: the record.
        topic: its topic without the prefix.
    """
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in raw.headers}
    key = (raw.key or b"").decode("utf-8", "replace")
    return Record(topic, raw.partition, raw.offset, key, raw.value, headers, raw.timestamp)


class _Reader:
    """A consumer of one partition at a time."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.consumer = consumer
        self._stands: tuple[TopicPartition, int] | None = None

    def stands_at(self, where: TopicPartition, offset: int) -> bool:
        """Tell whether the consumer reads on just there."""
        return self._stands == (where, offset)

    async def read(self, where: TopicPartition, offset: int, end: int, most: int) -> tuple[list[Any], int]:
        """Return records at or beyond the offset, none if there is none before the end, and how far was read.

        A look is short at first: one that finds nothing but marks of transactions says nothing.
        """
        if not self.stands_at(where, offset):
            if where not in self.consumer.assignment():
                self.consumer.assign([where])
            self.consumer.seek(where, offset)
        self._stands = None  # until we know better
        self.consumer.resume(where)
        records: list[Any] = []
        position, wait_ms = offset, FIRST_WAIT_MS
        while not records and position < end:
            found = await self.consumer.getmany(where, timeout_ms=wait_ms, max_records=most)
            records = found.get(where, [])
            position = await self.consumer.position(where)
            wait_ms = min(2 * wait_ms, WAIT_MS)
        if position >= end:
            self.consumer.pause(where)
        self._stands = (where, position)
        return records, position


class Readers:
    """Consumers for reading without a group, and one that is asked for ends.

    Args:
        connection: to the brokers.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._free: list[_Reader] = []
        self._made = 0
        self._places = asyncio.Semaphore(READERS)
        self._asked: AIOKafkaConsumer | None = None
        self._gaps: dict[
            TopicPartition, range
        ] = {}  # where no record lies: behind the last one that was read

    async def open(self) -> None:
        """Connect."""
        async with answering("is asked for ends"):
            self._asked = await self._started()

    async def close(self) -> None:
        """Close all consumers that are not lent out."""
        readers, self._free, self._made = self._free, [], 0
        asked, self._asked = self._asked, None
        for consumer in [*(reader.consumer for reader in readers), *([asked] if asked else [])]:
            await stop(consumer)

    async def ends(
        self, partitions: list[TopicPartition], seconds: float = ANSWER_SECONDS
    ) -> Mapping[TopicPartition, int]:
        """Return the ends of what was committed in each partition, as the broker says now."""
        async with answering("is asked for ends", seconds):
            ends: Mapping[TopicPartition, int] = await self._asker.end_offsets(partitions)
        return ends

    async def offsets_at(self, partitions: list[TopicPartition], at_ms: int) -> Mapping[TopicPartition, Any]:
        """Return the first offset at or after a time in each partition, None where there is none."""
        async with answering("is asked for offsets at a time"):
            found: Mapping[TopicPartition, Any] = await self._asker.offsets_for_times(
                dict.fromkeys(partitions, at_ms)
            )
        return found

    async def read(self, where: TopicPartition, offset: int, most: int) -> list[Any]:
        """Return up to so many records at or beyond the offset; none only if there is none now."""
        end = (await self.ends([where]))[where]
        gap = self._gaps.get(where, range(0))
        start = gap[-1] if offset in gap else offset
        if start >= end:
            return []
        async with self._lent(where, start) as reader, answering(f"is read: {where.topic}"):
            records, position = await reader.read(where, start, end, most)
        self._gaps[where] = range(records[-1].offset + 1 if records else offset, position + 1)
        return records

    @property
    def _asker(self) -> AIOKafkaConsumer:
        if self._asked is None:
            raise LogUnavailableError("the log is not open")
        return self._asked

    async def _started(self) -> AIOKafkaConsumer:
        consumer = new_consumer(self._connection, fetch_max_wait_ms=FETCH_WAIT_MS)
        try:
            await consumer.start()
        except BaseException:
            await stop(consumer)
            raise
        return consumer

    @contextlib.asynccontextmanager
    async def _lent(self, where: TopicPartition, offset: int) -> AsyncIterator[_Reader]:
        async with self._places:
            reader = await self._take(where, offset)
            try:
                yield reader
            except BaseException:
                self._made -= 1
                await asyncio.shield(stop(reader.consumer))
                raise
            self._free.append(reader)

    async def _take(self, where: TopicPartition, offset: int) -> _Reader:
        """Return the reader that stands just there, else a new one, else the one that was free longest."""
        standing = next((each for each in self._free if each.stands_at(where, offset)), None)
        if standing is None and self._made < READERS:
            self._made += 1
            try:
                async with answering("is connected to"):
                    return _Reader(await self._started())
            except BaseException:
                self._made -= 1
                raise
        reader = standing or self._free[0]
        self._free.remove(reader)
        return reader


@contextlib.asynccontextmanager
async def answering(what: str, seconds: float = ANSWER_SECONDS) -> AsyncIterator[None]:
    """Turn aiokafka's errors, and no answer in good time, into LogUnavailableError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise LogUnavailableError(f"Kafka does not answer when it {what}: {error!r}") from error


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, also one that never came to start, has failed, or whose connections are dead.

    When ``asyncio.run`` ends it cancels the tasks that read from them; nobody answers any more then.
    """
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await consumer.stop()
    except (KafkaError, OSError, TimeoutError):
        with contextlib.suppress(KafkaError, OSError):
            await consumer._client.close()  # noqa: SLF001  what a stop that was cut off leaves open
