"""The index service: what ``newswire run`` starts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

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
from newswire_index.store import open_store

logger = structlog.get_logger()

EXPIRY_SECONDS = 3600.0  # between two looks for months that are too old
LEAST = 64  # records that a batch takes, if there are as many, however slow the store is


@contextlib.asynccontextmanager
async def bootstrap(settings: Settings, own: IndexSettings, log: Log) -> AsyncIterator[Sequence[Worker]]:
    """Open the store and yield the worker."""
    retention = timedelta(days=own.retention_days)
    store = open_store(settings.store, prefix=settings.prefix, retention=retention, own=own)
    await store.open()
    # all partitions share the store: where it is slow, smaller batches would only be more of them
    options = WorkerOptions(max_records=own.batch, least_records=min(LEAST, own.batch))
    expiring = asyncio.create_task(_expire(store))
    try:
        async with operations(settings, own, log) as beside:
            yield [Worker(log, IndexStage(store), options), *beside]
    finally:
        expiring.cancel()
        await store.close()


@contextlib.asynccontextmanager
async def operations(settings: Settings, own: IndexSettings, log: Log) -> AsyncIterator[Sequence[Worker]]:
    """Yield the worker that stores what dashboards show, where the store has dashboards."""
    if not settings.store.startswith(("http://", "https://")):
        yield ()
        return
    from newswire_index.elastic.bulk import Bulk  # noqa: PLC0415  an adapter is loaded only if used
    from newswire_index.elastic.client import client_for  # noqa: PLC0415
    from newswire_index.elastic.names import ElasticNames  # noqa: PLC0415
    from newswire_index.operations.stage import Feeds, OperationsStage  # noqa: PLC0415
    from newswire_index.operations.store import OperationsStore  # noqa: PLC0415

    client = client_for(settings.store)
    bulk = Bulk(client, max_bytes=own.bulk_bytes)
    retention = timedelta(days=settings.retention_days)
    store = OperationsStore(client, ElasticNames(settings.prefix), retention, bulk)
    expiring = asyncio.create_task(_expire(store))
    try:
        options = WorkerOptions(least_records=LEAST, publishes=False)  # the store's pace is not ours to make
        yield [Worker(log, OperationsStage(store, Feeds(log)), options)]
    finally:
        expiring.cancel()
        await store.close()
        await client.close()


class Expiring(Protocol):
    """Something that holds what grows old."""

    async def drop_expired(self, now: datetime) -> int:
        """Delete it."""


async def _expire(store: Expiring) -> None:
    while True:
        try:
            await store.drop_expired(datetime.now(UTC))
        except UnavailableError as error:
            logger.warning("expiry.failed", error=str(error))
        await asyncio.sleep(EXPIRY_SECONDS)


def service() -> Service:
    """Return the service."""
    return Service("index", IndexSettings, bootstrap, replay=replaying)
