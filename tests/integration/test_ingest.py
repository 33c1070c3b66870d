"""Ingest from feeds to articles: a real log, a real server, real child processes."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from integration.frail_child import KILLER, NONSENSE
from integration.ingest_world import (
    NEVER,
    NEWS,
    OTHER_NEWS,
    World,
    atom,
    by_domain,
    page,
    rss,
    until,
    world_in,
)  # fmt: skip

from newswire.children import Children
from newswire.envelope import ENTRY, message
from newswire.errors import UnavailableError
from newswire.events import (
    DEAD_LETTERS,
    Article,
    Entry,
    Feed,
    FeedSeen,
    FeedStatus,
    Outcome,
    Page,
    PollResult,
    Sighting,
)
from newswire.log.port import Claim, Record
from newswire.log.sqlite import SqliteClaim, SqliteLog
from newswire.urls import feed_id
from newswire_ingest import poll
from newswire_ingest.feed_list import remove_feed
from newswire_ingest.fetch import FEED_ACCEPT
from newswire_ingest.memory import entry_message
from newswire_ingest.service import CHILD, LIMITS

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TEXT = "What the feed itself says of the matter, in full, so that it can stand for the page. " * 3
FEED = f"{NEWS}/feed.xml"
A, B, C = (f"{NEWS}/{name}" for name in "abc")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def children() -> AsyncIterator[Children]:
    """Two real child processes for all tests: loading the extractor takes its time."""
    async with Children(CHILD, {}, workers=2, limits=LIMITS) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def world(tmp_path: Path, children: Children) -> AsyncIterator[World]:
    """A fresh world."""
    async with world_in(tmp_path, children) as made:
        yield made


def holding(release: asyncio.Event, body: str = "", status: int = 200) -> Callable[[web.BaseRequest], Any]:
    """Return an answer that is held back until released."""

    async def answer(_request: web.BaseRequest) -> web.Response:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(release.wait(), 5)
        return web.Response(status=status, text=body, content_type="text/html")

    return answer


async def test_a_page_is_fetched_then_asked_for_conditionally_then_fetched_anew(world: World) -> None:
    """First version, nothing modified, new version: one article id, two contents, each update once."""
    world.site.put(A, page("the bridge"), ETag='"v1"')
    async with world.service():
        await world.feed(FEED, atom(A, "2026-11-23T10:00:00Z"), interval=0.15)
        await world.ends(1)
        world.site.put(FEED, atom(A, "2026-11-23T11:00:00Z"), Content_Type="application/xml")
        await world.ends(2)
        world.site.put(A, page("the tunnel"), ETag='"v2"')
        world.site.put(FEED, atom(A, "2026-11-23T12:00:00Z"), Content_Type="application/xml")
        await world.ends(3)
    articles: list[Article] = await world.all(Article)
    sightings: list[Sighting] = await world.all(Sighting)
    entries = {each.entry_id for each in articles} | {each.entry_id for each in sightings}

    assert ["bridge" in each.text for each in articles] == [True, False]
    assert len({each.article_id for each in articles}) == 1
    assert {each.article_id for each in sightings} == {articles[0].article_id}
    assert len(entries) == 3
    asked = [hit.headers.get("If-None-Match") for hit in world.site.hits_of(A)]
    assert asked == [None, '"v1"', '"v1"']


async def test_one_url_in_two_feeds_is_fetched_once(world: World) -> None:
    """One article and one sighting, whatever the tracking parameters."""
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        await world.feed(FEED, rss(f"{A}?utm_source=one"))
        await world.feed(f"{OTHER_NEWS}/feed.xml", rss(f"{A}?utm_source=two"))
        ends = await world.ends(2)

    assert ends == [("article", A), ("sighting", A)]
    assert len(world.site.hits_of(A)) == 1


async def test_a_feed_is_asked_for_as_a_feed(world: World) -> None:
    """Some servers answer with HTML to whoever does not say so."""
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        feed = await world.feed(FEED, rss(A))
        await world.status(feed)

    assert world.site.hits_of(FEED)[0].headers["Accept"] == FEED_ACCEPT


async def test_a_feed_is_asked_for_conditionally(world: World) -> None:
    """An answer that nothing is modified is no failure, and no empty feed."""
    world.site.put(A, page("the bridge"))
    world.site.put(FEED, rss(A), Content_Type="application/xml", ETag='"f1"')
    async with world.ingest():
        feed = await world.feed(FEED, interval=0.15)
        await until(lambda: _polled(world, 2))
        status = await world.status(feed)

    assert (status.result, status.http_status, status.etag) == (PollResult.UNCHANGED, 304, '"f1"')
    assert world.site.hits_of(FEED)[1].headers["If-None-Match"] == '"f1"'


async def test_a_feed_that_has_moved_to_another_domain_is_read_there(world: World) -> None:
    """It stays the feed that it was added as."""
    world.site.put(A, page("the bridge"))
    world.site.put(FEED, status=301, Location=f"{OTHER_NEWS}/feed.xml")
    world.site.put(f"{OTHER_NEWS}/feed.xml", rss(A), Content_Type="application/xml")
    async with world.ingest():
        feed = await world.feed(FEED)
        ends = await world.ends(1)
        status = await world.status(feed)

    assert ends == [("article", A)]
    assert (status.result, status.url) == (PollResult.NEW, FEED)


async def _polled(world: World, times: int) -> bool:
    return len(await world.all(FeedStatus)) >= times


async def test_a_domain_that_throttles_is_left_alone_and_asked_again(world: World) -> None:
    """As long as it wished, with all its pages; others go on."""
    answers = iter([web.Response(status=429, headers={"Retry-After": "1"})])

    async def throttling(_request: web.BaseRequest) -> web.Response:
        world.site.put(A, page("the bridge"))
        return next(answers)

    world.site.act(A, throttling)
    world.site.put(B, page("the tunnel"))
    world.site.put(f"{OTHER_NEWS}/a", page("the road"))
    world.set(domain_concurrency=1)
    async with world.ingest():
        await world.feed(f"{OTHER_NEWS}/feed.xml", rss(A, B, f"{OTHER_NEWS}/a"))
        ends = await world.ends(3)
    times = by_domain(world.site.hits)

    assert ends == [("article", A), ("article", B), ("article", f"{OTHER_NEWS}/a")]
    first, second, *_ = times["courier.example"]
    assert second - first > 0.95
    assert len(times["courier.example"]) == 3
    assert times["gazette.example"][-1] - times["courier.example"][0] < 0.9


async def test_a_page_that_asks_for_time_is_tried_again_after_it(world: World) -> None:
    """Later than the settings alone would have it."""
    answers = iter([web.Response(status=503, headers={"Retry-After": "1"})])

    async def busy(_request: web.BaseRequest) -> web.Response:
        world.site.put(A, page("the bridge"))
        return next(answers)

    world.site.act(A, busy)
    async with world.ingest():
        await world.feed(FEED, rss(A))
        ends = await world.ends(1)
    first, second = (hit.at for hit in world.site.hits_of(A))

    assert ends == [("article", A)]
    assert second - first > 0.95


async def test_an_entry_that_comes_during_the_fetch_of_its_page_ends_with_it(world: World) -> None:
    """The page is not fetched again for it."""
    release = asyncio.Event()
    world.site.act(A, holding(release, page("the bridge")))
    world.set(page_timeout_seconds=5)
    async with world.ingest():
        await world.feed(FEED, rss(A))
        await until(lambda: _asked(world, A))
        await world.feed(f"{OTHER_NEWS}/feed.xml", rss(A))
        await until(lambda: _waits(world, 2))
        release.set()
        ends = await world.ends(2)

    assert ends == [("article", A), ("sighting", A)]
    assert len(world.site.hits_of(A)) == 1


async def test_entries_of_one_url_that_are_read_together_all_wait(world: World) -> None:
    """The second is put beside the first, not in its place."""
    world.site.put(A, page("the bridge"))
    now = datetime.now(UTC)
    entries = [Entry(entry_id=str(n), feed_id=str(n), url=A, seen_at=now) for n in range(3)]
    await world.log.publish([entry_message(entry) for entry in entries])
    async with world.ingest():
        ends = await world.ends(3)

    assert ends == [("article", A), ("sighting", A), ("sighting", A)]


async def test_a_page_that_is_slow_to_read_holds_up_no_other_of_its_domain(world: World) -> None:
    """The domain's place is for the request, not for what is made of the answer."""

    class SlowChildren:
        async def run(self, item: tuple[str, dict[str, Any]]) -> Any:
            if item[0] == "page" and b"slow" in item[1]["body"]:
                await until(lambda: _asked(world, B))
            return await world.children.run(item)

    world.site.put(A, page("the slow bridge"))
    world.site.put(B, page("the tunnel"))
    world.set(domain_concurrency=1, fetch_concurrency=2)
    async with world.ingest(SlowChildren()):
        await world.feed(FEED, rss(A, B))
        ends = await world.ends(2)

    assert ends == [("article", A), ("article", B)]


