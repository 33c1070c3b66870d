"""Saved objects taken apart: their panels, layers and controls, and the fields that each uses."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kibana.kql import fields_of
from kibana.lens_aggs import columns_of

Json = dict[str, Any]

RECORDS = "___records___"
DATES, NUMBERS, STRINGS = {"date"}, {"long", "integer", "float", "double", "short"}, {"keyword"}
GROUPED = DATES | NUMBERS | STRINGS | {"boolean", "ip"}
POINTS = {"geo_point"}
ANY = GROUPED | POINTS | {"text", "flattened"}
TYPES_FOR = {
    "terms": GROUPED,
    "unique_count": GROUPED,
    "date_histogram": DATES,
    "median": NUMBERS,
    "percentile": NUMBERS,
    "max": NUMBERS | DATES,
    "min": NUMBERS | DATES,
    "last_value": GROUPED | {"text"},
}
"""The types of Elasticsearch that an operation of Lens can use."""


@dataclass(frozen=True)
class Use:
    """A field as an object uses it."""

    where: str
    view: str
    field: str
    types: frozenset[str]


def by_id(objects: Iterable[Json]) -> dict[tuple[str, str], Json]:
    """Return saved objects by type and id."""
    return {(each["type"], each["id"]): each for each in objects}


def of_type(objects: Iterable[Json], kind: str) -> list[Json]:
    """Return the saved objects of a type."""
    return [each for each in objects if each["type"] == kind]


def panels(dashboard: Json) -> list[Json]:
    """Return the panels of a dashboard."""
    found: list[Json] = json.loads(dashboard["attributes"]["panelsJSON"])
    return found


def controls(dashboard: Json) -> list[Json]:
    """Return the controls of a dashboard, in their order."""
    group = dashboard["attributes"].get("controlGroupInput", {"panelsJSON": "{}"})
    found: dict[str, Json] = json.loads(group["panelsJSON"])
    return sorted(found.values(), key=lambda each: int(each["order"]))


def layers(map_: Json) -> list[Json]:
    """Return the layers of a map that show a data view."""
    found = json.loads(map_["attributes"]["layerListJSON"])
    return [each for each in found if "indexPatternRefName" in each["sourceDescriptor"]]


def target(saved: Json, name: str) -> str:
    """Return the id that a reference of an object leads to."""
    (found,) = [str(each["id"]) for each in saved["references"] if each["name"] == name]
    return found


def lens_panels(objects: Iterable[Json]) -> Iterator[tuple[str, Json, str]]:
    """Yield what each Lens panel is called, its attributes and the id of its data view."""
    for each in of_type(objects, "dashboard"):
        for panel in panels(each):
            if panel["type"] == "lens":
                (reference,) = panel["embeddableConfig"]["attributes"]["references"]
                view = target(each, f"{panel['panelIndex']}:{reference['name']}")
                yield f"{each['id']} {panel['panelIndex']}", panel["embeddableConfig"]["attributes"], view


def search_query(search: Json) -> str:
    """Return the KQL of a saved search."""
    source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    return str(source["query"]["query"])


def uses(objects: list[Json]) -> list[Use]:
    """Return every use of a field."""
    return [
        *(use for each in of_type(objects, "index-pattern") for use in _of_view(each)),
        *(use for each in of_type(objects, "search") for use in _of_search(each)),
        *(use for each in of_type(objects, "map") for use in _of_map(each)),
        *(use for each in of_type(objects, "dashboard") for use in _of_controls(each)),
        *(use for each in lens_panels(objects) for use in _of_lens(*each)),
    ]


def _of_view(view: Json) -> Iterator[Use]:
    attributes, where = view["attributes"], f"data view {view['id']}"
    for field in json.loads(attributes["fieldFormatMap"]):
        yield Use(where, view["id"], field, frozenset(ANY))
    if "timeFieldName" in attributes:
        yield Use(where, view["id"], attributes["timeFieldName"], frozenset(DATES))


def _of_search(search: Json) -> Iterator[Use]:
    attributes, where = search["attributes"], f"search {search['id']}"
    view = target(search, "kibanaSavedObjectMeta.searchSourceJSON.index")
    for field in (*attributes["columns"], *fields_of(search_query(search))):
        yield Use(where, view, field, frozenset(ANY))
    for field, _ in attributes["sort"]:
        yield Use(where, view, field, frozenset(GROUPED))
    if "breakdownField" in attributes:
        yield Use(where, view, attributes["breakdownField"], frozenset(STRINGS))


def _of_map(map_: Json) -> Iterator[Use]:
    for layer in layers(map_):
        source, where = layer["sourceDescriptor"], f"map {map_['id']} {layer['id']}"
        view = target(map_, source["indexPatternRefName"])
        yield Use(where, view, source["geoField"], frozenset(POINTS))
        for field in source.get("tooltipProperties", ()):
            yield Use(where, view, field, frozenset(ANY))
        for each in source.get("metrics", ()):
            if "field" in each:
                yield Use(where, view, each["field"], frozenset(GROUPED))


def _of_controls(dashboard: Json) -> Iterator[Use]:
    for each in controls(dashboard):
        id_ = each["explicitInput"]["id"]
        view = target(dashboard, f"controlGroup_{id_}:optionsListDataView")
        yield Use(f"control {id_}", view, each["explicitInput"]["fieldName"], frozenset(STRINGS))


def _of_lens(where: str, attributes: Json, view: str) -> Iterator[Use]:
    for field in fields_of(attributes["state"]["query"]["query"]):
        yield Use(where, view, field, frozenset(ANY))
    for each in columns_of(attributes).values():
        if each["sourceField"] != RECORDS:
            yield Use(where, view, each["sourceField"], frozenset(TYPES_FOR[each["operationType"]]))
        if "filter" in each:
            for field in fields_of(each["filter"]["query"]):
                yield Use(where, view, field, frozenset(ANY))
        if "sortField" in each["params"]:
            yield Use(where, view, each["params"]["sortField"], frozenset(DATES))


def field_types(properties: Json, prefix: str = "") -> dict[str, str]:
    """Return the types of a mapping's fields by their full names; what lies inside nested ones is left out.

    Kibana's visualisations do not reach into nested fields.
    """
    found: dict[str, str] = {}
    for name, field in properties.items():
        path = f"{prefix}{name}"
        if field.get("type") == "nested":
            continue
        if "type" in field:
            found[path] = field["type"]
        for inner in ("properties", "fields"):
            found |= field_types(field.get(inner, {}), f"{path}.")
    return found
