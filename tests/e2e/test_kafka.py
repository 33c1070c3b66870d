"""The pipeline on a real Kafka: the same commands, another address."""

import uuid
from pathlib import Path

import pytest
from e2e.conftest import Demo
from e2e.harness import newswire, rows
from servers.kafka import KafkaServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_the_demo_on_kafka_gives_the_table_of_sqlite_exactly(
    demo: Demo, kafka: KafkaServer, tmp_path: Path
) -> None:
    """It makes its topics under its prefix, the log tells the same, and a second demo there is refused."""
    prefix = f"demo-{uuid.uuid4().hex[:8]}-"
    settings = {"NEWSWIRE_LOG": f"kafka://{kafka.bootstrap}", "NEWSWIRE_PREFIX": prefix}
    arguments = ("--log", settings["NEWSWIRE_LOG"], "--store", "sqlite:///demo.db", "--prefix", prefix)
    first = newswire(tmp_path, "demo", *arguments, "--json")
    again = newswire(tmp_path, "demo", *arguments)
    topics = newswire(tmp_path, "topics", "check", env=settings)
    (ledger,) = rows(newswire(tmp_path, "ledger", "--json", env=settings).stdout)
    sums = rows(first.stdout)[-1]

    assert (first.returncode, first.stderr) == (0, "")
    assert (sums["seen"], sums["outcomes"]) == (demo.sums["seen"], demo.sums["outcomes"])
    assert (ledger["seen"], ledger["in_flight"], ledger["lost"]) == (sums["seen"], 0, 0)
    assert (topics.returncode, topics.stderr) == (0, "")
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_services_do_not_start_without_their_topics(kafka: KafkaServer, tmp_path: Path) -> None:
    """One line says which is missing, and what to do."""
    settings = {"NEWSWIRE_LOG": f"kafka://{kafka.bootstrap}", "NEWSWIRE_PREFIX": f"none-{uuid.uuid4().hex}-"}
    done = newswire(tmp_path, "run", "--only", "index", env=settings)

    assert done.returncode == 2
    assert "newswire topics create" in done.stderr
    assert len(done.stderr.splitlines()) == 1