@pytest.mark.parametrize(
    ("kind", "reason"), [("error", "server-error"), ("silence", "time-out"), ("nobody", "connection-failed")]
)
async def test_a_passing_failure_is_tried_again_and_then_discarded(
    world: World, kind: str, reason: str, unused_tcp_port: int
) -> None:
    """As often as the settings say, here twice."""
    if kind == "error":
        world.site.put(A, "down", status=500)
    elif kind == "silence":
        world.site.act(A, holding(asyncio.Event()))
        world.set(page_timeout_seconds=0.2)
    else:
        nowhere = {"courier.example": f"http://127.0.0.1:{unused_tcp_port}", "*.example": world.site.origin}
        world.set(resolve=nowhere)
    async with world.ingest():
        await world.feed(f"{OTHER_NEWS}/feed.xml", rss(A))
        ends = await world.ends(1)
    (last,) = [each for each in await world.all(Page) if not each.waiting]

    assert ends == [("discarded", reason, A)]
    assert len(world.site.hits_of(A)) == (0 if kind == "nobody" else 2)
    assert last.failure is not None
    assert last.failure.reason == reason


async def test_a_redirect_to_another_domain_is_followed_by_its_owner(world: World) -> None:
    """The entry goes there under its own id, counted; nobody asks the other domain before."""
    target = f"{OTHER_NEWS}/b"
    world.site.put(A, status=302, Location=target)
    world.site.put(target, page("the bridge"))
    async with world.ingest():
        await world.feed(FEED, rss(A))
        ends = await world.ends(1)
    entries: list[Entry] = await world.all(Entry)
    keys = {record.key for record in await world.records(Entry)}

    assert ends == [("article", target)]
    assert {entry.entry_id for entry in entries} == {entries[0].entry_id}
    assert sorted((e.url, e.origin_url, e.hops) for e in entries) == [(A, None, 0), (target, A, 1)]
    assert keys == {"courier.example", "gazette.example"}
    assert len(world.site.hits_of(target)) == 1


