"""Dates in feeds: RFC 822, ISO 8601 and what publishers make of them, with the offset that the feed gave."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from time import struct_time

from newswire.events import Moment
from newswire_ingest.zones import ZONE_HOURS

MAX_LENGTH = 100  # characters; nothing longer is a date
YEARS = range(1900, 2200)  # others are stand-ins for "unknown", such as the year 1
CENTURY_TURN = 70  # two-digit years from here on are of the last century
LAST_SECOND = 59  # leap seconds are cut to it: datetime knows none

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RFC_822 = re.compile(
    r"(?:[A-Za-z]{3,9}\.?,?\s+)?(\d{1,2})\s+([A-Za-z]{3})[a-z]{0,6}\.?,?\s+(\d{4}|\d{2})"
    r"\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([A-Za-z]{1,5}|[+-]\d{4}|[+-]\d{2}:\d{2})?"
)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


def parse_moment(text: str | None) -> Moment | None:
    """Read a feed's date: a date where it says no more, else a time with its offset, UTC if it gives none.

    None where the text is no date, or lacks the day.
    """
    clean = " ".join((text or "").split())
    if not clean or len(clean) > MAX_LENGTH:
        return None
    try:
        moment = _iso(clean) or _rfc_822(clean) or _written(clean)
    except (ValueError, OverflowError, TypeError, ArithmeticError):
        return None
    return moment if moment and moment.year in YEARS else None


def moment_of(parsed: struct_time | None) -> Moment | None:
    """Return a time that was already read as UTC; None if it is none."""
    try:
        return datetime(*parsed[:6], tzinfo=UTC) if parsed and parsed[0] in YEARS else None
    except ValueError:
        return None


def _iso(text: str) -> Moment | None:
    try:
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text)
        return _zoned(datetime.fromisoformat(text)) if ":" in text else None
    except ValueError:
        return None


def _rfc_822(text: str) -> Moment | None:
    found = _RFC_822.fullmatch(text)
    if not found or found[2].lower() not in _MONTHS:
        return None
    year = int(found[3])
    if len(found[3]) == 2:  # noqa: PLR2004 - digits
        year += 1900 if year >= CENTURY_TURN else 2000
    second = min(int(found[6] or 0), LAST_SECOND)
    clock = (int(found[4]), int(found[5]), second)
    return datetime(
        year, _MONTHS.index(found[2].lower()) + 1, int(found[1]), *clock, tzinfo=_zone_named(found[7])
    )


def _written(text: str) -> Moment | None:
    """Read other ways of writing a date, without filling in what the text does not say."""
    from dateutil import parser  # noqa: PLC0415 - most feeds need no more than the two standards

    # Two stand-ins for what is missing: where they show in the results, the text does not say it.
    stand_ins = (datetime(2000, 1, 1, 1, 1), datetime(2004, 2, 2, 2, 2))  # noqa: DTZ001 - the zone is the text's
    one, other = (parser.parse(text, default=stand_in, tzinfos=_zone) for stand_in in stand_ins)
    if one.date() != other.date():
        return None
    return _zoned(one) if (one.hour, one.minute) == (other.hour, other.minute) else one.date()


def _zone(name: str | None, offset: int | None) -> tzinfo:
    return _fixed(offset) if offset is not None else _zone_named(name)


def _zone_named(name: str | None) -> tzinfo:
    """Return the zone of a name or a written offset; UTC for one that is unknown."""
    if found := _OFFSET.fullmatch(name or ""):
        seconds = int(found[2]) * 3600 + int(found[3]) * 60
        return _fixed(-seconds if found[1] == "-" else seconds)
    return _fixed(ZONE_HOURS.get((name or "").upper(), 0) * 3600)


def _fixed(seconds: float) -> tzinfo:
    if not seconds or abs(seconds) >= timedelta(days=1).total_seconds():
        return UTC
    return timezone(timedelta(seconds=seconds))


def _zoned(moment: datetime) -> datetime:
    """Return the time with a plain offset: UTC if it has none."""
    offset = moment.utcoffset()
    return moment.replace(tzinfo=UTC if offset is None else _fixed(offset.total_seconds()))
