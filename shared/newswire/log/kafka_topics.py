"""Topics in Kafka: how each should be kept, what is there, what differs; made, never deleted or changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.structs import TopicPartition

from newswire.errors import SettingsError
from newswire.kafka_settings import MEGABYTE, KafkaSettings
from newswire.log.kafka_connection import Connection
from newswire.log.kafka_offsets import NONE, stable_offsets
from newswire.log.kafka_reading import answering
from newswire.log.port import TopicSpec, TopicState

DAY_MS = 86_400_000
COMPACTED_AFTER_DAYS = 7  # a consumer that was away for less sees every version
TOMBSTONES_DAYS = 30  # at least: caches of tables that were away for less hear of what was removed
SEGMENT_DAYS = 1  # what lies in the open segment is not compacted
OVERHEAD_BYTES = 50_000  # of a batch around a message of the largest size
BROKERS_DEFAULT = -1


def wanted(spec: TopicSpec, settings: KafkaSettings) -> dict[str, str]:
    """Return the configuration that a topic should have, where it differs from what brokers do unasked."""
    policies = (["compact"] if spec.compacted else []) + (["delete"] if spec.retention_days else [])
    config = {"cleanup.policy": ",".join(policies or ["delete"])}
    retention = spec.retention_days
    if retention is not None or not spec.compacted:
        config["retention.ms"] = str(-1 if retention is None else int(retention * DAY_MS))
    if spec.compacted:
        config["delete.retention.ms"] = str(int(max(TOMBSTONES_DAYS, retention or 0) * DAY_MS))
        config["segment.ms"] = str(SEGMENT_DAYS * DAY_MS)
    if spec.compaction_waits_for is not None:
        config["min.compaction.lag.ms"] = str(COMPACTED_AFTER_DAYS * DAY_MS)
    if settings.min_insync_replicas is not None:
        config["min.insync.replicas"] = str(settings.min_insync_replicas)
    if settings.max_message_bytes > MEGABYTE:
        config["max.message.bytes"] = str(settings.max_message_bytes + OVERHEAD_BYTES)
    return config


@dataclass(frozen=True)
class Found:
    """A topic as it is in Kafka."""

    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)


def differences(spec: TopicSpec, found: Found, partitions: int, settings: KafkaSettings) -> tuple[str, ...]:
    """Return in words how a topic differs from what it should be."""
    said = []
    if found.partitions != partitions:
        said.append(f"partitions: {found.partitions}, should be {partitions}")
    if settings.replication is not None and found.replication != settings.replication:
        said.append(f"replication: {found.replication}, should be {settings.replication}")
    for name, value in wanted(spec, settings).items():
        there = found.config.get(name, "not set")
        if _parts(there) != _parts(value):
            said.append(f"{name}: {there}, should be {value}")
    return tuple(said)


def _parts(value: str) -> set[str]:
    """Return a list's items, as ``compact,delete`` is ``delete,compact``."""
    return {part.strip() for part in value.split(",")}


