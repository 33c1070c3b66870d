"""``newswire run``: services in this process, until a signal comes or everything is drained."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from newswire.drain import Drain
from newswire.errors import SettingsError, UnavailableError
from newswire.events import Feed
from newswire.health import Health
from newswire.health_server import serving
from newswire.health_watch import beating
from newswire.ledger import latest
from newswire.log.port import Log
from newswire.run import opened, run_services, stop_on_signals
from newswire.service import Service, installed, load_all
from newswire.telemetry import configure


def run_until(feeds: Path | None, only: Sequence[str], *, until_drained: bool) -> int:
    """Run services; return the exit code: 1 if entries were found lost, else 0."""
    services = installed(only)
    settings, own = load_all(services)
    configure(settings.log_level)

    async def work(health: Health | None) -> int:
        stop = asyncio.Event()
        async with beating(health), opened(settings) as log:
            with stop_on_signals(stop):
                if feeds is not None:
                    await take_over(services, log, feeds)
                await mind_feeds(services, log)
                drained = asyncio.create_task(stop_when_drained(log, stop)) if until_drained else None
                await run_services(services, settings, own, log, stop, health)
                return await ended(drained)

    with serving(settings) as health:
        return asyncio.run(work(health))


async def take_over(services: Sequence[Service], log: Log, feeds: Path) -> None:
    """Give a feed list to the service that takes feeds."""
    importer = next((service.import_feeds for service in services if service.import_feeds), None)
    if importer is None:
        raise SettingsError(f"--feeds {feeds}: none of the services run here polls feeds")
    sys.stderr.write(f"{feeds}: {await importer(log, feeds)}\n")


async def mind_feeds(services: Sequence[Service], log: Log) -> None:
    """Say so if there is nothing to poll: feeds may be added while the services run."""
    polls = any(service.import_feeds for service in services)
    with contextlib.suppress(UnavailableError):  # no reason not to start: services wait for the log
        if not polls or list(await latest(log, Feed)):
            return
        sys.stderr.write("no feeds yet: newswire feeds add URL, or newswire feeds import FILE\n")


async def stop_when_drained(log: Log, stop: asyncio.Event) -> int:
    """Set the event when drained; return how many entries are lost."""
    try:
        return len((await Drain(log).wait()).lost)
    finally:
        stop.set()  # also if the ledger cannot be read: its error is raised when all has stopped


async def ended(drained: asyncio.Task[int] | None) -> int:
    """Return the exit code."""
    if drained is None:
        return 0
    if not drained.done():
        drained.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await drained
        return 0
    return 1 if drained.result() else 0
