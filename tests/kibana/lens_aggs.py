"""What a Lens visualisation asks Elasticsearch: each of its columns as an aggregation.

    columns (in their order)     terms, date_histogram ── buckets, each inside the one before
                                 everything else       ── what is counted in the innermost

Operations and parameters that are not known here are refused, so that none passes unchecked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kibana.kql import to_query

Json = dict[str, Any]

STEPS = 60  # of time in a range, about as many as Kibana draws
SIMPLE = {"unique_count": "cardinality", "max": "max", "min": "min", "average": "avg", "sum": "sum"}
TERMS_KNOWN = {
    "size", "orderBy", "orderDirection", "otherBucket", "missingBucket", "parentFormat", "include", "exclude",
    "includeIsRegex", "excludeIsRegex",
}  # fmt: skip


class UnknownColumnError(ValueError):
    """A column does more than is known here."""


@dataclass(frozen=True)
class Span:
    """A range of time."""

    since: datetime
    until: datetime

    def query(self, field: str) -> Json:
        """Return the range as Kibana's time picker asks for it."""
        bounds = {"gte": self.since.isoformat(), "lte": self.until.isoformat()}
        return {"range": {field: bounds | {"format": "strict_date_optional_time"}}}

    def interval(self) -> str:
        """Return the width of a step."""
        return f"{max(1, int((self.until - self.since).total_seconds() / STEPS))}s"


def search_body(attributes: Mapping[str, Any], time: str | None, span: Span) -> Json:
    """Return the search that a visualisation makes.

    Args:
        attributes: of the visualisation.
        time: the field that the dashboard's range limits; None if the data view has none.
        span: that range.
    """
    state = attributes["state"]
    if state["filters"]:
        raise UnknownColumnError("filters beside the query")
    limits = [to_query(state["query"]["query"])] + ([span.query(time)] if time else [])
    aggs = aggregations(columns_of(attributes), span)
    return {"size": 0, "track_total_hits": True, "query": {"bool": {"filter": limits}}, "aggs": aggs}


def columns_of(attributes: Mapping[str, Any]) -> dict[str, Json]:
    """Return the columns of a visualisation's only layer, in their order."""
    (layer,) = attributes["state"]["datasourceStates"]["formBased"]["layers"].values()
    if sorted(layer["columnOrder"]) != sorted(layer["columns"]):
        raise UnknownColumnError(f"order {layer['columnOrder']} is not that of {sorted(layer['columns'])}")
    return {name: layer["columns"][name] for name in layer["columnOrder"]}


def aggregations(columns: Mapping[str, Json], span: Span) -> Json:
    """Return columns as aggregations."""
    counted = {name: each for name, each in columns.items() if not each["isBucketed"]}
    found = {name: agg for name, each in counted.items() if (agg := metric(each)) is not None}
    buckets = [(name, each) for name, each in columns.items() if each["isBucketed"]]
    if [*columns] != [name for name, _ in buckets] + [*counted]:
        raise UnknownColumnError("a bucket after what is counted")
    for name, each in reversed(buckets):
        aggs = found | _for_order(each, counted)
        found = {name: bucket(each, counted, span) | ({"aggs": aggs} if aggs else {})}
    return found


def metric(column: Json) -> Json | None:
    """Return what is counted as an aggregation; None where the bucket's own count is it."""
    found = _counted(column)
    if "filter" not in column:
        return found
    inner = {"aggs": {"metric": found}} if found else {}
    return {"filter": to_query(column["filter"]["query"])} | inner


def _counted(column: Json) -> Json | None:
    operation, field, params = column["operationType"], column["sourceField"], column["params"]
    if operation == "count" and field == "___records___":
        return None
    if operation == "count":
        return {"value_count": {"field": field}}
    if operation in SIMPLE:
        return {SIMPLE[operation]: {"field": field}}
    if operation in {"median", "percentile"}:
        percent = params["percentile"] if operation == "percentile" else 50
        return {"percentiles": {"field": field, "percents": [percent]}}
    if operation == "last_value" and params["showArrayValues"]:
        sort = [{params["sortField"]: {"order": "desc"}}]
        return {"top_hits": {"size": 1, "sort": sort, "fields": [field], "_source": False}}
    raise UnknownColumnError(f"operation {operation}")


