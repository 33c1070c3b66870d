"""Dashboards: panels laid out in rows, with the controls above them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from newswire_index.kibana.form import DASHBOARD, DATA_VIEW, Saved, View, kql, reference, saved, text
from newswire_index.kibana.lens import Lens

WIDTH = 48  # columns of Kibana's grid


@dataclass(frozen=True)
class Panel:
    """What stands on a dashboard: a visualisation, or a saved object such as a search or map.

    Args:
        id: of the panel, unique on its dashboard.
        width: in columns of the grid, 48 a row.
        shows: a visualisation, or another saved object.
        title: of a saved object's panel.
    """

    id: str
    width: int
    shows: Lens | Saved
    title: str = ""


@dataclass(frozen=True)
class Row:
    """Panels beside each other, of one height."""

    height: int
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Control:
    """A list of a field's values to choose from."""

    id: str
    title: str
    field: str
    view: View


@dataclass(frozen=True)
class Shown:
    """The time that a dashboard shows when it is opened, and how often it asks again."""

    since: str = "now-30d"
    refresh_seconds: int = 0


def dashboard(
    id_: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    controls: Sequence[Control] = (),
    shown: Shown = Shown(),
) -> Saved:
    """Return the saved object of a dashboard."""
    panels = list(_placed(rows))
    attributes: dict[str, Any] = {
        "title": title,
        "description": description,
        "timeRestore": True,
        "timeFrom": shown.since,
        "timeTo": "now",
        "refreshInterval": {
            "pause": not shown.refresh_seconds,
            "value": (shown.refresh_seconds or 60) * 1000,
        },
        "kibanaSavedObjectMeta": {"searchSourceJSON": text({"query": kql(), "filter": []})},
        "optionsJSON": text(
            {
                "useMargins": True,
                "syncColors": True,
                "syncCursor": True,
                "syncTooltips": False,
                "hidePanelTitles": False,
            }
        ),
        "panelsJSON": text([panel for panel, _ in panels]),
        "version": 1,
    }
    needed = [each for _, references in panels for each in references]
    if controls:
        attributes["controlGroupInput"] = _group(controls)
        needed += [
            reference(f"controlGroup_{each.id}:optionsListDataView", DATA_VIEW, each.view.id)
            for each in controls
        ]
    return saved(DASHBOARD, id_, attributes, needed)


def _placed(rows: Sequence[Row]) -> Iterator[tuple[Saved, list[Saved]]]:
    """Yield panels as a dashboard keeps them, each with its references."""
    y = 0
    for row in rows:
        x = 0
        for panel in row.panels:
            where = {"x": x, "y": y, "w": panel.width, "h": row.height, "i": panel.id}
            yield _panel(panel, where)
            x += panel.width
        if x > WIDTH:
            raise ValueError(f"a row is {x} columns wide, the grid has {WIDTH}")
        y += row.height


def _panel(panel: Panel, where: Saved) -> tuple[Saved, list[Saved]]:
    found: Saved = {"gridData": where, "panelIndex": panel.id}
    if isinstance(panel.shows, Lens):
        config = {"attributes": panel.shows.attributes(), "enhancements": {}}
        needed = [{**each, "name": f"{panel.id}:{each['name']}"} for each in panel.shows.references()]
        return found | {"type": "lens", "title": panel.shows.title, "embeddableConfig": config}, needed
    kind, id_ = panel.shows["type"], panel.shows["id"]
    name = f"panel_{panel.id}"
    found |= {
        "type": kind,
        "title": panel.title,
        "panelRefName": name,
        "embeddableConfig": {"enhancements": {}},
    }
    return found, [reference(f"{panel.id}:{name}", kind, id_)]


def _group(controls: Sequence[Control]) -> Saved:
    """Return the controls as a dashboard keeps them: each narrows what the next ones offer."""
    obeyed = ("ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations")
    return {
        "controlStyle": "oneLine",
        "chainingSystem": "HIERARCHICAL",
        "showApplySelections": False,
        "ignoreParentSettingsJSON": text(dict.fromkeys(obeyed, False)),
        "panelsJSON": text({each.id: _control(each, order) for order, each in enumerate(controls)}),
    }


def _control(control: Control, order: int) -> Saved:
    chosen = {
        "id": control.id,
        "title": control.title,
        "fieldName": control.field,
        "searchTechnique": "wildcard",
        "selectedOptions": [],
        "sort": {"by": "_count", "direction": "desc"},
        "enhancements": {},
    }
    return {
        "type": "optionsListControl",
        "order": order,
        "grow": True,
        "width": "medium",
        "explicitInput": chosen,
    }
