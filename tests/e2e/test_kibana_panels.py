"""Every panel, search, map and control of the dashboards, executed on the demo newsroom's coverage.

There is no Kibana here. What it would ask Elasticsearch is made from the saved objects by the readings of
KQL and Lens in tests/kibana, and asked of a real Elasticsearch; each has to give something.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from e2e.conftest import Demo
from e2e.harness import newswire, rows
from kibana.coverage import clear, fill
from kibana.kql import to_query
from kibana.lens_aggs import Span, columns_of, empty_columns, search_body
from kibana.reading import controls, layers, lens_panels, of_type, search_query, target, uses
from servers.elasticsearch_server import ElasticsearchServer

from newswire_index.kibana.objects import objects

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

Json = dict[str, Any]

GOLDEN = "https://courier.example/world/ukraine-nato-berlin"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)  # before anything that the newsroom wrote
PREFIX = f"kibana-{uuid.uuid4().hex[:8]}-"
ALL = objects(PREFIX)
VIEWS = {each["id"]: each["attributes"] for each in of_type(ALL, "index-pattern")}
PANELS = {where.removeprefix(PREFIX): (attributes, view) for where, attributes, view in lens_panels(ALL)}
SEARCHES = {each["id"].removeprefix(PREFIX): each for each in of_type(ALL, "search")}
MAP_LAYERS = {each["id"]: each for map_ in of_type(ALL, "map") for each in layers(map_)}
CONTROLS = {
    each["explicitInput"]["id"]: each for board in of_type(ALL, "dashboard") for each in controls(board)
}


@dataclass(frozen=True)
class Coverage:
    """The filled Elasticsearch, asked as Kibana asks it."""

    server: ElasticsearchServer
    span: Span

    def search(self, view: str, body: Json) -> Json:
        """Search a data view."""
        done = self.server.ask(f"/{VIEWS[view]['title']}/_search", "POST", body)
        assert done.status == 200, done.body
        assert done.body["_shards"]["failed"] == 0, done.body
        found: Json = done.body
        return found

    def limits(self, view: str, kql: str = "") -> Json:
        """Return the query of a data view in the range that is looked at."""
        time = VIEWS[view].get("timeFieldName")
        return {"bool": {"filter": [to_query(kql)] + ([self.span.query(time)] if time else [])}}


@pytest.fixture(scope="module")
def coverage(elasticsearch: ElasticsearchServer, demo: Demo) -> Iterator[Coverage]:
    """The demo's articles, feeds and outcomes under a prefix of our own."""
    fill(elasticsearch, demo.log, PREFIX)
    yield Coverage(elasticsearch, Span(BEGIN, datetime.now(UTC) + timedelta(minutes=5)))
    clear(elasticsearch, PREFIX)


def test_the_command_prints_what_is_checked_here(tmp_path: Path) -> None:
    """The real one, in a process of its own, with the prefix of this run."""
    done = newswire(tmp_path, "kibana", "setup", "--dry-run", env={"NEWSWIRE_PREFIX": PREFIX})

    assert (done.returncode, done.stderr) == (0, "")
    assert rows(done.stdout) == ALL


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_gives_data_in_every_column(coverage: Coverage, panel: str) -> None:
    """Each of its columns as an aggregation, in the order and nesting that Lens makes of them."""
    attributes, view = PANELS[panel]
    body = search_body(attributes, VIEWS[view].get("timeFieldName"), coverage.span)

    assert empty_columns(columns_of(attributes), coverage.search(view, body)) == []


@pytest.mark.parametrize("search", SEARCHES)
def test_a_saved_search_finds_something_in_every_column(coverage: Coverage, search: str) -> None:
    """In its order, with the fields that it shows, and split as its histogram is."""
    saved = SEARCHES[search]
    attributes, view = saved["attributes"], target(saved, "kibanaSavedObjectMeta.searchSourceJSON.index")
    columns = attributes["columns"]
    split = (
        {"split": {"terms": {"field": attributes["breakdownField"]}}}
        if "breakdownField" in attributes
        else {}
    )
    answer = coverage.search(
        view,
        {
            "query": coverage.limits(view, search_query(saved)),
            "sort": [{field: {"order": order}} for field, order in attributes["sort"]],
            "fields": columns,
            "size": 100,
            "aggs": split,
        },
    )
    shown = {field for hit in answer["hits"]["hits"] for field in hit["fields"]}

    assert [field for field in columns if field not in shown] == []
    assert all(answer["aggregations"][name]["buckets"] for name in split)


@pytest.mark.parametrize("search", ["newswire-search-nato-bid", "newswire-search-berlin-talks"])
def test_the_searches_by_subject_find_the_golden_article_and_not_everything(
    coverage: Coverage, search: str
) -> None:
    """By its topic or its words."""
    saved = SEARCHES[search]
    view = target(saved, "kibanaSavedObjectMeta.searchSourceJSON.index")
    answer = coverage.search(view, {"query": coverage.limits(view, search_query(saved)), "size": 100})
    everything = coverage.search(view, {"query": coverage.limits(view), "track_total_hits": True})

    assert GOLDEN in {hit["_source"]["canonical_url"] for hit in answer["hits"]["hits"]}
    assert 1 < answer["hits"]["total"]["value"] < everything["hits"]["total"]["value"] / 2


@pytest.mark.parametrize("search", ["newswire-search-failing-feeds", "newswire-search-dead-letters"])
def test_the_searches_of_operations_leave_out_what_is_well(coverage: Coverage, search: str) -> None:
    """Feeds that answer, and letters that somebody has handled."""
    saved = SEARCHES[search]
    view = target(saved, "kibanaSavedObjectMeta.searchSourceJSON.index")
    answer = coverage.search(view, {"query": coverage.limits(view, search_query(saved))})
    everything = coverage.search(view, {"query": coverage.limits(view)})

    assert 0 < answer["hits"]["total"]["value"] < everything["hits"]["total"]["value"]


