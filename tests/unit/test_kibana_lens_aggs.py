"""The tests' own reading of Lens: each column as an aggregation, and refusal of all else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kibana.lens_aggs import Span, UnknownColumnError, columns_of, empty_columns, metric, search_body

from newswire_index.kibana.form import View
from newswire_index.kibana.lens import (
    Column,
    count,
    highest,
    last_value,
    lens_metric,
    lens_table,
    lens_xy,
    median,
    over_time,
    percentile,
    top,
    unique,
)

pytestmark = pytest.mark.unit

VIEW = View("view", "index", "Index", "at")
END = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = Span(END - timedelta(hours=1), END)
RANGE = {
    "range": {
        "at": {
            "gte": "2026-11-21T23:00:00+00:00",
            "lte": "2026-11-22T00:00:00+00:00",
            "format": "strict_date_optional_time",
        }
    }
}


@pytest.mark.parametrize(
    ("column", "agg"),
    [
        (count("n"), None),
        (count("n", "failures > 0"), {"filter": {"range": {"failures": {"gt": "0"}}}}),
        (unique("n", "outlet"), {"cardinality": {"field": "outlet"}}),
        (
            unique("n", "outlet", "handled: *"),
            {
                "filter": {"exists": {"field": "handled"}},
                "aggs": {"metric": {"cardinality": {"field": "outlet"}}},
            },
        ),
        (highest("n", "failures"), {"max": {"field": "failures"}}),
        (median("n", "words"), {"percentiles": {"field": "words", "percents": [50]}}),
        (percentile("n", "lag", 99), {"percentiles": {"field": "lag", "percents": [99]}}),
        (
            last_value("n", "url", by="at"),
            {
                "filter": {"exists": {"field": "url"}},
                "aggs": {
                    "metric": {
                        "top_hits": {
                            "size": 1,
                            "sort": [{"at": {"order": "desc"}}],
                            "fields": ["url"],
                            "_source": False,
                        }
                    }
                },
            },
        ),
    ],
)  # fmt: skip
def test_what_is_counted(column: Column, agg: dict[str, Any] | None) -> None:
    """Each operation that our panels use, with its own filter where it has one."""
    assert metric(column.state()) == agg


def test_a_number_is_asked_for_in_the_range_of_the_dashboard() -> None:
    """By the time field of the data view."""
    body = search_body(lens_metric("t", VIEW, unique("n", "outlet")).attributes(), "at", HOUR)

    assert body == {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [{"match_all": {}}, RANGE]}},
        "aggs": {"value0": {"cardinality": {"field": "outlet"}}},
    }


def test_a_view_without_a_time_is_not_limited() -> None:
    """As with the latest status of feeds."""
    body = search_body(lens_metric("t", VIEW, count("n")).attributes(), None, HOUR)

    assert body["query"] == {"bool": {"filter": [{"match_all": {}}]}}
    assert body["aggs"] == {}


def test_buckets_lie_inside_each_other_and_are_ordered_by_what_is_counted() -> None:
    """The split outside, the steps of time inside it; the order's value stands on both levels."""
    split = top("Outlet", "outlet", 5, missing=True)
    drawn = lens_xy("t", VIEW, "line", over_time("at"), [percentile("p", "lag", 95)], split)
    found = {"percentiles": {"field": "lag", "percents": [95]}}
    steps = {"field": "at", "fixed_interval": "60s", "time_zone": "UTC", "min_doc_count": 0}

    assert search_body(drawn.attributes(), "at", HOUR)["aggs"] == {
        "split": {
            "terms": {"field": "outlet", "size": 5, "order": {"y0.95": "desc"}, "missing": "__missing__"},
            "aggs": {"x": {"date_histogram": steps, "aggs": {"y0": found}}, "y0": found},
        }
    }


def test_a_table_by_two_fields_is_ordered_by_its_count() -> None:
    """Which needs no aggregation of its own."""
    drawn = lens_table("t", VIEW, [top("A", "a", 3), top("B", "b", 4, least=True)], [count("n")])

    assert search_body(drawn.attributes(), "at", HOUR)["aggs"] == {
        "by0": {
            "terms": {"field": "a", "size": 3, "order": {"_count": "desc"}},
            "aggs": {"by1": {"terms": {"field": "b", "size": 4, "order": {"_count": "asc"}}}},
        }
    }


