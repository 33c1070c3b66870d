"""The log on Apache Kafka: for several processes on any number of machines.

The atomic step is a transaction of one producer for each group and partition number
(``kafka_transactions``); who may take it is what the consumer group says, fenced by the producer's id
(``kafka_member``, ``kafka_claim``). Tables and tools read without a group (``kafka_reading``). Kafka itself
compacts and expires.
"""

import asyncio
import contextlib
import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition as At

from newswire.errors import FencedError, LogUnavailableError, SettingsError
from newswire.log.kafka_commits import GroupCommits
from newswire.log.kafka_connection import ASK_SECONDS, Connection, wait_for_broker, why_not
from newswire.log.kafka_member import KafkaMember, Opening
from newswire.log.kafka_reading import Readers, answering, record_of
from newswire.log.kafka_topics import TopicAdmin
from newswire.log.kafka_transactions import Placed, Transactions
from newswire.log.murmur2 import partition_for
from newswire.log.port import (
    Handover,
    Member,
    Message,
    Position,
    Record,
    TopicPartition,
    TopicSpec,
    TopicState,
)

logger = structlog.get_logger()

LOOK_SECONDS = 1.0  # between two looks whether a topic has grown, for those who wait without a group
MARK_SECONDS = 0.005  # between two looks whether a transaction's end was marked
WATCH_SECONDS = 2.0  # between two looks whether the broker is there