async def test_redirects_between_domains_in_a_circle_come_to_an_end(world: World) -> None:
    """In one outcome, and nothing waits any more."""
    other = f"{OTHER_NEWS}/b"
    world.site.put(A, status=302, Location=other)
    world.site.put(other, status=302, Location=A)
    async with world.ingest():
        await world.feed(FEED, rss(A))
        ends = await world.ends(1)

    assert [end[:2] for end in ends] == [("discarded", "redirect-loop")]
    assert len(world.site.hits_of(A)) + len(world.site.hits_of(other)) == 6


async def test_the_feeds_text_stands_for_a_page_that_is_gone(world: World) -> None:
    """Marked so; a page without it is discarded."""
    async with world.ingest():
        await world.feed(FEED, rss((A, TEXT), B))
        ends = await world.ends(2)
    (article,) = await world.all(Article)

    assert ends == [("article", A), ("discarded", "not-found", B)]
    assert (article.text_from, article.notes) == ("feed-summary", ("page-not-had: not-found",))


@pytest.mark.parametrize(
    ("body", "status", "headers", "reason"),
    [
        (page("x"), 200, {"Content_Type": "application/pdf"}, "not-html"),
        ("<html><body><p>Short.</p></body></html>", 200, {}, "no-text"),
        ("<html><title>Just a moment...</title>Checking your browser</html>", 503, {}, "bot-check"),
        ("", 304, {}, "server-error"),
    ],
    ids=["no page", "no article", "bot check", "not modified, though nothing was known"],
)
async def test_what_is_no_article_is_discarded_at_once(
    world: World, body: str, status: int, headers: dict[str, str], reason: str
) -> None:
    """No second attempt would change it."""
    world.site.put(A, body, status, **headers)
    async with world.ingest():
        await world.feed(FEED, rss(A))
        ends = await world.ends(1)

    assert ends == [("discarded", reason, A)]
    assert len(world.site.hits_of(A)) == 1