class TopicAdmin:
    """Looks at topics and makes them.

    Args:
        connection: to the brokers.
        prefix: stands before the names of topics.
    """

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._opened: AIOKafkaAdminClient | None = None

    async def open(self) -> None:
        """Connect."""
        client = AIOKafkaAdminClient(**self._connection.options)
        self._opened = client
        async with answering("is asked about topics"):
            await client.start()

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._opened = self._opened, None
        if client is not None:
            await client.close()

    @property
    def _client(self) -> AIOKafkaAdminClient:
        assert self._opened is not None  # noqa: S101  for the type checker: opened by whoever owns us
        return self._opened

    async def cluster_id(self) -> str:
        """Return what tells this cluster from others."""
        async with answering("is asked for its id"):
            return str((await self._client.describe_cluster())["cluster_id"])

    async def partition_counts(self) -> dict[str, int]:
        """Return how many partitions each topic with the prefix has, by full name."""
        return {name: len(rows) for name, rows in (await self._topics()).items()}

    async def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[int, int]:
        """Return the committed offsets of a group, less than 0 where there is none."""
        found = await self.stable_offsets(group, partitions)
        return {at.partition: found.get(at, NONE) for at in partitions}

    async def stable_offsets(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return committed offsets that no transaction is about to change, -1 where there is none."""
        async with answering("is asked for committed offsets"):
            return await stable_offsets(self._client, group, partitions)

    async def states(self, specs: Sequence[TopicSpec], partitions: int) -> list[TopicState]:
        """Return each topic, and what differs from how it should be."""
        found = await self._found([self._prefix + spec.name for spec in specs])
        states = []
        for spec in specs:
            there = found.get(self._prefix + spec.name)
            says = differences(spec, there, partitions, self._connection.settings) if there else ("missing",)
            states.append(TopicState(spec.name, there.partitions if there else None, says))
        return states

    async def create(self, specs: Sequence[TopicSpec], partitions: int) -> list[str]:
        """Make the topics that are missing; return their names.

        Raises SettingsError if one that is there has another number of partitions.
        """
        counts = await self.partition_counts()
        there = {spec.name: counts.get(self._prefix + spec.name) for spec in specs}
        for name, count in there.items():
            if count not in {None, partitions}:
                raise SettingsError(
                    f"{self._prefix}{name} has {count} partitions, not {partitions}: keys would move "
                    f"elsewhere. Set NEWSWIRE_PARTITIONS={count}, or choose another NEWSWIRE_PREFIX"
                )
        missing = [spec for spec in specs if there[spec.name] is None]
        if missing:
            await self._create(missing, partitions)
        return [spec.name for spec in missing]

    async def refuse_unfit(self, specs: Sequence[TopicSpec]) -> None:
        """Raise SettingsError if a topic is missing, or is cleaned up in a way that loses what we need."""
        found = await self._found([self._prefix + spec.name for spec in specs])
        missing = [spec.name for spec in specs if self._prefix + spec.name not in found]
        if missing:
            more = f" (nor do {len(missing) - 1} more)" if missing[1:] else ""
            raise SettingsError(
                f"the topic {self._prefix}{missing[0]} does not exist at {self._connection.shown}{more}: "
                "run newswire topics create"
            )
        for spec in specs:
            name, policy = self._prefix + spec.name, wanted(spec, self._connection.settings)["cleanup.policy"]
            there = found[name].config.get("cleanup.policy", policy)
            if _parts(there) != _parts(policy):
                raise SettingsError(
                    f"the topic {name} has cleanup.policy {there}, which would lose messages; it should be "
                    f"{policy} (see newswire topics check)"
                )

    async def _topics(self) -> dict[str, list[Any]]:
        """Return the partitions of each topic with the prefix; to ask for one by name could create it."""
        async with answering("is asked about topics"):
            rows = await self._client.describe_topics(None)
        return {row["topic"]: row["partitions"] for row in rows if row["topic"].startswith(self._prefix)}

    async def _found(self, names: Sequence[str]) -> dict[str, Found]:
        rows = await self._topics()
        there = [name for name in names if name in rows]
        if not there:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
        async with answering("is asked how topics are kept"):
            answers = await self._client.describe_configs(resources)
        configs = {
            resource[3]: {str(entry[0]): str(entry[1]) for entry in resource[4]}
            for answer in answers
            for resource in answer.resources
        }
        return {
            name: Found(len(rows[name]), len(rows[name][0]["replicas"]), configs.get(name, {}))
            for name in there
        }

    async def _create(self, specs: Sequence[TopicSpec], partitions: int) -> None:
        settings = self._connection.settings
        wanted_topics = [
            NewTopic(
                self._prefix + spec.name, partitions, settings.replication or BROKERS_DEFAULT,
                # aiokafka wants an empty assignment with the broker's default, and none without
                replica_assignments={} if settings.replication is None else None,
                topic_configs=wanted(spec, settings),
            )
            for spec in specs
        ]  # fmt: skip
        async with answering("is asked to make topics"):
            answer = await self._client.create_topics(wanted_topics)
        for name, code, *message in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:  # somebody else makes them too
                raise SettingsError(f"the topic {name} cannot be made: {message[0] or error.__name__}")
