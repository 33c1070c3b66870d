"""Articles from whole pages, in several layouts."""

import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from newswire.events import Reason
from newswire_ingest.extract import Extraction, NotAnArticle, extract

pytestmark = pytest.mark.unit

URL = "https://www.herald.example/world/river-bridge-reopens"
FETCHED = datetime(2026, 11, 23, 12, tzinfo=UTC)
TITLE = "River bridge reopens after two years of repairs"
LINES = [
    "The iron bridge over the Vell opened to trams on Monday, two years after a flood took its pier.",
    "What was repaired",
    "Engineers replaced the pier and four hundred metres of rail, and painted the arches green.",
    "What comes next",
    "Within the city, drivers hope for shorter ways to work. Cars stay off until spring, at least.",
    "A second bridge is planned for 2031, said the mayor, who crossed the river on foot with her two sons.",
]
NAVIGATION = '<nav><ul><li><a href="/">Home</a></li><li><a href="/world">World news</a></li></ul></nav>'
FURNITURE = (
    '<aside class="related"><h3>Related</h3><ul><li><a href="/a">Markets fall again</a></li></ul></aside>'
    '<div class="newsletter"><p>Sign up to our newsletter and get the best stories every week.</p></div>'
    '<section id="comments" class="comments"><div class="comment"><p>First! He said.</p></div></section>'
    '<div class="cookie-banner"><p>We use cookies. Accept all to go on.</p></div>'
    "<footer><p>© The Herald, all rights reserved</p></footer>"
)
UNWANTED = (
    "Markets fall",
    "newsletter",
    "First!",
    "cookies",
    "rights reserved",
    "World news",
    "<p",
    "pWithin",
    TITLE,
)


def markup(heading: str = "h2", paragraph: str = "<p>") -> str:
    """Return the article's lines as HTML, one tag broken."""
    pieces = []
    for line in LINES:
        if line.startswith("Within"):
            pieces.append(f"<p{line}</p>")
        else:
            pieces.append(
                f"{paragraph}{line}</p>" if line.endswith(".") else f"<{heading}>{line}</{heading}>"
            )
    return "".join(pieces)


def ld(**fields: object) -> str:
    """Return a JSON-LD script of an article."""
    node = {"@context": "https://schema.org", "@type": "NewsArticle", **fields}
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def article(head: str = "", body: str | None = None, url: str = URL) -> Extraction:
    """Extract a page that must give an article."""
    inner = f"<article><h1>{TITLE}</h1>{markup()}</article>" if body is None else body
    html = f"<!doctype html><html><head>{head}</head><body>{NAVIGATION}{inner}{FURNITURE}</body></html>"
    result = extract(html.encode(), url, "utf-8", FETCHED)
    assert isinstance(result, Extraction), result
    return result


@pytest.mark.parametrize(
    "body",
    [
        f"<main><article><h1>{TITLE}</h1>{markup()}</article></main>",
        f'<div id=page><h1>{TITLE}</h1><div class="story-body">{markup("h3", "<p class=par>")}</div></div>',
        f"<table><tr><td><div id=content><h1>{TITLE}</h1>{markup()}</div></td></tr></table>",
    ],
    ids=["semantic", "classes", "table"],
)
def test_text_is_whole_and_clean(body: str) -> None:
    """Paragraphs and headings are lines, the swallowed one is there, the furniture is not."""
    result = article(
        f"<title>{TITLE} | The Herald</title><meta property=og:site_name content='The Herald'>", body
    )

    assert result.text.split("\n") == LINES
    assert result.title == TITLE
    assert not [word for word in UNWANTED if word in result.text]
    assert result.notes == ("repaired-lost-bracket: <pWithin …>",)


def test_everything_a_page_says_is_read() -> None:
    """JSON-LD and meta elements give what the text does not."""
    head = ld(
        headline=TITLE,
        author=[{"@type": "Person", "name": "Ada Byron"}, "Charles Babbage"],
        datePublished="2026-11-23T09:30:00+02:00",
        keywords=["Bridges", "Trams", "bridges"],
        inLanguage="en-GB",
        publisher={"name": "The Herald"},
        isAccessibleForFree="False",
    )
    result = article(head)

    assert result.authors == ("Ada Byron", "Charles Babbage")
    assert result.published_at == datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    assert isinstance(result.published_at, datetime)
    assert result.published_at.utcoffset() == timedelta(hours=2)
    assert (result.published_from, result.published_plausible) == ("json-ld", True)
    assert (result.language, result.outlet, result.tags) == ("en", "The Herald", ("Bridges", "Trams"))
    assert result.paywalled
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("head", "body", "url", "expected"),
    [
        ('<meta property="article:published_time" content="2026-11-22T08:00:00Z">', "", URL,
         (datetime(2026, 11, 22, 8, tzinfo=UTC), "meta:article:published_time", True)),
        ('<meta name="DC.date" content="2026-11-22">', "", URL, (date(2026, 11, 22), "meta:dc.date", True)),
        ("", '<time datetime="2026-11-21">Sat</time>', URL, (date(2026, 11, 21), "time-element", True)),
        ("", "", "https://herald.example/2026/11/20/bridge", (date(2026, 11, 20), "url", True)),
        ("", '<p class="date">19. November 2026</p>', URL, (date(2026, 11, 19), "text", True)),
        (ld(datePublished="2031-01-01T00:00Z"), "", URL,
         (datetime(2031, 1, 1, tzinfo=UTC), "json-ld", False)),
        (ld(datePublished="2031-01-01T00:00Z"), '<time datetime="2026-11-21">Sat</time>', URL,
         (date(2026, 11, 21), "time-element", True)),
        ("", "", URL, (None, None, None)),
    ],
)  # fmt: skip
def test_date_says_where_it_comes_from(
    head: str, body: str, url: str, expected: tuple[date | None, str | None, bool | None]
) -> None:
    """The best plausible witness counts; an implausible date is kept and marked; the clock is never one."""
    result = article(head, f"<article><h1>{TITLE}</h1>{body}{markup()}</article>", url)

    assert (result.published_at, result.published_from, result.published_plausible) == expected