async def test_a_private_address_is_refused(world: World) -> None:
    """For a page and for a feed alike; both say so."""
    inside = f"{world.site.origin}/inside"
    async with world.ingest():
        await world.feed(FEED, rss(inside))
        ends = await world.ends(1)
        status = await world.status(await world.feed(f"{world.site.origin}/feed.xml"))

    assert ends == [("discarded", "private-address", inside)]
    assert status.result is PollResult.BLOCKED
    assert "not a public address" in (status.message or "")
    assert [hit.url for hit in world.site.hits] == [FEED]


async def test_a_private_address_is_asked_where_that_is_allowed(world: World) -> None:
    """By a setting."""
    world.set(allow_private=True)
    async with world.ingest():
        status = await world.status(await world.feed(f"{world.site.origin}/feed.xml"))

    assert status.result is PollResult.GONE


async def test_a_page_that_kills_its_child_is_dead_lettered_and_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead letter is the entry as it came; the failure is remembered, but no article is."""
    monkeypatch.setattr("newswire_ingest.service.CHILD", "integration.frail_child:handler")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    world.site.put(A, KILLER.decode())
    world.site.put(B, "harmless")
    world.site.put(C, NONSENSE.decode())
    async with world.service():
        await world.feed(FEED, rss((A, TEXT), B, C))
        ends = await world.ends(3)
    letters = {r.headers["dl_reason"]: r for n in range(4) for r in await world.log.read(DEAD_LETTERS, n, 0)}
    outcomes: dict[str, Outcome] = {each.reason: each for each in await world.all(Outcome)}

    assert [end[:2] for end in ends] == [
        ("article", B), ("dead-lettered", "child-killed"), ("dead-lettered", "handler-failed"),
    ]  # fmt: skip
    killed = letters["child-killed"]
    assert Entry.from_bytes(killed.value or b"").url == A
    assert killed.headers[ENTRY] == outcomes["child-killed"].entry_id
    assert (killed.headers["dl_stage"], killed.headers["dl_topic"]) == ("ingest", Entry.topic)
    assert (killed.headers["dl_attempts"], letters["handler-failed"].headers["dl_attempts"]) == ("2", "1")
    remembered = {each.url: each for each in await world.all(Page)}
    assert remembered[A].article_id is None
    assert remembered[A].failure is not None
    assert [each.waiting for each in remembered.values()] == [(), (), ()]


async def test_each_way_in_which_a_feed_fails_has_its_result(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a message for a person; none of them delays another feed."""
    resolve = ThreadedResolver.resolve

    async def no_name(self: ThreadedResolver, host: str, *rest: Any, **more: Any) -> list[ResolveResult]:
        if host == "courier.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return await resolve(self, host, *rest, **more)

    monkeypatch.setattr(ThreadedResolver, "resolve", no_name)
    world.set(page_timeout_seconds=2)
    site = world.site
    site.put(f"{NEWS}/404", status=404)
    site.put(f"{NEWS}/410", status=410)
    site.put(f"{NEWS}/403", status=403)
    site.put(f"{NEWS}/429", status=429, Retry_After="20000")
    site.put(f"{NEWS}/500", status=500)
    site.put(f"{NEWS}/html", page("an error"))
    site.put(f"{NEWS}/broken", "<rss version='2.0'><channel></nothing", Content_Type="application/xml")
    site.put(f"{NEWS}/noise", "no feed at all", Content_Type="application/xml")
    site.put(f"{NEWS}/nothing", "", Content_Type="application/xml")
    site.put(f"{NEWS}/items", rss(), Content_Type="application/xml")
    site.put(f"{NEWS}/circle", status=302, Location=f"{NEWS}/circle")
    site.act(f"{NEWS}/silence", holding(asyncio.Event()))
    site.put(A, page("the bridge"))
    expected = {
        f"{NEWS}/404": (PollResult.GONE, "404"),
        f"{NEWS}/410": (PollResult.GONE, "410"),
        f"{NEWS}/403": (PollResult.BLOCKED, "403"),
        f"{NEWS}/429": (PollResult.THROTTLED, "429"),
        f"{NEWS}/500": (PollResult.UNREACHABLE, "500"),
        f"{NEWS}/html": (PollResult.INVALID, "html: an HTML page"),
        f"{NEWS}/noise": (PollResult.INVALID, "not-a-feed"),
        f"{NEWS}/nothing": (PollResult.INVALID, "empty-body"),
        f"{NEWS}/items": (PollResult.EMPTY, ""),
        f"{NEWS}/circle": (PollResult.UNREACHABLE, "loop"),
        f"{NEWS}/silence": (PollResult.UNREACHABLE, "did not answer"),
        "https://courier.invalid/feed": (PollResult.UNREACHABLE, "cannot be resolved"),
    }
    async with world.ingest():
        feeds = [await world.feed(url) for url in [*expected, f"{NEWS}/broken"]]
        good = await world.feed(f"{OTHER_NEWS}/feed.xml", rss(A))
        await world.ends(1)
        early = await world.all(FeedStatus)
        statuses = {feed.url: await world.status(feed) for feed in [*feeds, good]}

    found = {url: statuses[url].result for url in expected}
    assert found == {url: result for url, (result, _) in expected.items()}
    assert [url for url, (_, text) in expected.items() if text not in (statuses[url].message or "")] == []
    assert statuses[f"{NEWS}/broken"].result in {PollResult.INVALID, PollResult.EMPTY}
    assert statuses[good.url].result is PollResult.NEW
    assert f"{NEWS}/silence" not in {each.url for each in early}
    throttled = statuses[f"{NEWS}/429"]
    assert (throttled.next_poll_at - throttled.polled_at).total_seconds() >= 20000
    assert (throttled.failures, throttled.http_status) == (1, 429)


