"""The saved objects: their form as Kibana 9 takes it, and what they say of each other."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from kibana.fake import NEWEST
from kibana.lens_aggs import columns_of
from kibana.reading import by_id, controls, layers, lens_panels, of_type, panels

from newswire.errors import SettingsError
from newswire_index.kibana import objects as kibana_objects
from newswire_index.kibana.dashboard import Panel, Row, dashboard
from newswire_index.kibana.form import View
from newswire_index.kibana.lens import count, lens_metric
from newswire_index.kibana.objects import ndjson, objects

pytestmark = pytest.mark.unit

Json = dict[str, Any]

ALL = objects()
REQUIRED = {
    "index-pattern": {"title", "name", "fieldFormatMap", "sourceFilters", "fields", "allowNoIndex"},
    "search": {"title", "description", "columns", "sort", "kibanaSavedObjectMeta"},
    "map": {"title", "description", "mapStateJSON", "layerListJSON", "uiStateJSON"},
    "dashboard": {"title", "description", "panelsJSON", "optionsJSON", "timeFrom", "timeTo", "timeRestore"},
}
ALLOWED = {
    "index-pattern": {"timeFieldName", "fieldAttrs", "runtimeFieldMap", "typeMeta", "allowHidden"},
    "search": {"grid", "hideChart", "isTextBasedQuery", "breakdownField"},
    "map": set(),
    "dashboard": {"refreshInterval", "kibanaSavedObjectMeta", "controlGroupInput", "version"},
}
JSON_STRINGS = {"fieldFormatMap", "sourceFilters", "fields", "fieldAttrs", "runtimeFieldMap", "typeMeta"}
ACCESSORS = {"xAccessor", "splitAccessor", "metricAccessor", "tagAccessor", "valueAccessor", "columnId"}
LISTS = {"accessors", "primaryGroups", "metrics"}

each_object = pytest.mark.parametrize("saved", ALL, ids=lambda each: f"{each['type']}/{each['id']}")
each_dashboard = pytest.mark.parametrize("board", of_type(ALL, "dashboard"), ids=lambda each: each["id"])


def test_the_checked_in_file_is_what_the_builders_make() -> None:
    """Who imports it by hand gets the same."""
    found = kibana_objects.FILE.read_text(encoding="utf-8")

    assert found == ndjson(ALL), "run: python -m newswire_index.kibana.objects"
    assert [json.loads(line) for line in found.splitlines()] == ALL


def test_it_holds_what_was_asked_for() -> None:
    """Three dashboards, a map, the searches by name, and a data view of each kind."""
    names = {kind: [each["attributes"]["title"] for each in of_type(ALL, kind)] for kind in REQUIRED}

    assert names["dashboard"] == ["Newswire: Coverage", "Newswire: Topic watch", "Newswire: Operations"]
    assert names["map"] == ["Newswire: Places"]
    assert {
        f"Newswire: {name}" for name in ("NATO bid", "Berlin talks", "Latest by outlet", "Failing feeds")
    } < set(names["search"])
    assert Counter(names["index-pattern"]) == {
        "newswire-articles": 2, "newswire-feed-status": 1, "newswire-outcomes": 1, "newswire-dead-letters": 1,
    }  # fmt: skip


@each_object
def test_an_object_has_the_form_of_its_type(saved: Json) -> None:
    """What must be there is, and nothing that Kibana's schema of that form would refuse."""
    kind = saved["type"]

    assert saved.keys() == {
        "id", "type", "attributes", "references", "coreMigrationVersion", "typeMigrationVersion", "managed",
    }  # fmt: skip
    assert REQUIRED[kind] <= saved["attributes"].keys() <= REQUIRED[kind] | ALLOWED[kind]
    assert saved["attributes"]["title"]


@each_object
def test_an_object_is_written_in_a_form_that_kibana_9_0_knows(saved: Json) -> None:
    """Older forms are moved up on import, newer ones refused; so it is the newest of 9.0 itself."""
    major, minor, _ = (int(part) for part in saved["typeMigrationVersion"].split("."))

    assert (major, minor) == NEWEST[saved["type"]]
    assert saved["coreMigrationVersion"] == "8.8.0"


