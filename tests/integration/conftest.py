"""A world of its own on the Kafka of the tests, for each test that asks for one."""

from collections.abc import AsyncIterator

import pytest
from integration.kafka_world import KafkaWorld
from servers.kafka import KafkaServer


@pytest.fixture
async def world(kafka: KafkaServer) -> AsyncIterator[KafkaWorld]:
    """A world on the Kafka that all tests share."""
    async with KafkaWorld(kafka) as made:
        yield made


@pytest.fixture
async def own_world(own_kafka: KafkaServer) -> AsyncIterator[KafkaWorld]:
    """A world on a Kafka that may be killed; it runs again in the end, so that all can be closed."""
    async with KafkaWorld(own_kafka) as made:
        yield made
        own_kafka.start()
