"""What carries the log in a test: a SQLite file, or a Kafka of the test's own."""

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from servers.kafka import KafkaServer

from newswire.log import open_log
from newswire.topics import TOPICS

QUIET_MS = 1500  # without a record for so long, a topic that nobody writes to has been read
PARTITIONS = 12


@dataclass(frozen=True)
class Backing:
    """Where the log is.

    Attributes:
        log: its address.
        prefix: stands before topics and groups.
        session_seconds: after which a silent process loses its partitions.
        broker: if there is one, to be killed.
    """

    log: str
    prefix: str = ""
    session_seconds: float = 60.0
    broker: KafkaServer | None = None

    def settings(self, folder: Path) -> dict[str, str]:
        """Return the settings of services; the store is a file in the folder."""
        env = {"NEWSWIRE_LOG": self.log, "NEWSWIRE_STORE": f"sqlite:///{folder / 'store.db'}"}
        if self.broker is None:
            return env
        return {
            **env,
            "NEWSWIRE_PREFIX": self.prefix,
            "NEWSWIRE_KAFKA_SESSION_SECONDS": f"{self.session_seconds:g}",
            "NEWSWIRE_KAFKA_WAIT_SECONDS": "120",
        }


def on_sqlite(folder: Path) -> Backing:
    """Return a log in a file of the folder."""
    return Backing(f"sqlite:///{folder / 'log.db'}")


def on_kafka(server: KafkaServer, session_seconds: float) -> Backing:
    """Return a log on a Kafka, under a prefix of its own, with its topics made."""
    backing = Backing(f"kafka://{server.bootstrap}", f"c{uuid.uuid4().hex[:8]}-", session_seconds, server)

    async def make() -> None:
        log = open_log(backing.log, prefix=backing.prefix, partitions=PARTITIONS)
        await log.open()
        try:
            await log.create_topics(TOPICS)
        finally:
            await log.close()

    asyncio.run(make())
    return backing


async def read_committed(bootstrap: str, topic: str) -> list[bytes]:
    """Return a topic's values as a stranger reads them: plain aiokafka, transactions that are committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        found: dict[int, list[bytes]] = {part.partition: [] for part in parts}
        while batch := await consumer.getmany(timeout_ms=QUIET_MS):
            for part, records in batch.items():
                found[part.partition] += [record.value for record in records if record.value is not None]
    finally:
        await consumer.stop()
    return [value for number in sorted(found) for value in found[number]]
