"""How long one lone article takes through one stage.

The clock runs from just before the call that publishes the article on the stage's input until a reader of
committed records has the stage's output: two transactions, two fetches. One article at a time; the next one
a little after, at random, so that no two meet.
"""

import asyncio
import contextlib
import multiprocessing
import random
import time
from typing import Any

from aiokafka import AIOKafkaConsumer
from kafka_ground import PARTITIONS, Broker, Echo, Ground, Row, against, article_of, fresh, messages_of

from newswire.events import Article
from newswire.log import Log, Message
from newswire.worker import Worker

COUNT = 400
TEXT = 3000  # characters
GOAL_MIDDLE_MS = 20.0
GOAL_WORST_MS = 60.0
PATIENCE_SECONDS = 20.0


async def lone_rows(broker: Broker) -> list[Row]:
    """Measure and return lines of the table."""
    async with fresh(broker.servers) as ground, ground.log() as log:
        stage = multiprocessing.get_context("spawn").Process(target=serve, args=(ground,), daemon=True)
        stage.start()
        try:
            async with ground.consumer("out") as reader:
                times = sorted(await measured(log, reader))
        finally:
            stage.kill()
    middle_ms, worst_ms = (1000 * times[int(len(times) * share)] for share in (0.5, 0.99))
    return [
        against(
            f"a lone article through a stage ({COUNT} of them), p50",
            middle_ms,
            "ms",
            GOAL_MIDDLE_MS,
            below=True,
        ),
        against("the same, p99", worst_ms, "ms", GOAL_WORST_MS, below=True),
    ]


def serve(ground: Ground) -> None:
    """Run the stage in this process for ever."""

    async def run() -> None:
        async with ground.log() as log:
            await Worker(log, Echo("lone", Article)).run()

    asyncio.run(run())


async def measured(log: Log, reader: AIOKafkaConsumer) -> list[float]:
    """Return the seconds that each article took; the first of each partition only wake everything up."""
    seen: set[str] = set()
    warm = messages_of([article_of(TEXT) for _ in range(5 * PARTITIONS)], "in")
    await log.publish(warm)
    while len(seen) < len(warm):
        seen |= {record.key.decode() for record in await taken(reader)}
    times = []
    for message in messages_of([article_of(TEXT) for _ in range(COUNT)], "in"):
        times.append(await through(log, reader, message))
        await asyncio.sleep(random.uniform(0.02, 0.1))
    return times


async def through(log: Log, reader: AIOKafkaConsumer, message: Message) -> float:
    """Return the seconds of one article."""
    started = time.monotonic()
    publishing = asyncio.create_task(log.publish([message]))
    while message.key.encode() not in {record.key for record in await taken(reader)}:
        pass
    ended = time.monotonic()
    await publishing
    return ended - started


async def taken(reader: AIOKafkaConsumer) -> list[Any]:
    """Return what has come."""
    found: dict[Any, list[Any]] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not found:
                found = await reader.getmany(timeout_ms=1000)
    assert found, "nothing came out of the stage"
    return [record for records in found.values() for record in records]