@pytest.mark.parametrize(
    ("title", "site"),
    [
        (f"{TITLE} | The Herald", "The Herald"),
        (f"{TITLE} – Herald", "The Herald"),
        (f"{TITLE} - World - The Herald", "The Herald"),
        (f"The Herald: {TITLE}", "The Herald"),
        (f"{TITLE} | herald.example", ""),
        (TITLE, "The Herald"),
    ],
)
def test_site_name_is_cut_from_the_title(title: str, site: str) -> None:
    """The headline is what is left when the name of the site is gone."""
    result = article(
        f"<title>{title}</title><meta property='og:site_name' content='{site}'>",
        f"<article>{markup()}</article>",
    )

    assert result.title.removesuffix(" - World") == TITLE


def test_separators_inside_a_headline_stay() -> None:
    """Only a site's name is cut, not half a headline."""
    title = "Harbour vote: what happens now - and who pays"

    assert article(f"<title>{title}</title>", f"<article>{markup()}</article>").title == title


@pytest.mark.parametrize(
    ("head", "body", "authors"),
    [
        (ld(author={"name": "By Ada Byron"}), "", ("Ada Byron",)),
        (ld(author="Ada Byron and Charles Babbage"), "", ("Ada Byron", "Charles Babbage")),
        (ld(author={"@id": "#a"}) + ld(**{"@type": "Person", "@id": "#a", "name": "Ada Byron"}), "",
         ("Ada Byron",)),
        ('<meta name="author" content="Ada Byron (@ada)">', "", ("Ada Byron",)),
        ('<meta property="article:author" content="https://x.org/"><meta name=author content="Ada Byron">',
         "", ("Ada Byron",)),
        ("", '<p class="byline">Von Ada Byron und Charles Babbage</p>', ("Ada Byron", "Charles Babbage")),
        ("", '<a rel="author" href="/ada">Ada Byron</a>', ("Ada Byron",)),
        ("", "", ()),
    ],
)  # fmt: skip
def test_authors_are_names(head: str, body: str, authors: tuple[str, ...]) -> None:
    """However the page writes them, authors come out as names."""
    assert article(head, f"<article><h1>{TITLE}</h1>{body}{markup()}</article>").authors == authors


def test_text_of_json_ld_stands_in_for_a_page_of_scripts() -> None:
    """Where the page shows nothing, its articleBody speaks, and a note says so."""
    text = "\n".join(LINES)
    html = f"<html><head>{ld(headline=TITLE, articleBody=text)}</head><body><div id=app></div></body></html>"
    result = extract(html.encode(), URL, "utf-8", FETCHED)

    assert isinstance(result, Extraction)
    assert LINES[0] in result.text
    assert LINES[-1] in result.text


def test_teaser_before_a_paywall_is_marked() -> None:
    """The mark of a paywall counts where the text is short."""
    wall = '<div class="paywall">Subscribe to read on.</div>'
    teaser = f"<article><h1>{TITLE}</h1><p>{LINES[0]} {LINES[2]}</p>{wall}</article>"

    assert article("", teaser).paywalled
    assert not article().paywalled


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"%PDF-1.7 ...", Reason.NOT_HTML),
        (b"\x89PNG\r\n", Reason.NOT_HTML),
        (b"just words", Reason.NOT_HTML),
        (b'{"a": 1}', Reason.NOT_HTML),
        (b'<?xml version="1.0"?><rss version="2.0"><channel></channel></rss>', Reason.NOT_HTML),
        (b"", Reason.NO_TEXT),
        (b"<!-- -->", Reason.NO_TEXT),
        (b"<html></html>", Reason.NO_TEXT),
    ],
)
def test_what_is_no_page_has_a_reason(body: bytes, reason: Reason) -> None:
    """Files of other kinds and empty pages are told apart."""
    result = extract(body, URL, None, FETCHED)

    assert isinstance(result, NotAnArticle)
    assert result.reason is reason


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 10_000,
        "<span>" * 50_000,
        f"<table><tr><td colspan={2**53} rowspan={2**53}>x</td></tr></table>",
        "<i " + " ".join(f"a{n}=1" for n in range(200_000)) + ">x</i>",
        '<script type="application/ld+json">' + "[" * 100_000 + "</script>",
        "<p>&#0;&#1;&#xFFFF;\x00\x01\ufffe</p>",
        '<link rel="canonical" href="/q">' * 5_000,
        '<meta name="author" content="A B, C D">' * 5_000,
    ],
    ids=["deep", "inline", "colspan", "attributes", "json-ld", "control", "canonical", "authors"],
)
def test_hostile_markup_does_not_break_extraction(hostile: str) -> None:
    """After the article, such markup costs nothing of it."""
    assert LINES[0] in article("", f"<article><h1>{TITLE}</h1>{markup()}</article>{hostile}").text