async def test_a_feed_that_our_own_code_fails_on_is_invalid_and_stops_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error; it is told, and polled again later."""

    def failing(feed: Any, status: Any, seen: Any, polled: Any, *rest: Any) -> Any:
        if polled.parsed is not None and feed.url == FEED:
            raise KeyError("unexpected")
        return poll.decide(feed, status, seen, polled, *rest)

    monkeypatch.setattr("newswire_ingest.poller.decide", failing)
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        bad = await world.feed(FEED, rss(A))
        await world.feed(f"{OTHER_NEWS}/feed.xml", rss(A))
        ends = await world.ends(1)
        status = await world.status(bad)

    assert ends == [("article", A)]
    assert (status.result, status.message) == (
        PollResult.INVALID,
        "our own failure: KeyError('unexpected')",
    )


async def test_halves_of_surrogate_pairs_harm_nothing(world: World) -> None:
    """They cannot be written as UTF-8: in a JSON feed and in a page's JSON-LD they are replaced."""
    item = f'{{"id": "\\ud83d", "url": "{A}", "title": "A\\ud83d", "tags": ["\\udc00"]}}'
    document = f'{{"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": [{item}]}}'
    data = '{"@type": "NewsArticle", "headline": "Bridge\\ud83d", "author": {"name": "J\\ud83d"}}'
    script = f'<script type="application/ld+json">{data}</script>'
    world.site.put(A, page("the bridge").replace("</head>", f"{script}</head>"))
    async with world.ingest():
        feed = await world.feed(FEED, document)
        ends = await world.ends(1)
        status = await world.status(feed)
    (article,) = await world.all(Article)

    assert (ends, status.result) == ([("article", A)], PollResult.NEW)
    assert (article.title, article.authors, article.tags) == ("Bridge?", ("J?",), ("?",))


