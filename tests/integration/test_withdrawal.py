"""Withdrawn articles: not fetched, not published, not found, not even after the next poll; and lifted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from integration.ingest_world import NEWS, OTHER_NEWS, atom, page, rss, until
from integration.pipeline_world import Pipeline, pipeline_in

from newswire.children import Children
from newswire.envelope import VERSION, message, tombstone
from newswire.errors import SettingsError
from newswire.events import Article, Enriched, Entry, Feed, Outcome, Page, Withdrawal
from newswire.log.port import Log, Message, Record
from newswire.stage import Delivery
from newswire.table import Table
from newswire.urls import article_id
from newswire.withdrawing import lift, resolve, standing, withdraw
from newswire_enrich import stage as enrich_stage
from newswire_index.sqlite.store import SqliteStore
from newswire_index.stage import IndexHandler
from newswire_ingest.feed_list import remove_feed
from newswire_ingest.service import CHILD, LIMITS
from newswire_ingest.withdrawals import Withdrawals

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FEED = f"{NEWS}/feed.xml"
A, B, C = (f"{NEWS}/{name}" for name in "abc")
TEXT = "What the feed itself says of the matter, in full, so that it can stand for the page. " * 3
NEW = ("indexed", "new")
GONE = ("discarded", "withdrawn")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def children() -> AsyncIterator[Children]:
    """Real child processes for all tests."""
    async with Children(CHILD, {}, workers=1, limits=LIMITS) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def line(tmp_path: Path, children: Children) -> AsyncIterator[Pipeline]:
    """A fresh pipeline."""
    async with pipeline_in(tmp_path, children) as made:
        yield made


async def gone(log: Log, what: str) -> str:
    """Withdraw something; return the article id."""
    meant = await resolve(log, what)
    await withdraw(log, meant, reason="court order", by="desk")
    return meant.article_id


async def back(log: Log, what: str) -> Entry:
    """Lift the withdrawal of an address."""
    meant = await resolve(log, what)
    return await lift(log, meant.article_id, meant.url or "")


async def forget_feed(line: Pipeline, feed: Feed) -> None:
    """Remove a feed and wait until nothing is remembered of it: when added again all its entries are new."""
    await remove_feed(line.log, feed)
    async with line.at_work():
        await until(lambda: line.world.forgotten(feed))


def canonical(subject: str, url: str) -> str:
    """Return a page that names its canonical address."""
    return page(subject).replace("<title>", f'<link rel="canonical" href="{url}"><title>')


async def test_an_address_never_seen_is_not_even_asked(line: Pipeline) -> None:
    """Its entry ends at once, the others as ever; also if the feed carries a text."""
    line.site.put(A, page("the bridge"))
    line.site.put(B, page("the tunnel"))
    await gone(line.log, f"{A}?utm_source=x#top")
    await line.world.feed(FEED, rss((A, TEXT), B))
    await line.settle(NEW, GONE)

    assert line.site.hits_of(A) == []
    assert await line.titles() == ["News about the tunnel"]


@pytest.mark.parametrize("kind", ["canonical", "redirect", "redirect to another domain"])
async def test_where_a_page_is_in_the_end_counts_too(line: Pipeline, kind: str) -> None:
    """The canonical address, and the one after redirects."""
    target = f"{OTHER_NEWS}/t" if "another" in kind else B
    line.site.put(target, page("the bridge"))
    if kind == "canonical":
        line.site.put(A, canonical("the bridge", B))
    else:
        line.site.put(A, status=301, Location=target)
    await gone(line.log, target)
    await line.world.feed(FEED, rss(A))
    await line.settle(GONE)

    assert await line.world.all(Article) == []
    assert await line.titles() == []


async def test_the_first_address_counts_when_the_page_is_at_another_domain(line: Pipeline) -> None:
    """Withdrawn when it was sent on already: the owner of the other domain looks at both."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def redirecting(_request: web.BaseRequest) -> web.Response:
        asked.set()
        await release.wait()
        return web.Response(status=301, headers={"Location": f"{OTHER_NEWS}/t"})

    line.site.act(A, redirecting)
    line.site.put(f"{OTHER_NEWS}/t", page("the bridge"))
    await line.world.feed(FEED, rss(A))
    async with line.at_work():
        await asyncio.wait_for(asked.wait(), 5)
        await gone(line.log, A)
        release.set()
        await until(lambda: ended(line, GONE))

    assert line.site.hits_of(f"{OTHER_NEWS}/t") == []


