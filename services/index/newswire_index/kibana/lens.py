"""Visualisations made with Lens, kept inside the dashboard that shows them.

A visualisation is columns, and the way they are drawn: buckets (top values, steps of time) first, then what
is counted in each. Columns are named by what they do in it: ``x``, ``split``, ``y0``; ``by0``, ``value0``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from newswire_index.kibana.form import DATA_VIEW, Saved, View, kql, reference

RECORDS = "___records___"  # what Lens counts where it counts documents
LAYER = "data"  # each of our visualisations has one layer


@dataclass(frozen=True)
class Column:
    """A column of Lens, apart from its name.

    Args:
        label: its heading.
        operation: of Lens.
        field: of the data view.
        params: of the operation.
        where: KQL that limits what this column alone counts.
        data: type of its values.
        bucketed: whether it makes groups.
    """

    label: str
    operation: str
    field: str
    params: Mapping[str, Any]
    where: str | None = None
    data: str = "number"
    bucketed: bool = False

    def state(self) -> Saved:
        """Return it as Lens keeps it."""
        interval = "interval" if self.operation == "date_histogram" else "ordinal"
        found: Saved = {
            "label": self.label,
            "customLabel": True,
            "dataType": self.data,
            "operationType": self.operation,
            "sourceField": self.field,
            "isBucketed": self.bucketed,
            "scale": interval if self.bucketed or self.data == "string" else "ratio",
            "params": dict(self.params),
        }
        return found | ({"filter": kql(self.where)} if self.where else {})


@dataclass(frozen=True)
class Lens:
    """A visualisation, ready to stand on a dashboard.

    Args:
        title: of the panel.
        view: what is looked at.
        kind: of drawing, as Lens calls it.
        columns: by their names, in their order.
        drawing: what Lens keeps of how it looks.
        where: KQL that limits what is looked at.
    """

    title: str
    view: View
    kind: str
    columns: Mapping[str, Column]
    drawing: Saved
    where: str = ""

    def only(self, where: str) -> "Lens":
        """Return the same, limited to what KQL finds."""
        return replace(self, where=where)

    def attributes(self) -> Saved:
        """Return it as a dashboard holds it."""
        layer = {
            "columns": {name: column.state() for name, column in self.columns.items()},
            "columnOrder": list(self.columns),
            "incompleteColumns": {},
            "sampling": 1,
        }
        state = {
            "visualization": self.drawing,
            "query": kql(self.where),
            "filters": [],
            "datasourceStates": {"formBased": {"layers": {LAYER: layer}}, "textBased": {"layers": {}}},
            "internalReferences": [],
            "adHocDataViews": {},
        }
        return {
            "title": self.title,
            "description": "",
            "type": "lens",
            "visualizationType": self.kind,
            "state": state,
            "references": self.references(),
        }

    def references(self) -> list[Saved]:
        """Return what it needs: the data view of its layer."""
        return [reference(f"indexpattern-datasource-layer-{LAYER}", DATA_VIEW, self.view.id)]


def count(label: str, where: str | None = None) -> Column:
    """Count documents."""
    return Column(label, "count", RECORDS, {"emptyAsNull": False}, where)


def unique(label: str, field_: str, where: str | None = None) -> Column:
    """Count different values."""
    return Column(label, "unique_count", field_, {"emptyAsNull": False}, where)


def median(label: str, field_: str) -> Column:
    """Take the median of a number."""
    return Column(label, "median", field_, {"emptyAsNull": True})


def percentile(label: str, field_: str, percent: int) -> Column:
    """Take a percentile of a number."""
    return Column(label, "percentile", field_, {"percentile": percent})


def earliest(label: str, field_: str) -> Column:
    """Take the first of a date."""
    return Column(label, "min", field_, {"emptyAsNull": True}, data="date")


def latest(label: str, field_: str) -> Column:
    """Take the last of a date."""
    return Column(label, "max", field_, {"emptyAsNull": True}, data="date")


def highest(label: str, field_: str) -> Column:
    """Take the largest of a number."""
    return Column(label, "max", field_, {"emptyAsNull": True})


def last_value(label: str, field_: str, by: str) -> Column:
    """Take a string of the document that is the last by a date; all of its values, if it has several."""
    params: Saved = {"sortField": by, "showArrayValues": True}
    return Column(label, "last_value", field_, params, where=f"{field_}: *", data="string")


def over_time(field_: str) -> Column:
    """Group by steps of time, as wide as suits the range that is looked at."""
    params = {"interval": "auto", "includeEmptyRows": True, "dropPartials": False}
    return Column("Time", "date_histogram", field_, params, data="date", bucketed=True)


def top(label: str, field_: str, size: int, *, least: bool = False, missing: bool = False) -> Column:
    """Group by a field's top values, by the first thing that is counted.

    Args:
        label: the heading.
        field_: its values make the groups.
        size: how many groups.
        least: those with the smallest value come first, and are taken.
        missing: whether documents without a value are a group too.
    """
    params: Saved = {
        "size": size,
        "orderDirection": "asc" if least else "desc",
        "otherBucket": False,
        "missingBucket": missing,
        "parentFormat": {"id": "terms"},
        "include": [],
        "exclude": [],
        "includeIsRegex": False,
        "excludeIsRegex": False,
    }
    return Column(label, "terms", field_, params, data="string", bucketed=True)


def lens_xy(
    title: str, view: View, series: str, x: Column, values: Sequence[Column], split: Column | None = None
) -> Lens:
    """Draw bars, lines or areas.

    Args:
        title: of the panel.
        view: what is counted.
        series: such as ``bar_stacked``, ``bar_horizontal``, ``line``.
        x: the groups along the axis.
        values: what is drawn.
        split: groups that get a colour each.
    """
    counted = {f"y{number}": column for number, column in enumerate(values)}
    groups = ({"split": split} if split else {}) | {"x": x}
    layer = {
        "layerId": LAYER,
        "layerType": "data",
        "seriesType": series,
        "xAccessor": "x",
        "accessors": list(counted),
        "position": "top",
        "showGridlines": False,
    }
    shown = {"x": True, "yLeft": True, "yRight": True}
    drawing = {
        "legend": {"isVisible": split is not None or len(values) > 1, "position": "right"},
        "valueLabels": "hide",
        "fittingFunction": "Linear" if series == "line" else "None",
        "preferredSeriesType": series,
        "axisTitlesVisibilitySettings": {"x": False, "yLeft": False, "yRight": False},
        "tickLabelsVisibilitySettings": shown,
        "gridlinesVisibilitySettings": shown,
        "layers": [layer | ({"splitAccessor": "split"} if split else {})],
    }
    return Lens(title, view, "lnsXY", _ordered(groups, counted), drawing)


def lens_table(title: str, view: View, by: Sequence[Column], values: Sequence[Column]) -> Lens:
    """Draw a table: a row for each combination of ``by``, a column for each of ``values``."""
    counted = {f"value{number}": column for number, column in enumerate(values)}
    columns = _ordered({f"by{number}": column for number, column in enumerate(by)}, counted)
    drawing = {
        "layerId": LAYER,
        "layerType": "data",
        "columns": [{"columnId": name, "isTransposed": False} for name in columns],
        "paging": {"size": 10, "enabled": True},
        "rowHeight": "auto",
    }
    return Lens(title, view, "lnsDatatable", columns, drawing)


def lens_metric(title: str, view: View, value: Column) -> Lens:
    """Draw one number."""
    drawing = {"layerId": LAYER, "layerType": "data", "metricAccessor": "value0"}
    return Lens(title, view, "lnsMetric", {"value0": value}, drawing)


def lens_donut(title: str, view: View, by: Column, value: Column) -> Lens:
    """Draw shares of a whole."""
    layer = {
        "layerId": LAYER,
        "layerType": "data",
        "primaryGroups": ["by0"],
        "metrics": ["value0"],
        "numberDisplay": "percent",
        "categoryDisplay": "default",
        "legendDisplay": "default",
        "nestedLegend": False,
    }
    return Lens(title, view, "lnsPie", _ordered({"by0": by}, {"value0": value}), _donut(layer))


def tag_cloud(title: str, view: View, by: Column, value: Column) -> Lens:
    """Draw words, the larger the more there is of them."""
    drawing = {
        "layerId": LAYER,
        "layerType": "data",
        "tagAccessor": "by0",
        "valueAccessor": "value0",
        "minFontSize": 14,
        "maxFontSize": 48,
        "orientation": "single",
        "showLabel": False,
    }
    return Lens(title, view, "lnsTagcloud", _ordered({"by0": by}, {"value0": value}), drawing)


def _donut(layer: Saved) -> Saved:
    return {"shape": "donut", "layers": [layer]}


def _ordered(groups: Mapping[str, Column], counted: Mapping[str, Column]) -> dict[str, Column]:
    """Return all columns, buckets first; top values go by the first thing that is counted."""
    first = {"type": "column", "columnId": next(iter(counted))}
    return {
        name: replace(column, params={**column.params, "orderBy": first})
        if column.operation == "terms"
        else column
        for name, column in {**groups, **counted}.items()
    }