def strings_of_json(value: object, name: str = "") -> Iterator[str]:
    """Yield every string that must be JSON, wherever it is."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from strings_of_json(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of_json(inner)
    elif isinstance(value, str) and (name.endswith("JSON") or name in JSON_STRINGS):
        yield value


@each_object
def test_strings_that_hold_json_can_be_read(saved: Json) -> None:
    """At least one in each object."""
    found = list(strings_of_json(saved["attributes"]))

    assert found
    assert all(json.loads(each) is not None for each in found)


def test_ids_are_ours_and_different() -> None:
    """Ids are for ever: an import finds by them what it replaces."""
    keys = [(each["type"], each["id"]) for each in ALL]

    assert len(set(keys)) == len(keys)
    assert all(each["id"].startswith("newswire-") for each in ALL)


@each_object
def test_references_lead_to_objects_of_the_file(saved: Json) -> None:
    """Which come before it, so that an importer who takes line by line is served too."""
    before = ALL[: ALL.index(saved)]
    known = by_id(before).keys()

    assert [each for each in saved["references"] if (each["type"], each["id"]) not in known] == []
    assert len({each["name"] for each in saved["references"]}) == len(saved["references"])


def needed(saved: Json) -> list[str]:
    """Return the names of the references that an object's attributes use."""
    if saved["type"] == "search":
        return [json.loads(saved["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["indexRefName"]]
    if saved["type"] == "map":
        return [layer["sourceDescriptor"]["indexPatternRefName"] for layer in layers(saved)]
    if saved["type"] == "dashboard":
        lists = [
            f"controlGroup_{each['explicitInput']['id']}:optionsListDataView" for each in controls(saved)
        ]
        return [name for panel in panels(saved) for name in needed_by(panel)] + lists
    return []


def needed_by(panel: Json) -> list[str]:
    """Return the names of the references that a panel uses."""
    if "panelRefName" in panel:
        return [f"{panel['panelIndex']}:{panel['panelRefName']}"]
    layers_ = panel["embeddableConfig"]["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]
    return [f"{panel['panelIndex']}:indexpattern-datasource-layer-{id_}" for id_ in layers_]


@each_object
def test_references_are_those_that_are_used(saved: Json) -> None:
    """None is missing, and none is left over."""
    assert [each["name"] for each in saved["references"]] == needed(saved)


@each_object
def test_an_object_in_a_panel_is_of_the_panels_type(saved: Json) -> None:
    """A map is drawn as a map."""
    types = {each["name"]: each["type"] for each in saved["references"]}
    found = (
        [panel for panel in panels(saved) if "panelRefName" in panel] if saved["type"] == "dashboard" else []
    )

    assert [types[name] for panel in found for name in needed_by(panel)] == [panel["type"] for panel in found]


@each_dashboard
def test_panels_lie_side_by_side_in_the_grid(board: Json) -> None:
    """48 columns, none over another, each with a title and an id of its own."""
    placed = [(panel, panel["gridData"]) for panel in panels(board)]

    assert all(grid["i"] == panel["panelIndex"] for panel, grid in placed)
    assert len({panel["panelIndex"] for panel, _ in placed}) == len(placed)
    assert all(panel["title"] for panel, _ in placed)
    assert all(grid["x"] >= 0 and grid["x"] + grid["w"] <= 48 and grid["h"] >= 4 for _, grid in placed)
    assert [pair for pair in combinations([grid for _, grid in placed], 2) if overlap(*pair)] == []


def overlap(one: Json, other: Json) -> bool:
    """Say whether two panels share a cell of the grid."""
    across = one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
    down = one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]
    return bool(across and down)


def test_a_row_that_is_too_wide_is_refused() -> None:
    """Kibana would push its panels over each other."""
    shown = lens_metric("t", View("v", "i", "n", None), count("n"))
    row = Row(6, [Panel("a", 30, shown), Panel("b", 30, shown)])

    with pytest.raises(ValueError, match="60 columns"):
        dashboard("d", "t", "", [row])


def accessors(value: object, name: str = "") -> Iterator[str]:
    """Yield the columns that a drawing speaks of."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from accessors(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from [inner] if name in LISTS else accessors(inner)
    elif name in ACCESSORS:
        yield str(value)


@pytest.mark.parametrize(
    ("where", "attributes", "view"), list(lens_panels(ALL)), ids=lambda each: str(each)[:60]
)
def test_a_drawing_shows_the_columns_that_it_has(where: str, attributes: Json, view: str) -> None:
    """All of them, and none that is not there; its layer is the one of the data."""
    state = attributes["state"]
    (layer,) = state["datasourceStates"]["formBased"]["layers"]
    drawn = state["visualization"]
    shown = [drawn, *drawn.get("layers", [])]

    assert sorted(accessors(drawn)) == sorted(columns_of(attributes)), where
    assert {each["layerId"] for each in shown if "layerId" in each} == {layer}
    assert view in {each["id"] for each in of_type(ALL, "index-pattern")}
    assert [each["id"] for each in attributes["references"]] == [view]


def test_the_dashboards_answer_what_they_should() -> None:
    """Panel by panel, as the issue lists them."""
    titles = {board["attributes"]["title"]: {panel["title"] for panel in panels(board)} for board in ALL[-3:]}

    assert titles["Newswire: Coverage"] >= {
        "Volume over time by topic", "Top people", "Top organisations", "Top places", "Languages",
        "Articles by outlet", "Map of places", "Latest articles",
    }  # fmt: skip
    assert titles["Newswire: Topic watch"] >= {"Timeline by outlet", "Mentioned together", "Outlets compared"}
    assert titles["Newswire: Operations"] >= {
        "Published to searchable, percentiles", "Outcomes by reason", "Feed health by outlet",
        "Silent outlets", "Dead letters to be handled",
    }  # fmt: skip


def test_topic_watch_is_controlled_by_topic_entity_language_and_outlet() -> None:
    """In this order, each list narrowing the next."""
    (board,) = [each for each in ALL if each["id"] == "newswire-dashboard-topic-watch"]
    group = board["attributes"]["controlGroupInput"]

    assert [each["explicitInput"]["fieldName"] for each in controls(board)] == [
        "topics", "entities.name", "language", "outlet",
    ]  # fmt: skip
    assert group["chainingSystem"] == "HIERARCHICAL"
    assert set(json.loads(group["ignoreParentSettingsJSON"]).values()) == {False}
    assert all(key == each["explicitInput"]["id"] for key, each in json.loads(group["panelsJSON"]).items())


def test_fields_are_shown_as_what_they_are() -> None:
    """Addresses as links, lags as durations, moments as dates."""
    formats = {
        field: shown["id"]
        for view in of_type(ALL, "index-pattern")
        for field, shown in json.loads(view["attributes"]["fieldFormatMap"]).items()
    }

    assert {formats[field] for field in ("url", "canonical_url", "entities.wikidata")} == {"url"}
    assert {shown for field, shown in formats.items() if field.startswith("lag_ms.")} == {"duration"}
    assert {shown for field, shown in formats.items() if field.endswith("_at") or field == "at"} == {"date"}


def test_a_prefix_stands_before_ids_and_indices_and_in_titles() -> None:
    """Nothing of one deployment points at another's."""
    found = objects("staging-")
    ids = {each["id"] for each in found}

    assert ids == {f"staging-{each['id']}" for each in ALL}
    assert {each["id"] for saved in found for each in saved["references"]} <= ids
    assert all(each["attributes"]["title"].startswith("staging-") for each in of_type(found, "index-pattern"))
    assert all("Newswire staging: " in json.dumps(each["attributes"]) for each in found)
    assert '"newswire-' not in ndjson(found)


def test_a_prefix_that_no_index_may_have_is_refused() -> None:
    """As everywhere in the index service."""
    with pytest.raises(SettingsError, match="NEWSWIRE_PREFIX"):
        objects("Staging-")


def test_no_data_view_is_a_pattern() -> None:
    """Old indices stay after a rebuild; a pattern would count every article twice."""
    assert [each for each in of_type(ALL, "index-pattern") if "*" in each["attributes"]["title"]] == []
