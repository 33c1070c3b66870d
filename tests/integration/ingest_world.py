"""A small web on loopback, a real log, and ingest at work between them."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from newswire.children import Children
from newswire.events import Article, Event, Feed, FeedSeen, FeedStatus, Outcome, Sighting
from newswire.log.port import Log, Record
from newswire.log.sqlite import SqliteLog
from newswire.partition_loop import WorkerOptions
from newswire.settings import Settings
from newswire.topics import TOPICS
from newswire.urls import feed_id
from newswire.worker import Worker
from newswire_ingest import service
from newswire_ingest.clients import Clients
from newswire_ingest.feed_list import put_feeds
from newswire_ingest.fetch import Fetcher
from newswire_ingest.settings import IngestSettings
from newswire_ingest.spacing import Spacing
from newswire_ingest.stage import IngestStage
from newswire_ingest.withdrawals import Withdrawals

SECONDS = 15.0  # that a condition may take on a busy machine
NEVER = 3600.0  # as the interval of a feed that is polled once in a test
NEWS = "https://courier.example"
OTHER_NEWS = "https://gazette.example"

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Hit(NamedTuple):
    """A request as the server saw it."""

    at: float
    url: str
    headers: Mapping[str, str]


class Web:
    """Serves what a test puts on it, under any host; remembers the requests."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._answers: dict[str, Answer] = {}
        self.origin = ""

    def put(self, url: str, body: str = "", status: int = 200, **headers: str) -> None:
        """Serve a body; names of headers are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Content-Type", "text/html; charset=utf-8")

        async def answer(request: web.BaseRequest) -> web.Response:
            if "ETag" in sent and request.headers.get("If-None-Match") == sent["ETag"]:
                return web.Response(status=304, headers={"ETag": sent["ETag"]})
            return web.Response(status=status, body=body.encode(), headers=sent)

        self._answers[url] = answer

    def act(self, url: str, answer: Answer) -> None:
        """Serve whatever a coroutine does."""
        self._answers[url] = answer

    def hits_of(self, url: str) -> list[Hit]:
        """Return the requests for a URL."""
        return [hit for hit in self.hits if hit.url == url]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        url = f"https://{request.host}{request.path_qs}"
        self.hits.append(Hit(time.monotonic(), url, dict(request.headers)))
        known = self._answers.get(url)
        return await known(request) if known else web.Response(status=404)


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Web]:
    """Yield a web that is being served."""
    site = Web()
    runner = web.ServerRunner(web.Server(site.answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()


class World:
    """A web, a log, and what is needed to run ingest between them; everything is fast and impatient."""

    def __init__(self, site: Web, log: Log, folder: Path, children: Children) -> None:
        self.site = site
        self.log = log
        self._folder = folder
        self.children = children
        self.settings = IngestSettings(
            resolve={"*.example": site.origin}, poll_seconds=NEVER, poll_retry_seconds=NEVER,
            page_timeout_seconds=0.6, domain_spacing_seconds=0, domain_concurrency=4, fetch_attempts=2,
            fetch_retry_seconds=0.1,
        )  # fmt: skip

    def set(self, **changes: Any) -> None:
        """Change settings for the runs to come."""
        self.settings = self.settings.model_copy(update=changes)

    @contextlib.asynccontextmanager
    async def ingest(self, children: Any = None) -> AsyncIterator[Worker]:
        """Run ingest, with children that need not be started for each test."""
        own = self.settings
        fetcher = Fetcher(
            user_agent=own.user_agent, allow_private=own.allow_private, resolve=own.resolve,
            timeout_seconds=own.page_timeout_seconds,
        )  # fmt: skip
        async with fetcher:
            spacing = Spacing(own.domain_spacing_seconds, own.domain_concurrency)
            stage = IngestStage(
                Clients(own, fetcher, children or self.children, spacing, Withdrawals(self.log))
            )
            worker = Worker(self.log, stage, WorkerOptions(cache=self._folder / "cache"))
            async with running(worker):
                yield worker

    @contextlib.asynccontextmanager
    async def service(self) -> AsyncIterator[Worker]:
        """Run ingest as ``newswire run`` does."""
        shared = Settings(cache=self._folder / "cache", workers=1)
        async with service.bootstrap(shared, self.settings, self.log) as workers, running(workers[0]):
            yield workers[0]

    async def feed(self, url: str, document: str = "", *, interval: float = NEVER, **fields: Any) -> Feed:
        """Serve a document and put its feed on the list."""
        if document:
            self.site.put(url, document, Content_Type="application/xml")
        feed = Feed(feed_id=feed_id(url), url=url, interval_seconds=interval, **fields)
        await put_feeds(self.log, [feed])
        return feed

    async def records(self, event: type[Event]) -> list[Record]:
        """Return what lies on a topic, tombstones included."""
        found: list[Record] = []
        for number in range(self.log.partitions):
            found += await self.log.read(event.topic, number, 0)
        return found

    async def all(self, event: type[Event]) -> list[Any]:
        """Return the events on a topic."""
        return [event.from_bytes(record.value) for record in await self.records(event) if record.value]

    async def status(self, feed: Feed) -> FeedStatus:
        """Return the last status of a feed, once there is one."""
        found: list[FeedStatus] = []

        async def polled() -> bool:
            found[:] = [each for each in await self.all(FeedStatus) if each.feed_id == feed.feed_id]
            return bool(found)

        await until(polled)
        return found[-1]

    async def ends(self, count: int) -> list[tuple[str, ...]]:
        """Wait until so many entries have left ingest; return how, by kind and address."""
        found: list[tuple[str, ...]] = []

        async def enough() -> bool:
            found[:] = [
                *[("article", each.url) for each in await self.all(Article)],
                *[("sighting", each.url) for each in await self.all(Sighting)],
                *[(each.kind, each.reason, each.url or "") for each in await self.all(Outcome)],
            ]
            return len(found) >= count

        await until(enough, lambda: f"{count} ends; there are {found}")
        return sorted(found)

    async def forgotten(self, feed: Feed) -> bool:
        """Tell whether the last word on a feed is that nothing is known of it."""
        last: dict[str, bytes | None] = {}
        for event in (FeedStatus, FeedSeen):
            for record in await self.records(event):
                if record.key == feed.feed_id:
                    last[event.topic] = record.value
        return set(last.values()) == {None} and len(last) == 2


@contextlib.asynccontextmanager
async def world_in(folder: Path, children: Children) -> AsyncIterator[World]:
    """Yield a world whose log lies in a folder."""
    log = SqliteLog(folder / "log.db", partitions=4)
    await log.open(TOPICS)
    try:
        async with world_on(log, folder, children) as world:
            yield world
    finally:
        await log.close()


@contextlib.asynccontextmanager
async def world_on(log: Log, folder: Path, children: Children) -> AsyncIterator[World]:
    """Yield a world on a log that is open; what else there is lies in a folder."""
    async with served() as site:
        yield World(site, log, folder, children)


@contextlib.asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[None]:
    """Run a worker; what ends it ends the test."""
    task = asyncio.create_task(worker.run())
    try:
        yield
        if task.done():
            task.result()
    finally:
        worker.stop()
        await asyncio.wait({task})
    task.result()


async def until(condition: Callable[[], Awaitable[bool]], what: Callable[[], str] = lambda: "it") -> None:
    """Poll a condition until it holds; fail after the time."""
    deadline = time.monotonic() + SECONDS
    while not await condition():
        assert time.monotonic() < deadline, f"in vain waited for {what()}"
        await asyncio.sleep(0.02)


def rss(*items: str | tuple[str, str]) -> str:
    """Return an RSS document of links, or of links with their text."""
    pairs = [(item, "") if isinstance(item, str) else item for item in items]
    shown = "".join(
        f"<item><title>About {escape(link)}</title><link>{escape(link)}</link>"
        f"<description>{escape(text)}</description></item>"
        for link, text in pairs
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{shown}</channel></rss>'


def atom(link: str, updated: str) -> str:
    """Return an Atom document of one entry with the time of its update."""
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Feed</title><id>f</id>'
        f'<entry><id>{link}</id><title>About</title><link href="{link}"/><updated>{updated}</updated>'
        "</entry></feed>"
    )


def page(subject: str) -> str:
    """Return a page with an article about something."""
    sentence = (
        f"The council said on Tuesday that {subject} would be settled before the end of the year, after "
        "talks that had lasted for most of the night and had been close to failure more than once. "
    )
    text = "".join(f"<p>{number}. {sentence}</p>" for number in range(1, 6))
    return (
        f"<!doctype html><html lang='en'><head><title>News about {subject}</title></head><body>"
        f"<article><h1>News about {subject}</h1>{text}</article></body></html>"
    )


def by_domain(hits: list[Hit]) -> dict[str, list[float]]:
    """Return the times of requests by host."""
    times: dict[str, list[float]] = defaultdict(list)
    for hit in hits:
        times[hit.url.split("/")[2]].append(hit.at)
    return times
