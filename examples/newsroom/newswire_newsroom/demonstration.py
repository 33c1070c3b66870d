"""The whole pipeline on the newsroom, from feeds to a search, in one process."""

import asyncio
import contextlib
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import typer
from elasticsearch import AsyncElasticsearch
from pydantic_settings import BaseSettings
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from newswire.drain import Drain
from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire.events import Entry, Feed
from newswire.ledger import Balance, Ledger
from newswire.log.port import Log
from newswire.reports import outcome_table
from newswire.run import opened, run_services, stop_on_signals
from newswire.service import Service, installed, load_all
from newswire.settings import Settings, load
from newswire.telemetry import configure
from newswire.urls import feed_id
from newswire_index.elastic.client import client_for, wait_for
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.setup import Setup
from newswire_index.elastic.steps import End
from newswire_index.query import parse_query
from newswire_index.render import print_hits, print_lines
from newswire_index.store import RETENTION, Results, open_store
from newswire_ingest.feed_list import put_feeds
from newswire_newsroom.server import Newsroom

FRESH = Path("var/demo.db")  # made anew by each demo that names no log
QUERY = "NATO bid"

# So short because the newsroom is on this machine and its failures are planted: a real publisher gets the
# defaults of the ingest service.
HASTE: dict[str, object] = {
    "allow_private": True,
    "poll_seconds": 0.5,
    "poll_retry_seconds": 0.1,
    "page_timeout_seconds": 3.0,
    "domain_spacing_seconds": 0.01,
    "domain_concurrency": 4,
    "fetch_attempts": 2,
    "fetch_retry_seconds": 0.5,
}

IMPATIENCE = ("page_timeout_seconds", "domain_spacing_seconds", "fetch_attempts", "fetch_retry_seconds")


@dataclass(frozen=True)
class World:
    """Settings of a demo: shared ones, and those of each service."""

    services: Sequence[Service]
    settings: Settings
    own: Sequence[BaseSettings]


class Served(NamedTuple):
    """What ``--serve-only`` serves, and where."""

    host: str
    port: int
    worlds: int = 1
    killers: int = 0


def serve(served: Served, opml: Path | None, interval_seconds: float) -> int:
    """Serve the newsroom until stopped; say how services are pointed to it."""

    def announce(room: Newsroom) -> None:
        if opml is not None:
            opml.write_text(room.opml(interval_seconds), encoding="utf-8")
            typer.echo(f"feed list: {opml}")
        typer.echo(f"serving {len(room.hosts)} outlets at {room.origin}; for newswire run set")
        typer.echo(f"  NEWSWIRE_INGEST_RESOLVE='*.example={room.origin}'")
        typer.echo("  NEWSWIRE_INGEST_ALLOW_PRIVATE=true")
        typer.echo("and, not to wait as long for the planted failures as for a real publisher,")
        for name in IMPATIENCE:
            typer.echo(f"  NEWSWIRE_INGEST_{name.upper()}={HASTE[name]}")
        sys.stdout.flush()

    async def run() -> None:
        stop = asyncio.Event()
        async with Newsroom(**served._asdict()) as room:
            announce(room)
            with stop_on_signals(stop):
                await stop.wait()

    asyncio.run(run())
    return 0


def demonstrate(log: str | None, store: str | None, prefix: str, *, as_json: bool) -> int:
    """Run the demo; return 1 if the ledger misses anything, else 0."""
    return asyncio.run(_demonstrate(log, store, prefix, as_json=as_json))


async def _demonstrate(log_address: str | None, store: str | None, prefix: str, *, as_json: bool) -> int:
    stop = asyncio.Event()
    async with Newsroom() as room:
        world = prepare(room.origin, log_address, store, prefix)
        configure("error" if world.settings.log_level == "info" else world.settings.log_level)
        async with opened(world.settings, create=True) as log:
            await refuse_used(log, world.settings)
            await set_up(world.settings)
            await put_feeds(log, feeds_of(room))
            with stop_on_signals(stop):
                started = time.monotonic()
                balance = await run_until_drained(world, log, stop, polls=room.editions + 1)
                seconds = time.monotonic() - started
        if balance is None:
            return 1
        await report(world.settings, balance, seconds, as_json=as_json)
    return 1 if balance.lost else 0


def prepare(origin: str, log: str | None, store: str | None, prefix: str) -> World:
    """Return the settings of the demo; with no log named, remove what the last one left."""
    services = installed()
    settings, own = load_all(services)
    if log is None:
        remove_fresh()
        log = f"sqlite:///{FRESH}"
        store = store or log
    cache = FRESH.with_suffix(".cache")
    shutil.rmtree(cache, ignore_errors=True)
    changes = {
        "log": log,
        "store": store or settings.store,
        "prefix": prefix or settings.prefix,
        "cache": cache,
    }
    hasty = {**HASTE, "resolve": {"*.example": origin}}
    own = [each.model_copy(update=hasty) if "resolve" in type(each).model_fields else each for each in own]
    return World(services, settings.model_copy(update=changes), own)


