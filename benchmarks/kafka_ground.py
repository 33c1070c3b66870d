"""What the Kafka benchmarks share: topics of their own, events, the bare client, and a stage that echoes."""

import asyncio
import contextlib
import os
import random
import statistics
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from newswire.envelope import message
from newswire.events import Article, Event, Outcome, OutcomeKind, Reason
from newswire.ids import content_hash
from newswire.kafka_settings import KafkaSettings
from newswire.log import Log, Message, TopicPartition, TopicSpec, open_log
from newswire.log.kafka_transactions import BATCH_BYTES, RETRY_BACKOFF_MS
from newswire.ownership import Ownership
from newswire.stage import Delivery, Done, End

PARTITIONS = 12
EVENT_BYTES = 1024
TOPICS = (TopicSpec("in"), TopicSpec("out"))
WORDS = (
    "minister", "budget", "vote", "coalition", "harbour", "flood", "rescue", "court", "appeal", "engine",
    "delay", "border", "talks", "summit", "energy", "price", "river", "bridge", "hospital", "strike",
)  # fmt: skip


class Row(NamedTuple):
    """A line of the table."""

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None


def against(what: str, value: float, unit: str, goal: float | None = None, *, below: bool = False) -> Row:
    """Return a line that says whether a goal is met."""
    shown = f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    if goal is None:
        return Row(what, f"{shown} {unit}".strip())
    met = value < goal if below else value >= goal
    return Row(what, f"{shown} {unit}".strip(), f"{'<' if below else '≥'} {goal:,g} {unit}".strip(), met)


@dataclass(frozen=True)
class Broker:
    """A broker; what it costs and stores is known only of one on this machine.

    Args:
        servers: its address.
        pid: of its process, if that is known.
        data: the folder of its data, likewise.
    """

    servers: str
    pid: int | None = None
    data: Path | None = None

    def cpu(self) -> float:
        """Return the CPU seconds that it has used, 0 if that is not known."""
        if self.pid is None:
            return 0.0
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def bytes_of(self, prefix: str) -> int | None:
        """Return how many bytes of records lie in the topics with a prefix."""
        if self.data is None:
            return None
        return sum(file.stat().st_size for file in self.data.glob(f"{prefix}*/*.log"))


@dataclass(frozen=True)
class Ground:
    """Where a benchmark works: a broker, and a prefix that nobody else uses."""

    servers: str
    prefix: str
    compression: str = "default"

    @property
    def settings(self) -> KafkaSettings:
        """Return the settings of the log."""
        chosen = {} if self.compression == "default" else {"compression": self.compression}
        return KafkaSettings.model_validate(chosen)

    @contextlib.asynccontextmanager
    async def log(self) -> AsyncIterator[Log]:
        """Yield the log, open."""
        log = open_log(
            f"kafka://{self.servers}", prefix=self.prefix, partitions=PARTITIONS, kafka=self.settings
        )
        try:
            await log.open(TOPICS)
            yield log
        finally:
            await log.close()

    def producer(self) -> AIOKafkaProducer:
        """Return a bare producer set as ours are."""
        compression = self.settings.compression
        return AIOKafkaProducer(
            bootstrap_servers=self.servers, transactional_id=f"{self.prefix}bare-{uuid.uuid4().hex}",
            acks="all", compression_type=None if compression == "none" else compression,
            max_batch_size=BATCH_BYTES, retry_backoff_ms=RETRY_BACKOFF_MS,
        )  # fmt: skip

    def consumer(self, *topics: str, **options: Any) -> AIOKafkaConsumer:
        """Return a bare consumer of what was committed."""
        return AIOKafkaConsumer(
            *(self.prefix + topic for topic in topics), bootstrap_servers=self.servers,
            isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest",
            **options,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def fresh(servers: str, compression: str = "default") -> AsyncIterator[Ground]:
    """Yield a ground with empty topics, and remove them."""
    ground = Ground(servers, f"bench-{uuid.uuid4().hex[:8]}-", compression)
    log = open_log(f"kafka://{servers}", prefix=ground.prefix, partitions=PARTITIONS, kafka=ground.settings)
    await log.open()
    await log.create_topics(TOPICS)
    await log.close()
    try:
        yield ground
    finally:
        await remove_topics(servers, ground.prefix, TOPICS)


async def remove_topics(servers: str, prefix: str, topics: Sequence[TopicSpec]) -> None:
    """Remove what a benchmark has made: the broker may be somebody else's."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.delete_topics([prefix + spec.name for spec in topics])
    finally:
        await admin.close()


def prose(length: int) -> str:
    """Return words that compress about as well as news does."""
    words: list[str] = []
    size = 0
    while size < length:
        words.append(random.choice(WORDS) if random.random() < 0.6 else os.urandom(4).hex())
        size += len(words[-1]) + 1
    return " ".join(words)[:length]


def event_of(size: int) -> Outcome:
    """Return an event that has about so many bytes as JSON."""
    outcome = Outcome(
        entry_id=os.urandom(16).hex(), feed_id=os.urandom(16).hex(), kind=OutcomeKind.INDEXED,
        reason=Reason.NEW, stage="bench", at=datetime.now(UTC), message="",
    )  # fmt: skip
    return outcome.model_copy(update={"message": prose(size - len(outcome.to_bytes()))})


def article_of(size: int) -> Article:
    """Return an article with so many characters of text."""
    text, url = prose(size), f"https://news.example/{os.urandom(8).hex()}"
    now = datetime.now(UTC)
    return Article(
        article_id=os.urandom(16).hex(), entry_id=os.urandom(16).hex(), feed_id=os.urandom(16).hex(),
        seen_at=now, url=url, canonical_url=url, title=text[:80], text=text, fetched_at=now,
        content_hash=content_hash(text[:80], text), outlet="news.example",
    )  # fmt: skip


def messages_of(events: Sequence[Event], topic: str) -> list[Message]:
    """Wrap events, with all the usual headers, for a topic of the bench."""
    made = []
    for event in events:
        entry, feed = os.urandom(16).hex(), os.urandom(16).hex()
        wrapped = message(event, entry, source="bench", entry_id=entry, feed_id=feed)
        made.append(Message(topic, entry, wrapped.value, wrapped.headers))
    return made


class Echo:
    """A stage that publishes what it reads; it may be told of each batch."""

    def __init__(self, group: str, event: type[Event]) -> None:
        self.group = group
        self.inputs: Mapping[str, type[Event]] = {"in": event}

    async def open(self, ownership: Ownership) -> "EchoHandler":
        """See Stage."""
        del ownership
        return EchoHandler(self)

    def batch(self, size: int) -> None:
        """Learn of a batch."""


class EchoHandler:
    """At work on one partition."""

    def __init__(self, stage: Echo) -> None:
        self._stage = stage

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """See Handler."""
        self._stage.batch(len(batch))
        return [
            Done((Message("out", each.record.key, each.record.value, each.record.headers),)) for each in batch
        ]

    def preconditions(self) -> Mapping[TopicPartition, int]:
        """See Handler."""
        return {}

    async def run(self) -> None:
        """See Handler."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """See Handler."""


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
