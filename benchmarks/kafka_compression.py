"""What compressing costs and saves: enriched articles as the newsroom's demo makes them.

A transaction holds each article once for every partition, so that no batch holds an article twice, which
would flatter the compression. The ways take turns, so that a busy moment of the machine meets all.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from aiokafka.structs import TopicPartition as At
from kafka_ground import PARTITIONS, Broker, Ground, fresh, middle
from rich.table import Table

from newswire.envelope import message
from newswire.events import Enriched
from newswire.ledger import latest
from newswire.log import Log, Message, open_log
from newswire.log.murmur2 import partition_for

WAYS = ("none", "lz4", "zstd")
ROUNDS = 8
NEWSWIRE = Path(sys.executable).with_name("newswire")


class Measured(NamedTuple):
    """What one way did in one round."""

    publish_seconds: float
    publish_cpu: float
    read_seconds: float
    read_cpu: float
    broker_cpu: float


async def compression_table(broker: Broker) -> Table:
    """Measure and return a table."""
    messages = across_partitions(await enriched_events())
    rounds: dict[str, list[Measured]] = {way: [] for way in WAYS}
    async with AsyncExitStack() as stack:
        grounds = {way: await stack.enter_async_context(fresh(broker.servers, way)) for way in WAYS}
        logs = {way: await stack.enter_async_context(ground.log()) for way, ground in grounds.items()}
        for number in range(ROUNDS + 1):
            for way in WAYS:
                measured = await one_round(broker, grounds[way], logs[way], messages)
                if number:  # the first only warms up
                    rounds[way].append(measured)
        disk = {way: broker.bytes_of(ground.prefix) for way, ground in grounds.items()}
    return shown(messages, rounds, disk)


async def enriched_events() -> list[Enriched]:
    """Return what the demo makes of the newsroom."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/demo.db"
        command = [str(NEWSWIRE), "demo", "--json", "--log", address, "--store", address]
        demo = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=subprocess.DEVNULL)
        assert await demo.wait() == 0, "the demo failed"
        log = open_log(address)
        await log.open()
        try:
            return list(await latest(log, Enriched))
        finally:
            await log.close()


def across_partitions(events: list[Enriched]) -> list[Message]:
    """Return a message of each article for every partition, under a key that belongs there."""
    made = []
    for number in range(PARTITIONS):
        for event in events:
            key = key_for(number)
            of_its_own = event.model_copy(update={"article_id": key})
            wrapped = message(of_its_own, key, source="enrich", entry_id=key, feed_id=key)
            made.append(Message("out", key, wrapped.value, wrapped.headers))
    return made


def key_for(partition: int) -> str:
    """Return a new key of a partition."""
    while partition_for(key := os.urandom(16).hex(), PARTITIONS) != partition:
        pass
    return key


async def one_round(broker: Broker, ground: Ground, log: Log, messages: list[Message]) -> Measured:
    """Publish and read back."""
    starts = await log.end_offsets("out")
    broker_before, cpu, clock = broker.cpu(), time.process_time(), time.monotonic()
    await log.publish(messages)
    published = (time.monotonic() - clock, time.process_time() - cpu)
    async with ground.consumer() as reader:
        places = {At(ground.prefix + "out", number): offset for number, offset in starts.items()}
        reader.assign(list(places))
        for place, offset in places.items():
            reader.seek(place, offset)
        cpu, clock, count = time.process_time(), time.monotonic(), 0
        while count < len(messages):
            count += sum(map(len, (await reader.getmany(timeout_ms=1000)).values()))
        read = (time.monotonic() - clock, time.process_time() - cpu)
    return Measured(*published, *read, broker.cpu() - broker_before)


def shown(messages: list[Message], rounds: dict[str, list[Measured]], disk: dict[str, int | None]) -> Table:
    """Return the table; each figure is the median of the rounds."""
    count = len(messages)
    size = sum(len(each.value or b"") for each in messages) / count
    table = Table(
        title=f"Compression: {count} enriched articles of {size:,.0f} bytes a transaction",
        title_justify="left",
    )
    for name in (
        "", "published/s", "read/s", "µs CPU publishing", "reading", "broker", "bytes on disk",
    ):  # fmt: skip
        table.add_column(name, justify="right" if name else "left")
    for way, all_rounds in rounds.items():
        columns = [middle(column) for column in zip(*all_rounds, strict=True)]
        typical, stored = Measured(*columns), disk[way]
        costs = (typical.publish_cpu, typical.read_cpu, typical.broker_cpu)
        table.add_row(
            way, f"{count / typical.publish_seconds:,.0f}", f"{count / typical.read_seconds:,.0f}",
            *(f"{1e6 * cost / count:.0f}" for cost in costs),
            "not known" if stored is None else f"{stored / (ROUNDS + 1) / count:,.0f}",
        )  # fmt: skip
    return table
