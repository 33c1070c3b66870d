"""Tests look for a Kafka at a given address, in a container and among jars, and say why there is none."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import kafka as finder
from servers.folders import HELD, ServerFolder, remove_left_behind
from servers.holder import Holder
from servers.java import find_java, major_version
from servers.kafka import GivenKafka, KafkaServer, find_kafka
from servers.kafka_jars import kafka_jars
from servers.kafka_properties import properties
from servers.missing import ServerMissingError, in_ci, lines_of_missing
from servers.ports import RANGE, connects, free_ports

pytestmark = pytest.mark.unit


class IdleKafka(KafkaServer):
    """A server that only counts what is done to it."""

    origin = "fake"

    def __init__(self) -> None:
        super().__init__("127.0.0.1:1", None)
        self.did: list[str] = []

    def start(self) -> None:
        """Count a start."""
        self.did.append("start")

    def kill(self) -> None:
        """Count a kill."""
        self.did.append("kill")

    def stop(self) -> None:
        """Count a stop."""
        self.did.append("stop")

    def close(self) -> None:
        """Count a close."""
        self.did.append("close")


def failing_way(reason: str) -> Callable[[], KafkaServer]:
    """Return a way that does not exist here."""

    def way() -> KafkaServer:
        raise ServerMissingError(reason)

    return way


def broken_way() -> KafkaServer:
    """Exist, but fail."""
    raise OSError("no room on the disk")


@contextmanager
def listener() -> Iterator[str]:
    """Somebody who accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget addresses that this run was given."""
    monkeypatch.delenv("NEWSWIRE_TEST_KAFKA", raising=False)
    monkeypatch.delenv("NEWSWIRE_TEST_KAFKA_SASL", raising=False)


def test_a_given_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives an address starts nothing."""
    with listener() as address:
        monkeypatch.setenv("NEWSWIRE_TEST_KAFKA", f"127.0.0.1:1,{address}")
        monkeypatch.setenv("NEWSWIRE_TEST_KAFKA_SASL", "127.0.0.1:2")
        server = find_kafka(ways=[broken_way])

    assert (server.bootstrap, server.sasl_bootstrap) == (f"127.0.0.1:1,{address}", "127.0.0.1:2")
    assert not server.can_be_killed


def test_a_given_address_that_does_not_answer_is_no_reason_to_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was promised: the tests fail, and nothing else is tried."""
    monkeypatch.setenv("NEWSWIRE_TEST_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr(finder, "GIVEN_SECONDS", 0.0)

    with pytest.raises(ConnectionError, match=r"NEWSWIRE_TEST_KAFKA=127\.0\.0\.1:1"):
        find_kafka(ways=[IdleKafka])


@pytest.mark.parametrize("harm", [GivenKafka.kill, GivenKafka.stop])
def test_a_given_kafka_is_not_harmed(harm: Callable[[GivenKafka], None]) -> None:
    """Others may use it."""
    with pytest.raises(PermissionError, match="is not ours"):
        harm(GivenKafka("127.0.0.1:1", None))


def test_a_given_kafka_is_left_running() -> None:
    """The end of the tests is not its end."""
    with listener() as address:
        with GivenKafka(address, None):
            pass

        assert connects(address)


def test_a_given_address_is_passed_over_by_who_wants_to_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that kills brokers gets one of its own."""
    monkeypatch.setenv("NEWSWIRE_TEST_KAFKA", "127.0.0.1:1")

    assert isinstance(find_kafka(killable=True, ways=[IdleKafka]), IdleKafka)


def test_the_first_way_that_exists_is_taken() -> None:
    """Containers come before jars, but need not exist."""
    first, second = IdleKafka(), IdleKafka()

    assert find_kafka(ways=[lambda: first, lambda: second]) is first
    assert find_kafka(ways=[failing_way("no engine"), lambda: second]) is second


def test_who_finds_nothing_hears_why_of_every_way() -> None:
    """Each reason names something that the reader can change."""
    with pytest.raises(ServerMissingError) as caught:
        find_kafka(ways=[failing_way("no engine"), failing_way("no java")])

    assert str(caught.value) == "NEWSWIRE_TEST_KAFKA is not set; no engine; no java"


def test_a_way_that_breaks_is_not_a_missing_server() -> None:
    """What exists and fails shall be seen, not skipped."""
    with pytest.raises(OSError, match="no room"):
        find_kafka(ways=[broken_way, IdleKafka])


def test_a_holder_finds_one_server_and_keeps_it() -> None:
    """One broker serves the whole run; only one that may be killed is started again."""
    shared, own = Holder("Kafka", IdleKafka), Holder("Kafka", IdleKafka, killable=True)
    servers = [shared.get(), shared.get(), own.get(), own.get()]
    shared.close()

    assert servers[0] is servers[1]
    assert servers[2] is servers[3]
    assert [server.did for server in servers[1:3]] == [["close"], ["start"]]
    assert shared.get() is not servers[0]


