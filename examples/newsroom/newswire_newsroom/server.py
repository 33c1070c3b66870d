"""One loopback server that speaks for all outlets of the newsroom, by the Host header."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self
from xml.sax.saxutils import quoteattr

from aiohttp import web

from newswire_newsroom.desk import Desk
from newswire_newsroom.oddities import DRIP_SECONDS, filler, huge_page, page_start
from newswire_newsroom.planted import Case, page_cases
from newswire_newsroom.sheets import Sheet, Sheets, redirect_target
from newswire_newsroom.world import EDITIONS

SHUTDOWN_SECONDS = 1.0  # what a response in flight has before it is cut
STATUS_PATH = "/-/status"
POLLS_PATH = "/-/polls"
KEPT_POLLS = 100_000


@dataclass(frozen=True)
class FeedSource:
    """A feed of the newsroom as a feed list would hold it."""

    url: str
    title: str
    outlet: str
    language: str
    interval_seconds: float


@dataclass(frozen=True)
class Poll:
    """A request for a feed: when, in seconds of the epoch, which, and who asked."""

    at: float
    feed: str
    user_agent: str


class Newsroom:
    """The news world, served while the context is open; ``port`` 0 takes any free one.

    Args:
        host: where to listen.
        port: where to listen.
        copies: with more than 1 every normal article is served that many times, at its own outlet.
        worlds: with more than 1 the whole newsroom is served that many times, at outlets of other names.
        killers: so many pages kill the child process that reads them.
    """

    editions = EDITIONS

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, copies: int = 1, worlds: int = 1, killers: int = 0
    ) -> None:
        self.desk = Desk(copies=copies, worlds=worlds, killers=killers)
        self.polls: deque[Poll] = deque(maxlen=KEPT_POLLS)
        self.requests = 0
        self._host, self._port = host, port
        self._sheets = Sheets(self.desk)
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=SHUTDOWN_SECONDS
        )

    async def __aenter__(self) -> Self:
        """Start listening; raises OSError where the port is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once, cutting off what is still being sent."""
        self._closing.set()
        await self._runner.cleanup()

    @property
    def origin(self) -> str:
        """Where the server listens, such as ``http://127.0.0.1:8900``."""
        return f"http://{self._host}:{self._port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that the server speaks for."""
        return tuple(outlet.host for outlet in self.desk.outlets.values())

    def feed_list(self, interval_seconds: float = 1.0) -> list[FeedSource]:
        """Return all feeds, failing ones too."""
        sources = []
        for feed in self.desk.feeds.values():
            outlet = self.desk.outlet_of(feed.url)
            sources.append(FeedSource(feed.url, feed.title, outlet.title, outlet.language, interval_seconds))
        return sources

    def opml(self, interval_seconds: float = 1.0) -> str:
        """Return the feed list as OPML 2.0; interval, outlet and language stand in a namespace of ours."""
        lines = "".join(_outline(source) for source in self.feed_list(interval_seconds))
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<opml version="2.0" xmlns:nw="urn:newswire:opml">'
            f"<head><title>Newsroom</title></head><body>\n{lines}</body></opml>\n"
        )

    def status(self) -> dict[str, object]:
        """Return polls by feed, pages served by address, and whether all that the newsroom has was shown."""
        return {
            "polls": dict(self.desk.polls),
            "pages": dict(self.desk.pages),
            "complete": self.desk.complete,
        }

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests += 1
        if request.path == STATUS_PATH:
            return web.Response(text=json.dumps(self.status()), content_type="application/json")
        if request.path == POLLS_PATH:
            polls = [asdict(poll) for poll in self.polls]
            return web.Response(text=json.dumps(polls), content_type="application/json")
        origin = f"https://{request.host.rsplit(':', 1)[0].lower()}"
        if origin not in self.desk.outlets_by_origin:
            return web.Response(status=421, text="This server does not speak for that host.\n")
        return await self._serve(request, origin + request.path)

    async def _serve(self, request: web.BaseRequest, url: str) -> web.StreamResponse:
        if url in self.desk.feeds:
            self.polls.append(Poll(time.time(), url, request.headers.get("User-Agent", "")))
        case = page_cases().get(url)
        if case is not None and case.page in ("huge", "endless"):
            self.desk.pages[url] += 1
            return await self._stream(request, case)
        target = redirect_target(url)
        if target is not None:
            return web.Response(status=302, headers={"Location": target})
        return _answer(request, self._sheets.get(url))

    async def _stream(self, request: web.BaseRequest, case: Case) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        # A client may go away when it has seen enough: that is what the page is for.
        with contextlib.suppress(ConnectionError):
            async for piece in self._pieces(case):
                await response.write(piece)
        if self._closing.is_set() and request.transport is not None:
            request.transport.abort()  # a page that was cut off must not look whole
        return response

    async def _pieces(self, case: Case) -> AsyncIterator[bytes]:
        """Yield the body of a page that is too large, or never ends, until the server closes."""
        if case.page == "huge":
            for piece in huge_page(case.headline):
                if self._closing.is_set():
                    return
                yield piece
            return
        yield page_start(case.headline)
        number = 0
        while not await self._closes_within(DRIP_SECONDS):
            number += 1
            yield filler(number)

    async def _closes_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _answer(request: web.BaseRequest, sheet: Sheet) -> web.Response:
    """Return the sheet, or 304 where the client has it already."""
    headers = dict(sheet.headers)
    if sheet.status != web.HTTPOk.status_code:
        return web.Response(status=sheet.status, body=sheet.body, headers=headers)
    headers["ETag"] = etag = f'"{hashlib.sha256(sheet.body).hexdigest()[:32]}"'
    if _unchanged(request.headers, etag, headers.get("Last-Modified")):
        headers.pop("Content-Type")
        return web.Response(status=304, headers=headers)
    return web.Response(body=sheet.body, headers=headers)


def _unchanged(asked: Mapping[str, str], etag: str, last_modified: str | None) -> bool:
    """Tell whether the client's validator still holds; an ETag outranks a date (RFC 9110, section 13.2.2)."""
    if "If-None-Match" in asked:
        offered = (tag.strip().removeprefix("W/") for tag in asked["If-None-Match"].split(","))
        return any(tag in (etag, "*") for tag in offered)
    return last_modified is not None and asked.get("If-Modified-Since") == last_modified


def _outline(source: FeedSource) -> str:
    title = quoteattr(source.title)
    return (
        f'<outline type="rss" text={title} title={title} xmlUrl={quoteattr(source.url)}'
        f' nw:interval="{source.interval_seconds:g}" nw:outlet={quoteattr(source.outlet)}'
        f" nw:language={quoteattr(source.language)}/>\n"
    )