def remove_fresh() -> None:
    """Remove the last demo's files."""
    for file in FRESH.parent.glob(FRESH.name + "*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()


async def refuse_used(log: Log, settings: Settings) -> None:
    """Raise SettingsError if the log holds entries already: the sums would not be the demo's."""
    if any((await log.end_offsets(Entry.topic)).values()):
        raise SettingsError(f"{settings.log} is not empty: give --prefix, or name another log")


@contextlib.asynccontextmanager
async def elasticsearch(settings: Settings) -> AsyncIterator[AsyncElasticsearch | None]:
    """Connect to Elasticsearch, if the articles go there."""
    if settings.store.startswith("sqlite:"):
        yield None
        return
    elastic = load(ElasticsearchSettings)
    client = client_for(settings.store, elastic)
    try:
        await wait_for(client, elastic.wait_seconds)
        yield client
    finally:
        await client.close()


async def set_up(settings: Settings) -> None:
    """Make Elasticsearch ready: what ``newswire index setup`` does."""
    async with elasticsearch(settings) as client:
        if client is None:
            return
        names, elastic = ElasticNames(settings.prefix), load(ElasticsearchSettings)
        for step in await Setup(client, names, elastic, RETENTION).run():
            if step.end is End.REFUSED:
                raise SettingsError(f"{settings.store}: {step.what} {step.name} {step.why}")


async def refresh(settings: Settings) -> None:
    """Have everything found that was written, without waiting for Elasticsearch to do so by itself."""
    async with elasticsearch(settings) as client:
        if client is not None:
            await client.indices.refresh(index=ElasticNames(settings.prefix).of(ARTICLES))


def feeds_of(room: Newsroom) -> list[Feed]:
    """Return the newsroom's feeds as events."""
    return [
        Feed(
            feed_id=feed_id(source.url), url=source.url, title=source.title, outlet=source.outlet,
            language=source.language, interval_seconds=float(str(HASTE["poll_seconds"])),
        )
        for source in room.feed_list()
    ]  # fmt: skip


async def run_until_drained(world: World, log: Log, stop: asyncio.Event, *, polls: int) -> Balance | None:
    """Run the services until drained; return the balance, or None if they were stopped before."""

    async def watch() -> Balance:
        with progressing() as show:
            balance = await Drain(log, polls=polls).wait(show)
        stop.set()
        return balance

    watching = asyncio.create_task(watch())
    try:
        await run_services(world.services, world.settings, world.own, log, stop)
    finally:
        if not watching.done():
            watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return None if watching.cancelled() else watching.result()


@contextlib.contextmanager
def progressing() -> Iterator["Show"]:
    """Show live progress on standard error while that is a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        yield Show(progress)


class Show:
    """Draws how many of the entries seen have ended."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("entries", total=None)

    def __call__(self, ledger: Ledger) -> None:
        """Draw a reading."""
        seen = ledger.reading[0]
        self._progress.update(self._task, total=seen or None, completed=seen - len(ledger.unfinished))


async def report(settings: Settings, balance: Balance, seconds: float, *, as_json: bool) -> None:
    """Print the sums and a search; as JSON the hits first and the sums in the last line."""
    ended = sum(balance.outcomes.get("indexed", {}).values())
    rate = ended / seconds
    async with searched(settings) as results:
        if as_json:
            print_lines(results)
            row = {
                "seen": balance.seen, "outcomes": balance.outcomes,
                "articles_per_second": round(rate, 1), "seconds": round(seconds, 1),
            }  # fmt: skip
            typer.echo(json.dumps(row, ensure_ascii=False))
            return
        console = Console(highlight=False)
        console.print(outcome_table(balance.outcomes, "The newsroom's entries"))
        console.print(
            f"{balance.seen} entries seen, {ended} articles indexed in {seconds:.1f} s, {rate:.1f} a second"
        )
        console.print(
            f"(pages given up after {HASTE['page_timeout_seconds']} s, requests to a domain "
            f"{HASTE['domain_spacing_seconds']} s apart)\n"
        )
        print_hits(results, QUERY, console)


@contextlib.asynccontextmanager
async def searched(settings: Settings) -> AsyncIterator[Results]:
    """Yield what the demo's search finds."""
    await refresh(settings)
    store = open_store(settings.store, prefix=settings.prefix, create=False)
    await store.open()
    try:
        yield await store.search(parse_query(QUERY, limit=3, facets=True))
    finally:
        await store.close()
