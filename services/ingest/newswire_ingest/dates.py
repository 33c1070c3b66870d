"""Dates as publishers write them: the offset kept where there is one, a plain date where there is no more."""

import re
import warnings
from datetime import UTC, date, datetime, timedelta, timezone

from newswire.events import Moment
from newswire_ingest.zones import ZONE_HOURS

EARLIEST = date(1990, 1, 1)  # no news page is older than the web
TOLERANCE = timedelta(days=1)  # clocks and zones differ
MAX_LENGTH = 100  # characters of a value that can still be a date

_DATE_ONLY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}[:\d.,]*\s?(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?", re.IGNORECASE)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_IN_URL = re.compile(r"[/_-]((?:19|20)\d{2})[/_-]?(0[1-9]|1[0-2])[/_-]?(0[1-9]|[12]\d|3[01])(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})[./-]((?:19|20)\d{2})(?!\d)")
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:\.|st|nd|rd|th|er|º|°)?\s+(?:de\s+|of\s+)?"
    r"([^\W\d]{3,12})\.?,?\s+(?:de\s+)?((?:19|20)\d{2})"
)
_MONTH_FIRST = re.compile(r"([^\W\d]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+((?:19|20)\d{2})")
# Beginnings that tell the months apart, January first, in the languages of the pages that we read most.
_MONTHS = tuple(
    tuple(row.split())
    for row in (
        "jan jän gen ene янв січ sty", "feb fév fev фев лют lut", "mar mär maa мар бер",
        "apr avr abr ап кві kwi",
        "may mai mei mag maj май мая трав", "jun jui giu июн черв cze", "jul juil lug июл лип lip",
        "aug aoû aou ago авг серп sie", "sep set сен вер wrz", "oct okt ott окт жовт paź",
        "nov нояб лист lis",
        "dec dez déc dic дек груд gru",
    )
)  # fmt: skip


def parse_moment(text: str, *, month_first: bool = False) -> Moment | None:
    """Read a date, or a date and time with its offset; None where the text holds neither.

    A time without an offset says nothing certain, so that only its date is kept. Nothing is ever filled in
    from the clock. ``month_first`` decides about 03/04/2026.
    """
    text = text.strip()
    if not text or len(text) > MAX_LENGTH:
        return None
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    if match := _DATE_ONLY.fullmatch(text):
        return _date(*match.groups())
    if match := _ISO.match(text):
        return _iso(match[0].strip())
    return _written_with_zone(text) or moment_in_text(text, month_first=month_first)


def _iso(text: str) -> Moment | None:
    try:
        moment = datetime.fromisoformat(f"{text[:10]}T{text[11:].replace(' ', '').upper()}")
    except ValueError:
        return _date(*text[:10].split("-"))
    return moment if moment.tzinfo else moment.date()


def _written_with_zone(text: str) -> Moment | None:
    """Read a date in words that has a time and a zone, such as those of mail headers."""
    from dateutil import parser  # noqa: PLC0415 - few pages need it

    if not re.search(r"\d:\d\d", text):
        return None
    offsets = {name: round(hours * 3600) for name, hours in ZONE_HOURS.items()}
    # two different stand-ins for what is missing: if they show in the results, the text does not say it
    stand_ins = (datetime(2001, 1, 1), datetime(2002, 2, 2))  # noqa: DTZ001 - the zone must come from the text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a zone unknown to the parser: no zone, no moment
            one, other = (parser.parse(text, default=default, tzinfos=offsets) for default in stand_ins)
    except (ValueError, OverflowError, TypeError):
        return None
    offset = one.utcoffset() if one == other else None
    return None if offset is None else one.replace(tzinfo=timezone(offset))


def moment_in_text(text: str, *, month_first: bool = False) -> date | None:
    """Return the first date that is written out in a short text, in digits or with the name of the month."""
    if match := _DATE_ONLY.search(text):
        return _date(*match.groups())
    if match := _NUMERIC.search(text):
        first, second, year = match.groups()
        ordered = (first, second) if month_first else (second, first)
        return _date(year, *ordered) or _date(year, *reversed(ordered))
    if (match := _DAY_FIRST.search(text)) and (month := _month(match[2])):
        return _date(match[3], month, match[1])
    if (match := _MONTH_FIRST.search(text)) and (month := _month(match[1])):
        return _date(match[3], month, match[2])
    return None


def moment_in_url(url: str) -> date | None:
    """Return the date in a path such as ``/2026/11/23/`` or ``-20261123``."""
    match = _IN_URL.search(url)
    return _date(*match.groups()) if match else None


def is_plausible(moment: Moment, fetched_at: datetime) -> bool:
    """Tell whether a page fetched at that time can have been published then."""
    latest = fetched_at + TOLERANCE
    if isinstance(moment, datetime):
        return moment <= latest and moment.date() >= EARLIEST
    return EARLIEST <= moment <= latest.date()


def _month(name: str) -> int | None:
    folded = name.casefold()
    # the longest beginning wins: "juillet" is not June
    fits = [
        (len(start), number)
        for number, row in enumerate(_MONTHS, 1)
        for start in row
        if folded.startswith(start)
    ]
    return max(fits)[1] if fits else None


def _date(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