def bucket(column: Json, counted: Mapping[str, Json], span: Span) -> Json:
    """Return what makes groups as an aggregation."""
    operation, field, params = column["operationType"], column["sourceField"], column["params"]
    if operation == "date_histogram" and params["interval"] == "auto":
        return {
            "date_histogram": {
                "field": field,
                "fixed_interval": span.interval(),
                "time_zone": "UTC",
                "min_doc_count": 0 if params["includeEmptyRows"] else 1,
            }
        }
    if operation != "terms":
        raise UnknownColumnError(f"operation {operation}")
    if unknown := params.keys() - TERMS_KNOWN:
        raise UnknownColumnError(f"parameters {sorted(unknown)}")
    if params["otherBucket"] or params["include"] or params["exclude"]:
        raise UnknownColumnError("other values, included or excluded ones")
    order = {_path(params["orderBy"], counted): params["orderDirection"]}
    missing = {"missing": "__missing__"} if params["missingBucket"] else {}
    return {"terms": {"field": field, "size": params["size"], "order": order} | missing}


def _ordering(order: Json, counted: Mapping[str, Json]) -> tuple[str, Json]:
    """Return the column that groups are ordered by; what Lens does for filtered ones is not known here."""
    if order["type"] != "column" or order["columnId"] not in counted:
        raise UnknownColumnError(f"order {order}")
    name = order["columnId"]
    column = counted[name]
    if "filter" in column or column["operationType"] == "last_value":
        raise UnknownColumnError(f"order by {column['label']!r}")
    return name, column


def _path(order: Json, counted: Mapping[str, Json]) -> str:
    name, column = _ordering(order, counted)
    agg = _counted(column)
    if agg is None:
        return "_count"
    percents = agg.get("percentiles", {}).get("percents")
    return f"{name}.{percents[0]}" if percents else name


def _for_order(column: Json, counted: Mapping[str, Json]) -> Json:
    """Return the aggregation that a group's order needs on its own level."""
    if column["operationType"] != "terms":
        return {}
    name, by = _ordering(column["params"]["orderBy"], counted)
    agg = _counted(by)
    return {} if agg is None else {name: agg}


def empty_columns(columns: Mapping[str, Json], answer: Json) -> list[str]:
    """Return the columns that an answer gives nothing for, in any of its buckets."""
    if not answer["hits"]["total"]["value"]:
        return list(columns)
    buckets = [name for name, each in columns.items() if each["isBucketed"]]
    found = list(_innermost(buckets, answer.get("aggregations", {})))
    if buckets and not found:
        return buckets
    counted = {name: each for name, each in columns.items() if not each["isBucketed"]}
    return [name for name, each in counted.items() if not any(_is_there(name, each, one) for one in found)]


def _innermost(buckets: list[str], inside: Json) -> Iterator[Json]:
    if not buckets:
        yield inside
        return
    for each in inside[buckets[0]]["buckets"]:
        if each["doc_count"]:
            yield from _innermost(buckets[1:], each)


def _is_there(name: str, column: Json, inside: Json) -> bool:
    """Say whether a bucket has something of a column."""
    if name not in inside:
        return True  # its own count, which is more than nothing
    found = inside[name]
    if "filter" in column:
        if not found["doc_count"]:
            return False
        found = found.get("metric", {"value": found["doc_count"]})
    if "hits" in found:
        return any(hit.get("fields") for hit in found["hits"]["hits"])
    values = found["values"].values() if "values" in found else [found["value"]]
    return any(value is not None and value != "NaN" for value in values)