async def test_a_feed_added_while_running_is_polled_at_once(world: World) -> None:
    """Not only at the next look."""
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        await world.status(await world.feed(f"{OTHER_NEWS}/feed.xml", rss()))
        added = asyncio.get_running_loop().time()
        await world.status(await world.feed(FEED, rss(A)))
        seconds = asyncio.get_running_loop().time() - added

    assert seconds < 3


async def test_a_feed_that_is_switched_off_is_not_polled(world: World) -> None:
    """Until it is switched on."""
    async with world.ingest():
        await world.feed(FEED, rss(), enabled=False)
        await world.status(await world.feed(f"{NEWS}/other.xml", rss()))
        before = len(world.site.hits_of(FEED))
        await world.status(await world.feed(FEED, rss()))

    assert before == 0
    assert len(world.site.hits_of(FEED)) == 1


async def test_with_a_feed_goes_what_is_known_of_it(world: World) -> None:
    """Status and seen; what it brought stays, and it is not polled again."""
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        feed = await world.feed(FEED, rss(A), interval=0.2)
        await world.ends(1)
        await remove_feed(world.log, feed)
        await until(lambda: world.forgotten(feed))
        polls = len(world.site.hits_of(FEED))
        await world.status(await world.feed(f"{NEWS}/other.xml", rss(), interval=0.2))

    assert await world.forgotten(feed)
    assert len(world.site.hits_of(FEED)) <= polls + 1


async def test_a_feed_removed_during_its_poll_leaves_nothing(world: World) -> None:
    """The poll's end does not bring it back."""
    world.site.put(A, page("the bridge"))
    release = asyncio.Event()
    world.set(page_timeout_seconds=5)
    async with world.ingest():
        feed = await world.feed(FEED, rss(A), interval=0.2)
        await world.ends(1)
        hits = len(world.site.hits_of(FEED))
        world.site.act(FEED, holding(release, rss(A, B)))
        await until(_held(world, hits))
        await remove_feed(world.log, feed)
        await until(lambda: world.forgotten(feed))
        release.set()
        await world.status(await world.feed(f"{NEWS}/other.xml", rss()))

    assert await world.forgotten(feed)
    assert [entry.url for entry in await world.all(Entry)] == [A]


def _held(world: World, hits: int) -> Callable[[], Any]:
    """Return the condition that the feed was asked for once more."""

    async def asked() -> bool:
        return len(world.site.hits_of(FEED)) > hits

    return asked


async def test_a_feed_removed_while_nobody_was_there_is_forgotten_at_the_start(world: World) -> None:
    """It is not on the list any more, but its status still is on the log."""
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        feed = await world.feed(FEED, rss(A))
        await world.ends(1)
    await remove_feed(world.log, feed)
    async with world.ingest():
        await until(lambda: world.forgotten(feed))

    assert len(await world.all(FeedSeen)) == 1


async def test_a_domain_is_asked_no_more_often_than_the_settings_say(world: World) -> None:
    """Feeds and pages together; other domains do not wait for it."""
    pages = [f"{NEWS}/{number}" for number in range(3)]
    for url in [*pages, f"{OTHER_NEWS}/a"]:
        world.site.put(url, page(url))
    world.set(domain_spacing_seconds=0.25, domain_concurrency=2)
    async with world.ingest():
        await world.feed(FEED, rss(*pages))
        await world.feed(f"{OTHER_NEWS}/feed.xml", rss(f"{OTHER_NEWS}/a"))
        await world.ends(4)
    times = by_domain(world.site.hits)
    gaps = [later - earlier for earlier, later in pairwise(times["courier.example"])]

    assert len(gaps) == 3
    assert min(gaps) > 0.2
    assert times["gazette.example"][-1] < times["courier.example"][-1]


