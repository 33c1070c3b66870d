"""The enrich service: what ``newswire run`` starts."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from newswire.children import Children, Limits
from newswire.log.port import Log
from newswire.partition_loop import WorkerOptions
from newswire.service import Service
from newswire.settings import Settings
from newswire.worker import Worker
from newswire_enrich.replay import replaying
from newswire_enrich.rules import load
from newswire_enrich.settings import EnrichSettings
from newswire_enrich.stage import EnrichStage

CHILD = "newswire_enrich.child:document_handler"
LIMITS = Limits(cpu_seconds=30, wall_seconds=180, growth_bytes=1024 * 1024 * 1024, items=20_000)


def check_rules(path: Path) -> Path:
    """Return the absolute path of a rules file that can be read; raises RuleError."""
    load(path)
    return path.absolute()


@contextlib.asynccontextmanager
async def bootstrap(settings: Settings, own: EnrichSettings, log: Log) -> AsyncIterator[Sequence[Worker]]:
    """Check the rules, start the children and yield the worker."""
    config = {"topics": str(check_rules(own.topics))}
    async with Children(CHILD, config, workers=settings.workers, limits=LIMITS) as children:
        options = WorkerOptions(max_records=own.batch, cache=settings.cache / f"{settings.prefix}enrich")
        yield [Worker(log, EnrichStage(children), options)]


def service() -> Service:
    """Return the service."""
    return Service("enrich", EnrichSettings, bootstrap, replay=replaying)
