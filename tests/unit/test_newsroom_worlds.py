"""The newsroom many times over: what the worlds share and what sets them apart."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from newswire.children import Children
from newswire.errors import ChildDiedError
from newswire.events import Reason
from newswire.ids import content_hash
from newswire.log.murmur2 import partition_for
from newswire.urls import article_id, registered_domain
from newswire_ingest.extract import Extraction, extract
from newswire_ingest.service import CHILD, LIMITS
from newswire_ingest.settings import IngestSettings
from newswire_newsroom.desk import Desk, feed_urls
from newswire_newsroom.oddities import KILLER_PAGES
from newswire_newsroom.planted import cases
from newswire_newsroom.sheets import Sheets
from newswire_newsroom.world import EDITIONS, articles, outlets
from newswire_newsroom.worlds import killer_articles, world_articles, world_outlets

pytestmark = [pytest.mark.unit, pytest.mark.timeout(60)]

WORLDS = 25
PARTITIONS = 12
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def read(desk: Desk, url: str) -> Extraction:
    """Return what ingest makes of a page."""
    found = extract(Sheets(desk).get(url).body, url, None, NOW)
    assert isinstance(found, Extraction), found
    return found


def test_twenty_five_worlds_hold_more_than_a_thousand_articles_and_all_updates() -> None:
    """No two share an address, and each world has its updates."""
    desk = Desk(worlds=WORLDS)
    updates = sum(article.update is not None for article in articles())

    assert len(desk.articles) > 1000
    assert len({article_id(url) for url in desk.articles}) == len(desk.articles)
    assert sum(article.update is not None for article in desk.articles.values()) == WORLDS * updates


def test_worlds_are_the_same_each_time() -> None:
    """Nothing about them is chance."""
    assert list(world_articles(3)) == list(world_articles(3))


def test_one_world_is_the_newsroom_as_it_was() -> None:
    """The demo and its table of outcomes know nothing of worlds and killers."""
    desk = Desk()

    assert list(desk.outlets) == list(outlets())
    assert list(desk.articles) == [article.url for article in articles()]


def test_registered_domains_of_worlds_spread_over_the_partitions() -> None:
    """Each outlet of each world is a domain of its own, and no partition goes without."""
    domains = {registered_domain(outlet.origin) for outlet in Desk(worlds=WORLDS).outlets.values()}
    spread = Counter(partition_for(domain, PARTITIONS) for domain in domains)

    assert len(domains) == WORLDS * len(outlets())
    assert len(spread) == PARTITIONS
    assert max(spread.values()) < 3 * min(spread.values())


def test_feeds_of_a_world_list_its_articles_and_nothing_else() -> None:
    """Feeds that are always broken or empty, and planted pages, are there once."""
    desk = Desk(worlds=2)
    moved = [feed.url for outlet in world_outlets(2).values() for feed in outlet.feeds]
    shown = [
        entry.link.partition("?")[0]
        for url in moved
        for _ in range(EDITIONS)
        for entry in desk.poll(url)
        if entry.link
    ]

    assert set(shown) == {article.url for article in world_articles(2)}
    assert set(moved) == {url for article in world_articles(2) for url in feed_urls(article)}
    assert not set(moved) & {case.feed for case in cases()}
    assert all(desk.outlet_of(url).name.endswith("-2") for url in moved)


def test_pages_of_worlds_say_something_else_in_title_and_text() -> None:
    """Content hashes differ between worlds, for teasers behind a paywall and old charsets too."""
    desk = Desk(worlds=3)
    for article in articles():
        if article.case == "consent-wall":
            continue
        urls = [article.url, *(article.url.replace(".example", f"-{number}.example") for number in (2, 3))]
        found = [read(desk, url) for url in urls]

        assert len({content_hash(each.title, each.text) for each in found}) == 3, article.slug
        assert len({each.text for each in found}) == 3, article.slug
        assert len({each.canonical_url for each in found}) == 3, article.slug


def test_an_update_of_a_world_says_something_else_too() -> None:
    """Both versions differ from each other and from those of other worlds."""
    (first, *_) = [article for article in world_articles(2) if article.update]
    original = next(article for article in articles() if f"{article.slug}-w2" == first.slug)
    versions = [original, original.second_version(), first, first.second_version()]

    assert len({(each.headline, each.blocks) for each in versions}) == 4


def test_killers_are_served_and_listed_by_a_feed_of_their_own() -> None:
    """Each at a domain of its own, so that nobody waits for them."""
    desk = Desk(killers=2)
    pages = list(killer_articles(2))

    assert [article.case for article in pages] == ["killer-memory", "killer-cpu"]
    assert len({registered_domain(article.url) for article in pages}) == 2
    for article in pages:
        (feed,) = feed_urls(article)
        assert [entry.link for entry in desk.poll(feed)] == [article.url]
        assert Sheets(desk).get(article.url).body == KILLER_PAGES[article.case](article.headline).encode()


@pytest.mark.parametrize("case", KILLER_PAGES)
def test_a_killer_is_not_too_large_to_be_fetched(case: str) -> None:
    """No limit on bytes keeps it from the extraction: it must be a limit of the child that ends it."""
    assert len(KILLER_PAGES[case]("Register 1").encode()) < IngestSettings().page_bytes


async def test_heavy_killers_die_of_memory_at_once() -> None:
    """The other kind takes its CPU limit twice over, and is left to the test of chaos."""
    item = {
        "body": KILLER_PAGES["killer-memory"]("Register 1").encode(),
        "url": "https://x.example/",
        "charset": None,
    }
    async with Children(CHILD, {}, workers=1, limits=LIMITS) as children:
        with pytest.raises(ChildDiedError) as died:
            await children.run(("page", {**item, "fetched_at": NOW}))

    assert died.value.reason is Reason.MEMORY_LIMIT
