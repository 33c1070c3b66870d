"""Consume, process, produce: our worker in as many processes as cores, against the same loop written bare."""

import asyncio
import multiprocessing
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka.structs import OffsetAndMetadata, TopicPartition
from kafka_ground import (
    EVENT_BYTES,
    PARTITIONS,
    Echo,
    Ground,
    Row,
    against,
    event_of,
    fresh,
    messages_of,
    middle,
)

from newswire.events import Outcome
from newswire.partition_loop import WorkerOptions
from newswire.worker import Worker

MESSAGES = 100_000
CHUNK = 5000  # messages in a transaction that fills the input
PROCESSES = 2
BATCH = WorkerOptions().max_records  # the bare loop's too
WINDOW = (0.2, 0.9)  # of the messages: between them the rate is taken, past joining and before the tail
ROUNDS = 2  # each way in turn
GOAL = 10_000
GOAL_RATIO = 0.6

Counts = "multiprocessing.Queue[tuple[float, int]]"
Work = Callable[[Ground, str, "Counts"], Coroutine[Any, Any, None]]


async def loop_rows(servers: str) -> list[Row]:
    """Measure and return lines of the table."""
    ours, bare = [], []
    async with fresh(servers) as ground:
        await fill(ground)
        for _ in range(ROUNDS):
            bare.append(await asyncio.to_thread(rate_of, run_bare, ground))
            ours.append(await asyncio.to_thread(rate_of, run_worker, ground))
    return [
        against(f"the loop bare, {PROCESSES} processes, {PARTITIONS} partitions", middle(bare), "messages/s"),
        against("our worker, likewise", middle(ours), "messages/s", GOAL),
        against("our worker ÷ bare", middle(ours) / middle(bare), "", GOAL_RATIO),
    ]


async def fill(ground: Ground) -> None:
    """Publish what is to be read."""
    messages = messages_of([event_of(EVENT_BYTES) for _ in range(CHUNK)], "in")
    async with ground.log() as log:
        for _ in range(MESSAGES // CHUNK):
            await log.publish(messages)


def rate_of(work: Work, ground: Ground) -> float:
    """Run a way of working in its processes until all was read; return messages a second."""
    context = multiprocessing.get_context("spawn")
    counts: Any = context.Queue()
    group = uuid.uuid4().hex[:8]
    processes = [
        context.Process(target=in_process, args=(work, ground, group, counts), daemon=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    try:
        return watched(counts)
    finally:
        for process in processes:
            process.kill()
            process.join()


def watched(counts: Any) -> float:
    """Return the rate between two shares of all messages."""
    first, last = (share * MESSAGES for share in WINDOW)
    done, started = 0, (0.0, 0)
    while True:
        at, count = counts.get(timeout=60)
        done += count
        if not started[1] and done >= first:
            started = (at, done)
        if done >= last:
            return (done - started[1]) / (at - started[0])


def in_process(work: Work, ground: Ground, group: str, counts: Any) -> None:
    """Work in a process of its own until killed."""
    asyncio.run(work(ground, group, counts))


class CountedEcho(Echo):
    """Says when it has taken a batch."""

    def __init__(self, group: str, counts: Any) -> None:
        super().__init__(group, Outcome)
        self._counts = counts

    def batch(self, size: int) -> None:
        """Say so."""
        self._counts.put((time.monotonic(), size))


async def run_worker(ground: Ground, group: str, counts: Any) -> None:
    """Run our worker."""
    async with ground.log() as log:
        await Worker(log, CountedEcho(group, counts)).run()


async def run_bare(ground: Ground, group: str, counts: Any) -> None:
    """Run the loop as one would write it: a batch from any partitions, one transaction."""
    full = f"{ground.prefix}bare-{group}"
    async with (
        ground.consumer("in", group_id=full) as consumer,
        ground.producer() as producer,
    ):
        while True:
            found = await consumer.getmany(timeout_ms=500, max_records=BATCH)
            if not found:
                continue
            async with producer.transaction():
                sent, offsets = [], dict[TopicPartition, OffsetAndMetadata]()
                for at, records in found.items():
                    for record in records:
                        sent.append(
                            await producer.send(
                                f"{ground.prefix}out", value=record.value, key=record.key, headers=list(record.headers)
                            )
                        )
                    offsets[at] = OffsetAndMetadata(records[-1].offset + 1, "")
                await asyncio.gather(*sent)
                await producer.send_offsets_to_transaction(offsets, full)
            counts.put((time.monotonic(), sum(map(len, found.values()))))
