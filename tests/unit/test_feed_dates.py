"""Dates as feeds write them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.events import Moment
from newswire_ingest.feed_dates import parse_moment

pytestmark = pytest.mark.unit


def _at(hour: int, minute: int = 0, second: int = 0, offset: float = 0) -> datetime:
    zone = timezone(timedelta(hours=offset)) if offset else UTC
    return datetime(2026, 1, 5, hour, minute, second, tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 05 Jan 2026 10:00:00 +0200", _at(10, offset=2)),
        ("Mon, 5 Jan 26 10:00 GMT", _at(10)),
        ("05 Jan 2026 10:00:00 -0000", _at(10)),
        ("Monday, 05 January 2026 10:00:00 EST", _at(10, offset=-5)),
        ("Mon, 05 Jan 2026 10:00:00 PDT", _at(10, offset=-7)),
        ("Mon, 05 Jan 2026 10:00:00 Z", _at(10)),
        ("Mon, 05 Jan 2026 10:00:00 XYZ", _at(10)),
        ("Mon, 05 Jan 2026 10:00:00", _at(10)),
        ("Mon, 05 Jan 2026 10:00:60 GMT", _at(10, 0, 59)),
        ("Mon, 05 Jan 2026 10:00:00 +9999", _at(10)),
        ("Mon,  05 Jan\n2026 10:00:00 +05:30", _at(10, offset=5.5)),
        ("2026-01-05T10:00:00Z", _at(10)),
        ("2026-01-05T10:00:00-05:00", _at(10, offset=-5)),
        ("2026-01-05 10:00:00", _at(10)),
        ("2026-01-05T10:00+01:00", _at(10, offset=1)),
        ("Jan 5, 2026 10:00 AM CET", _at(10, offset=1)),
        ("Mon Jan 5 10:00:00 2026", _at(10)),
        ("2026-01-05", date(2026, 1, 5)),
        ("Mon, 05 Jan 2026", date(2026, 1, 5)),
        ("January 5, 2026", date(2026, 1, 5)),
        ("2026-01", None),
        ("2026", None),
        ("January 2026", None),
        ("Monday", None),
        ("10:00", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00Z", None),
        ("Mon, 99 Jan 2026 10:00:00 GMT", None),
        ("9" * 50, None),
        ("x" * 1_000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_says_no_more_than_the_feed(text: str | None, moment: Moment | None) -> None:
    """Offsets by number and by name, dates without a time, and what is no date."""
    found = parse_moment(text)

    assert found == moment
    assert type(found) is type(moment)
    if isinstance(found, datetime) and isinstance(moment, datetime):
        assert found.utcoffset() == moment.utcoffset()


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    """Anything gives a date or nothing."""
    assert isinstance(parse_moment(text), date | None)
