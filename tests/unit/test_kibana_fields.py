"""Every field that the saved objects use: there is one, of a type that can be used so."""

import fnmatch
import json
from collections.abc import Iterator
from typing import Any

import pytest
from kibana.lens_aggs import columns_of
from kibana.reading import RECORDS, Use, field_types, lens_panels, of_type, uses

from newswire_index.elastic.mapping import article_mappings
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.security import reader_role
from newswire_index.kibana.objects import objects
from newswire_index.operations.mapping import OPERATIONS_MAPPINGS

pytestmark = pytest.mark.unit

ALL = objects()
MAPPINGS = {ARTICLES: article_mappings(), **OPERATIONS_MAPPINGS}
KIBANA_TYPES = {
    "keyword": "string", "text": "string", "date": "date", "boolean": "boolean",
    "long": "number", "integer": "number", "float": "number",
}  # fmt: skip


def types_of(view: str) -> dict[str, str]:
    """Return the fields of a data view with their types."""
    (found,) = [each for each in of_type(ALL, "index-pattern") if each["id"] == view]
    return field_types(MAPPINGS[found["attributes"]["title"].removeprefix("newswire-")]["properties"])


def wrong(found: list[Use]) -> Iterator[str]:
    """Yield a line for each use of a field that is none, or not of a type that can be used so."""
    for use in found:
        type_ = types_of(use.view).get(use.field)
        if type_ not in use.types:
            yield f"{use.where}: {use.field} is {type_ or 'no field'}"


def test_every_field_can_be_used_as_it_is() -> None:
    """Of data views, searches, maps, controls and panels: groups, numbers, dates, points."""
    found = uses(ALL)

    assert list(wrong(found)) == []
    assert len(found) > 150, "the objects were not taken apart"


def test_uses_are_found_in_every_kind_of_object() -> None:
    """Otherwise the check above would pass by looking at nothing."""
    kinds = {use.where.split(" ")[0] for use in uses(ALL)}
    boards = {each["id"] for each in of_type(ALL, "dashboard")}

    assert kinds == {"data", "search", "map", "control"} | boards


@pytest.mark.parametrize(
    ("field", "types", "said"),
    [
        ("headline", {"keyword"}, "headline is no field"),
        ("title", {"keyword"}, "title is text"),
        ("entity.name", {"keyword"}, "entity.name is no field"),
        ("words", {"date"}, "words is integer"),
    ],
)
def test_a_wrong_use_is_said(field: str, types: set[str], said: str) -> None:
    """A misspelt field, words where groups are wanted, nested fields, a number for a date."""
    use = Use("panel", "newswire-view-articles", field, frozenset(types))

    assert list(wrong([use])) == [f"panel: {said}"]


@pytest.mark.parametrize(
    ("where", "attributes", "view"), list(lens_panels(ALL)), ids=lambda each: str(each)[:60]
)
def test_a_column_has_the_type_of_its_field(where: str, attributes: dict[str, Any], view: str) -> None:
    """Lens draws what it is told, not what comes; counts are numbers."""
    known = types_of(view)
    counted = {"count", "unique_count"}
    expected = {
        name: "number" if each["operationType"] in counted else KIBANA_TYPES[known[each["sourceField"]]]
        for name, each in columns_of(attributes).items()
    }

    assert {name: each["dataType"] for name, each in columns_of(attributes).items()} == expected, where
    assert all(
        each["sourceField"] != RECORDS or each["operationType"] == "count"
        for each in columns_of(attributes).values()
    )


def test_time_ranges_limit_what_has_a_time() -> None:
    """Articles by their date or arrival; the latest status of feeds always shows."""
    times = {
        each["id"].removeprefix("newswire-view-"): each["attributes"].get("timeFieldName")
        for each in of_type(ALL, "index-pattern")
    }

    assert times == {
        "articles": "dated_at", "arrivals": "indexed_at", "feeds": None, "outcomes": "at",
        "dead-letters": "at",
    }  # fmt: skip


def test_fields_that_are_hidden_are_there() -> None:
    """A pattern that hides nothing is a misspelt one."""
    for view in of_type(ALL, "index-pattern"):
        patterns = [each["value"] for each in json.loads(view["attributes"]["sourceFilters"])]
        names = list(types_of(view["id"]))

        assert [each for each in patterns if not fnmatch.filter(names, each)] == []


def test_words_are_not_hidden_with_the_copies_for_searching() -> None:
    """Who reads an article in Discover sees title, text and names of entities."""
    (view,) = [each for each in ALL if each["id"] == "newswire-view-articles"]
    patterns = [each["value"] for each in json.loads(view["attributes"]["sourceFilters"])]
    shown = {
        name for name in types_of(view["id"]) if not any(fnmatch.fnmatch(name, each) for each in patterns)
    }

    assert {
        "title",
        "text",
        "url",
        "outlet",
        "entities.person",
        "topics",
        "lag_ms.published_to_indexed",
    } <= shown
    assert not {"in.en.text", "names", "topic_words", "entities.key", "outlet.folded"} & shown


@pytest.mark.parametrize("prefix", ["", "staging-"])
def test_readers_may_read_every_data_view(prefix: str) -> None:
    """By the role that they are given; nobody needs more to see the dashboards."""
    role = reader_role(ElasticNames(prefix))
    allowed = {name for each in role["indices"] if "read" in each["privileges"] for name in each["names"]}

    assert {each["attributes"]["title"] for each in of_type(objects(prefix), "index-pattern")} <= allowed
