"""The log contract on Kafka, and what only that adapter has."""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator

import pytest
from contract.log_contract import TOPICS, LogContract, MakeLog, Place
from servers.kafka import KafkaServer

from newswire.errors import MessageTooLargeError
from newswire.kafka_settings import KafkaSettings
from newswire.log import Log, Message, TopicSpec, open_log
from newswire.log.kafka_topics import wanted
from newswire.log.reading import records_from

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

    async def test_reading_behind_the_last_record_does_not_wait_for_one(self, make_log: MakeLog) -> None:
        """Only the mark of a transaction lies there: whoever catches up must not stand still for it."""
        log = await make_log()
        numbers = range(log.partitions)
        keys = {log.partition_of(key): key for key in map(str, range(100))}
        messages = [Message(topic, keys[number], b"v") for topic in ("in", "out") for number in numbers]
        placed = await log.publish(messages)
        behind = [(m.topic, at.partition, at.offset + 1) for m, at in zip(messages, placed, strict=True)]
        stranger = await make_log()

        started = time.monotonic()
        found = [await stranger.read(*where) for where in behind * 2]

        assert found == [[]] * 12
        assert time.monotonic() - started < 2.0  # half a second for each of the first six would be 3

    async def test_positions_are_true_where_a_step_takes_many_batches(self, make_log: MakeLog) -> None:
        """A table takes over what its owner published by these positions, without reading it back."""
        log = await make_log()
        messages = [Message("in", str(number % 50), b"%06d" % number * 300) for number in range(800)]

        placed = await log.publish(messages)

        lying = {
            (record.partition, record.offset): record.value
            for partition in range(log.partitions)
            async for record in records_from(log, "in", partition)
        }
        assert [lying[at.partition, at.offset] for at in placed] == [message.value for message in messages]
        assert len(lying) == len(messages)

    async def test_nothing_is_published_of_a_step_with_a_message_too_large(self, make_log: MakeLog) -> None:
        """What came before it in the step is undone, and the log goes on to work."""
        log = await make_log()
        small, large = Message("in", "k", b"v"), Message("in", "k", os.urandom(1_100_000))

        with pytest.raises(MessageTooLargeError):
            await log.publish([small, large])
        await log.publish([small])

        found = [record async for record in records_from(log, "in", log.partition_of("k"))]
        assert [record.value for record in found] == [b"v"]
