"""The newsroom's pages: layouts, furniture, and pages that hold no article."""

import json
import re
from dataclasses import replace
from html import escape

import pytest
from lxml import html

from newswire_newsroom.desk import Desk
from newswire_newsroom.layouts import LAYOUTS, TEASER_BLOCKS, page
from newswire_newsroom.oddities import HUGE_BYTES, huge_page
from newswire_newsroom.sheets import KEPT_PAGES, Sheets, redirect_target
from newswire_newsroom.world import Article, articles, articles_by_url

pytestmark = pytest.mark.unit

GOLDEN = "https://courier.example/world/ukraine-nato-berlin"
WITH_PAGES = [article for article in articles() if article.case not in ("consent-wall", "paywall")]


def served(article: Article) -> str:
    """Return the page of an article as a browser decodes it."""
    return Sheets(Desk()).get(article.url).body.decode(article.charset)


@pytest.mark.parametrize("article", WITH_PAGES, ids=lambda article: article.slug)
def test_page_holds_the_whole_text(article: Article) -> None:
    """Every paragraph and subheading stands on the page, escaped, and so does the headline."""
    source = served(article)

    for block in article.blocks:
        assert escape(block.text) in source
    assert "<h1" in source
    assert escape(article.headline) in source


def test_golden_page_is_served_with_its_broken_tag() -> None:
    """The opening tag of one paragraph has lost its end, and nothing repairs it."""
    source = served(articles_by_url()[GOLDEN])

    assert "<pInside Ukraine, people met" in source
    assert "judge any text by that alone.</p>" in source


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_layouts_have_the_furniture_of_news_pages(layout: str) -> None:
    """Navigation, consent banner, related links and a footer surround the text in every layout."""
    article = replace(articles_by_url()[GOLDEN], layout=layout)

    source = page(article, articles()[:2])
    tree = html.document_fromstring(source)

    for part in ("site-nav", "cookie-banner", "related", "site-footer"):
        assert tree.find(f".//*[@class='{part}']") is not None, part
    assert f'<link rel="canonical" href="{GOLDEN}">' in source
    assert tree.findtext(".//title") == f"{article.headline} | The Courier"


def test_layouts_date_their_pages_in_different_ways() -> None:
    """Structured data, a meta tag, a visible time element, an old-fashioned meta tag."""
    article = articles_by_url()[GOLDEN]
    pages = {layout: page(replace(article, layout=layout), ()) for layout in LAYOUTS}

    witnesses = {
        "broadsheet": '"datePublished": "2026-11-15T18:40:00+01:00"',
        "magazine": 'property="article:published_time" content="2026-11-15T18:40:00+01:00"',
        "plain": '<time datetime="2026-11-15T18:40:00+01:00">',
        "legacy": '<meta name="date" content="2026-11-15T18:40:00+01:00">',
    }
    for layout, source in pages.items():
        assert [name for name, witness in witnesses.items() if witness in source] == [layout]


def test_structured_data_is_json_and_cannot_end_its_script() -> None:
    """A headline with markup in it stays data."""
    article = replace(articles_by_url()[GOLDEN], headline="</script><b>&")

    source = page(article, ())

    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', source)
    assert json.loads(data)["headline"] == "</script><b>&"
    assert "</script><b>" not in source


def test_paywalled_page_shows_a_teaser_and_says_so() -> None:
    """The text stops early, and the structured data tells that it is not free."""
    article = articles_by_url()["https://tradepost.example/policy/council-minutes-split"]

    source = served(article)

    assert '"isAccessibleForFree": false' in source
    assert 'class="paywall"' in source
    assert all(escape(block.text) in source for block in article.blocks[:TEASER_BLOCKS])
    assert not any(escape(block.text) in source for block in article.blocks[TEASER_BLOCKS:])


@pytest.mark.parametrize(
    ("path", "content_type", "declared"),
    [
        ("/svit/berlin-perehovory", "text/html", True),
        ("/svit/antalia-klimat", "text/html; charset=windows-1251", False),
        ("/svit/povin-na-po", "text/html; charset=utf-8", True),
    ],
)
def test_charset_is_declared_in_one_place(path: str, content_type: str, declared: bool) -> None:
    """Of two pages in windows-1251 one says so only in its meta tag, the other only in its header."""
    article = articles_by_url()["https://visti.example" + path]

    sheet = Sheets(Desk()).get(article.url)

    assert sheet.headers["Content-Type"] == content_type
    assert (b"<meta charset=" in sheet.body) == declared
    assert article.headline in sheet.body.decode(article.charset)


def test_consent_wall_hides_an_article_that_the_feed_tells() -> None:
    """The page shows nothing of the text."""
    article = articles_by_url()["https://harbourherald.example/news/ferry-strike-called-off"]

    source = served(article)

    assert "consent-dialog" in source
    assert not any(paragraph in source for paragraph in article.paragraphs)


@pytest.mark.parametrize(
    ("url", "status", "fragment"),
    [
        ("https://gazette.example/news/2026/harbour-dues", 200, b"consent-dialog"),
        ("https://gazette.example/news/2026/quay-lights", 403, b"Checking your browser"),
        ("https://gazette.example/news/2026/market-day-moved", 404, b"Page not found"),
        ("https://gazette.example/news/2026/council-tax-table", 410, b"taken down"),
        ("https://gazette.example/notices/tide-table-app", 200, b'<div id="root"></div>'),
        ("https://gazette.example/robots.txt", 200, b"Allow: /"),
        ("https://gazette.example/news", 200, b"Quayside town orders sandbags"),
        ("https://gazette.example/", 200, b"<h1>Quayside Gazette</h1>"),
        ("https://gazette.example/no/such/page", 404, b"Page not found"),
        ("https://morgenblatt.example/ticker.rss", 200, b"<!doctype html>"),
        ("https://touchline.example/fixtures.json", 404, b"Page not found"),
    ],
)
def test_addresses_without_an_article_answer_as_planted(url: str, status: int, fragment: bytes) -> None:
    """Walls, errors, shells and furniture each have their status and their page."""
    sheet = Sheets(Desk()).get(url)

    assert sheet.status == status
    assert fragment in sheet.body


def test_redirect_loop_leads_back_to_where_it_began() -> None:
    """Two addresses redirect to each other, and no other address redirects."""
    start = "https://gazette.example/notices/round-the-houses"

    turn = redirect_target(start)

    assert turn is not None
    assert turn != start
    assert redirect_target(turn) == start
    assert redirect_target(GOLDEN) is None
    assert redirect_target(GOLDEN + "/again") is None


def test_huge_page_has_thirty_megabytes() -> None:
    """Its pieces are small, and together they are as large as promised."""
    sizes = [len(piece) for piece in huge_page("Register")]

    assert HUGE_BYTES < sum(sizes) < HUGE_BYTES * 1.01
    assert max(sizes) < 128 * 1024


def test_rendered_pages_are_kept_within_a_bound() -> None:
    """The same page is the same object again, and the store does not grow for ever."""
    sheets = Sheets(Desk(copies=8))
    urls = list(sheets.desk.articles)

    assert sheets.get(GOLDEN) is sheets.get(GOLDEN)
    for url in urls:
        sheets.get(url)

    assert len(sheets._pages) == KEPT_PAGES < len(urls)
