"""The ingest service: what ``newswire run`` starts."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from newswire.children import Children, Limits
from newswire.log.port import Log
from newswire.partition_loop import WorkerOptions
from newswire.service import Service
from newswire.settings import Settings
from newswire.worker import Worker
from newswire_ingest.clients import Clients
from newswire_ingest.feed_list import import_feeds
from newswire_ingest.fetch import Fetcher
from newswire_ingest.settings import IngestSettings
from newswire_ingest.spacing import Spacing
from newswire_ingest.stage import IngestStage
from newswire_ingest.withdrawals import Withdrawals

CHILD = "newswire_ingest.child:handler"
LIMITS = Limits(cpu_seconds=10, wall_seconds=60, growth_bytes=512 * 1024 * 1024, items=2000)


@contextlib.asynccontextmanager
async def bootstrap(settings: Settings, own: IngestSettings, log: Log) -> AsyncIterator[Sequence[Worker]]:
    """Build the clients and yield the worker."""
    fetcher = Fetcher(
        user_agent=own.user_agent,
        allow_private=own.allow_private,
        resolve=own.resolve,
        timeout_seconds=own.page_timeout_seconds,
        max_wire_bytes=own.page_bytes,
        max_body_bytes=own.page_bytes,
    )
    children = Children(CHILD, {}, workers=settings.workers, limits=LIMITS)
    async with fetcher, children, contextlib.AsyncExitStack() as stack:
        spacing = Spacing(own.domain_spacing_seconds, own.domain_concurrency)
        withdrawals = Withdrawals(log)
        stack.push_async_callback(withdrawals.close)
        stage = IngestStage(Clients(own, fetcher, children, spacing, withdrawals))
        yield [Worker(log, stage, WorkerOptions(cache=settings.cache / f"{settings.prefix}ingest"))]


def service() -> Service:
    """Return the service."""
    return Service("ingest", IngestSettings, bootstrap, import_feeds)