async def test_a_page_does_not_sleep_on_when_a_poll_of_its_domain_has_ended(world: World) -> None:
    """The domain was busy with a slow feed when the page came."""
    release = asyncio.Event()
    slow = f"{NEWS}/slow.xml"
    world.site.act(slow, holding(release, rss()))
    world.site.put(A, page("the bridge"))
    world.set(domain_concurrency=1, page_timeout_seconds=5)
    async with world.ingest():
        await world.feed(slow)
        await until(lambda: _asked(world, slow))
        await world.feed(f"{OTHER_NEWS}/feed.xml", rss(A))
        await until(lambda: _waits(world))
        release.set()
        ends = await world.ends(1)

    assert ends == [("article", A)]
    assert world.site.hits[-1].at - world.site.hits_of(f"{OTHER_NEWS}/feed.xml")[0].at < 4


async def _asked(world: World, url: str) -> bool:
    return bool(world.site.hits_of(url))


async def _waits(world: World, entries: int = 1) -> bool:
    return any(len(each.waiting) == entries for each in await world.all(Page))


async def test_what_waited_when_ingest_was_cut_off_is_fetched_after_the_start(world: World) -> None:
    """One article, although the page had been asked for already."""
    world.site.act(A, holding(asyncio.Event()))
    world.set(page_timeout_seconds=5)
    async with world.ingest():
        await world.feed(FEED, rss(A))
        await until(lambda: _asked(world, A))
    before = await world.all(Article)
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        ends = await world.ends(1)

    assert before == []
    assert ends == [("article", A)]
    assert len(world.site.hits_of(A)) == 2
    assert len(world.site.hits_of(FEED)) == 1


async def test_a_feed_added_while_the_log_could_not_be_read_is_polled_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next look."""
    read = SqliteLog.read
    down: list[str] = []

    async def failing(self: SqliteLog, topic: str, *rest: Any, **more: Any) -> list[Record]:
        if topic == Feed.topic and down:
            down.pop()
            raise UnavailableError("the log cannot be read")
        return await read(self, topic, *rest, **more)

    monkeypatch.setattr("newswire_ingest.poller.LOOK_SECONDS", 0.1)
    async with world.ingest():
        await world.status(await world.feed(FEED, rss()))
        other = Feed(feed_id=feed_id(f"{NEWS}/other.xml"), url=f"{NEWS}/other.xml", interval_seconds=NEVER)
        monkeypatch.setattr(SqliteLog, "read", failing)
        down += ["out", "out"] * world.log.partitions
        await world.log.publish(
            [message(other, other.feed_id, source="test", partition_key="courier.example")]
        )
        status = await world.status(other)

    assert status.result is PollResult.GONE


async def test_an_outage_of_the_log_loses_nothing_and_ends_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polls and fetches are made again when it is back."""
    commit = SqliteClaim.commit
    down = {FeedStatus.topic: 2, Article.topic: 2}

    async def failing(self: Claim, messages: Any, *rest: Any, **more: Any) -> Any:
        for topic in {each.topic for each in messages} & {t for t, left in down.items() if left}:
            down[topic] -= 1
            raise UnavailableError("the disk is full")
        return await commit(self, messages, *rest, **more)  # type: ignore[arg-type]  # it is one of its own

    monkeypatch.setattr(SqliteClaim, "commit", failing)
    world.set(poll_retry_seconds=0.1)
    world.site.put(A, page("the bridge"))
    async with world.ingest():
        await world.feed(FEED, rss(A))
        ends = await world.ends(1)

    assert down == {FeedStatus.topic: 0, Article.topic: 0}
    assert ends == [("article", A)]
    assert (len(world.site.hits_of(FEED)), len(world.site.hits_of(A))) == (3, 3)
    assert [r for n in range(4) for r in await world.log.read(DEAD_LETTERS, n, 0)] == []
