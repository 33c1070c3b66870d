"""A Kafka in a container is told its ports and users, is killed by Docker, and gives way if it fails."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast

import pytest
from servers import containers, kafka_container
from servers.containers import why_no_container
from servers.kafka_container import IMAGE, ContainerKafka, start_kafka_container
from servers.kafka_properties import STARTED
from servers.missing import ServerMissingError

pytestmark = pytest.mark.unit


class RememberingContainer:
    """Does what testcontainers' DockerContainer and docker's Container do, on nothing."""

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        self.ports: dict[int, int] = {}
        self.command: list[str] = []
        self.status = "created"
        self.did: list[str] = []
        self.says = f"{STARTED}\n"
        self.log = ""

    def get_docker_client(self) -> Self:
        """Stand for the client too."""
        return self

    def get_wrapped_container(self) -> Self:
        """Stand for the engine's container too."""
        return self

    def host(self) -> str:
        """Return where its ports are."""
        return "localhost"

    def with_bind_ports(self, inside: int, outside: int) -> Self:
        """Remember a port."""
        self.ports[inside] = outside
        return self

    def with_env(self, name: str, value: str) -> Self:
        """Remember a variable."""
        self.env[name] = value
        return self

    def with_command(self, command: list[str]) -> Self:
        """Remember the command."""
        self.command = command
        return self

    def get_logs(self) -> tuple[bytes, bytes]:
        """Return all that was said since it was made."""
        return self.log.encode(), b""

    def start(self) -> None:
        """Run."""
        self._do("start", "running")
        self.log += self.says

    def kill(self) -> None:
        """End."""
        self._do("kill", "exited")

    def stop(self) -> None:
        """End."""
        self._do("stop", "exited")

    def reload(self) -> None:
        """Know already."""

    def wait(self) -> None:
        """Have ended already."""

    def _do(self, action: str, status: str) -> None:
        self.did.append(action)
        self.status = status


def kafka_in(container: RememberingContainer) -> ContainerKafka:
    """Return a server that takes a fake for a container."""
    return ContainerKafka(cast("Any", container))


def test_clients_are_told_the_ports_outside() -> None:
    """A broker that advertised its ports inside could be reached once and never again."""
    container = RememberingContainer()
    server = kafka_in(container)
    settings = container.env["SERVER_PROPERTIES"]

    assert server.bootstrap == f"127.0.0.1:{container.ports[9092]}"
    assert server.sasl_bootstrap == f"127.0.0.1:{container.ports[9094]}"
    assert f"PLAINTEXT://{server.bootstrap},SASL_PLAINTEXT://{server.sasl_bootstrap}," in settings
    assert "listeners=PLAINTEXT://0.0.0.0:9092,SASL_PLAINTEXT://0.0.0.0:9094," in settings


def test_the_container_formats_with_the_users_of_scram() -> None:
    """SCRAM users live in the data, PLAIN ones in the settings."""
    container = RememberingContainer()
    kafka_in(container)

    assert container.command[:2] == ["sh", "-c"]
    assert container.command[3:] == [
        "sh",
        *("--add-scram", "SCRAM-SHA-256=[name=tester,password=tester-secret]"),
        *("--add-scram", "SCRAM-SHA-512=[name=tester,password=tester-secret]"),
    ]


def test_a_killed_container_is_started_and_a_running_one_left_alone() -> None:
    """The same container keeps its ports and data."""
    container = RememberingContainer()
    server = kafka_in(container)
    for action in (
        server.start,
        server.start,
        server.kill,
        server.kill,
        server.start,
        server.stop,
        server.start,
    ):
        action()

    assert container.did == ["start", "kill", "start", "stop", "start"]


def test_nothing_is_killed_before_the_first_start() -> None:
    """There is no container yet that Docker could kill."""
    container = RememberingContainer()
    server = kafka_in(container)
    server.kill()
    server.stop()

    assert container.did == []


def test_a_restarted_broker_has_to_say_anew_that_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of a container goes on over its restarts; the old line says nothing of the new process."""
    monkeypatch.setattr(kafka_container, "START_SECONDS", 0.0)
    container = RememberingContainer()
    server = kafka_in(container)
    server.start()
    server.kill()
    container.says = "java.lang.OutOfMemoryError\n"

    with pytest.raises(ServerMissingError, match="OutOfMemoryError"):
        server.start()


def test_a_container_that_does_not_start_gives_way_to_the_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is kept, the container is not."""
    container = RememberingContainer()
    monkeypatch.setattr(containers, "why_no_container", lambda _: None)
    monkeypatch.setattr("testcontainers.core.container.DockerContainer", lambda _: container)
    monkeypatch.setattr(container, "start", lambda: 1 / 0)

    with pytest.raises(ServerMissingError, match=r"did not start \(division by zero\)"):
        start_kafka_container()
    assert container.did == ["stop"]


class PoorEngine(BaseHTTPRequestHandler):
    """A Docker engine that answers, holds no image and cannot pull any."""

    asked: list[str]

    def do_GET(self) -> None:
        """Answer what is asked before a container is made."""
        self.asked.append(self.path)
        if self.path.endswith("/version"):
            self._answer(200, {"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.0"})
        else:
            self._answer(200, [])

    def do_HEAD(self) -> None:
        """Answer a ping."""
        self._answer(200, [])

    def do_POST(self) -> None:
        """Refuse to pull."""
        self.asked.append(self.path)
        self._answer(500, {"message": "no route to the registry"})

    def _answer(self, code: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def poor_engine() -> Iterator[tuple[str, list[str]]]:
    """Run such an engine; the value is its address and what it was asked."""
    asked: list[str] = []
    handler = type("Handler", (PoorEngine,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def _asked_anew() -> Iterator[None]:
    """Forget the answer of this machine's own Docker, before and after."""
    why_no_container.cache_clear()
    yield
    why_no_container.cache_clear()


@pytest.mark.usefixtures("_asked_anew")
def test_an_engine_that_cannot_pull_is_said_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulling may take long to fail."""
    with poor_engine() as (address, asked):
        monkeypatch.setenv("DOCKER_HOST", address)
        reasons = [why_no_container(IMAGE), why_no_container(IMAGE)]

    assert reasons[0] == reasons[1]
    assert reasons[0] is not None
    assert "cannot pull apache/kafka:4.3.1" in reasons[0]
    assert "no route to the registry" in reasons[0]
    assert sum("/images/create" in path for path in asked) == 1


@pytest.mark.usefixtures("_asked_anew")
def test_a_docker_client_without_an_engine_is_no_docker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many machines have the command, and nobody behind it."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    with pytest.raises(ServerMissingError, match="no Docker engine answers"):
        start_kafka_container()