def test_a_holder_looks_for_a_missing_server_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand tests do not ask Docker a thousand times."""
    asked: list[str] = []

    def find() -> KafkaServer:
        asked.append("Kafka")
        raise ServerMissingError("no engine")

    monkeypatch.delenv("CI", raising=False)
    holder = Holder("Kafka", find, killable=True)
    for _ in range(3):
        with pytest.raises(pytest.skip.Exception, match="for want of Kafka: no engine"):
            holder.get()
        holder.close()

    assert asked == ["Kafka"]


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("", False), ("False", False)])
def test_ci_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    """All CI systems set CI, and some people set it to nothing."""
    monkeypatch.setenv("CI", value)

    assert in_ci() is expected


def test_each_missing_server_is_one_line() -> None:
    """Other skipped tests are not ours to count."""
    reasons = [
        "for want of Kafka: no java",
        "for want of Elasticsearch: no java",
        "for want of Kafka: no java",
    ]

    assert lines_of_missing([*reasons, "not on this system"]) == [
        "1 test was not run for want of Elasticsearch: no java",
        "2 tests were not run for want of Kafka: no java",
    ]


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_202"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("Unable to locate a Java Runtime.", 0),
    ],
)
def test_java_versions_are_read(said: str, version: int) -> None:
    """Old ones count from 1.8, and some systems have a java that only says that it is none."""
    assert major_version(said) == version


def program(folder: Path, name: str, script: str) -> None:
    """Put a program into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_an_old_java_is_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka would only say something about class files."""
    program(tmp_path / "bin", "java", "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(ServerMissingError, match="older than Java 17"):
        find_java()


def test_no_java_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commonest reason of all."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(ServerMissingError, match="java is not on the path"):
        find_java()


COPIES_JARS = """
echo called >> "$CALLS"
for argument; do case $argument in -DoutputDirectory=*) out=${argument#*=};; esac; done
sleep 0.2
mkdir "$out" && touch "$out/kafka.jar"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The calls of a mvn that makes jars, with an empty cache."""
    program(tmp_path / "bin", "mvn", COPIES_JARS)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def test_jars_are_fetched_once_by_many_runs(calls: Path) -> None:
    """Who comes second waits for the first and finds the jars; who comes later calls nothing."""
    with ThreadPoolExecutor(3) as pool:
        folders = list(pool.map(lambda _: kafka_jars(), range(3)))

    assert calls.read_text().split() == ["called"]
    assert [(folder / "kafka.jar").exists() for folder in folders] == [True] * 3
    assert [path.name for path in folders[0].parent.glob(".fetch-*")] == []


def test_half_a_folder_is_fetched_anew(calls: Path) -> None:
    """A folder that nobody called complete does not serve."""
    folder = kafka_jars()
    (folder / ".complete").unlink()
    (folder / "kafka.jar").unlink()

    assert (kafka_jars() / "kafka.jar").exists()
    assert calls.read_text().split() == ["called"] * 2


def test_a_failed_fetch_says_what_mvn_said_and_leaves_nothing(calls: Path) -> None:
    """Without a network the reason is in the summary, and the next run tries again."""
    program(calls.parent / "bin", "mvn", "echo '[ERROR] Unknown host'; exit 1")

    with pytest.raises(ServerMissingError, match=r"mvn could not fetch Kafka's jars: \[ERROR\] Unknown host"):
        kafka_jars()
    assert [path.name for path in (calls.parent / "cache").rglob("*.jar")] == []


def test_without_mvn_and_jars_there_is_no_kafka(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With jars mvn is not needed."""
    monkeypatch.setenv("PATH", str(calls.parent))

    with pytest.raises(ServerMissingError, match="mvn, which fetches"):
        kafka_jars()


def test_ports_are_free_distinct_and_not_of_outgoing_connections() -> None:
    """A port of the ephemeral range may be taken while its server is down."""
    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert all(port in RANGE and not connects(f"127.0.0.1:{port}") for port in ports)


def test_folders_of_killed_runs_are_removed_and_held_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data of a run that was killed stays only until the next run."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    held = ServerFolder("ours-")
    left = tmp_path / "ours-left"
    for folder in (left, tmp_path / "others-left"):
        folder.mkdir()
        (folder / HELD).touch()
    remove_left_behind("ours-")
    kept = sorted(path.name for path in tmp_path.iterdir())
    held.remove()

    assert kept == sorted([held.path.name, "others-left"])
    assert not held.path.exists()


def test_the_settings_name_every_listener() -> None:
    """Clients are told where they came in, and nobody is told of the controller."""
    listen = {"PLAINTEXT": "0.0.0.0:1", "SASL_PLAINTEXT": "0.0.0.0:2", "INTERNAL": "i:3", "CONTROLLER": "c:4"}
    advertise = {"PLAINTEXT": "h:5", "SASL_PLAINTEXT": "h:6", "INTERNAL": "i:3"}
    lines = properties(listen, advertise, "/data").splitlines()

    assert (
        "listeners=PLAINTEXT://0.0.0.0:1,SASL_PLAINTEXT://0.0.0.0:2,INTERNAL://i:3,CONTROLLER://c:4" in lines
    )
    assert "advertised.listeners=PLAINTEXT://h:5,SASL_PLAINTEXT://h:6,INTERNAL://i:3" in lines
    assert "controller.quorum.voters=1@c:4" in lines
    assert "log.dirs=/data" in lines


def test_looking_for_servers_imports_no_docker() -> None:
    """Collecting tests stays quick."""
    code = "import servers.plugin, sys; print('docker' in sys.modules, 'testcontainers' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, check=True
    )

    assert done.stdout.split() == [b"False", b"False"]
