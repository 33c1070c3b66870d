"""The form of Kibana's saved objects: data views and saved searches, and what all kinds have in common.

The versions say in which form an object is written. Kibana moves older forms up when it imports them and
refuses newer ones, so each is the newest that Kibana 9.0 knows.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Saved = dict[str, Any]

DATA_VIEW, SEARCH, MAP, DASHBOARD = "index-pattern", "search", "map", "dashboard"
CORE_VERSION = "8.8.0"
TYPE_VERSIONS = {DATA_VIEW: "8.0.0", SEARCH: "10.5.0", MAP: "8.4.0", DASHBOARD: "10.2.0"}


@dataclass(frozen=True)
class View:
    """A data view: an index or alias, the field that time ranges mean, and how fields are shown.

    Args:
        id: of the saved object.
        index: the alias that it reads; never a pattern, as a rebuild leaves old indices behind.
        name: for people.
        time: the date field that a dashboard's time range limits; None where the latest state is kept.
        formats: how a field is shown, by field.
        hidden: fields that Discover leaves out, with ``*``.
    """

    id: str
    index: str
    name: str
    time: str | None
    formats: Mapping[str, Saved] = field(default_factory=dict)
    hidden: Sequence[str] = ()


def saved(kind: str, id_: str, attributes: Saved, references: Iterable[Saved] = ()) -> Saved:
    """Return a saved object as a line of an export has it."""
    return {
        "id": id_,
        "type": kind,
        "attributes": attributes,
        "references": list(references),
        "coreMigrationVersion": CORE_VERSION,
        "typeMigrationVersion": TYPE_VERSIONS[kind],
        "managed": False,
    }


def reference(name: str, kind: str, id_: str) -> Saved:
    """Return a reference to another saved object; ``name`` is where this one uses it."""
    return {"name": name, "type": kind, "id": id_}


def text(value: object) -> str:
    """Return JSON inside a string, as Kibana keeps most of what is not searched."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def kql(query: str = "") -> Saved:
    """Return a query in Kibana's own language."""
    return {"query": query, "language": "kuery"}


def data_view(view: View) -> Saved:
    """Return the saved object of a data view; it may exist before its index does."""
    attributes = {
        "title": view.index,
        "name": view.name,
        "fieldFormatMap": text(view.formats),
        "sourceFilters": text([{"value": each} for each in view.hidden]),
        "fields": "[]",
        "fieldAttrs": "{}",
        "runtimeFieldMap": "{}",
        "typeMeta": "{}",
        "allowNoIndex": True,
        "allowHidden": False,
    }
    if view.time:
        attributes["timeFieldName"] = view.time
    return saved(DATA_VIEW, view.id, attributes)


INDEX_REFERENCE = "kibanaSavedObjectMeta.searchSourceJSON.index"


def saved_search(
    id_: str,
    title: str,
    view: View,
    columns: Sequence[str],
    *,
    description: str,
    query: str = "",
    newest: str | None = None,
    by: str | None = None,
) -> Saved:
    """Return a saved search of Discover.

    Args:
        id_: of the saved object.
        title: for people.
        view: what is searched.
        columns: the fields shown.
        description: what it answers.
        query: in KQL; default everything.
        newest: the date field to sort by, newest first; default the view's time.
        by: the field by which the histogram is split.
    """
    source = {"query": kql(query), "filter": [], "indexRefName": INDEX_REFERENCE}
    attributes = {
        "title": title,
        "description": description,
        "columns": list(columns),
        "sort": [[newest or view.time, "desc"]],
        "grid": {},
        "hideChart": view.time is None,
        "isTextBasedQuery": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(source)},
    }
    if by:
        attributes["breakdownField"] = by
    return saved(SEARCH, id_, attributes, [reference(INDEX_REFERENCE, DATA_VIEW, view.id)])


def link() -> Saved:
    """Return the format of an address, shown as a link that opens in a new tab."""
    return {"id": "url", "params": {"type": "a", "openLinkInCurrentTab": False}}


def link_to(template: str) -> Saved:
    """Return the format of an id that is a link; ``{{value}}`` in the template stands for it."""
    return {"id": "url", "params": {"type": "a", "urlTemplate": template, "openLinkInCurrentTab": False}}


def duration() -> Saved:
    """Return the format of milliseconds, shown as seconds, minutes or hours."""
    shown = {
        "inputFormat": "milliseconds",
        "outputFormat": "humanizePrecise",
        "outputPrecision": 1,
        "showSuffix": True,
        "useShortSuffix": True,
        "includeSpaceWithSuffix": True,
    }
    return {"id": "duration", "params": shown}


def moment() -> Saved:
    """Return the format of a date, to the second."""
    return {"id": "date", "params": {"pattern": "YYYY-MM-DD HH:mm:ss"}}


def number() -> Saved:
    """Return the format of a count."""
    return {"id": "number", "params": {"pattern": "0,0"}}
