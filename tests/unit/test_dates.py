"""Dates as publishers write them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from newswire.events import Moment
from newswire_ingest.dates import is_plausible, moment_in_text, moment_in_url, parse_moment

pytestmark = pytest.mark.unit

FETCHED = datetime(2026, 11, 23, 12, tzinfo=UTC)


def zone(hours: float) -> timezone:
    """Return a fixed offset."""
    return timezone(timedelta(hours=hours))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23", date(2026, 11, 23)),
        ("2026-05-03", date(2026, 5, 3)),
        ("2026-11-23T10:05:00Z", datetime(2026, 11, 23, 10, 5, tzinfo=UTC)),
        ("2026-11-23T10:05:00.123+01:00", datetime(2026, 11, 23, 10, 5, 0, 123000, zone(1))),
        ("2026-11-23 10:05:00 +0530", datetime(2026, 11, 23, 10, 5, tzinfo=zone(5.5))),
        ("2026-11-23T10:05:00", date(2026, 11, 23)),
        ("2026-11-23T99:05:00Z", date(2026, 11, 23)),
        ("1795428300", datetime(2026, 11, 23, 10, 5, tzinfo=UTC)),
        ("1795428300000", datetime(2026, 11, 23, 10, 5, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 10:05:00 GMT", datetime(2026, 11, 23, 10, 5, tzinfo=UTC)),
        ("23 Nov 2026 10:05 CET", datetime(2026, 11, 23, 10, 5, tzinfo=zone(1))),
        ("23 Nov 2026 10:05", date(2026, 11, 23)),
        ("10:05", None),
        ("Monday", None),
        ("November 2026", None),
        ("2026-13-45", None),
        ("", None),
        ("x" * 1000, None),
    ],
)
def test_moment_is_read_as_written(text: str, moment: Moment | None) -> None:
    """The offset is kept, a time without one is only a date, and nothing is filled in."""
    found = parse_moment(text)

    assert found == moment
    assert isinstance(found, datetime) is isinstance(moment, datetime)
    if isinstance(found, datetime) and isinstance(moment, datetime):
        assert found.utcoffset() == moment.utcoffset()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Published 23rd November 2026", date(2026, 11, 23)),
        ("November 23, 2026", date(2026, 11, 23)),
        ("23. Juli 2026", date(2026, 7, 23)),
        ("1er juillet 2026", date(2026, 7, 1)),
        ("3 de junio de 2026", date(2026, 6, 3)),
        ("3 giugno 2026", date(2026, 6, 3)),
        ("3 czerwca 2026", date(2026, 6, 3)),
        ("3 listopada 2026", date(2026, 11, 3)),
        ("3 maart 2026", date(2026, 3, 3)),
        ("3 июня 2026 года", date(2026, 6, 3)),
        ("3 травня 2026", date(2026, 5, 3)),
        ("03.04.2026", date(2026, 4, 3)),
        ("12/25/2026", date(2026, 12, 25)),
        ("room 12, 2026 seats", None),
    ],
)
def test_written_dates_are_found_in_many_languages(text: str, day: date | None) -> None:
    """Months are told apart by how their names begin."""
    assert moment_in_text(text) == day


def test_month_comes_first_where_the_page_is_american() -> None:
    """The page's language decides about an ambiguous date."""
    assert moment_in_text("03/04/2026", month_first=True) == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://a.example/2026/11/23/story", date(2026, 11, 23)),
        ("https://a.example/news/2026-11-23-story", date(2026, 11, 23)),
        ("https://a.example/news-20261123.html", date(2026, 11, 23)),
        ("https://a.example/story-2026112345", None),
        ("https://a.example/2026/02/31/story", None),
    ],
)
def test_date_is_found_in_a_path(url: str, day: date | None) -> None:
    """Only a whole and possible date counts."""
    assert moment_in_url(url) == day


@pytest.mark.parametrize(
    ("moment", "plausible"),
    [
        (FETCHED, True),
        (FETCHED + timedelta(hours=23), True),
        (FETCHED + timedelta(hours=25), False),
        (date(2026, 11, 24), True),
        (date(2026, 11, 25), False),
        (date(1989, 12, 31), False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
    ],
)
def test_date_is_plausible_between_the_web_and_the_fetch(moment: Moment, plausible: bool) -> None:
    """A day of tolerance covers zones and clocks."""
    assert is_plausible(moment, FETCHED) is plausible
