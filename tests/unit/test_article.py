"""From what a page or a feed gives to the article event: which of two witnesses is believed."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from newswire.events import Entry, Moment
from newswire.fitting import TEXT_BYTES
from newswire.ids import content_hash
from newswire.urls import article_id
from newswire_ingest.article import FEED_TEXT_CHARACTERS, TITLE_CHARACTERS, from_feed, from_page
from newswire_ingest.dates import is_plausible
from newswire_ingest.extract import Extraction

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://courier.example/a"
DAY = timedelta(days=1)
GOOD, OTHER_GOOD = NOW - DAY, NOW - 2 * DAY
FUTURE, OTHER_FUTURE = NOW + 30 * DAY, NOW + 40 * DAY
LONG = "Word " * 40


def entry(**changes: Any) -> Entry:
    """Return an entry."""
    fields = {"entry_id": "e", "feed_id": "f", "url": URL, "seen_at": NOW, "title": "Feed title"}
    return Entry.model_validate(fields | changes)


def extraction(**changes: Any) -> Extraction:
    """Return what a page holds."""
    fields: dict[str, Any] = {"canonical_url": URL, "title": "Page title", "text": "Text"}
    return Extraction(**(fields | changes))


@pytest.mark.parametrize(
    ("moment", "plausible"),
    [
        (NOW, True),
        (NOW + DAY, True),
        (NOW + DAY + timedelta(seconds=1), False),
        (datetime(1990, 1, 1, tzinfo=UTC), True),
        (datetime(1989, 12, 31, 23, tzinfo=UTC), False),
        (datetime(2026, 11, 25, tzinfo=timezone(timedelta(hours=14))), True),
        (date(2026, 11, 24), True),
        (date(2026, 11, 25), False),
        (date(1990, 1, 1), True),
        (date(1989, 12, 31), False),
    ],
)
def test_a_date_is_plausible_between_the_first_page_and_tomorrow(moment: Moment, plausible: bool) -> None:
    """A day ahead is allowed for clocks and time zones."""
    assert is_plausible(moment, NOW) is plausible


@pytest.mark.parametrize(
    ("page", "feed", "expected"),
    [
        ((GOOD, "json-ld", True), OTHER_GOOD, (GOOD, "json-ld", True)),
        ((GOOD, "json-ld", True), None, (GOOD, "json-ld", True)),
        ((None, None, None), GOOD, (GOOD, "feed", True)),
        ((FUTURE, "meta", False), GOOD, (GOOD, "feed", True)),
        ((FUTURE, "meta", False), OTHER_FUTURE, (FUTURE, "meta", False)),
        ((FUTURE, "meta", False), None, (FUTURE, "meta", False)),
        ((None, None, None), FUTURE, (FUTURE, "feed", False)),
        ((None, None, None), None, (None, None, None)),
    ],
)
def test_the_pages_date_is_believed_before_the_feeds_unless_it_cannot_be_true(
    page: tuple[Moment | None, str | None, bool | None],
    feed: Moment | None,
    expected: tuple[Moment | None, str | None, bool | None],
) -> None:
    """And it always says where it came from; now is never a publication date."""
    found = extraction(published_at=page[0], published_from=page[1], published_plausible=page[2])
    made = from_page(entry(published_at=feed), found, URL, None, NOW)

    assert (made.published_at, made.published_from, made.published_plausible) == expected


def test_a_page_is_the_article_of_its_canonical_url() -> None:
    """Where it was in the end is kept beside; the content hash is that of title and text."""
    found = extraction(canonical_url="https://courier.example/canonical", notes=("repaired",), paywalled=True)
    made = from_page(entry(), found, "https://courier.example/end", None, NOW)

    assert made.article_id == article_id("https://courier.example/canonical")
    assert (made.url, made.canonical_url) == (
        "https://courier.example/end",
        "https://courier.example/canonical",
    )
    assert made.content_hash == content_hash("Page title", "Text")
    assert (made.entry_id, made.feed_id, made.seen_at, made.fetched_at) == ("e", "f", NOW, NOW)
    assert (made.text_from, made.paywalled, made.notes) == ("page", True, ("repaired",))


def test_a_url_keeps_the_article_id_that_it_was_given_first() -> None:
    """Also when the page claims another canonical URL today, and for a feed's text."""
    found = extraction(canonical_url="https://courier.example/other")

    assert from_page(entry(), found, URL, "known", NOW).article_id == "known"
    made = from_feed(entry(content=LONG), "known", "gone", NOW)
    assert made is not None
    assert made.article_id == "known"


@pytest.mark.parametrize(
    ("page", "feed", "expected"),
    [("Page", "Feed", "Page"), ("", "Feed", "Feed"), ("", None, "")],
)
def test_the_title_is_the_pages_else_the_feeds(page: str, feed: str | None, expected: str) -> None:
    """It is part of the content hash."""
    made = from_page(entry(title=feed), extraction(title=page), URL, None, NOW)

    assert made.title == expected
    assert made.content_hash == content_hash(expected, "Text")


