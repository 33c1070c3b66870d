"""What an article costs at each stage, and how near the whole pipeline comes to that.

    python benchmarks/pipeline.py [--articles 2000]

The newsroom's pages are served under so many addresses that there are enough of them. First each stage runs
alone on what the stage before made, as many processes as there are cores at once so that all cores are
busy, and its CPU time is taken. Then the services run end to end, spacing off and models loaded. The ratio
compares articles a second with cores ÷ the sum of the costs: what it lacks to 1 is fetching, the log,
talking between processes, and the newsroom itself.
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table
from yarl import URL

from newswire.events import Enriched, Feed, Source
from newswire.ids import content_hash
from newswire.ledger import Ledger
from newswire.log.port import Log
from newswire.run import opened, run_services
from newswire.telemetry import configure
from newswire.urls import article_id, feed_id
from newswire_enrich.child import document_handler
from newswire_enrich.service import check_rules
from newswire_enrich.settings import default_rules
from newswire_index.document import document_from
from newswire_index.store import open_store
from newswire_ingest.child import handler
from newswire_ingest.extract import Extraction
from newswire_ingest.feed_list import put_feeds
from newswire_newsroom.demonstration import World, prepare
from newswire_newsroom.server import FeedSource, Newsroom

CORES = os.cpu_count() or 1
GOAL = 0.75
SUPPLY = 35  # articles in one copy of the newsroom
BATCH = 64  # articles in a write to the store
DEADLINE_SECONDS = 300.0

T = TypeVar("T")


class Made(NamedTuple):
    """What a stage made of its items, and the CPU seconds that took."""

    results: list[Any]
    cpu_seconds: float


def serve(copies: int, port: "multiprocessing.Queue[tuple[int, list[FeedSource]]]") -> None:
    """Serve the newsroom in this process for ever."""

    async def run() -> None:
        async with Newsroom(copies=copies) as room:
            port.put((int(room.origin.rsplit(":", 1)[1]), room.feed_list()))
            await asyncio.Event().wait()

    asyncio.run(run())


def timed(make: Callable[[], Callable[[Any], Any]], items: Sequence[Any]) -> Made:
    """Run a handler over items in this process; loading it and its first item are not counted."""
    work = make()
    results = [work(items[0])]
    before = time.process_time()
    results += [work(item) for item in items[1:]]
    return Made(results, (time.process_time() - before) * len(items) / max(1, len(items) - 1))


def on_all_cores(make: Callable[[], Callable[[Any], Any]], items: Sequence[Any]) -> Made:
    """Run a handler over items, an equal part in a process a core, all at once."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(CORES, mp_context=context) as pool:
        parts = [items[number::CORES] for number in range(CORES)]
        made = list(pool.map(timed, [make] * CORES, parts))
    return Made([result for part in made for result in part.results], sum(part.cpu_seconds for part in made))


def ingest_handler() -> Callable[[Any], Any]:
    """Return the function of ingest's child processes."""
    return handler({})


def enrich_handler() -> Callable[[Any], Any]:
    """Return the function of enrich's child processes."""
    return document_handler({"topics": str(check_rules(default_rules()))})


def store_handler(folder: str) -> Callable[[Any], Any]:
    """Return a function that writes a batch of documents to a store of its own."""
    loop = asyncio.new_event_loop()
    store = open_store(f"sqlite:///{folder}/{os.getpid()}.db")
    loop.run_until_complete(store.open())
    return lambda batch: loop.run_until_complete(store.write(batch))


async def download(port: int, urls: Sequence[str]) -> list[bytes]:
    """Return the bodies of the newsroom's addresses."""
    async with aiohttp.ClientSession() as session:

        async def get(url: str) -> bytes:
            address = URL(url)
            headers = {"Host": address.host or ""}
            async with session.get(
                f"http://127.0.0.1:{port}{address.raw_path_qs}", headers=headers
            ) as answer:
                return await answer.read()

        return [await get(url) for url in urls]


def enriched(extraction: Extraction, tags: dict[str, Any], number: int) -> Enriched:
    """Return an event as the owner of the article would make it."""
    now = datetime.now(UTC)
    url = f"{extraction.canonical_url}?{number}"
    return Enriched.model_validate(
        {
            "article_id": article_id(url), "version": number + 1, "revision": 1, "first_seen_at": now,
            "enriched_at": now, "url": url, "canonical_url": url, "title": extraction.title,
            "text": extraction.text, "content_hash": content_hash(extraction.title, extraction.text),
            "fetched_at": now, "sources": [Source(feed_id="f", seen_at=now, url=url)], **tags,
        }
    )  # fmt: skip


class Costs(NamedTuple):
    """CPU milliseconds an article."""

    parse: float
    extract: float
    enrich: float
    store: float


