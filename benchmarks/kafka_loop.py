"""Consume, process, produce: our worker in two processes, against the same loop written bare with aiokafka.

The rate is taken while most messages are read, past joining the group and before the tail. CPU time is that
of both processes and the broker, whom a busy machine does not slow down as it does the clock.
"""

import asyncio
import multiprocessing
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import psutil
from aiokafka.structs import OffsetAndMetadata
from kafka_ground import (
    EVENT_BYTES,
    PARTITIONS,
    Broker,
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
PROCESSES = 2  # both cores; the broker shares them
BATCH = WorkerOptions().max_records  # the bare loop's too
WINDOW = (0.2, 0.9)  # of the messages: between them the rate is taken, past joining and before the tail
ROUNDS = 2  # each way in turn
GOAL = 10_000
GOAL_RATIO = 0.6

Work = Callable[[Ground, str, Any], Coroutine[Any, Any, None]]


class Speed(NamedTuple):
    """Messages a second, and the CPU microseconds that one costs the processes and the broker together."""

    rate: float
    cpu_us: float


async def loop_rows(broker: Broker) -> list[Row]:
    """Measure and return lines of the table."""
    ours, bare = [], []
    async with fresh(broker.servers) as ground:
        await fill(ground)
        for _ in range(ROUNDS):
            bare.append(await asyncio.to_thread(speed_of, run_bare, ground, broker))
            ours.append(await asyncio.to_thread(speed_of, run_worker, ground, broker))
    theirs_rate, theirs_cpu = (middle(column) for column in zip(*bare, strict=True))
    rate, cpu = (middle(column) for column in zip(*ours, strict=True))
    what = f"{PROCESSES} processes, {PARTITIONS} partitions"
    return [
        against(f"consume-process-produce bare, {what}", theirs_rate, "messages/s"),
        against("our worker, likewise", rate, "messages/s", GOAL),
        against("our worker ÷ bare", rate / theirs_rate, "", GOAL_RATIO),
        against("CPU of bare, with the broker's", theirs_cpu, "µs/message"),
        against("CPU of our worker, with the broker's", cpu, "µs/message"),
    ]


async def fill(ground: Ground) -> None:
    """Publish what is to be read."""
    messages = messages_of([event_of(EVENT_BYTES) for _ in range(CHUNK)], "in")
    async with ground.log() as log:
        for _ in range(MESSAGES // CHUNK):
            await log.publish(messages)


def speed_of(work: Work, ground: Ground, broker: Broker) -> Speed:
    """Run a way of working in its processes until most was read."""
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
        return watched(counts, [psutil.Process(process.pid) for process in processes], broker)
    finally:
        for process in processes:
            process.kill()
            process.join()


def watched(counts: Any, workers: list[psutil.Process], broker: Broker) -> Speed:
    """Return the speed between two shares of all messages."""
    first, last = (share * MESSAGES for share in WINDOW)
    done = begun = 0
    since = cpu = 0.0
    while True:
        at, count = counts.get(timeout=60)
        done += count
        if not begun and done >= first:
            begun, since, cpu = done, at, broker.cpu() + cpu_of(workers)
        if done >= last:
            spent = broker.cpu() + cpu_of(workers) - cpu
            return Speed((done - begun) / (at - since), 1e6 * spent / (done - begun))


def cpu_of(processes: list[psutil.Process]) -> float:
    """Return the CPU seconds of processes."""
    return float(sum(t.user + t.system for t in (process.cpu_times() for process in processes)))


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
    async with ground.consumer("in", group_id=full) as consumer, ground.producer() as producer:
        while True:
            found = await consumer.getmany(timeout_ms=500, max_records=BATCH)
            if not found:
                continue
            async with producer.transaction():
                sent = [
                    await producer.send(
                        f"{ground.prefix}out", each.value, each.key, headers=list(each.headers)
                    )
                    for records in found.values()
                    for each in records
                ]
                await asyncio.gather(*sent)
                await producer.send_offsets_to_transaction(
                    {at: OffsetAndMetadata(records[-1].offset + 1, "") for at, records in found.items()}, full
                )
            counts.put((time.monotonic(), len(sent)))