def test_all_columns_of_a_layer_are_in_its_order() -> None:
    """Lens forgets one that is not."""
    attributes = lens_metric("t", VIEW, count("n")).attributes()
    layer = attributes["state"]["datasourceStates"]["formBased"]["layers"]["data"]
    layer["columnOrder"] = []

    with pytest.raises(UnknownColumnError, match="order"):
        columns_of(attributes)


def changed(**params: Any) -> Column:
    """Return top values with other parameters."""
    column = top("A", "a", 3)
    return replace(column, params={**column.params, **params})


@pytest.mark.parametrize(
    "column",
    [
        changed(otherBucket=True),
        changed(include=["x"]),
        changed(secondaryFields=["b"]),
        replace(over_time("at"), params={**over_time("at").params, "interval": "1h"}),
        Column("r", "range", "words", {}, bucketed=True),
    ],
)
def test_groups_that_are_not_known_are_refused(column: Column) -> None:
    """Whoever uses more of Lens extends the check first."""
    with pytest.raises(UnknownColumnError):
        search_body(lens_table("t", VIEW, [column], [count("n")]).attributes(), "at", HOUR)


@pytest.mark.parametrize(
    "value",
    [
        count("n", "failures > 0"),
        last_value("n", "url", by="at"),
        Column("f", "formula", "x", {}),
    ],
)
def test_an_order_that_is_not_known_is_refused(value: Column) -> None:
    """Top values go by a plain number or date."""
    with pytest.raises(UnknownColumnError):
        search_body(lens_table("t", VIEW, [top("A", "a", 3)], [value]).attributes(), "at", HOUR)


def test_what_is_counted_stands_behind_the_groups() -> None:
    """Lens orders columns so."""
    attributes = lens_table("t", VIEW, [top("A", "a", 3)], [count("n")]).attributes()
    attributes["state"]["datasourceStates"]["formBased"]["layers"]["data"]["columnOrder"] = ["value0", "by0"]

    with pytest.raises(UnknownColumnError, match="after"):
        search_body(attributes, "at", HOUR)


def answer(total: int, **aggregations: Any) -> dict[str, Any]:
    """Return an answer of Elasticsearch."""
    return {"hits": {"total": {"value": total}}, "aggregations": aggregations}


TABLE = columns_of(
    lens_table(
        "t", VIEW, [top("A", "a", 3)],
        [unique("u", "b"), percentile("p", "c", 9), last_value("l", "d", "at"), count("f", "e: *"),
         count("n")],
    ).attributes()
)  # fmt: skip
FULL = {
    "doc_count": 2,
    "value0": {"value": 1},
    "value1": {"values": {"9.0": 4.2}},
    "value2": {"doc_count": 1, "metric": {"hits": {"hits": [{"fields": {"d": ["x"]}}]}}},
    "value3": {"doc_count": 1},
}


@pytest.mark.parametrize(
    ("less", "empty"),
    [
        ({}, []),
        ({"value0": {"value": None}}, ["value0"]),
        ({"value1": {"values": {"9.0": None}}}, ["value1"]),
        ({"value2": {"doc_count": 0, "metric": {"hits": {"hits": []}}}}, ["value2"]),
        ({"value2": {"doc_count": 1, "metric": {"hits": {"hits": [{}]}}}}, ["value2"]),
        ({"value3": {"doc_count": 0}}, ["value3"]),
        ({"doc_count": 0}, ["by0"]),
    ],
)
def test_columns_without_data_are_named(less: dict[str, Any], empty: list[str]) -> None:
    """Nothing found is told apart from something, for each kind of value."""
    assert empty_columns(TABLE, answer(2, by0={"buckets": [FULL | less]})) == empty


def test_without_a_document_every_column_is_empty() -> None:
    """Whatever the aggregations say."""
    assert empty_columns(TABLE, answer(0, by0={"buckets": [FULL]})) == list(TABLE)


def test_one_bucket_with_data_is_enough() -> None:
    """Empty steps of time are drawn as well."""
    empty = {"doc_count": 0}

    assert empty_columns(TABLE, answer(2, by0={"buckets": [empty, FULL]})) == []
