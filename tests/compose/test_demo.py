"""From a clean clone to the demo's coverage, found in Elasticsearch."""

import json
import time
from typing import Any

import pytest
from compose.stack import SERVICES, Stack, until
from e2e.conftest import run_demo

from newswire_newsroom.planted import expected_outcomes

pytestmark = [pytest.mark.e2e, pytest.mark.compose, pytest.mark.timeout(3600)]

GOLDEN = "https://courier.example/world/ukraine-nato-berlin"
ENTITIES = {
    "Volodymyr Zelenskyy": ("person", "Q3874799"),
    "Ukraine": ("place", "Q212"),
    "NATO": ("organisation", "Q7184"),
    "Berlin": ("place", "Q64"),
    "Kyiv": ("place", "Q1899"),
    "Moscow": ("place", "Q649"),
}
TOPICS = {"nato-bid", "berlin-talks", "security-guarantees", "ceasefire", "prisoner-exchange"}


def found_by(stack: Stack, query: str) -> list[dict[str, Any]]:
    """Return the hits of a search, best first."""
    lines = stack.newswire("index", "search", query, "--json").splitlines()
    return [row for row in map(json.loads, lines) if "url" in row]


def golden(stack: Stack) -> dict[str, Any]:
    """Return the document of the golden example's news, as it lies in Elasticsearch."""
    _, answer = stack.elasticsearch(
        "newswire-articles/_search", {"query": {"term": {"canonical_url": GOLDEN}}}
    )
    (hit,) = answer["hits"]["hits"]
    source: dict[str, Any] = hit["_source"]
    return source


def drained(stack: Stack) -> dict[str, Any]:
    """Wait until everything that the newsroom shows has ended, and return the ledger."""
    expected = sum(sum(reasons.values()) for reasons in expected_outcomes().values())
    until(lambda: stack.ledger()["seen"] >= expected and stack.ledger()["in_flight"] == 0)
    return stack.ledger()


def test_from_a_clean_clone_everything_becomes_healthy(stack: Stack) -> None:
    """`make env && make up DEMO=1`, and nothing was started twice to get there."""
    assert {name: stack.is_healthy(name) for name in SERVICES} == dict.fromkeys(SERVICES, True)
    assert stack.container("setup")["State"]["ExitCode"] == 0
    assert stack.container("kibana-setup")["State"]["ExitCode"] == 0


def test_the_coverage_is_searchable_within_a_minute(stack: Stack) -> None:
    """Counted from the moment in which `make up` says that everything is healthy."""
    until(lambda: any(hit["url"] == GOLDEN for hit in found_by(stack, "NATO bid")), seconds=60)
    waited = time.monotonic() - stack.healthy_at

    assert found_by(stack, "Berlin talks")
    print(f"found {waited:.1f} s after healthy, or at the first look")  # noqa: T201


@pytest.mark.parametrize("query", ["NATO bid", "Berlin talks"])
def test_the_golden_news_is_found(stack: Stack, query: str) -> None:
    """First, with the topics that an editor's rules give it."""
    drained(stack)
    urls = [hit["url"] for hit in found_by(stack, query)]

    assert GOLDEN in urls[:3]


def test_the_golden_news_has_its_entities_and_topics(stack: Stack) -> None:
    """In Elasticsearch itself."""
    drained(stack)
    document = golden(stack)
    entities = {each["name"]: (each["type"], each.get("wikidata")) for each in document["entity"]}

    assert ENTITIES.items() <= entities.items()
    assert set(document["topics"]) >= TOPICS
    assert "Volodymyr Zelenskyy" in document["entities"]["person"]


def test_the_outcomes_are_those_of_the_demo_on_a_laptop(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One code base, two sizes, the same table."""
    ledger = drained(stack)
    laptop = run_demo(tmp_path_factory.mktemp("laptop"))

    assert (ledger["seen"], ledger["outcomes"]) == (laptop.sums["seen"], laptop.sums["outcomes"])
    assert (ledger["in_flight"], ledger["lost"]) == (0, 0)


def test_kibana_was_brought_its_dashboards(stack: Stack) -> None:
    """By the one-shot that waits for Kibana."""
    said = stack.compose("logs", "--no-log-prefix", "kibana-setup")

    assert "dashboard/newswire-dashboard-coverage" in said
