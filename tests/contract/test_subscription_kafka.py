"""Subscriptions on Kafka."""

import uuid
from collections.abc import AsyncIterator

import pytest
from contract.subscription_contract import SubscriptionContract
from servers.kafka import KafkaServer

from newswire.log import Log, open_log
from newswire.settings import Settings
from newswire.topics import TOPICS

pytestmark = [pytest.mark.contract, pytest.mark.timeout(120)]

SESSION_SECONDS = 1.5  # after which the broker takes a killed process for dead


@pytest.fixture
def settings(kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Where the log is."""
    monkeypatch.setenv("NEWSWIRE_KAFKA_SESSION_SECONDS", str(SESSION_SECONDS))
    prefix = f"t{uuid.uuid4().hex[:8]}-"
    return Settings(log=f"kafka://{kafka.bootstrap}", prefix=prefix, partitions=3)


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[Log]:
    """A handle on it, with the topics made."""
    log = open_log(settings.log, prefix=settings.prefix, partitions=settings.partitions)
    await log.open()
    await log.create_topics(TOPICS)
    yield log
    await log.close()


@pytest.fixture
def group() -> str:
    """The prefix is new, so every group is."""
    return "my-app"


class TestSubscriptionOnKafka(SubscriptionContract):
    """The suite on Kafka."""
