"""The enrich service: what ``newswire run`` starts."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from newswire.children import Children, Limits
from newswire.errors import SettingsError
from newswire.log.port import Log
from newswire.service import Service
from newswire.settings import Settings
from newswire.worker import Worker, WorkerOptions

from newswire_enrich.settings import EnrichSettings
from newswire_enrich.stage import EnrichStage

CHILD = "newswire_enrich.child:document_handler"
LIMITS = Limits(cpu_seconds=30, wall_seconds=180, growth_bytes=1024 * 1024 * 1024, items=20_000)


def check_rules(path: Path) -> Path:
    """Return the absolute path of a rules file that can be read; raises SettingsError."""
    from newswire_enrich.topics import RuleError, load_rules  # noqa: PLC0415  compiles, so only at the start

    try:
        load_rules(path)
    except RuleError as error:
        raise SettingsError(str(error)) from error
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
    return Service("enrich", EnrichSettings, bootstrap)
