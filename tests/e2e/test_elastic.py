"""The pipeline on a real Kafka and a real Elasticsearch: the same commands, other addresses."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.conftest import Demo
from e2e.harness import newswire, rows
from e2e.test_demo import GOLDEN, QUERIES, TOPICS
from servers.elasticsearch import ElasticsearchServer
from servers.kafka import KafkaServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Deployed:
    """A demo on Kafka and Elasticsearch that has ended."""

    folder: Path
    env: dict[str, str]
    stdout: str
    stderr: str
    code: int


def reached(server: ElasticsearchServer) -> dict[str, str]:
    """Return the settings that a command needs to reach Elasticsearch."""
    env = {"NEWSWIRE_STORE": server.url, "NEWSWIRE_ELASTICSEARCH_REPLICAS": "0"}
    if server.username is not None and server.password is not None:
        env["NEWSWIRE_ELASTICSEARCH_USERNAME"] = server.username
        env["NEWSWIRE_ELASTICSEARCH_PASSWORD"] = server.password
    return env


@pytest.fixture(scope="module")
def deployed(
    kafka: KafkaServer, elasticsearch: ElasticsearchServer, tmp_path_factory: pytest.TempPathFactory
) -> Deployed:
    """Run the demo once."""
    folder, prefix = tmp_path_factory.mktemp("deployed"), f"demo-{uuid.uuid4().hex[:8]}-"
    env = {
        "NEWSWIRE_LOG": f"kafka://{kafka.bootstrap}", "NEWSWIRE_PREFIX": prefix, **reached(elasticsearch)
    }  # fmt: skip
    arguments = ("--log", env["NEWSWIRE_LOG"], "--store", env["NEWSWIRE_STORE"], "--prefix", prefix)
    done = newswire(folder, "demo", *arguments, "--json", env=env)
    return Deployed(folder, env, done.stdout, done.stderr, done.returncode)


def test_the_demo_on_kafka_and_elasticsearch_gives_the_table_of_sqlite_exactly(
    demo: Demo, deployed: Deployed
) -> None:
    """The same entries with the same ends, nothing lost, nothing said on standard error."""
    (ledger,) = rows(newswire(deployed.folder, "ledger", "--json", env=deployed.env).stdout)

    assert (deployed.code, deployed.stderr) == (0, "")
    assert rows(deployed.stdout)[-1]["outcomes"] == demo.sums["outcomes"]
    assert (ledger["seen"], ledger["outcomes"]) == (demo.sums["seen"], demo.sums["outcomes"])
    assert (ledger["in_flight"], ledger["lost"]) == (0, 0)


@pytest.mark.parametrize("query", [*QUERIES, "Berlin talks"])
def test_search_finds_the_golden_articles_news(deployed: Deployed, query: str) -> None:
    """By the topic's words, by an alias, by a phrase, with its entities and topics."""
    done = newswire(deployed.folder, "search", query, "--json", env=deployed.env)
    (hit,) = [row for row in rows(done.stdout) if row["url"] == GOLDEN]

    assert hit["outlet"] == "The Courier"
    assert set(hit["topics"]) >= TOPICS
    assert {"name": "NATO", "type": "organisation", "wikidata": "Q7184"} in hit["entities"]
    assert {"name": "Volodymyr Zelenskyy", "type": "person", "wikidata": "Q3874799"} in hit["entities"]
    assert hit["highlights"]


def test_what_is_indexed_is_what_the_sqlite_store_holds(demo: Demo, deployed: Deployed) -> None:
    """The newest hundred of both, article by article."""

    def found(folder: Path, env: dict[str, str]) -> dict[str, tuple[str, list[str]]]:
        lines = rows(newswire(folder, "search", "--limit", "1000", "--json", env=env).stdout)
        return {row["url"]: (row["title"], sorted(row["topics"])) for row in lines}

    assert found(deployed.folder, deployed.env) == found(demo.folder, {"NEWSWIRE_STORE": demo.address})


def test_the_services_take_up_where_the_demo_ended(deployed: Deployed) -> None:
    """The index service alone starts on what is there; without its set-up it says what to do."""
    other = {**deployed.env, "NEWSWIRE_PREFIX": f"none-{uuid.uuid4().hex[:8]}-"}
    newswire(deployed.folder, "topics", "create", env=other)
    done = newswire(deployed.folder, "run", "--only", "index", env=other)

    assert done.returncode != 0
    assert "newswire index setup" in done.stderr
    assert len(done.stderr.splitlines()) == 1
