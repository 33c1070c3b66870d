"""A user's query string becomes a Query, or an error of one line."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_index.query import MAX_LENGTH, MAX_TERMS, parse_query
from newswire_index.sqlite.search import expression
from newswire_index.store import Filters, Query, QueryError, Term

pytestmark = pytest.mark.unit


def day(number: int, hour: int = 0) -> datetime:
    """Return a moment of November 2026."""
    return datetime(2026, 11, number, hour, tzinfo=UTC)


TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Query()),
        ("  \t ", Query()),
        ("NATO bid", Query(terms=(Term("NATO"), Term("bid")))),
        ('"NATO bid" now', Query(terms=(Term("NATO bid", phrase=True), Term("now")))),
        ("“NATO bid”", Query(terms=(Term("NATO bid", phrase=True),))),
        ("„Gespräche in Berlin“", Query(terms=(Term("Gespräche in Berlin", phrase=True),))),
        ("«Северный поток»", Query(terms=(Term("Северный поток", phrase=True),))),
        ("negotiat*", Query(terms=(Term("negotiat", prefix=True),))),
        ('"a star*"', Query(terms=(Term("a star", phrase=True),))),
        ("-sport", Query(without=(Term("sport"),))),
        ('-"own goal" x', Query(terms=(Term("x"),), without=(Term("own goal", phrase=True),))),
        ("follow-up", Query(terms=(Term("follow-up"),))),
        ("peace – & - * ... war", Query(terms=(Term("peace"), Term("war")))),
        ("topic:nato-bid", Query(having=Filters(topics=("nato-bid",)))),
        ("TOPIC:nato-bid", Query(having=Filters(topics=("nato-bid",)))),
        ("entity:Q212", Query(having=Filters(entities=("Q212",)))),
        ('entity:"Volodymyr Zelenskyy"', Query(having=Filters(entities=("Volodymyr Zelenskyy",)))),
        ("outlet:a.example outlet:b.example", Query(having=Filters(outlets=("a.example", "b.example")))),
        ("-language:de x", Query(terms=(Term("x"),), lacking=Filters(languages=("de",)))),
        ("Berlin: talks at 12:30", Query(terms=(Term("Berlin:"), Term("talks"), Term("at"), Term("12:30")))),
        ("https://a.example/b", Query(terms=(Term("https://a.example/b"),))),
        ('5"x"', Query(terms=(Term("5"), Term("x", phrase=True)))),
        ("date:2026-11-20", Query(since=day(20), until=day(21))),
        ("date:2026-11-20..2026-11-23", Query(since=day(20), until=day(24))),
        ("date:2026-11-20..", Query(since=day(20))),
        ("date:..2026-11-20", Query(until=day(21))),
        ("date:>=2026-11-20", Query(since=day(20))),
        ("date:>2026-11-20", Query(since=day(21))),
        ("date:<=2026-11-20", Query(until=day(21))),
        ("date:<2026-11-20", Query(until=day(20))),
        ("date:>=2026-11-20 date:<2026-11-22", Query(since=day(20), until=day(22))),
        ("date:>=2026-11-20T02:00+02:00", Query(since=day(20))),
        ("date:<=2026-11-20T14:00:00Z", Query(until=day(20, 14) + TICK)),
        ("date:>2026-11-20T14:00", Query(since=day(20, 14) + TICK)),
    ],
)
def test_a_query_is_read_as_meant(text: str, expected: Query) -> None:
    """Words, phrases, exclusions, fields and dates."""
    assert parse_query(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"NATO bid', "quotation mark"),
        ('NATO "', "quotation mark"),
        ("topic:", "topic: needs a value"),
        ('entity:""', "entity: needs a value"),
        ("date:", "date: needs a value"),
        ("date:..", "at least one side"),
        ("date:yesterday", "'yesterday' is no date"),
        ("date:2026-02-30", "'2026-02-30' is no date"),
        ("date:2026-11-20T99:00", "is no date"),
        ("date:0001-01-01T00:00+14:00", "is no date"),
        ("date:9999-12-31", "beyond the calendar"),
        ("-date:2026-11-20", "cannot be excluded"),
        ("x" * (MAX_LENGTH + 1), "1000 are allowed"),
        ("x " * (MAX_TERMS + 1), "more than 32"),
    ],
)
def test_what_cannot_be_understood_is_said_in_one_line(text: str, problem: str) -> None:
    """The error names what is wrong."""
    with pytest.raises(QueryError, match=problem) as caught:
        parse_query(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"limit": 0}, {"limit": 1001}, {"since": "soon"}, {"until": "2026-13-01"}]
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    """Limits out of range and dates that are none."""
    with pytest.raises(QueryError):
        parse_query("x", **options)


def test_options_narrow_what_the_string_says() -> None:
    """The later beginning and the earlier end hold, and filters add up."""
    query = parse_query(
        "topic:a date:2026-11-01..2026-11-20",
        having=Filters(topics=("b",)),
        since="2026-11-10",
        until="2026-11-30",
        limit=3,
        facets=True,
    )

    assert query == Query(
        having=Filters(topics=("a", "b")), since=day(10), until=day(21), limit=3, facets=True
    )


@given(st.text(max_size=60) | st.text(alphabet='ab"*:-.><= \x00\ud800()^', max_size=60))
def test_any_string_is_a_query_or_a_query_error(text: str) -> None:
    """No input raises anything else, and what is read holds no control character."""
    try:
        query = parse_query(text)
    except QueryError:
        return
    assert all("\x00" not in term.text for term in (*query.terms, *query.without))
    assert all(any(c.isalnum() for c in term.text) for term in query.terms)


@given(st.text(alphabet='ab"* ORNEAR()^:-', min_size=1, max_size=30), st.booleans())
def test_a_term_stays_inside_its_quotation_marks(text: str, prefix: bool) -> None:
    """In the expression each quotation mark of the text is doubled, so the string ends where we end it."""
    written = expression(Term(text, prefix=prefix))
    inside = written.removesuffix(" *").removeprefix('"').removesuffix('"')

    assert '"' not in inside.replace('""', "")
    assert inside.replace('""', '"') == text