def test_the_map_counts_articles_and_outlets_by_place(coverage: Coverage) -> None:
    """In tiles, each with its middle, as Maps asks for circles."""
    source = MAP_LAYERS["circles"]["sourceDescriptor"]
    counted = {
        str(n): {each["type"]: {"field": each["field"]}} for n, each in enumerate(source["metrics"][1:])
    }
    grid = {"geotile_grid": {"field": source["geoField"], "precision": 5, "size": 10000}}
    middle = {"middle": {"geo_centroid": {"field": source["geoField"]}}}
    body = {"size": 0, "query": coverage.limits(f"{PREFIX}newswire-view-articles")}
    answer = coverage.search(
        f"{PREFIX}newswire-view-articles", body | {"aggs": {"tiles": grid | {"aggs": middle | counted}}}
    )
    tiles = answer["aggregations"]["tiles"]["buckets"]

    assert source["metrics"][0]["type"] == "count"
    assert len(tiles) > 5
    assert all(tile["doc_count"] and tile["0"]["value"] and tile["middle"]["location"] for tile in tiles)


def test_the_map_shows_single_articles_from_near(coverage: Coverage) -> None:
    """With a place and every field of their tooltip, within the map's borders."""
    source = MAP_LAYERS["articles"]["sourceDescriptor"]
    place, tooltip = source["geoField"], source["tooltipProperties"]
    berlin = {"top_left": {"lat": 53, "lon": 13}, "bottom_right": {"lat": 52, "lon": 14}}
    view = f"{PREFIX}newswire-view-articles"
    limits = coverage.limits(view)["bool"]["filter"]
    near = [{"exists": {"field": place}}, {"geo_bounding_box": {place: berlin}}]
    answer = coverage.search(
        view, {"query": {"bool": {"filter": limits + near}}, "fields": [place, *tooltip]}
    )
    hits = answer["hits"]["hits"]

    assert hits
    assert all(hit["fields"].keys() == {place, *tooltip} for hit in hits)


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_offers_values_and_finds_them_by_a_part(coverage: Coverage, control: str) -> None:
    """The commonest first, and those that hold what is typed."""
    chosen = CONTROLS[control]["explicitInput"]
    view, field = f"{PREFIX}newswire-view-articles", chosen["fieldName"]
    body = {"size": 0, "query": coverage.limits(view)}
    terms = {"field": field, "size": 10, "order": {"_count": "desc"}}
    offered = coverage.search(view, body | {"aggs": {"values": {"terms": terms}}})["aggregations"]["values"][
        "buckets"
    ]
    part = offered[0]["key"][1:3]
    typed = coverage.search(view, body | {"aggs": {"values": {"terms": terms | {"include": f".*{part}.*"}}}})

    assert chosen["searchTechnique"] == "wildcard"
    assert len(offered) > 1
    assert offered[0]["key"] in {each["key"] for each in typed["aggregations"]["values"]["buckets"]}


def test_topic_watch_narrows_to_what_is_chosen(coverage: Coverage) -> None:
    """With a topic and an entity chosen: who else is named, which outlets, and nothing beside it."""
    chosen = [{"match_phrase": {"topics": "nato-bid"}}, {"match_phrase": {"entities.name": "NATO"}}]
    found = {}
    for panel in ("articles", "entities", "outlets-compared"):
        attributes, view = PANELS[f"newswire-dashboard-topic-watch {panel}"]
        body = search_body(attributes, "dated_at", coverage.span)
        body["query"]["bool"]["filter"] += chosen
        found[panel] = coverage.search(view, body)
    total = found["articles"]["hits"]["total"]["value"]
    named = {each["key"]: each["doc_count"] for each in found["entities"]["aggregations"]["by0"]["buckets"]}
    outlets = found["outlets-compared"]["aggregations"]["by0"]["buckets"]

    assert named.pop("NATO") == total > 1
    assert {"Ukraine", "Berlin"} < named.keys()
    assert sum(each["doc_count"] for each in outlets) == total


def examples() -> list[str]:
    """Return the KQL that the how-to shows."""
    page = (Path(__file__).parents[2] / "docs/how-to/search-in-kibana.md").read_text(encoding="utf-8")
    block = page.split("with the default data view:")[1].split("```")[1]
    return block.strip().splitlines()


@pytest.mark.parametrize("kql", examples())
def test_an_example_of_the_how_to_finds_articles(coverage: Coverage, kql: str) -> None:
    """Whoever pastes it into Discover sees something, and not everything."""
    view = f"{PREFIX}newswire-view-articles"
    found = coverage.search(view, {"query": coverage.limits(view, kql)})["hits"]["total"]["value"]

    assert 0 < found < coverage.search(view, {"query": coverage.limits(view)})["hits"]["total"]["value"]


def test_every_field_has_its_type_in_elasticsearch_itself(coverage: Coverage) -> None:
    """As Kibana learns it: by the field capabilities of each data view's index."""
    known = {}
    for id_, view in VIEWS.items():
        done = coverage.server.ask(f"/{view['title']}/_field_caps?fields=*")
        assert done.status == 200, done.body
        known[id_] = done.body["fields"]
    wrong = [use for use in uses(ALL) if not known[use.view].get(use.field, {}).keys() & use.types]
    unused = [
        use
        for use in uses(ALL)
        if any(not each["searchable"] for each in known[use.view][use.field].values())
    ]

    assert (wrong, unused) == ([], [])