async def ended(line: Pipeline, *ends: tuple[str, str]) -> bool:
    """Tell whether these are the outcomes."""
    return sorted(await line.outcomes()) == sorted(ends)


async def test_an_article_withdrawn_during_its_fetch_is_not_published(line: Pipeline) -> None:
    """It is looked up again when the page is there."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.BaseRequest) -> web.Response:
        asked.set()
        await release.wait()
        return web.Response(text=page("the bridge"), content_type="text/html")

    line.site.act(A, slow)
    await line.world.feed(FEED, rss(A))
    async with line.at_work():
        await asyncio.wait_for(asked.wait(), 5)
        await gone(line.log, A)
        release.set()
        await until(lambda: ended(line, GONE))

    assert await line.world.all(Article) == []


async def test_a_feeds_own_text_does_not_stand_for_a_withdrawn_page(line: Pipeline) -> None:
    """Neither when the page cannot be had nor while that is remembered."""
    await gone(line.log, A)
    await line.world.feed(FEED, rss((A, TEXT)))
    await line.world.feed(f"{OTHER_NEWS}/feed.xml", rss((A, TEXT)))
    await line.settle(GONE, GONE)

    assert await line.world.all(Article) == []


async def test_a_remembered_failure_does_not_bring_a_feeds_text_in_place_of_a_withdrawn_page(
    line: Pipeline,
) -> None:
    """The page could not be had before it was withdrawn; then another feed shows it, with a text."""
    await line.world.feed(FEED, rss(A))
    async with line.at_work():
        await until(lambda: ended(line, ("discarded", "not-found")))
        await gone(line.log, A)
        await line.world.feed(f"{OTHER_NEWS}/feed.xml", rss((A, TEXT)))
        await until(lambda: ended(line, ("discarded", "not-found"), GONE))

    assert await line.world.all(Article) == []


async def test_what_waits_for_another_attempt_is_not_asked_again(line: Pipeline) -> None:
    """Withdrawn between two attempts."""
    line.site.put(A, status=503)
    line.world.set(fetch_retry_seconds=0.5)
    await line.world.feed(FEED, rss(A))
    async with line.at_work():
        await until(lambda: waiting_at(line, A, 1, attempt=1))
        await gone(line.log, A)
        await until(lambda: ended(line, GONE))

    assert len(line.site.hits_of(A)) == 1


async def test_an_update_of_a_withdrawn_article_is_not_asked_for(line: Pipeline) -> None:
    """The URL memory knows which article its address leads to."""
    line.site.put(A, canonical("the bridge", C))
    feed = await line.world.feed(FEED, atom(A, "2026-11-23T10:00:00Z"), interval=0.15)
    await line.settle(NEW)
    await gone(line.log, article_id(C))
    await shown_again(line, feed)
    await line.settle(NEW, GONE)

    assert len(line.site.hits_of(A)) == 1


async def shown_again(line: Pipeline, feed: Feed) -> None:
    """Serve the feed's one entry as updated, and let the feed be polled."""
    await line.world.feed(feed.url, atom(A, "2026-11-23T11:00:00Z"), interval=0.15)