class KafkaLog:
    """A log on Kafka.

    Args:
        connection: to the brokers.
        prefix: stands before the names of topics, groups and transactional ids.
        partitions: of each topic, where none is there yet; later Kafka's own number holds.
    """

    def __init__(self, connection: Connection, *, prefix: str = "", partitions: int = 12) -> None:
        self.partitions = partitions
        self.is_away = False
        self._wanted = partitions
        self.identity = ""
        self.admin = TopicAdmin(connection, prefix)
        self._connection = connection
        self._prefix = prefix
        self._readers = Readers(connection)
        self._counts: dict[str, int] = {}
        self._publisher: Transactions | None = None
        self._publishing = asyncio.Lock()
        self._looks: dict[str, tuple[float, dict[int, int]]] = {}
        self._looking: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._watching: asyncio.Task[None] | None = None

    async def open(self, topics: Sequence[TopicSpec] = ()) -> None:
        """See the port; a broker that goes away in the middle is waited for again."""
        deadline = time.monotonic() + self._connection.settings.wait_seconds
        while True:
            await wait_for_broker(self._connection)
            try:
                await self._connect(topics)
            except LogUnavailableError:
                await self.close()
                if time.monotonic() >= deadline:
                    raise
            else:
                self._watching = asyncio.create_task(self._watch())
                return

    async def _connect(self, topics: Sequence[TopicSpec]) -> None:
        await self.admin.open()
        self.identity = f"{await self.admin.cluster_id()}/{self._prefix}"
        self._counts = await self.admin.partition_counts()
        await self.admin.refuse_unfit(topics)
        counts = {self._counts[self._prefix + spec.name] for spec in topics}
        if len(counts) > 1:
            raise SettingsError(
                f"the topics at {self._connection.shown} have different numbers of partitions: "
                f"{', '.join(map(str, sorted(counts)))}; keys would not meet"
            )
        if not topics and len(set(self._counts.values())) == 1:  # else other people's are among them
            counts = set(self._counts.values())
        self.partitions = min(counts, default=self._wanted)
        await self._readers.open()

    async def close(self) -> None:
        """See the port."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
            self._watching = None
        if self._publisher is not None:
            await self._publisher.close()
            self._publisher = None
        await self._readers.close()
        await self.admin.close()

    async def create_topics(self, topics: Sequence[TopicSpec]) -> list[str]:
        """See the port."""
        made = await self.admin.create(topics, self._wanted)
        wanted = {self._prefix + spec.name for spec in topics}
        while not wanted <= (await self.admin.partition_counts()).keys():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS / 10)
        self._counts = await self.admin.partition_counts()
        self.partitions = self._wanted
        return made

    async def topic_states(self, topics: Sequence[TopicSpec]) -> list[TopicState]:
        """See the port."""
        return await self.admin.states(topics, self._wanted)

    async def publish(self, messages: Sequence[Message]) -> list[Position]:
        """See the port; a transaction of a producer that nobody else knows."""
        if not messages:
            return []
        async with self._publishing:
            if self._publisher is None:
                publisher = Transactions(self._connection, f"{self._prefix}publish-{uuid.uuid4().hex}")
                await publisher.open()
                self._publisher = publisher
            placed = [self.place(each) for each in messages]
            try:
                positions = await self._publisher.commit(placed, {}, "")
            except FencedError as error:
                self._publisher = None
                raise LogUnavailableError(f"not known to be published: {error}") from error
        await self._seen(placed, positions)
        return positions

    async def _seen(self, placed: Sequence[Placed], positions: Sequence[Position]) -> None:
        """Return when readers see what was published: Kafka marks a transaction a moment after it is over."""
        last = {
            At(where.topic, where.partition): at.offset for where, at in zip(placed, positions, strict=True)
        }
        async with answering("marks what was published"):
            while any(end <= last[at] for at, end in (await self._readers.ends([*last])).items()):  # noqa: ASYNC110
                await asyncio.sleep(MARK_SECONDS)

    async def read(
        self, topic: str, partition: int, offset: int, *, max_records: int = 1000, max_bytes: int = 8_000_000
    ) -> list[Record]:
        """See the port."""
        where = At(self.full(topic), partition)
        records = [record_of(raw, topic) for raw in await self._readers.read(where, offset, max_records)]
        size = 0
        for number, record in enumerate(records):
            size += len(record.value or b"") + len(record.key)
            if number and size > max_bytes:
                return records[:number]
        return records

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """See the port."""
        count = self._counts[self.full(topic)]
        ends = await self.ends_of([TopicPartition(topic, number) for number in range(count)])
        return {at.partition: end for at, end in ends.items()}

    async def ends_of(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the ends of some partitions."""
        asked = {At(self.full(at.topic), at.partition): at for at in partitions}
        ends = await self._readers.ends(list(asked))
        return {asked[at]: end for at, end in ends.items()}

    async def offsets_at(self, topic: str, moment: datetime) -> dict[int, int]:
        """See the port."""
        partitions = [At(self.full(topic), number) for number in range(self.partitions)]
        found = await self._readers.offsets_at(partitions, int(moment.timestamp() * 1000))
        ends = await self.end_offsets(topic)
        return {
            at.partition: ends[at.partition] if found[at] is None else found[at].offset for at in partitions
        }

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """See the port."""
        return {number: max(0, offset) for number, offset in (await self._offsets(group, topic)).items()}

    async def begun(self, group: str, topic: str) -> set[int]:
        """See the port."""
        return {number for number, offset in (await self._offsets(group, topic)).items() if offset >= 0}

    async def _offsets(self, group: str, topic: str) -> dict[int, int]:
        partitions = [At(self.full(topic), number) for number in range(self.partitions)]
        return await self.admin.committed(self._prefix + group, partitions)

    async def stable_offsets(self, group: str, partitions: Sequence[At]) -> dict[At, int]:
        """Return committed offsets of a group that no transaction is about to change."""
        return await self.admin.stable_offsets(group, partitions)

    def partition_of(self, key: str) -> int:
        """See the port."""
        return partition_for(key, self.partitions)

    async def wait(self, topic: str, partition: int, end: int, timeout_seconds: float) -> None:
        """See the port; all who wait for a topic share one look a second."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while (await self._look(topic))[partition] <= end:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)

    def member(
        self, group: str, topics: Sequence[str], gained: Handover, lost: Handover, *, publishes: bool = True
    ) -> Member:
        """See the port."""
        full_group = self._prefix + group

        def steps(consumer: AIOKafkaConsumer, number: int) -> Opening:
            if publishes:
                return Transactions(self._connection, f"{full_group}-{number}")
            return GroupCommits(consumer)

        return KafkaMember(
            self, self._connection, group, full_group, topics, steps, gained, lost, eager=not publishes
        )

    async def maintain(self) -> None:
        """See the port: Kafka does it by itself."""

    def full(self, topic: str) -> str:
        """Return a topic's name with the prefix; raises SettingsError for one that does not exist."""
        name = self._prefix + topic
        if name not in self._counts:
            raise SettingsError(f"the topic {name} does not exist at {self._connection.shown}")
        return name

    def place(self, message: Message) -> Placed:
        """Return where a message goes: full topic name and partition."""
        number = self.partition_of(message.partition_key or message.key)
        return Placed(self.full(message.topic), number, message)

    async def _look(self, topic: str) -> dict[int, int]:
        async with self._looking[topic]:
            at, ends = self._looks.get(topic, (0.0, {}))
            if time.monotonic() - at >= LOOK_SECONDS / 2:
                ends = await self.end_offsets(topic)
                self._looks[topic] = (time.monotonic(), ends)
            return ends

    async def _watch(self) -> None:
        """Say in one line that the broker is away, and in one that it is back."""
        since: float | None = None
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if not self._counts:  # nothing to ask about before topics are made
                continue
            try:
                await self._readers.ends([At(min(self._counts), 0)], ASK_SECONDS)
            except LogUnavailableError as error:
                if since is None:
                    self.is_away, since = True, time.monotonic()
                    reason = await self._why(error)
                    logger.warning("log.away", log=self._connection.shown, reason=reason)
            else:
                if since is not None:
                    seconds = round(time.monotonic() - since, 1)
                    logger.warning("log.back", log=self._connection.shown, seconds=seconds)
                    self.is_away, since = False, None

    async def _why(self, error: LogUnavailableError) -> str:
        """Return what a connection of our own says, which knows more than aiokafka."""
        try:
            return await why_not(self._connection) or str(error)
        except SettingsError as refusal:
            return str(refusal)
