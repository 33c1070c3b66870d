"""The newsroom's feeds: formats, editions and updates, without a server."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import feedparser  # type: ignore[import-untyped]  # ships no types
import pytest

from newswire_newsroom.desk import Desk
from newswire_newsroom.feeds import FeedEntry, render
from newswire_newsroom.world import EDITIONS, FeedFormat, FeedSpec, articles, outlets

pytestmark = pytest.mark.unit

NORMAL = [feed for outlet in outlets().values() for feed in outlet.feeds if feed.normal]
UPDATES = [article for article in articles() if article.update]
MOMENT = datetime(2026, 11, 12, 8, 0, tzinfo=UTC)


def items(feed: FeedSpec, document: bytes) -> Sequence[Mapping[str, Any]]:
    """Return a feed's entries as a reader of its format sees them."""
    if feed.format == "json":
        listed: list[dict[str, Any]] = json.loads(document)["items"]
        return listed
    parsed = feedparser.parse(document)
    assert bool(parsed.bozo) == (feed.fault == "broken-xml")
    entries: Sequence[Mapping[str, Any]] = parsed.entries
    return entries


def named(feed_format: FeedFormat) -> FeedSpec:
    """Return a feed of a format for tests of its rendering."""
    return FeedSpec("test", "https://courier.example/test", feed_format, full=False, title="Test & <feed>")


@pytest.mark.parametrize("feed", NORMAL, ids=lambda feed: feed.url)
def test_editions_parse_are_cumulative_and_bring_something_new(feed: FeedSpec) -> None:
    """Each of three polls shows all that the last one did and more; a fourth shows the same."""
    desk = Desk()
    documents = [render(feed, desk.poll(feed.url)) for _ in range(EDITIONS + 1)]

    ids = [[item["id"] for item in items(feed, document)] for document in documents]

    for earlier, later in pairwise(ids[:EDITIONS]):
        assert set(earlier) < set(later)
    assert all(len(one) == len(set(one)) for one in ids)
    assert documents[EDITIONS] == documents[EDITIONS - 1]


@pytest.mark.parametrize("article", UPDATES, ids=lambda article: article.slug)
def test_update_waits_until_the_first_version_was_served(article: Any) -> None:
    """However often the feed is polled, an article stays as it was until its page was asked for."""
    desk = Desk()
    feed = next(feed.url for feed in article.outlet.feeds if feed.name in article.feeds)

    before = [entry for _ in range(5) for entry in desk.poll(feed)]
    first = desk.serve(article.url)
    second = desk.serve(article.url)
    shown = {entry.native_id: entry for entry in desk.poll(feed)}[article.url]
    after = desk.serve(article.url)

    assert not any(entry.updated for entry in before)
    assert first == second == article
    assert shown.updated == article.update.at > article.published
    assert after.updated == article.update.at
    assert after.blocks[0].text == article.update.text
    assert after.headline == shown.title == article.update.headline


def test_update_waits_for_its_edition() -> None:
    """An update of the second edition is not shown by the first poll, though the page was served."""
    desk = Desk()
    url = "https://harbourherald.example/economy/ecb-holds-rates"
    feed = "https://harbourherald.example/feed.json"
    desk.serve(url)

    first = {entry.native_id: entry.updated for entry in desk.poll(feed)}
    second = {entry.native_id: entry.updated for entry in desk.poll(feed)}

    assert first[url] is None
    assert second[url] is not None


def test_newsroom_is_complete_after_three_polls_and_all_updates() -> None:
    """Polls alone do not complete it; a poll after each first version was served does."""
    desk = Desk()
    for _ in range(EDITIONS):
        for feed in NORMAL:
            desk.poll(feed.url)
    assert not desk.complete

    for article in UPDATES:
        desk.serve(article.url)
    for feed in NORMAL:
        desk.poll(feed.url)

    assert desk.complete


def test_entries_of_planted_pages_carry_no_text() -> None:
    """Nothing in the feed could be used in place of the page."""
    desk = Desk()
    feed = "https://gazette.example/notices.xml"

    entries = [desk.poll(feed) for _ in range(EDITIONS)][-1]

    bare = [entry for entry in entries if "lighthouse" not in (entry.link or "")]
    assert len(bare) == 9
    assert not any(entry.summary or entry.content for entry in bare)
    assert [entry.native_id for entry in bare if entry.link is None] == ["notice-17"]


def test_one_article_is_linked_with_two_sets_of_tracking_parameters() -> None:
    """The two feeds of the outlet link the same page under different queries."""
    desk = Desk()
    feeds = ("https://courier.example/feeds/world.xml", "https://courier.example/feeds/top.atom")

    links = [
        entry.link
        for feed in feeds
        for entry in [desk.poll(feed) for _ in range(EDITIONS)][-1]
        if entry.native_id.endswith("/bulgaria-election-turnout")
    ]

    assert [str(link).partition("?utm_source=")[2].partition("&")[0] for link in links] == ["rss", "top"]


def test_copies_fill_one_more_feed_per_outlet_with_articles() -> None:
    """With copies, extra feeds list them all in the first edition; the other feeds stay as they are."""
    alone, many = Desk(), Desk(copies=3)

    extra = set(many.feeds) - set(alone.feeds)
    listed = [entry.native_id for feed in extra for entry in many.poll(feed)]

    assert len(extra) == len({article.outlet.name for article in articles() if not article.case})
    assert len(listed) == len(set(listed)) == len(many.articles) - len(alone.articles)


@pytest.mark.parametrize("feed_format", ["rss", "atom", "rdf", "json"])
def test_every_format_says_all_of_an_entry(feed_format: FeedFormat) -> None:
    """Title, link, text, dates, author and tags survive, special characters too."""
    entry = FeedEntry(
        native_id="tag:1",
        link="https://courier.example/a?b=1&c=2",
        title="Bread & <butter>",
        published=MOMENT,
        updated=MOMENT.replace(hour=9),
        author="A & B",
        summary="<p>Ham &amp; eggs</p>",
        content="<p>Ham &amp; eggs &lt;3</p>",
        tags=("x & y",),
    )
    feed = named(feed_format)

    (item,) = items(feed, render(feed, [entry]))

    if feed_format == "json":
        assert item["title"] == "Bread & <butter>"
        assert (item["url"], item["authors"], item["tags"]) == (entry.link, [{"name": "A & B"}], ["x & y"])
        assert item["date_modified"] == "2026-11-12T09:00:00+00:00"
        assert item["content_html"] == entry.content
        return
    assert item["title"] == "Bread & <butter>"
    assert (item["link"], item["author"]) == (entry.link, "A & B")
    assert item["published_parsed"][:4] == (2026, 11, 12, 8)
    assert item["updated_parsed"][:4] == (2026, 11, 12, 9)
    assert item["content"][0]["value"] == entry.content
    assert item["tags"][0]["term"] == "x & y"


@pytest.mark.parametrize("feed_format", ["rss", "atom", "rdf", "json"])
def test_a_feed_without_entries_is_valid(feed_format: FeedFormat) -> None:
    """An empty feed parses and has no items."""
    feed = named(feed_format)

    assert list(items(feed, render(feed, []))) == []