async def test_a_new_canonical_address_that_is_withdrawn_counts(line: Pipeline) -> None:
    """Though the URL memory gives the page another article id."""
    line.site.put(A, page("the bridge"))
    feed = await line.world.feed(FEED, atom(A, "2026-11-23T10:00:00Z"), interval=0.15)
    await line.settle(NEW)
    await gone(line.log, C)
    line.site.put(A, canonical("the tunnel", C))
    await shown_again(line, feed)
    await line.settle(NEW, GONE)

    assert len(await line.world.all(Article)) == 1


async def test_where_a_redirect_leads_counts_though_the_page_names_another_address(line: Pipeline) -> None:
    """The address in the end is one of three."""
    line.site.put(A, status=301, Location=B)
    line.site.put(B, canonical("the bridge", C))
    await gone(line.log, B)
    await line.world.feed(FEED, rss(A))
    await line.settle(GONE)

    assert await line.world.all(Article) == []


async def test_an_article_under_its_old_id_withdrawn_during_its_fetch_is_not_published(
    line: Pipeline,
) -> None:
    """Neither the address nor the canonical one says so any more, but the URL memory does."""
    line.site.put(A, canonical("the bridge", C))
    feed = await line.world.feed(FEED, atom(A, "2026-11-23T10:00:00Z"), interval=0.15)
    await line.settle(NEW)
    asked, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.BaseRequest) -> web.Response:
        asked.set()
        await release.wait()
        return web.Response(text=page("the tunnel"), content_type="text/html")

    line.site.act(A, slow)
    await shown_again(line, feed)
    async with line.at_work():
        await asyncio.wait_for(asked.wait(), 5)
        await gone(line.log, article_id(C))
        release.set()
        await until(lambda: ended(line, NEW, GONE))

    assert len(await line.world.all(Article)) == 1


async def test_a_server_that_answers_not_modified_to_a_lift_has_failed(line: Pipeline) -> None:
    """Nobody asked it whether anything was modified, and nobody has the article."""
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(NEW)
    key = await gone(line.log, A)
    await line.settle()
    line.site.put(A, status=304)
    await back(line.log, key)
    await line.settle(("discarded", "server-error"))


