"""The newsroom's server: hosts, validators, streams and how it stops."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from newswire_newsroom.server import Newsroom

pytestmark = pytest.mark.unit

WORLD = "https://courier.example/feeds/world.xml"
GOLDEN = "https://courier.example/world/ukraine-nato-berlin"
ENDLESS = "https://stillwater.example/news/live-from-the-weir"
HUGE = "https://deeparchive.example/files/register-of-ships"


class Reader:
    """A client that reaches the newsroom's hosts at their loopback address."""

    def __init__(self, room: Newsroom, session: aiohttp.ClientSession) -> None:
        self.room, self.session = room, session

    def open(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """Return the request's context manager; redirects are not followed."""
        host, _, path = url.removeprefix("https://").partition("/")
        return self.session.get(
            f"{self.room.origin}/{path}", headers={"Host": host, **(headers or {})}, allow_redirects=False
        )

    async def get(self, url: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body; keyword names stand for header names."""
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.open(url, asked) as response:
            return response.status, response.headers, await response.read()


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    """A client of a newsroom that is being served."""
    async with Newsroom() as room, aiohttp.ClientSession() as session:
        yield Reader(room, session)


async def test_one_server_speaks_for_all_hosts_and_no_other(reader: Reader) -> None:
    """The Host header decides, with or without a port; an unknown host is misdirected."""
    page, _, body = await reader.get(GOLDEN)
    tracked, _, again = await reader.get(GOLDEN + "?utm_source=rss")
    unknown, _, _ = await reader.get("https://elsewhere.example/")
    with_port, _, _ = await reader.get(GOLDEN, Host="courier.example:8900")

    assert (page, tracked, unknown, with_port) == (200, 200, 421, 200)
    assert body == again
    assert reader.room.requests == 4


async def test_feed_poll_is_answered_304_only_while_nothing_changed(reader: Reader) -> None:
    """Polls move the editions on, and a 304 counts as a poll."""
    tags = [(await reader.get(WORLD))[1]["ETag"] for _ in range(3)]
    status, headers, body = await reader.get(WORLD, If_None_Match=tags[2])
    stale, _, _ = await reader.get(WORLD, If_None_Match=tags[0])
    weak, _, _ = await reader.get(WORLD, If_None_Match=f'"other", W/{tags[2]}')

    assert len(set(tags)) == 3
    assert (status, body, headers["ETag"]) == (304, b"", tags[2])
    assert (stale, weak) == (200, 304)
    assert reader.room.desk.polls[WORLD] == 6


async def test_last_modified_validates_where_no_etag_is_sent(reader: Reader) -> None:
    """The date of an edition holds until the next one; an ETag outranks it."""
    first = (await reader.get(WORLD))[1]["Last-Modified"]
    moved, _, _ = await reader.get(WORLD, If_Modified_Since=first)
    last = (await reader.get(WORLD))[1]["Last-Modified"]
    held, _, _ = await reader.get(WORLD, If_Modified_Since=last)
    outranked, _, _ = await reader.get(WORLD, If_Modified_Since=last, If_None_Match='"other"')

    assert (moved, held, outranked) == (200, 304, 200)


async def test_pages_answer_304_to_their_etag(reader: Reader) -> None:
    """A page that has not changed is not sent again."""
    _, headers, _ = await reader.get(GOLDEN)

    status, _, body = await reader.get(GOLDEN, If_None_Match=headers["ETag"])

    assert (status, body) == (304, b"")


async def test_updated_page_has_another_etag(reader: Reader) -> None:
    """Once the feed shows the update, the old validator no longer holds."""
    url, feed = (
        "https://courier.example/world/berlin-talks-second-day",
        "https://courier.example/feeds/top.atom",
    )
    await reader.get(feed)
    _, headers, _ = await reader.get(url)
    await reader.get(feed)

    status, _, body = await reader.get(url, If_None_Match=headers["ETag"])

    assert status == 200
    assert b"Berlin talks agree on a first exchange of prisoners" in body


async def test_status_tells_polls_pages_and_that_much_is_to_come(reader: Reader) -> None:
    """Any host answers what was asked of the newsroom so far."""
    await reader.get(WORLD)
    await reader.get(GOLDEN)

    _, _, body = await reader.get("https://anything.example/-/status")

    assert json.loads(body) == {"polls": {WORLD: 1}, "pages": {GOLDEN: 1}, "complete": False}


async def test_redirect_loop_goes_round_on_one_host(reader: Reader) -> None:
    """Two redirects lead back to the first address."""
    url = start = "https://gazette.example/notices/round-the-houses"
    for _ in range(2):
        status, headers, _ = await reader.get(url)
        assert status == 302
        url = headers["Location"]

    assert url == start


async def test_huge_page_is_streamed_and_may_be_cut_off(reader: Reader) -> None:
    """A client that has seen enough leaves, and the server goes on for others."""
    async with reader.open(HUGE) as response:
        read = await response.content.readexactly(3_000_000)
    status, _, _ = await reader.get(GOLDEN)

    assert b"Folio 1 " in read
    assert "Content-Length" not in response.headers
    assert status == 200


async def test_server_stops_at_once_though_a_page_never_ends() -> None:
    """Closing cuts off the endless page, which does not look whole then, and leaves no task behind."""
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession() as session:
        async with Newsroom() as room:
            response = await Reader(room, session).open(ENDLESS).__aenter__()
            seen = await response.content.readuntil(b"Folio 1 ")
            began = time.monotonic()
        took = time.monotonic() - began
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
        response.close()

    assert b"Live from the weir" in seen
    assert took < 0.5
    assert {task for task in asyncio.all_tasks() if not task.done()} <= before


async def test_server_stops_at_once_though_a_huge_page_is_stuck() -> None:
    """A client that does not read cannot hold the server for long."""
    async with aiohttp.ClientSession() as session:
        async with Newsroom() as room:
            response = await Reader(room, session).open(HUGE).__aenter__()
            began = time.monotonic()
        took = time.monotonic() - began
        response.close()

    assert took < 3


async def test_port_that_is_taken_is_told() -> None:
    """A second newsroom on the same port does not start, and leaves nothing open."""
    async with Newsroom() as room:
        port = int(room.origin.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="address already in use"):
            await Newsroom(port=port).__aenter__()


async def test_feed_list_holds_every_feed_with_interval_outlet_and_language(reader: Reader) -> None:
    """The OPML lists what the feed list holds, failing feeds too."""
    sources = reader.room.feed_list(interval_seconds=2.5)
    outlines = ET.fromstring(reader.room.opml(2.5)).findall("./body/outline")  # noqa: S314  our own text

    name = "{urn:newswire:opml}"
    listed = [
        (one.get("xmlUrl"), one.get("text"), one.get(name + "outlet"), one.get(name + "language"))
        for one in outlines
    ]
    assert listed == [(one.url, one.title, one.outlet, one.language) for one in sources]
    assert {one.get(name + "interval") for one in outlines} == {"2.5"}
    assert "https://touchline.example/fixtures.json" in {one.url for one in sources}


async def test_polls_are_told_with_time_and_asker(reader: Reader) -> None:
    """So that a test can tell which replica polled which feed when; pages are no polls."""
    before = time.time()
    await reader.get(WORLD, User_Agent="replica-1")
    await reader.get(GOLDEN, User_Agent="replica-1")
    await reader.get(WORLD, User_Agent="replica-2")

    _, _, body = await reader.get("https://anything.example/-/polls")
    polls = json.loads(body)

    assert [(poll["feed"], poll["user_agent"]) for poll in polls] == [
        (WORLD, "replica-1"),
        (WORLD, "replica-2"),
    ]
    assert before <= polls[0]["at"] <= polls[1]["at"] <= time.time()


async def test_hosts_of_all_worlds_are_served_and_listed() -> None:
    """One server speaks for them too, and the feed list holds their feeds."""
    async with Newsroom(worlds=3, killers=1) as room, aiohttp.ClientSession() as session:
        status, _, body = await Reader(room, session).get(
            "https://courier-3.example/world/ukraine-nato-berlin"
        )
        front, _, page = await Reader(room, session).get("https://courier-3.example/")
        strange, _, _ = await Reader(room, session).get("https://courier-4.example/")
    listed = {source.url: source for source in room.feed_list()}

    assert (status, front, strange) == (200, 200, 421)
    assert b"(3)" in body
    assert b"https://courier-3.example/world/ukraine-nato-berlin" in page
    assert listed["https://courier-3.example/feeds/world.xml"].outlet == "The Courier 3"
    assert "https://deadweight-1.example/feed.xml" in listed
