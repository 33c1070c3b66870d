"""A query in the language of Elasticsearch."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_index.elastic.mapping import LANGUAGES
from newswire_index.elastic.query import after, languages_of, marking, position_of, selecting
from newswire_index.paging import Position
from newswire_index.query import parse_query
from newswire_index.store import MAX_LIMIT, Filters, QueryError

pytestmark = pytest.mark.unit

CLOCK = 1_763_629_200_123_456
HARMLESS = {
    "bool", "must", "should", "filter", "must_not", "multi_match", "match_bool_prefix", "match_phrase_prefix",
    "term", "terms", "range", "function_score", "functions", "exp", "query", "minimum_should_match",
}  # fmt: skip
KINDS = {"query_string", "simple_query_string", "regexp", "wildcard", "fuzzy", "script", "script_score"}


def clauses(part: Any) -> Iterator[tuple[str, Any]]:
    """Go through all keys of a query with what they hold."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield key, value
            yield from clauses(value)
    elif isinstance(part, list):
        for each in part:
            yield from clauses(each)


def bool_of(text: str, **options: Any) -> dict[str, Any]:
    """Return the outermost clause of a query by all of its words."""
    found: dict[str, Any] = selecting(parse_query(text, **options), "all", CLOCK)["bool"]
    return found


def texts(part: Any) -> list[str]:
    """Return what is looked for in the titles, in order."""
    found = (value for key, value in clauses(part) if key == "multi_match" and "title" in value["fields"])
    return [each["query"] for each in found]


@given(st.text(max_size=60) | st.text(alphabet='ab"*:-.><=/~?&|!+[]{}^() ORANDTO', max_size=60))
def test_no_word_of_a_user_is_syntax(text: str) -> None:
    """Only queries that take a text as it is are used, and a text stands only where a text belongs."""
    try:
        query = parse_query(text)
    except QueryError:
        return
    keys = {key for key, _ in clauses(selecting(query, "all", CLOCK))}

    assert not keys & KINDS
    assert keys <= HARMLESS | {
        "fields", "type", "boost", "operator", "max_expansions", "title", "text", "names", "topic_words",
        "topics.folded", "entities.key", "outlet.folded", "language.folded", "dated_at",
        "gte", "lt", "format",
    }  # fmt: skip


def test_all_words_are_required_each_in_any_field() -> None:
    """So that one may be in the title and another a name."""
    found = bool_of('berlin "prisoner exchange"')

    assert texts(found["must"]) == ["berlin", "prisoner exchange"]
    assert len(found["must"][0]["bool"]["should"]) == 4
    assert found["should"] == []


def test_the_fall_back_loosens_words_and_keeps_phrases() -> None:
    """One of the words at least, and each phrase."""
    query = parse_query('berlin "prisoner exchange" talks -sport topic:x')
    found = selecting(query, "any", CLOCK)["bool"]

    assert texts(found["must"]) == ["prisoner exchange"]
    assert texts(found["should"]) == ["berlin", "talks"]
    assert found["minimum_should_match"] == 1
    assert texts(found["must_not"]) == ["sport"]
    assert found["filter"] == [{"term": {"topics.folded": "x"}}]


def test_filters_alone_ask_for_no_word() -> None:
    """Then nothing has to match beside them."""
    found = bool_of("language:de -entity:Q212")

    assert (found["must"], found["should"], found["minimum_should_match"]) == ([], [], 0)
    assert found["filter"] == [{"terms": {"language.folded": ["de"]}}]
    assert found["must_not"] == [{"term": {"entities.key": "q212"}}]


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ((), ("*",)),
        (("de",), ("de",)),
        (("DE", "nb", "no"), ("de", "no")),
        (("uk",), ()),
        (("uk", "ru", "nobody's"), ("ru",)),
    ],
)
def test_stems_are_those_of_the_languages_asked_for(
    languages: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """All, if none is asked for; a language that Elasticsearch cannot stem has none."""
    assert languages_of(parse_query("x", having=Filters(languages=languages))) == expected


def test_a_beginning_is_looked_for_among_words_as_they_are_written() -> None:
    """A stem would not begin so; one word has no limit to what it stands for, several have."""
    (one, several) = bool_of("negot* nato-bi*")["must"]

    assert {key for key, _ in clauses(one)} >= {"match_bool_prefix", "title", "names"}
    assert {key for key, _ in clauses(several)} >= {"match_phrase_prefix", "max_expansions"}
    assert not any(key.startswith("in.") for key, _ in clauses(one))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("date:2026-11-20", {"gte": 1795132800000, "lt": 1795219200000}),
        ("date:>2026-11-20T00:00:00Z", {"gte": 1795132800001}),
        ("date:<2026-11-20T00:00:00.000300Z", {"lt": 1795132800001}),
        ("date:<1969-12-31T23:59:59.999500Z", {"lt": 0}),
    ],
)
def test_instants_are_whole_milliseconds_upwards(text: str, expected: dict[str, int]) -> None:
    """What Elasticsearch keeps of a date, so that "after" never means "at"."""
    assert bool_of(text)["filter"] == [{"range": {"dated_at": {**expected, "format": "epoch_millis"}}}]


def test_recency_wraps_only_what_has_words() -> None:
    """And its clock is the one that it is told."""
    found = selecting(parse_query("talks", recency=7), "all", CLOCK)["function_score"]
    decay = next(value["dated_at"] for key, value in clauses(found) if key == "exp")

    assert decay == {"origin": "1763629200123", "scale": "604800000ms", "decay": 0.5}
    assert "bool" in selecting(parse_query("talks"), "all", CLOCK)
    assert "bool" in selecting(parse_query("topic:x", recency=7), "all", CLOCK)


def test_marks_are_of_all_terms_and_of_nothing_that_is_excluded() -> None:
    """In the fields of the article's own language."""
    wanted = marking(parse_query("berlin -sport"), ("de",))

    assert texts(wanted) == ["berlin"]
    assert next(value for key, value in clauses(wanted) if key == "fields") == ["title", "in.de.title"]


@pytest.mark.parametrize("text", ["talks", ""])
def test_a_page_begins_where_the_one_before_it_ended(text: str) -> None:
    """With the values that its last hit was sorted by."""
    query = parse_query(text)
    values: list[Any] = [*([2.5] if text else []), 1763629200123, "a"]
    position = position_of("all", values, CLOCK)

    assert after(query, position) == values
    assert after(query, None) is None
    assert position == Position("all", 2.5 if text else 0.0, 1763629200123000, "a", CLOCK)


def test_languages_and_a_page_stay_within_what_elasticsearch_takes() -> None:
    """Fields of one clause, and hits of one page with one more."""
    assert 1 + len(LANGUAGES) < 1024
    assert MAX_LIMIT + 1 <= 10_000
