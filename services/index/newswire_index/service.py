"""The index service: what ``newswire run`` starts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from newswire.errors import UnavailableError
from newswire.log.port import Log
from newswire.partition_loop import WorkerOptions
from newswire.service import Service
from newswire.settings import Settings
from newswire.worker import Worker
from newswire_index.replay import replaying
from newswire_index.settings import IndexSettings
from newswire_index.stage import IndexStage
from newswire_index.store import Store, open_store

logger = structlog.get_logger()

EXPIRY_SECONDS = 3600.0  # between two looks for months that are too old


@contextlib.asynccontextmanager
async def bootstrap(settings: Settings, own: IndexSettings, log: Log) -> AsyncIterator[Sequence[Worker]]:
    """Open the store and yield the worker."""
    retention = timedelta(days=own.retention_days)
    store = open_store(settings.store, prefix=settings.prefix, retention=retention, own=own)
    await store.open()
    expiring = asyncio.create_task(_expire(store))
    try:
        yield [Worker(log, IndexStage(store), WorkerOptions(max_records=own.batch))]
    finally:
        expiring.cancel()
        await store.close()


async def _expire(store: Store) -> None:
    while True:
        try:
            await store.drop_expired(datetime.now(UTC))
        except UnavailableError as error:
            logger.warning("expiry.failed", error=str(error))
        await asyncio.sleep(EXPIRY_SECONDS)


def service() -> Service:
    """Return the service."""
    return Service("index", IndexSettings, bootstrap, replay=replaying)
