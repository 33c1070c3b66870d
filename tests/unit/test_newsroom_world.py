"""The newsroom's content: what outlets, articles and planted cases there are."""

import re
from collections import Counter

import pytest

from newswire_newsroom.copies import copied_articles
from newswire_newsroom.desk import Desk, feed_urls
from newswire_newsroom.layouts import LAYOUTS
from newswire_newsroom.planted import cases, expected_outcomes, feed_cases, page_cases
from newswire_newsroom.world import EDITIONS, Article, articles, articles_by_url, outlets, parse_blocks

pytestmark = pytest.mark.unit

GOLDEN = "https://courier.example/world/ukraine-nato-berlin"


def whole_text(article: Article) -> str:
    """Return headline and text as one string."""
    return " ".join([article.headline, *(block.text for block in article.blocks)])


def test_world_is_as_large_as_promised() -> None:
    """There are enough outlets, real articles, languages, stories, days and layouts."""
    real = [article for article in articles() if 180 <= article.words <= 500]

    assert len({article.outlet.name for article in real}) >= 6
    assert len(real) >= 40
    assert {article.language for article in real} >= {"en", "de", "uk"}
    assert len({article.layout for article in real}) >= 3
    assert len({article.published.date() for article in real}) >= 5
    outlets_by_story = {(article.story, article.outlet.name) for article in real}
    assert sum(count >= 2 for count in Counter(story for story, _ in outlets_by_story).values()) >= 8


def test_formats_of_feeds_are_all_there() -> None:
    """Normal feeds come in four formats, some with full text and some with summaries."""
    feeds = [feed for outlet in outlets().values() for feed in outlet.feeds if feed.normal]

    assert {feed.format for feed in feeds} == {"rss", "atom", "rdf", "json"}
    assert {feed.full for feed in feeds} == {True, False}


def test_no_two_articles_share_an_address() -> None:
    """An address belongs to one article, copies and planted pages counted."""
    urls = [article.url for article in [*articles(), *copied_articles(3)]] + list(page_cases())

    assert len(urls) == len(set(urls))


def test_every_article_stands_in_a_feed_and_a_layout_that_exist() -> None:
    """No article names a feed or a layout that is not there."""
    for article in articles():
        assert len(list(feed_urls(article))) == len(article.feeds) >= 1, article.slug
        assert article.layout in LAYOUTS
        assert 1 <= article.edition <= EDITIONS
        assert article.published.tzinfo is not None


def test_golden_article_tells_the_whole_news() -> None:
    """It names each entity and each matter that the pipeline must find."""
    article = articles_by_url()[GOLDEN]
    text = whole_text(article)

    for name in ("Volodymyr Zelenskyy", "Ukraine", "NATO", "Berlin", "Kyiv", "Moscow", "Russia", "Europe"):
        assert re.search(rf"\b{name}\b", text), name
    for phrase in (
        "NATO bid",
        "bid to join NATO",
        "Berlin talks",
        "peace talks in Berlin",
        "security guarantees",
        "ceasefire",
        "prisoner exchanges",
    ):
        assert phrase in text, phrase
    assert text.count("Volodymyr") == 1
    assert text.count("Zelenskyy") >= 3
    assert [block.kind for block in article.blocks].count("broken") == 1


@pytest.mark.parametrize("word", ["match", "goal", "cup", "league", "shares", "stocks", "market", "investor"])
def test_golden_article_speaks_of_neither_sport_nor_markets(word: str) -> None:
    """No word in it could call the wrong topics."""
    text = whole_text(articles_by_url()[GOLDEN]).lower()

    assert not re.search(rf"\b{word}s?\b", text)


def test_planted_cases_name_addresses_and_feeds_that_exist() -> None:
    """What the list of planted cases speaks of is really served."""
    desk = Desk()
    by_url = articles_by_url()

    for case in cases():
        assert case.feed in desk.feeds, case.what
        if case.url is None or case.page:
            assert case.page, case.what
            assert case.headline, case.what
        else:
            assert case.feed in set(feed_urls(by_url[case.url])), case.what


def test_every_peculiar_article_is_listed_as_planted() -> None:
    """An article with a case stands in the list, and no other article does."""
    listed = {case.url for case in cases() if not case.page}
    originals = {article.url for article in articles() if article.case}

    assert listed - originals == {"https://wirelight.example/science/2026/11/18/ariane-6-hydra-in-orbit"}
    assert originals <= listed


def test_feed_cases_name_feeds_with_a_fault() -> None:
    """Every feed with a fault is listed with what a poll of it should find."""
    faulty = {feed.url for outlet in outlets().values() for feed in outlet.feeds if feed.fault}

    assert {case.feed for case in feed_cases()} == faulty


def test_expected_outcomes_count_every_entry_once() -> None:
    """Entries of articles, their updates and planted pages add up to the expected outcomes."""
    shown = sum(len(article.feeds) for article in articles())
    updates = sum(article.update is not None for article in articles())
    pages = sum(bool(case.page) for case in cases())

    total = sum(count for reasons in expected_outcomes().values() for count in reasons.values())

    assert total == shown + updates + pages


def test_syndicated_copy_says_the_same_at_its_own_address() -> None:
    """Title and text are those of the original; the address and the canonical are its own."""
    original = articles_by_url()["https://wirelight.example/science/2026/11/18/ariane-6-hydra-in-orbit"]
    copy = articles_by_url()["https://harbourherald.example/science/ariane-places-hydra"]

    assert (copy.headline, copy.blocks) == (original.headline, original.blocks)
    assert copy.canonical_url == copy.url


def test_three_articles_claim_one_section_page() -> None:
    """Two of them lie under it, the third does not."""
    claims = [article for article in articles() if article.canonical]

    assert {article.canonical_url for article in claims} == {"https://gazette.example/news"}
    assert sorted(article.path.startswith("/news/") for article in claims) == [False, True, True]


def test_copies_are_distinct_and_hold_no_planted_case() -> None:
    """Each copy has an address, a headline and a text of its own."""
    copies = list(copied_articles(4))
    plain = [article for article in articles() if not article.case]

    assert len(copies) == 3 * len(plain)
    assert len({article.headline for article in copies}) == len(copies)
    assert len({whole_text(article) for article in copies}) == len(copies)
    assert not any(article.case or article.update for article in copies)


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("One.\n\nTwo.", ["p", "p"]),
        ("## Head\n\nText\nthat goes on.", ["h2", "p"]),
        ("<pInside, all is well.", ["broken"]),
        ("\n\n", []),
    ],
)
def test_blocks_are_told_apart(source: str, kinds: list[str]) -> None:
    """Paragraphs, subheadings and broken tags are recognised by how they begin."""
    assert [block.kind for block in parse_blocks(source)] == kinds
