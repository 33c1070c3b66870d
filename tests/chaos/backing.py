"""What carries log and store in a test: SQLite files, or a Kafka and an Elasticsearch of the test's own."""

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from servers.elasticsearch import ElasticsearchServer
from servers.kafka import KafkaServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.log import open_log
from newswire.topics import TOPICS
from newswire_index.elastic.client import client_for
from newswire_index.elastic.names import ElasticNames
from newswire_index.elastic.setup import Setup
from newswire_index.store import RETENTION

QUIET_MS = 1500  # without a record for so long, a topic that nobody writes to has been read
PARTITIONS = 12
ELASTICSEARCH = {"NEWSWIRE_ELASTICSEARCH_REPLICAS": "0", "NEWSWIRE_ELASTICSEARCH_WAIT_SECONDS": "120"}


@dataclass(frozen=True)
class Backing:
    """Where log and store are.

    Attributes:
        log: its address.
        prefix: stands before topics, groups and indices.
        session_seconds: after which a silent process loses its partitions.
        broker: if there is one, to be killed.
        elasticsearch: if the store is one, to be killed; else it is a file.
    """

    log: str
    prefix: str = ""
    session_seconds: float = 60.0
    broker: KafkaServer | None = None
    elasticsearch: ElasticsearchServer | None = None

    @property
    def servers(self) -> dict[str, KafkaServer | ElasticsearchServer]:
        """What may be killed, by name."""
        named = {"broker": self.broker, "elasticsearch": self.elasticsearch}
        return {name: server for name, server in named.items() if server is not None}

    def settings(self, folder: Path) -> dict[str, str]:
        """Return the settings of services; a store that is a file lies in the folder."""
        store = f"sqlite:///{folder / 'store.db'}" if self.elasticsearch is None else self.elasticsearch.url
        env = {"NEWSWIRE_LOG": self.log, "NEWSWIRE_STORE": store}
        if self.broker is None:
            return env
        return {
            **env,
            **({} if self.elasticsearch is None else ELASTICSEARCH),
            "NEWSWIRE_PREFIX": self.prefix,
            "NEWSWIRE_KAFKA_SESSION_SECONDS": f"{self.session_seconds:g}",
            "NEWSWIRE_KAFKA_WAIT_SECONDS": "120",
        }


def on_sqlite(folder: Path) -> Backing:
    """Return a log in a file of the folder."""
    return Backing(f"sqlite:///{folder / 'log.db'}")


def on_kafka(
    server: KafkaServer, session_seconds: float, elasticsearch: ElasticsearchServer | None = None
) -> Backing:
    """Return a log on a Kafka, under a prefix of its own, and maybe a store; both are set up."""
    prefix = f"c{uuid.uuid4().hex[:8]}-"
    backing = Backing(f"kafka://{server.bootstrap}", prefix, session_seconds, server, elasticsearch)

    async def make() -> None:
        log = open_log(backing.log, prefix=backing.prefix, partitions=PARTITIONS)
        await log.open()
        try:
            await log.create_topics(TOPICS)
        finally:
            await log.close()
        if elasticsearch is not None:
            await _set_up(elasticsearch, prefix)

    asyncio.run(make())
    return backing


async def _set_up(server: ElasticsearchServer, prefix: str) -> None:
    settings = ElasticsearchSettings(replicas=0)
    client = client_for(server.url, settings)
    try:
        await Setup(client, ElasticNames(prefix), settings, RETENTION).run()
    finally:
        await client.close()


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