async def test_what_is_withdrawn_and_lifted_at_once_is_newer_than_its_tombstone(
    line: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one batch of enrich too, with a clock that stands still."""
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(NEW)
    (article,) = await line.world.records(Article)

    class Still(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 1, 1, tzinfo=tz)

    monkeypatch.setattr(enrich_stage, "datetime", Still)
    key = await gone(line.log, A)
    again = Message(article.topic, article.key, article.value, article.headers)
    await line.log.publish([tombstone(Withdrawal.topic, key), again])
    await line.settle(NEW, NEW)
    _, removed, last = await line.world.records(Enriched)

    assert Enriched.from_bytes(last.value or b"").version == int(removed.headers[VERSION]) + 1
    assert await line.titles() == ["News about the bridge"]


async def test_the_index_knows_of_a_lift_before_its_message_comes(line: Pipeline) -> None:
    """Topics are read side by side: the new version may come first."""
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(NEW)
    event = (await line.world.all(Enriched))[0]
    number = line.log.partition_of(event.article_id)
    table = Table(line.log, Withdrawal, number)
    handler = IndexHandler(line.store, table)
    sent = message(event.model_copy(update={"version": event.version + 5}), event.article_id, source="test")
    record = Record(sent.topic, number, 99, sent.key, sent.value, sent.headers, 0)
    delivery = Delivery(record, Enriched.from_bytes(sent.value or b""))
    found = []
    for word in (gone, back):
        await word(line.log, A)
        await handler.handle([delivery])
        found.append(await line.titles())

    assert found == [[], ["News about the bridge"]]


async def test_a_withdrawn_article_is_gone_and_does_not_come_back(line: Pipeline, tmp_path: Path) -> None:
    """Not after compaction, not when its feed is read anew, not in an index that starts empty."""
    line.site.put(A, canonical("the bridge", C), ETag='"v1"')
    line.site.put(B, page("the tunnel"))
    feed = await line.world.feed(FEED, rss(A, B))
    await line.settle(NEW, NEW)
    key = await gone(line.log, A)  # the URL memory knows which article that is
    await line.settle()
    after = await line.titles()
    await line.log.maintain()
    await forget_feed(line, feed)
    await line.log.maintain()
    await line.world.feed(FEED, rss(A, B))
    await line.world.feed(f"{NEWS}/more.xml", rss(C, f"{A}?page=2"))
    line.site.put(C, page("the bridge"))
    line.site.put(f"{A}?page=2", canonical("the bridge", C))
    await line.settle(GONE, GONE, GONE)

    assert key == article_id(C)
    assert after == ["News about the tunnel"] == await line.titles()
    last = [record for record in await line.world.records(Enriched) if record.key == key][-1]
    assert (last.value, int(last.headers[VERSION]) > 0) == (None, True)
    line.store = SqliteStore(f"sqlite:///{tmp_path / 'anew.db'}")
    await line.store.open()
    await line.log.publish([late_version(await line.world.all(Enriched), key)])
    await line.settle()
    found = await line.titles()
    await line.store.close()
    assert found == []  # its offsets say that it has read everything, and still it knows what is withdrawn


def late_version(events: list[Enriched], key: str) -> Any:
    """Return an enriched version of an article as somebody's tool might copy it back."""
    event = events[0].model_copy(update={"article_id": key, "version": 9_999_999_999_999})
    return message(event, key, source="test")


async def test_a_lifted_article_is_fetched_whole_and_found_again(line: Pipeline) -> None:
    """Though its address is known, its validators hold and its content is the same."""
    line.site.put(A, page("the bridge"), ETag='"v1"')
    await line.world.feed(FEED, rss(A))
    await line.settle(NEW)
    key = await gone(line.log, A)
    await line.settle()
    withdrawn = await line.titles()
    entry = await back(line.log, key)
    await line.settle(NEW, NEW)

    assert (withdrawn, await line.titles()) == ([], ["News about the bridge"])
    assert [hit.headers.get("If-None-Match") for hit in line.site.hits_of(A)] == [None, None]
    (outcome,) = [each for each in await line.world.all(Outcome) if each.entry_id == entry.entry_id]
    assert (outcome.feed_id, outcome.kind) == ("manual", "indexed")
    assert entry.trigger.startswith("recheck-")
    once_more = await back(line.log, A)
    await line.settle(("unchanged", "same-content"))
    assert once_more.entry_id != entry.entry_id


async def test_a_lifted_article_is_newer_than_its_tombstone_whatever_the_clock(
    line: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set back by a day, after a restart and after compaction."""
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(NEW)
    key = await gone(line.log, A)
    await line.settle()
    await line.log.maintain()

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - timedelta(days=1)

    monkeypatch.setattr(enrich_stage, "datetime", Yesterday)
    await back(line.log, key)
    await line.settle(NEW)
    removed, again = [r for r in await line.world.records(Enriched) if r.key == key][-2:]

    assert Enriched.from_bytes(again.value or b"").version == int(removed.headers[VERSION]) + 1
    assert await line.titles() == ["News about the bridge"]


async def test_two_entries_end_apart_if_only_one_leads_to_the_withdrawn_article(line: Pipeline) -> None:
    """One was sent on from an address that is withdrawn meanwhile; the other asked for the page itself."""
    release = asyncio.Event()
    there = f"{OTHER_NEWS}/t"

    async def slow(_request: web.BaseRequest) -> web.Response:
        await release.wait()
        return web.Response(status=503)

    line.site.act(there, slow)
    line.site.put(A, status=301, Location=there)
    line.world.set(fetch_attempts=5)
    await line.world.feed(FEED, rss(A))
    await line.world.feed(f"{OTHER_NEWS}/feed.xml", rss(there))
    async with line.at_work():
        await until(lambda: waiting_at(line, there, 2))
        await gone(line.log, A)
        line.site.put(there, page("the bridge"))
        release.set()
        await until(lambda: ended(line, GONE, NEW))

    assert await line.titles() == ["News about the bridge"]


async def waiting_at(line: Pipeline, url: str, count: int, attempt: int = 0) -> bool:
    """Tell whether so many entries wait for a page, after so many attempts at least."""
    pages = [each for each in await line.world.all(Page) if each.url == url]
    waiting = pages[-1].waiting if pages else ()
    return len(waiting) == count and all(each.attempt >= attempt for each in waiting)


async def test_what_an_address_stands_for_is_found_in_many_ways(line: Pipeline) -> None:
    """By the URL memory, the article's addresses, a redirect between domains, and the withdrawal itself."""
    there = f"{OTHER_NEWS}/t"
    line.site.put(A, canonical("the bridge", C))
    line.site.put(B, status=301, Location=there)
    line.site.put(there, page("the tunnel"))
    await line.world.feed(FEED, rss(A, B))
    await line.settle(NEW, NEW)
    bridge, tunnel = article_id(C), article_id(there)

    assert [(await resolve(line.log, each)).article_id for each in (A, C, bridge)] == [bridge] * 3
    assert [(await resolve(line.log, each)).article_id for each in (B, there, tunnel)] == [tunnel] * 3
    assert (await resolve(line.log, bridge)).url == C
    assert (await resolve(line.log, f"{NEWS}/x")).how == "an address that was never seen"
    assert (await resolve(line.log, "0" * 32)).url is None
    known = (await line.world.all(Enriched))[0]
    moved = {"article_id": "9" * 32, "canonical_url": f"{NEWS}/moved", "url": f"{NEWS}/in-the-end"}
    await line.log.publish([message(known.model_copy(update=moved), "9" * 32, source="test")])
    for address in (f"{NEWS}/moved", f"{NEWS}/in-the-end"):
        assert (await resolve(line.log, address)).article_id == "9" * 32
    await gone(line.log, B)
    assert (await resolve(line.log, B)).how == "an address that is withdrawn"
    assert (await standing(line.log, tunnel)).known
    with pytest.raises(SettingsError, match="neither an address nor an article id"):
        await resolve(line.log, "no address")


async def test_a_withdrawal_that_cannot_be_read_yet_is_waited_for(line: Pipeline) -> None:
    """Whoever asks while a read is going on shares the next one: it begins after the question."""
    withdrawals = Withdrawals(line.log)
    reads = going = 0
    gate = asyncio.Event()
    real = withdrawals._withdrawn.catch_up

    async def counted() -> None:
        nonlocal reads, going
        reads += 1
        going += 1
        assert going == 1
        await gate.wait()
        await real()
        going -= 1

    withdrawals._withdrawn.catch_up = counted  # type: ignore[method-assign]
    first = asyncio.create_task(withdrawals.catch_up())
    await until(lambda: _is(lambda: reads == 1))
    others = [asyncio.create_task(withdrawals.catch_up()) for _ in range(5)]
    await asyncio.sleep(0)
    key = await gone(line.log, A)
    gate.set()
    await asyncio.gather(first, *others)

    assert reads == 2
    assert withdrawals.hold([key])
    others[0] = asyncio.create_task(withdrawals.catch_up())
    await withdrawals.close()
    with contextlib.suppress(asyncio.CancelledError):
        await others[0]


async def _is(condition: Any) -> bool:
    return bool(condition())


async def test_a_withdrawal_says_who_when_and_why(line: Pipeline) -> None:
    """The last word counts."""
    await gone(line.log, A)
    meant = await resolve(line.log, A)
    await withdraw(line.log, meant, reason="wrong", by="chief")
    found: list[Withdrawal] = await line.world.all(Withdrawal)

    assert [(each.reason, each.withdrawn_by, each.url) for each in found] == [
        ("court order", "desk", A), ("wrong", "chief", A),
    ]  # fmt: skip
    assert found[-1].withdrawn_at <= datetime.now(UTC)
