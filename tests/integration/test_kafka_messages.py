"""Messages that are too large for Kafka: told as such, nothing of their step is there, and work goes on."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import pytest
from contract.log_contract import DEADLINE_SECONDS, TOPICS, eventually, fetched, joined, message, values
from integration.kafka_world import KafkaWorld
from unit.stages import EchoStage, echo, entry_of, outcome

from newswire.backoff import Backoff
from newswire.errors import MessageTooLargeError
from newswire.events import DEAD_LETTERS, Reason
from newswire.log import Message, TopicSpec
from newswire.partition_loop import WorkerOptions
from newswire.stage import Delivery, Done, End
from newswire.worker import Worker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

SETTING: dict[str, Any] = {"max_message_bytes": 100_000}
NARROW = "narrow"  # a topic that takes less than the setting allows
SMALL = {"max.message.bytes": "2000"}


def large(topic: str, size: int = 150_000) -> Message:
    """Return a message that no compression makes smaller."""
    return Message(topic, "a", os.urandom(size))


async def test_what_is_larger_than_the_setting_is_not_published(world: KafkaWorld) -> None:
    """It is told as the message's own fault; what was to go with it does not; the next one does."""
    log = await world.log(**SETTING)
    with pytest.raises(MessageTooLargeError) as caught:
        await log.publish([message("out", "a", "with it"), large("out"), message("out", "b", "after it")])
    await log.publish([message("out", "a", "next")])

    assert caught.value.reason is Reason.TOO_LARGE
    assert await values(log, "out") == ["next"]


async def test_a_step_with_what_is_larger_than_the_setting_is_undone(world: KafkaWorld) -> None:
    """No message of it is there and no offset has moved; the same claim takes the next step."""
    log = await world.log(**SETTING)
    (at,) = await log.publish([message("in", "a")])
    async with joined(log) as group:
        claim = await group.claim_of(at.partition)
        await fetched(claim)
        with pytest.raises(MessageTooLargeError):
            await claim.commit([message("out", "a", "with it"), large("out")], {"in": at.offset + 1})
        moved = (await log.committed("readers", "in"))[at.partition]
        await claim.commit([message("out", "a", "next")], {"in": at.offset + 1})

        assert group.lost == []
    assert moved == 0
    await eventually(log, "out", ["next"])
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await log.committed("readers", "in"))[at.partition] != at.offset + 1:
            await asyncio.sleep(0.01)


async def test_what_only_the_broker_finds_too_large_is_not_published(world: KafkaWorld) -> None:
    """The same where the topic takes less than the setting says, again and again."""
    await world.make(NARROW, SMALL)
    log = await world.log()
    await log.publish([message(NARROW, "a", "before")])
    for _ in range(2):
        with pytest.raises(MessageTooLargeError):
            await log.publish([message("out", "a", "with it"), large(NARROW, 5000)])
    await log.publish([message(NARROW, "a", "next")])

    assert await values(log, NARROW) == ["before", "next"]
    assert await values(log, "out") == []


async def test_a_step_that_only_the_broker_finds_too_large_is_undone(world: KafkaWorld) -> None:
    """The claim goes on with the same topic afterwards."""
    await world.make(NARROW, SMALL)
    log = await world.log(TOPICS)
    (at,) = await log.publish([message("in", "a")])
    async with joined(log) as group:
        claim = await group.claim_of(at.partition)
        await claim.commit([message(NARROW, "a", "before")])
        for _ in range(2):
            with pytest.raises(MessageTooLargeError):
                await claim.commit([message("out", "a"), large(NARROW, 5000)], {"in": at.offset + 1})
        moved = (await log.committed("readers", "in"))[at.partition]
        claim = await group.claim_of(at.partition)
        await claim.commit([message(NARROW, "a", "next")], {"in": at.offset + 1})

    assert moved == 0
    await eventually(log, NARROW, ["before", "next"])
    assert await values(log, "out") == []


class SwellingStage(EchoStage):
    """Makes something huge of one message."""

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Echo the others."""
        return [Done((large("out"),)) if entry_of(each) == "3" else echo(each) for each in batch]


async def test_a_message_that_leads_to_something_too_large_is_dead_lettered(world: KafkaWorld) -> None:
    """At once and alone, with the reason: those before and behind it in its batch come through."""
    log = await world.log([*TOPICS, TopicSpec(DEAD_LETTERS)], **SETTING)
    sent = [Message("in", "k", outcome(number).to_bytes()) for number in range(6)]
    await log.publish(sent)
    worker = Worker(log, SwellingStage(), WorkerOptions(backoff=Backoff(0.01, 0.05)))
    working = asyncio.create_task(worker.run())
    expected = [(each.value or b"").decode() for number, each in enumerate(sent) if number != 3]
    await eventually(log, "out", expected)
    worker.stop()
    await working
    letters = [r for n in range(log.partitions) for r in await log.read(DEAD_LETTERS, n, 0)]

    assert [(each.value, each.headers["dl_reason"]) for each in letters] == [(sent[3].value, "too-large")]
