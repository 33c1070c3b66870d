"""An Elasticsearch in a container is told its settings, is killed by Docker, and gives way if it fails."""

import io
import tarfile
from typing import Any, Self, cast

import pytest
from servers import containers, elasticsearch_container
from servers.elasticsearch_container import ContainerElasticsearch, start_elasticsearch_container
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
        self.files: dict[str, str] = {}

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
        """Return what was said."""
        return b"java.lang.OutOfMemoryError\n", b""

    def put_archive(self, folder: str, packed: bytes) -> None:
        """Unpack into memory."""
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                assert file is not None
                self.files[f"{folder}/{member.name}"] = file.read().decode()

    def start(self) -> None:
        """Run."""
        self._do("start", "running")

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


def elasticsearch_in(container: RememberingContainer, *, secured: bool = False) -> ContainerElasticsearch:
    """Return a server that takes a fake for a container."""
    return ContainerElasticsearch(cast("Any", container), secured=secured)


@pytest.fixture
def _serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is started serves."""
    monkeypatch.setattr(ContainerElasticsearch, "answers", lambda _: True)


def test_an_open_server_is_told_so() -> None:
    """The image's own settings turn authentication on."""
    container = RememberingContainer()
    server = elasticsearch_in(container)

    assert server.url == f"http://127.0.0.1:{container.ports[9200]}"
    assert server.username is None
    assert "xpack.security.enabled: false" in container.env["ELASTICSEARCH_YML"]
    assert f"path.repo: {server.snapshots}" in container.env["ELASTICSEARCH_YML"]


def test_a_secured_server_has_a_known_superuser() -> None:
    """The image makes its own with the password that it is given."""
    container = RememberingContainer()
    server = elasticsearch_in(container, secured=True)

    assert (server.username, server.password) == ("elastic", container.env["ELASTIC_PASSWORD"])
    assert "xpack.security.enabled: true" in container.env["ELASTICSEARCH_YML"]


@pytest.mark.usefixtures("_serving")
def test_a_killed_container_is_started_and_a_running_one_left_alone() -> None:
    """The same container keeps its port and data."""
    container = RememberingContainer()
    server = elasticsearch_in(container)
    for action in (
        server.kill,
        server.start,
        server.start,
        server.kill,
        server.kill,
        server.start,
        server.stop,
    ):
        action()

    assert container.did == ["start", "kill", "start", "stop"]


@pytest.mark.usefixtures("_serving")
def test_new_settings_stop_it_and_hold_from_the_next_start() -> None:
    """The container was made with the old ones, and keeps its data."""
    container = RememberingContainer()
    server = elasticsearch_in(container)
    server.start()
    for settings in ({"thread_pool.write.queue_size": "1"}, {"thread_pool.write.queue_size": "1"}):
        server.configure(settings)
    (written,) = container.files.items()

    assert container.did == ["start", "stop"]
    assert written[0] == "/usr/share/elasticsearch/config/given.yml"
    assert "thread_pool.write.queue_size: 1" in written[1]


def test_a_container_that_ends_at_once_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits two minutes for a process that is dead."""
    container = RememberingContainer()
    server = elasticsearch_in(container)
    monkeypatch.setattr(server, "answers", lambda: False)
    monkeypatch.setattr(container, "start", lambda: None)

    with pytest.raises(ServerMissingError, match="OutOfMemoryError"):
        server.start()


def test_a_container_that_does_not_start_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is kept, the container is not."""
    container = RememberingContainer()
    monkeypatch.setattr(containers, "why_no_container", lambda _: None)
    monkeypatch.setattr("testcontainers.core.container.DockerContainer", lambda _: container)
    monkeypatch.setattr(container, "start", lambda: 1 / 0)

    with pytest.raises(ServerMissingError, match=r"did not start \(division by zero\)"):
        start_elasticsearch_container()
    assert container.did == ["stop"]


def test_the_image_is_pinned() -> None:
    """A test of tomorrow meets what today's met."""
    assert elasticsearch_container.IMAGE == "docker.elastic.co/elasticsearch/elasticsearch:9.4.3"
