"""A user's query string, read into a Query.

Words, ``begin*``, ``"phrases"``, ``-without``, and fields: ``topic:nato-bid``, ``entity:Q212``,
``entity:"Volodymyr Zelenskyy"``, ``outlet:``, ``language:``, ``date:2026-11-20..2026-11-23``,
``date:>=2026-11-20``.
A bare date means its whole day in UTC. A field that does not exist is taken for words.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from newswire_index.document import clean
from newswire_index.recency import MAX_DAYS
from newswire_index.store import MAX_LIMIT, Filters, Query, QueryError, Term

MAX_LENGTH = 1000  # characters of a query: far beyond what a person types
MAX_TERMS = 32  # words and phrases: each is a look-up of its own
_TICK = timedelta(microseconds=1)
_LISTS = {"topic": "topics", "entity": "entities", "outlet": "outlets", "language": "languages"}
_QUOTES = str.maketrans("“”„«»", '"""""')
_TOKEN = re.compile(
    r"""\s*(?P<minus>-?)(?:(?P<name>topic|entity|outlet|language|date):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]*))""",
    re.IGNORECASE,
)


@dataclass
class _Draft:
    """What has been read of a query so far."""

    terms: list[Term] = field(default_factory=list)
    without: list[Term] = field(default_factory=list)
    having: dict[str, list[str]] = field(default_factory=dict)
    lacking: dict[str, list[str]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None


def parse_query(
    text: str,
    *,
    having: Filters | None = None,
    since: str | None = None,
    until: str | None = None,
    recency: float = 0.0,
    limit: int = 10,
    cursor: str | None = None,
    facets: bool = False,
) -> Query:
    """Return the query that a user's string and options mean; raises QueryError.

    Args:
        text: the query string.
        having: filters beside those in the string.
        since: the first day or instant, ISO 8601, beside what the string says.
        until: the last day or instant, ISO 8601.
        recency: half-life in days with which recent articles count more; 0: not at all.
        limit: hits on a page.
        cursor: ``next_cursor`` of the page before.
        facets: whether to count values among all hits.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"the limit must be from 1 to {MAX_LIMIT}, not {limit}")
    if not 0 <= recency <= MAX_DAYS:
        raise QueryError(f"the recency must be a half-life from 0 to {MAX_DAYS:.0f} days, not {recency}")
    draft = _read(text)
    _narrow(draft, _first(since) if since else None, _last(until) if until else None)
    return Query(
        terms=tuple(draft.terms),
        without=tuple(draft.without),
        having=_filters(draft.having, having or Filters()),
        lacking=_filters(draft.lacking, Filters()),
        since=draft.since,
        until=draft.until,
        recency=float(recency),
        limit=limit,
        cursor=cursor,
        facets=facets,
    )


def _read(text: str) -> _Draft:
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query has {len(text)} characters; {MAX_LENGTH} are allowed")
    plain = clean(text).translate(_QUOTES).strip()
    draft, position = _Draft(), 0
    while position < len(plain):
        match = _TOKEN.match(plain, position)
        if match is None or match.end() == position:  # only a lone quotation mark fits nothing
            raise QueryError("a quotation mark is not closed")
        _take(draft, match)
        position = match.end()
    if len(draft.terms) + len(draft.without) > MAX_TERMS:
        raise QueryError(f"the query has more than {MAX_TERMS} words and phrases")
    return draft


def _take(draft: _Draft, match: re.Match[str]) -> None:
    name = (match["name"] or "").lower()
    value = (match["quoted"] if match["quoted"] is not None else match["bare"]).strip()
    if not name:
        _take_term(draft, match, value)
    elif not value:
        raise QueryError(f"{name}: needs a value")
    elif name != "date":
        chosen = draft.lacking if match["minus"] else draft.having
        chosen.setdefault(_LISTS[name], []).append(value)
    elif match["minus"]:
        raise QueryError("date: cannot be excluded; give the range that you want")
    else:
        _narrow(draft, *_range(value))


def _take_term(draft: _Draft, match: re.Match[str], value: str) -> None:
    if not any(character.isalnum() for character in value):
        return  # a dash or an ampersand between words is no word
    phrase = match["quoted"] is not None
    term = Term(value.rstrip("*"), phrase=phrase, prefix=value.endswith("*") and not phrase)
    (draft.without if match["minus"] else draft.terms).append(term)


def _filters(read: dict[str, list[str]], given: Filters) -> Filters:
    return Filters(
        topics=(*read.get("topics", ()), *given.topics),
        entities=(*read.get("entities", ()), *given.entities),
        outlets=(*read.get("outlets", ()), *given.outlets),
        languages=(*read.get("languages", ()), *given.languages),
    )


def _narrow(draft: _Draft, since: datetime | None, until: datetime | None) -> None:
    """Keep the later beginning and the earlier end; both together may leave nothing."""
    if since is not None:
        draft.since = max(since, draft.since or since)
    if until is not None:
        draft.until = min(until, draft.until or until)


def _range(value: str) -> tuple[datetime | None, datetime | None]:
    """Return the first instant of a range and the first after it."""
    if ".." in value:
        since, _, until = value.partition("..")
        if not since and not until:
            raise QueryError("date: needs a day on at least one side of ..")
        return (_first(since) if since else None), (_last(until) if until else None)
    for sign in (">=", "<=", ">", "<"):
        if value.startswith(sign):
            return _half_range(sign, value.removeprefix(sign))
    return _first(value), _last(value)


def _half_range(sign: str, value: str) -> tuple[datetime | None, datetime | None]:
    if sign == ">=":
        return _first(value), None
    if sign == ">":
        return _last(value), None
    return None, (_last(value) if sign == "<=" else _first(value))


def _first(value: str) -> datetime:
    """Return the first instant of a day, or the instant itself."""
    return _instant(value)[0]


def _last(value: str) -> datetime:
    """Return the first instant after a day, or after the instant itself."""
    start, length = _instant(value)
    try:
        return start + length
    except OverflowError as error:
        raise QueryError(f"{value!r} is beyond the calendar") from error


def _instant(value: str) -> tuple[datetime, timedelta]:
    """Return where a day or an instant begins, in UTC, and how long it is."""
    try:
        if "T" not in value.upper():
            return datetime.combine(date.fromisoformat(value), time.min, UTC), timedelta(days=1)
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC), _TICK
    except (ValueError, OverflowError) as error:
        raise QueryError(f"{value!r} is no date such as 2026-11-20 or 2026-11-20T14:30+01:00") from error
