"""What tests of the Kafka log stand on: topics under a prefix of their own, handles, topics made by hand."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from contract.log_contract import TOPICS, Place
from servers.kafka import KafkaServer

from newswire.kafka_settings import KafkaSettings
from newswire.log import TopicSpec, open_log
from newswire.log.kafka import KafkaLog
from newswire.log.kafka_connection import Connection, connection_to

SESSION_SECONDS = 1.5  # after which the broker takes a silent process for dead
PARTITIONS = 3


class KafkaWorld:
    """A prefix on a Kafka, and handles on its log that are closed in the end.

    Args:
        server: the Kafka.
    """

    def __init__(self, server: KafkaServer) -> None:
        self.server = server
        self.prefix = f"t{uuid.uuid4().hex[:8]}-"
        self.address = f"kafka://{server.bootstrap}"
        self._logs: list[KafkaLog] = []

    @property
    def place(self) -> Place:
        """How another process opens the log."""
        session = {"NEWSWIRE_KAFKA_SESSION_SECONDS": str(SESSION_SECONDS)}
        return Place(self.address, self.prefix, session)

    def connection(self, **settings: Any) -> Connection:
        """Return a connection with quick settings."""
        return connection_to(self.address, KafkaSettings(session_seconds=SESSION_SECONDS, **settings))

    async def log(
        self, topics: Sequence[TopicSpec] = TOPICS, *, partitions: int = PARTITIONS, **settings: Any
    ) -> KafkaLog:
        """Return another handle on the log, with all topics there."""
        kafka = KafkaSettings(session_seconds=SESSION_SECONDS, **settings)
        log = open_log(self.address, prefix=self.prefix, partitions=partitions, kafka=kafka)
        assert isinstance(log, KafkaLog)
        self._logs.append(log)
        await log.open()
        await log.create_topics(topics)
        return log

    async def make(self, name: str, config: Mapping[str, str], partitions: int = PARTITIONS) -> None:
        """Make a topic as somebody else would."""
        made = NewTopic(self.prefix + name, partitions, 1, topic_configs=dict(config))
        async with self.admin() as admin:
            answer = await admin.create_topics([made])
            assert [error[1] for error in answer.topic_errors] == [0]

    def admin(self) -> "Admin":
        """Return a client for what the log never does."""
        return Admin(self.server)

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is asked for."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close all handles."""
        for log in self._logs:
            await log.close()


class Admin:
    """An admin client of Kafka, for a while."""

    def __init__(self, server: KafkaServer) -> None:
        self._server = server

    async def __aenter__(self) -> AIOKafkaAdminClient:
        """Connect."""
        self._client = AIOKafkaAdminClient(bootstrap_servers=self._server.bootstrap)
        await self._client.start()
        return self._client

    async def __aexit__(self, *exc_info: object) -> None:
        """Let go."""
        await self._client.close()
