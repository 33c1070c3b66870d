"""The tests' own reading of KQL: what Kibana sends for it, and refusal of all else."""

from typing import Any

import pytest
from kibana.kql import UnknownKqlError, fields_of, to_query

pytestmark = pytest.mark.unit

OUTLET = {"match_phrase": {"outlet": "The Courier"}}
TOPIC = {"match": {"topics": "sport"}}
THERE = {"exists": {"field": "handled"}}


def any_of(*queries: dict[str, Any]) -> dict[str, Any]:
    """Return what an ``or`` becomes."""
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


@pytest.mark.parametrize(
    ("kql", "query"),
    [
        ("", {"match_all": {}}),
        ("  ", {"match_all": {}}),
        ("Berlin", {"multi_match": {"type": "best_fields", "query": "Berlin", "lenient": True}}),
        ('"NATO bid"', {"multi_match": {"type": "phrase", "query": "NATO bid", "lenient": True}}),
        ('outlet: "The Courier"', OUTLET),
        ("topics:sport", TOPIC),
        ("handled: *", THERE),
        ("title.keyword : *", {"exists": {"field": "title.keyword"}}),
        ('title: "say \\"yes\\""', {"match_phrase": {"title": 'say "yes"'}}),
        ("failures > 0", {"range": {"failures": {"gt": "0"}}}),
        ("at >= now-1d", {"range": {"at": {"gte": "now-1d"}}}),
        ("words<10", {"range": {"words": {"lt": "10"}}}),
        ("words <= 10", {"range": {"words": {"lte": "10"}}}),
        ("not handled: *", {"bool": {"must_not": [THERE]}}),
        ("not last >= now-1d", {"bool": {"must_not": [{"range": {"last": {"gte": "now-1d"}}}]}}),
        ('topics: sport and outlet: "The Courier"', {"bool": {"filter": [TOPIC, OUTLET]}}),
        ('topics: sport OR outlet: "The Courier"', any_of(TOPIC, OUTLET)),
        ('topics: (sport or "The Courier")', any_of(TOPIC, {"match_phrase": {"topics": "The Courier"}})),
        (
            'handled: * or topics: sport and outlet: "The Courier"',
            any_of(THERE, {"bool": {"filter": [TOPIC, OUTLET]}}),
        ),
        (
            '(handled: * or topics: sport) and outlet: "The Courier"',
            {"bool": {"filter": [any_of(THERE, TOPIC), OUTLET]}},
        ),
    ],
)
def test_kql_becomes_what_kibana_sends(kql: str, query: dict[str, Any]) -> None:
    """Words, phrases, ranges, presence, and how they are joined."""
    assert to_query(kql) == query


@pytest.mark.parametrize(
    "kql",
    [
        "Berlin talks",
        '"NATO bid" "Berlin"',
        "Ber*",
        "tit*: x",
        "title: Ber*",
        "title:",
        "title: x y",
        "title: (a or b",
        "title: (a and b)",
        "(title: a",
        "title: a)",
        "title: a and",
        "and title: a",
        "entity: { name: NATO }",
        'title: "open',
        "not",
        "title > and",
    ],
)
def test_what_is_not_known_is_refused(kql: str) -> None:
    """Words in a row, wildcards, nested fields and broken queries: none slips through unchecked."""
    with pytest.raises(UnknownKqlError):
        to_query(kql)


def test_the_fields_of_a_query_are_found_wherever_they_stand() -> None:
    """In either branch, behind a not, in ranges."""
    query = 'word or a: 1 or (b: "x" and not c: *) or d > 3 or e: (1 or 2)'

    assert fields_of(query) == {"a", "b", "c", "d", "e"}
    assert fields_of("") == set()
