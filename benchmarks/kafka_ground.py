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
from typing import Any, NamedTuple

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
    "minister budget vote coalition harbour flood rescue court appeal engine delay border talks summit "
    "energy price river bridge hospital strike union teacher school grant museum forest fire storm rail"
).split()


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
            isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest", **options,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def fresh(servers: str, compression: str = "default") -> AsyncIterator[Ground]:
    """Yield a ground with empty topics, and remove them."""
    ground = Ground(servers, f"bench-{uuid.uuid4().hex[:8]}-", compression)
    log = open_log(
        f"kafka://{servers}", prefix=ground.prefix, partitions=PARTITIONS, kafka=ground.settings
    )
    await log.open()
    await log.create_topics(TOPICS)
    await log.close()
    try:
        yield ground
    finally:
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        await admin.delete_topics([ground.prefix + spec.name for spec in TOPICS])
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
    wrapped = [message(event, os.urandom(16).hex(), source="bench", entry_id="e", feed_id="f") for event in events]
    return [Message(topic, each.key, each.value, each.headers) for each in wrapped]


class Echo:
    """A stage that publishes what it reads; it may be told of each batch."""

    def __init__(self, group: str, event: type[Event]) -> None:
        self.group = group
        self.inputs: Mapping[str, type[Event]] = {"in": event}
        self.sizes: list[int] = []
        self.opened = 0

    async def open(self, ownership: Ownership) -> "EchoHandler":
        """See Stage."""
        del ownership
        self.opened += 1
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