def measure(port: int, sources: Sequence[FeedSource], folder: str, wanted: int) -> Costs:
    """Run each stage alone on what the one before made."""
    feeds = asyncio.run(download(port, [source.url for source in sources]))
    documents = [
        ("feed", {"body": body, "url": source.url, "content_type": None})
        for body, source in zip(feeds, sources, strict=True)
    ]
    parsing = on_all_cores(ingest_handler, documents)
    entries = [e for feed in parsing.results for e in getattr(feed, "entries", ()) if e.url and "/c" in e.url]
    urls = list(dict.fromkeys(entry.url for entry in entries))[:wanted]
    bodies = asyncio.run(download(port, urls))
    now = datetime.now(UTC)
    pages = [
        ("page", {"body": b, "url": u, "charset": None, "fetched_at": now})
        for b, u in zip(bodies, urls, strict=True)
    ]
    extracting = on_all_cores(ingest_handler, pages)
    found = [each for each in extracting.results if isinstance(each, Extraction)]
    tagging = on_all_cores(
        enrich_handler, [{"title": x.title, "text": x.text, "language": None} for x in found]
    )
    events = [enriched(x, tags, n) for n, (x, tags) in enumerate(zip(found, tagging.results, strict=True))]
    batches = [
        [document_from(event) for event in events[n : n + BATCH]] for n in range(0, len(events), BATCH)
    ]
    storing = on_all_cores(partial(store_handler, folder), batches)
    costs = (
        parsing.cpu_seconds / len(entries), extracting.cpu_seconds / len(pages),
        tagging.cpu_seconds / len(found), storing.cpu_seconds / len(events),
    )  # fmt: skip
    return Costs(*(1000 * each for each in costs))


class Run(NamedTuple):
    """An end-to-end run: articles, seconds, and the CPU seconds of services and newsroom."""

    articles: int
    seconds: float
    services_cpu: float
    newsroom_cpu: float


def cpu_of(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and its children that live."""
    family = [process, *process.children(recursive=True)]
    return float(sum(t.user + t.system for t in (each.cpu_times() for each in family)))


async def end_to_end(
    world: World, sources: Sequence[FeedSource], newsroom: psutil.Process, wanted: int
) -> Run:
    """Run all services until so many articles are indexed."""
    stop = asyncio.Event()
    async with opened(world.settings) as log:
        running = asyncio.create_task(run_services(world.services, world.settings, world.own, log, stop))
        await warm()
        ourselves = psutil.Process()
        before, room_before, started = cpu_of(ourselves), cpu_of(newsroom), time.monotonic()
        await put_feeds(
            log,
            [
                Feed(feed_id=feed_id(s.url), url=s.url, outlet=s.outlet, interval_seconds=3600)
                for s in sources
            ],
        )
        indexed = await until_indexed(log, wanted, running)
        seconds = time.monotonic() - started
        run = Run(indexed, seconds, cpu_of(ourselves) - before, cpu_of(newsroom) - room_before)
        stop.set()
        await running
    return run


async def warm() -> None:
    """Wait until every group works on its partitions: then models are loaded."""
    ourselves = psutil.Process()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(ourselves.children(recursive=True)) >= 2 * CORES and ourselves.cpu_percent(0.5) < 10:
            return
        await asyncio.sleep(0.2)


async def until_indexed(log: Log, wanted: int, running: "asyncio.Task[None]") -> int:
    """Wait until so many entries have ended as indexed; return how many."""
    ledger = Ledger(log)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        await ledger.catch_up()
        indexed = sum(ledger.outcomes().get("indexed", {}).values())
        if indexed >= wanted or running.done() or time.monotonic() > deadline:
            return indexed
        await asyncio.sleep(0.25)


def table(costs: Costs, run: Run) -> Table:
    """Return what was measured."""
    ideal = CORES / (sum(costs) / 1000)
    rate = run.articles / run.seconds
    shown = Table(title=f"{run.articles} articles on {CORES} cores", title_justify="left")
    shown.add_column("what")
    shown.add_column("measured", justify="right")
    for name, cost in zip(Costs._fields, costs, strict=True):
        shown.add_row(f"{name}, CPU ms an article", f"{cost:.2f}")
    shown.add_row("sum, CPU ms an article", f"{sum(costs):.2f}")
    shown.add_row("cores ÷ sum, articles a second", f"{ideal:.1f}")
    shown.add_row("end to end, articles a second", f"{rate:.1f}")
    shown.add_row(f"ratio (goal {GOAL})", f"{rate / ideal:.3f}")
    shown.add_row("services, CPU ms an article end to end", f"{1000 * run.services_cpu / run.articles:.2f}")
    shown.add_row("newsroom, CPU ms an article", f"{1000 * run.newsroom_cpu / run.articles:.2f}")
    return shown


def without_haste(world: World) -> World:
    """Return the settings of the bench: no spacing, patience, many at once."""
    calm = {
        "domain_spacing_seconds": 0.0, "domain_concurrency": 8, "page_timeout_seconds": 60.0,
        "fetch_concurrency": 16, "poll_retry_seconds": timedelta(hours=1).total_seconds(),
    }  # fmt: skip
    own = [
        each.model_copy(update=calm) if "resolve" in type(each).model_fields else each for each in world.own
    ]
    return World(world.services, world.settings, own)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=2000)
    wanted = parser.parse_args().articles
    configure("error")
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    newsroom = context.Process(target=serve, args=(wanted // SUPPLY + 2, ports), daemon=True)
    newsroom.start()
    port, sources = ports.get()
    copies = [source for source in sources if "cop" in source.url]
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(port, copies, folder, wanted)
        address = f"sqlite:///{Path(folder) / 'bench.db'}"
        world = without_haste(prepare(f"http://127.0.0.1:{port}", address, address, ""))
        run = asyncio.run(end_to_end(world, copies, psutil.Process(newsroom.pid or 0), wanted))
    newsroom.kill()
    Console().print(table(costs, run))
    assert run.articles >= wanted, "the run did not index what it should"


if __name__ == "__main__":
    main()
