"""The log contract on Kafka, and what only that adapter has."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from contract.log_contract import TOPICS, LogContract, MakeLog, Place
from servers.kafka import KafkaServer

from newswire.kafka_settings import KafkaSettings
from newswire.log import Log, Message, TopicSpec, open_log
from newswire.log.kafka_topics import wanted

pytestmark = [pytest.mark.contract, pytest.mark.timeout(60)]

SESSION_SECONDS = 1.5  # after which the broker takes a killed process for dead
QUICK = {"segment.ms": "50", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0"}


@pytest.fixture
def place(kafka: KafkaServer) -> Place:
    """A world of its own on the Kafka of the tests."""
    environment = {"NEWSWIRE_KAFKA_SESSION_SECONDS": str(SESSION_SECONDS)}
    return Place(f"kafka://{kafka.bootstrap}", f"t{uuid.uuid4().hex[:8]}-", environment)


@pytest.fixture
async def make_log(place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeLog]:
    """Make handles on the same log."""
    monkeypatch.setattr("newswire.log.kafka_topics.wanted", _quickly)
    opened: list[Log] = []

    async def make() -> Log:
        log = open_log(
            place.address, prefix=place.prefix, partitions=3,
            kafka=KafkaSettings(session_seconds=SESSION_SECONDS),
        )  # fmt: skip
        await log.open()
        if not opened:
            await log.create_topics(TOPICS)
        opened.append(log)
        return log

    await make()
    yield make
    for log in opened:
        await log.close()


def _quickly(spec: TopicSpec, settings: KafkaSettings) -> dict[str, str]:
    """Return the configuration of a topic that is cleaned up as soon as it can be."""
    return {**wanted(spec, settings), **QUICK}


class TestKafkaLog(LogContract):
    """The suite on Kafka."""

    async def clean(self, log: Log, topic: str, partition: int) -> None:
        """Begin a new segment, as the open one is left alone, and let some time pass."""
        key = next(key for key in map(str, range(1000)) if log.partition_of(key) == partition)
        await log.publish([Message(topic, key, b"filler")])
        await asyncio.sleep(0.2)
