"""Subscriptions on Kafka."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from contract.subscription_contract import SubscriptionContract
from servers.kafka import KafkaServer

import newswire
from newswire.events import Withdrawal
from newswire.log import Log, Message, open_log
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


async def test_the_log_in_may_be_given(log: Log, settings: Settings, kafka: KafkaServer) -> None:
    """Beside the address, where a program keeps its secrets elsewhere than in the environment."""
    if kafka.sasl_bootstrap is None:
        pytest.fail("NEWSWIRE_TEST_KAFKA_SASL has to name the SASL listener of NEWSWIRE_TEST_KAFKA")
    await log.publish([Message(Withdrawal.topic, "a", None)])
    login = newswire.KafkaSettings.model_validate(
        {"username": kafka.user, "password": kafka.password, "session_seconds": SESSION_SECONDS}
    )
    there = settings.model_copy(update={"log": f"kafka://{kafka.sasl_bootstrap}"})
    wanted = newswire.subscribe("withdrawals", group="secretive", settings=there, kafka=login)
    async with asyncio.timeout(30), wanted as events:
        found = await anext(aiter(events))

    assert found == newswire.Removed("a")
