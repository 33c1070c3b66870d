"""Publishing through the port, against bare aiokafka that sends the same."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaProducer
from kafka_ground import EVENT_BYTES, Broker, Ground, Row, against, event_of, fresh, messages_of, middle

from newswire.log import Claim, Log, Message

BATCH = 2000  # messages in a transaction
ROUNDS = 10  # each way in turn, so that a busy moment of the machine meets all
GOAL = 0.7

Bare = tuple[str, bytes, bytes | None, list[tuple[str, bytes]]]
Way = Callable[[], Awaitable[object]]


async def publish_rows(broker: Broker) -> list[Row]:
    """Measure and return lines of the table."""
    messages = messages_of([event_of(EVENT_BYTES) for _ in range(BATCH)], "out")
    async with fresh(broker.servers) as ground, ground.log() as log, ground.producer() as producer:
        claim, let_go = await claimed(log)
        same = as_bare(messages, ground)
        rates = await in_turn(
            {
                "bare": lambda: publish_bare(producer, same),
                "log.publish": lambda: log.publish(messages),
                "claim.commit": lambda: claim.commit(messages),
            }
        )
        await let_go()
    bare = middle(rates.pop("bare"))
    rows = [against(f"bare aiokafka, {BATCH:,} messages of 1 KB a transaction", bare, "messages/s")]
    for name, all_rates in rates.items():
        rows += [
            against(name, middle(all_rates), "messages/s"),
            against(f"{name} ÷ bare", middle(all_rates) / bare, "", GOAL),
        ]
    return rows


async def in_turn(ways: dict[str, Way]) -> dict[str, list[float]]:
    """Return messages a second of each way, round by round; the first round only warms up."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            started = time.monotonic()
            await way()
            if number:
                rates[name].append(BATCH / (time.monotonic() - started))
    return rates


def as_bare(messages: Sequence[Message], ground: Ground) -> list[Bare]:
    """Return the same as bare aiokafka takes it: bytes made beforehand, which is not held against it."""
    return [
        (
            ground.prefix + each.topic, each.key.encode(), each.value,
            [(name, value.encode()) for name, value in each.headers.items()],
        )
        for each in messages
    ]  # fmt: skip


async def publish_bare(producer: AIOKafkaProducer, messages: Sequence[Bare]) -> None:
    """Send in one transaction as aiokafka's manual shows it, and check that all arrived."""
    async with producer.transaction():
        sent = [
            await producer.send(topic, value=value, key=key, headers=headers)
            for topic, key, value, headers in messages
        ]
        await asyncio.gather(*sent)


async def claimed(log: Log) -> tuple[Claim, Callable[[], Awaitable[None]]]:
    """Return a claim, and what lets go of it."""
    won: asyncio.Queue[Claim] = asyncio.Queue()

    async def lost(claim: Claim) -> None:
        del claim

    running = asyncio.create_task(log.member("publisher", ("in",), won.put, lost).run())

    async def let_go() -> None:
        running.cancel()
        await asyncio.wait({running})

    return await won.get(), let_go
