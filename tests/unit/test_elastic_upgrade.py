"""What an index lacks of today's mappings, and what it has in another way."""

from typing import Any

import pytest

from newswire_index.elastic.mapping import article_mappings
from newswire_index.elastic.upgrade import conflicts, flat, lacking

pytestmark = pytest.mark.unit

KEYWORD = {"type": "keyword", "ignore_above": 10}


def mappings(**fields: Any) -> dict[str, Any]:
    """Return mappings of these fields."""
    return {"dynamic": "strict", "properties": fields}


def test_equal_mappings_lack_nothing() -> None:
    """The usual case."""
    assert lacking(article_mappings(), article_mappings()) == []
    assert conflicts(article_mappings(), article_mappings()) == []


def test_a_new_field_is_lacking_wherever_it_stands() -> None:
    """At the root, in an object, as a multi-field."""
    theirs = mappings(a=KEYWORD, o={"properties": {"x": KEYWORD}})
    ours = mappings(
        a={**KEYWORD, "fields": {"folded": KEYWORD}},
        b=KEYWORD,
        o={"properties": {"x": KEYWORD, "y": KEYWORD}},
    )

    assert lacking(theirs, ours) == ["a.folded", "b", "o.y"]
    assert conflicts(theirs, ours) == []


@pytest.mark.parametrize(
    "field",
    [
        {"type": "text"},
        {**KEYWORD, "normalizer": "folded"},
        {**KEYWORD, "index": False},
        {"properties": {"x": KEYWORD}},
    ],
)
def test_a_field_of_another_kind_is_a_conflict(field: dict[str, Any]) -> None:
    """Elasticsearch would refuse it: the index has to be made anew."""
    assert conflicts(mappings(a=KEYWORD), mappings(a=field)) == ["a"]
    assert conflicts(
        mappings(o={"properties": {"a": KEYWORD}}), mappings(o={"properties": {"a": field}})
    ) == ["o.a"]


def test_what_may_change_is_lacking_and_no_conflict() -> None:
    """The length up to which strings are indexed is such a parameter."""
    ours = mappings(a={**KEYWORD, "ignore_above": 20})

    assert lacking(mappings(a=KEYWORD), ours) == ["a"]
    assert conflicts(mappings(a=KEYWORD), ours) == []


def test_an_older_mark_is_brought_up_to_date() -> None:
    """So that the index says which mappings it has."""
    theirs, ours = ({**mappings(), "_meta": {"version": number}} for number in (1, 2))

    assert lacking(theirs, ours) == ["_meta"]


def test_what_is_kept_of_a_document_cannot_be_changed() -> None:
    """What was not kept is not there."""
    less = {**mappings(), "_source": {"excludes": ["in"]}}

    assert conflicts(mappings(), less) == conflicts(less, mappings()) == ["_source"]


def test_a_field_that_we_no_longer_have_is_left_in_peace() -> None:
    """Nothing can take it out of an index, and it does no harm."""
    assert lacking(mappings(a=KEYWORD, old=KEYWORD), mappings(a=KEYWORD)) == []
    assert conflicts(mappings(a=KEYWORD, old=KEYWORD), mappings(a=KEYWORD)) == []


def test_what_users_added_at_the_root_is_left_in_peace() -> None:
    """By their own component template."""
    theirs = {**mappings(a=KEYWORD), "dynamic_templates": [], "runtime": {"r": {"type": "long"}}}

    assert lacking(theirs, mappings(a=KEYWORD)) == []
    assert conflicts(theirs, mappings(a=KEYWORD)) == []


def test_settings_are_compared_as_elasticsearch_shows_them() -> None:
    """By their full names, as strings."""
    shown = flat(
        {"index.analysis": {"filter": {"x": {"type": "stop", "keep": True, "words": ["a", 1]}}}, "n": 2}
    )

    assert shown == {
        "index.analysis.filter.x.type": "stop",
        "index.analysis.filter.x.keep": "true",
        "index.analysis.filter.x.words": ["a", "1"],
        "n": "2",
    }