@pytest.mark.parametrize(
    ("page", "feed", "expected"),
    [
        (
            {"language": "de", "outlet": "Page outlet", "authors": ("Page",)},
            {"language": "en", "outlet": "List outlet", "authors": ("Feed",)},
            ("de", "List outlet", ("Page",)),
        ),
        (
            {},
            {"language": "en", "outlet": "List outlet", "authors": ("Feed",)},
            ("en", "List outlet", ("Feed",)),
        ),
        ({"outlet": "Page outlet"}, {}, (None, "Page outlet", ())),
    ],
    ids=["both", "feed", "page"],
)
def test_language_and_authors_are_the_pages_first_and_the_outlet_the_feed_lists(
    page: dict[str, Any], feed: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """Who set up the feed knows whose it is; the page knows what it is written in."""
    made = from_page(entry(**feed), extraction(**page), URL, None, NOW)

    assert (made.language, made.outlet, made.authors) == expected


def test_tags_of_page_and_feed_are_united() -> None:
    """The page's first, each once."""
    made = from_page(entry(tags=("b", "c")), extraction(tags=("a", "b")), URL, None, NOW)

    assert made.tags == ("a", "b", "c")


@pytest.mark.parametrize(
    ("feed", "text_from"),
    [
        ({"content": f"<p>{LONG}</p>", "summary": "Short."}, "feed-content"),
        ({"content": "Short.", "summary": LONG}, "feed-summary"),
        ({"summary": LONG}, "feed-summary"),
        ({"content": LONG, "summary": LONG}, "feed-content"),
    ],
)
def test_of_content_and_summary_the_longer_is_the_feeds_text(feed: dict[str, Any], text_from: str) -> None:
    """It is plain text, marked with where it came from and why."""
    made = from_feed(entry(**feed), None, "not-found", NOW)

    assert made is not None
    assert (made.text, made.text_from) == (LONG.strip(), text_from)
    assert made.notes == ("page-not-had: not-found",)
    assert made.content_hash == content_hash("Feed title", LONG)


@pytest.mark.parametrize(
    ("length", "enough"), [(FEED_TEXT_CHARACTERS - 1, False), (FEED_TEXT_CHARACTERS, True)]
)
def test_a_feed_with_too_little_text_gives_no_article(length: int, enough: bool) -> None:
    """Markup does not count; nor does a title alone."""
    assert (
        from_feed(entry(summary=f"<p><b>{'x' * length}</b></p>"), None, "gone", NOW) is not None
    ) is enough
    assert from_feed(entry(), None, "gone", NOW) is None


def test_a_feeds_text_is_the_article_of_what_the_feed_said() -> None:
    """Not of where a redirect led; the feed's fields are its own."""
    told = entry(
        url="https://elsewhere.example/wall", origin_url=f"{URL}?utm_source=x", content=LONG, authors=("A",),
        language="en", outlet="O", tags=("t",), published_at=GOOD,
    )  # fmt: skip
    made = from_feed(told, None, "consent-wall", NOW)

    assert made is not None
    assert (made.url, made.canonical_url, made.article_id) == (URL, URL, article_id(URL))
    assert (made.authors, made.language, made.outlet, made.tags) == (("A",), "en", "O", ("t",))
    assert (made.published_at, made.published_from, made.published_plausible) == (GOOD, "feed", True)
    assert (made.entry_id, made.feed_id, made.seen_at, made.fetched_at) == ("e", "f", NOW, NOW)


@pytest.mark.parametrize(("published", "expected"), [(None, (None, None)), (FUTURE, ("feed", False))])
def test_a_feeds_date_is_judged_too(
    published: Moment | None, expected: tuple[str | None, bool | None]
) -> None:
    """No date is no date."""
    made = from_feed(entry(content=LONG, published_at=published), None, "gone", NOW)

    assert made is not None
    assert (made.published_from, made.published_plausible) == expected


def test_a_feed_without_titles_is_titled_by_the_first_line_of_its_text() -> None:
    """In one line, and not all of it."""
    short = from_feed(entry(title=None, content=f"<p>First line.</p><p>{LONG}</p>"), None, "gone", NOW)
    long = from_feed(entry(title=None, content=LONG), None, "gone", NOW)

    assert short is not None
    assert short.title == "First line."
    assert long is not None
    assert long.title == LONG[:TITLE_CHARACTERS].strip()


def test_a_text_that_no_log_takes_is_cut_and_says_so() -> None:
    """Of a page as of a feed; the hash is that of the whole, so that the same page is the same again."""
    book = "Word " * 300_000
    of_page = from_page(entry(), extraction(text=book), URL, None, NOW)
    of_feed = from_feed(entry(content=f"<p>{book}</p>"), None, "gone", NOW)

    assert of_page.content_hash == content_hash("Page title", book)
    assert of_feed is not None
    for article in (of_page, of_feed):
        assert len(article.text.encode()) == TEXT_BYTES
        assert article.notes[-1].startswith("cut: the text had")
