"""What services cost while nothing happens: CPU of each, and whether their memory stays flat.

Three services in processes of their own, as they are deployed, and fifteen feeds that were polled once and
are next polled in an hour.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
from kafka_ground import Broker, Row, against, remove_topics

from newswire.drain import Drain
from newswire.events import Feed
from newswire.kafka_settings import KafkaSettings
from newswire.log import Log
from newswire.log.address import open_log
from newswire.topics import topic_specs
from newswire.urls import feed_id
from newswire_ingest.feed_list import put_feeds
from newswire_newsroom.demonstration import HASTE, IMPATIENCE
from newswire_newsroom.server import Newsroom

SERVICES = ("ingest", "enrich", "index")
FEEDS = 15
INTERVAL_SECONDS = timedelta(days=1).total_seconds()
SETTLE_SECONDS = 15.0  # after the last entry has ended
GOAL_PERCENT = 2.0  # of a core; and memory may grow by as much
LOOK_SECONDS = 300.0  # between two looks at the memory
NEWSWIRE = Path(sys.executable).with_name("newswire")


async def idle_rows(broker: Broker, minutes: float) -> list[Row]:
    """Run the services, let them come to rest, and watch them."""
    prefix = f"idle-{os.urandom(4).hex()}-"
    async with Newsroom() as room, made(broker.servers, prefix) as log:
        with (
            tempfile.TemporaryDirectory() as folder,
            started(broker.servers, prefix, folder, room.origin) as services,
        ):
            sources = (room.feed_list() * FEEDS)[:FEEDS]
            await put_feeds(
                log,
                [
                    Feed(
                        feed_id=feed_id(f"{s.url}?{n}"), url=f"{s.url}?{n}", outlet=s.outlet,
                        interval_seconds=INTERVAL_SECONDS,
                    )
                    for n, s in enumerate(sources)
                ],
            )  # fmt: skip
            async with asyncio.timeout(180):
                await Drain(log).wait()
            await log.close()
            await asyncio.sleep(SETTLE_SECONDS)
            return await watched(services, minutes * 60)


@contextlib.asynccontextmanager
async def made(servers: str, prefix: str) -> AsyncIterator[Log]:
    """Yield a log with all topics made, and remove them."""
    log = open_log(f"kafka://{servers}", prefix=prefix, kafka=KafkaSettings.model_validate({}))
    try:
        await log.open()
        await log.create_topics(topic_specs(30, 400))
        yield log
    finally:
        await log.close()
        await remove_topics(servers, prefix, topic_specs(30, 400))


@contextlib.contextmanager
def started(servers: str, prefix: str, folder: str, origin: str) -> Iterator[dict[str, psutil.Process]]:
    """Yield the services' processes, and end them."""
    environment = {
        **os.environ, "NEWSWIRE_LOG": f"kafka://{servers}", "NEWSWIRE_STORE": f"sqlite:///{folder}/store.db",
        "NEWSWIRE_PREFIX": prefix, "NEWSWIRE_CACHE": f"{folder}/cache", "NEWSWIRE_LOG_LEVEL": "error",
        "NEWSWIRE_INGEST_RESOLVE": f"*.example={origin}", "NEWSWIRE_INGEST_ALLOW_PRIVATE": "true",
        **{f"NEWSWIRE_INGEST_{name.upper()}": str(HASTE[name]) for name in IMPATIENCE},
    }  # fmt: skip
    running = {
        name: subprocess.Popen([NEWSWIRE, "run", "--only", name], env=environment) for name in SERVICES
    }
    try:
        yield {name: psutil.Process(process.pid) for name, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait(60)


async def watched(services: dict[str, psutil.Process], seconds: float) -> list[Row]:
    """Watch for so long; of a long time memory is told every five minutes."""
    cpu = {name: cpu_of(process) for name, process in services.items()}
    memory = {name: [memory_of(process)] for name, process in services.items()}
    begun = time.monotonic()
    while (left := seconds - (time.monotonic() - begun)) > 0:
        await asyncio.sleep(min(LOOK_SECONDS, left))
        for name, process in services.items():
            memory[name].append(memory_of(process))
        shown = " ".join(f"{name} {looks[-1]:.1f}" for name, looks in memory.items())
        print(f"after {(time.monotonic() - begun) / 60:.0f} min, MB: {shown}", file=sys.stderr, flush=True)
    rows = []
    for name, process in services.items():
        percent = 100 * (cpu_of(process) - cpu[name]) / (time.monotonic() - begun)
        # Clients fetch metadata anew after five minutes, and their buffers reach their size.
        settled, end = memory[name][len(memory[name]) // 3], memory[name][-1]
        growth = 100 * (end - settled) / settled
        what = f"{name}, memory {memory[name][0]:.0f} → {end:.0f} MB, of it after a third of the time"
        rows += [
            against(
                f"{name} idle for {seconds / 60:g} min, of a core", percent, "%", GOAL_PERCENT, below=True
            ),
            against(what, growth, "%", GOAL_PERCENT, below=True),
        ]
    return rows


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a service's process and its children."""
    return [process, *process.children(recursive=True)]


def cpu_of(process: psutil.Process) -> float:
    """Return the CPU seconds of a service."""
    return float(sum(t.user + t.system for t in (each.cpu_times() for each in family(process))))


def memory_of(process: psutil.Process) -> float:
    """Return the megabytes of a service that are in memory."""
    return float(sum(each.memory_info().rss for each in family(process)) / 1e6)
