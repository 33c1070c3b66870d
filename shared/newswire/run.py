"""Runs services in one process: open the log, bootstrap each, work until stopped."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Iterator, Sequence

import structlog
from pydantic_settings import BaseSettings

from newswire.errors import UnavailableError
from newswire.health import Health
from newswire.health_watch import Watch
from newswire.log import open_log
from newswire.log.port import Log, TopicSpec
from newswire.service import Service
from newswire.settings import Settings
from newswire.topics import topic_specs
from newswire.worker import Worker

logger = structlog.get_logger()

MAINTENANCE_SECONDS = 300.0  # between two rounds of compaction and retention


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, create: bool = False) -> AsyncIterator[Log]:
    """Yield the log of the settings with all topics there, and close it.

    Args:
        settings: where the log is.
        create: make topics that are missing, also where that is not done unasked.
    """
    log = open_log(settings.log, prefix=settings.prefix, partitions=settings.partitions)
    topics = specs_of(settings)
    try:
        await log.open(() if create else topics)
        if create:
            await log.create_topics(topics)
        yield log
    finally:
        await log.close()


def specs_of(settings: Settings) -> tuple[TopicSpec, ...]:
    """Return all topics, kept as the settings say."""
    return topic_specs(settings.retention_days, settings.enriched_retention_days)


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set the event on SIGINT and SIGTERM; a second SIGINT is Python's own."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def run_services(
    services: Sequence[Service],
    settings: Settings,
    own: Sequence[BaseSettings],
    log: Log,
    stop: asyncio.Event,
    health: Health | None = None,
) -> None:
    """Work until the event is set; raises what stops a worker.

    Args:
        services: what to run.
        settings: the shared ones.
        own: those of each service.
        log: an open log.
        stop: ends it.
        health: is told how things stand.
    """
    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as starting:  # each loads its models: do it side by side
            started = [
                starting.create_task(stack.enter_async_context(service.bootstrap(settings, each, log)))
                for service, each in zip(services, own, strict=True)
            ]
        workers = [worker for task in started for worker in task.result()]
        logger.info("services.started", services=[service.name for service in services])
        gc.freeze()  # what was loaded stays: to look it through again and again is a third of index's work
        await _work(workers, log, stop, health)
    logger.info("services.stopped")


async def _work(workers: Sequence[Worker], log: Log, stop: asyncio.Event, health: Health | None) -> None:
    running = [asyncio.create_task(worker.run()) for worker in workers]
    sides = [asyncio.create_task(_maintain(log)), asyncio.create_task(stop.wait())]
    if health is not None:
        sides.append(asyncio.create_task(Watch(log, workers, health).run()))
    try:
        await asyncio.wait([*running, *sides], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if health is not None:
            health.stopping()
        for worker in workers:
            worker.stop()
        for side in sides:
            side.cancel()
        results = await asyncio.gather(*running, *sides, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


async def _maintain(log: Log) -> None:
    while True:
        await asyncio.sleep(MAINTENANCE_SECONDS)
        try:
            await log.maintain()
        except UnavailableError as error:
            logger.warning("maintenance.failed", error=str(error))
