"""The small server: three paths, two methods, and no patience."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from newswire import health_server
from newswire.errors import SettingsError
from newswire.health import Health, Report
from newswire.health_server import AT_ONCE, REQUEST_BYTES, served, serving
from newswire.settings import Settings

pytestmark = pytest.mark.unit


@pytest.fixture
def health() -> Health:
    """The health of a process that is ready."""
    health = Health(120)
    health.looked(Report(at=float("inf")))
    return health


@pytest.fixture
def port(health: Health) -> Iterator[int]:
    """Where it is served."""
    with served(health, "127.0.0.1", 0) as port:
        yield port


def say(port: int, request: bytes) -> bytes:
    """Send bytes and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        return read(connection)


def read(connection: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    found = b""
    try:
        while more := connection.recv(65536):
            found += more
    except ConnectionError:
        pass
    return found


def get(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Return status and body."""
    head, _, body = say(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def test_a_healthy_process_says_so(port: int) -> None:
    """In a word."""
    assert get(port, "/healthz") == (200, "alive\n")
    assert get(port, "/readyz") == (200, "ready\n")


def test_what_is_wrong_stands_in_the_answer(port: int, health: Health) -> None:
    """A line each."""
    health.looked(Report(at=float("inf"), stuck=("enrich has not moved",), waiting=("index waits",)))

    assert get(port, "/healthz") == (503, "not alive\nenrich has not moved\n")
    assert get(port, "/readyz") == (503, "not ready\nenrich has not moved\nindex waits\n")


def test_metrics_are_those_of_the_process(port: int, health: Health) -> None:
    """As Prometheus takes them."""
    ready = get(port, "/metrics")[1]
    health.stopping()
    status, text = get(port, "/metrics")

    assert status == 200
    assert "newswire_ready 1.0" in ready
    assert "newswire_ready 0.0" in text
    assert "# TYPE newswire_messages_total counter" in text or "# TYPE newswire_messages counter" in text
    assert "process_cpu_seconds_total" in text
    assert "_created" not in text


def test_the_type_of_metrics_is_told() -> None:
    """Prometheus 3 asks for it."""
    with served(Health(1), "127.0.0.1", 0) as port:
        answer = say(port, b"GET /metrics HTTP/1.0\r\n\r\n")

    assert b"\r\nContent-Type: text/plain; version=" in answer
    assert b"\r\nConnection: close\r\n" in answer


def test_a_query_counts_for_nothing(port: int) -> None:
    """Some add one against caches."""
    assert get(port, "/healthz?now=1")[0] == 200


def test_head_is_answered_without_a_body(port: int) -> None:
    """With its length."""
    answer = say(port, b"HEAD /healthz HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 6\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_other_methods_are_refused(port: int, method: str) -> None:
    """There is nothing to change here."""
    assert get(port, "/healthz", method) == (405, "GET and HEAD only\n")


@pytest.mark.parametrize("path", ["/", "/healthz/", "/../etc/passwd", "/<script>"])
def test_other_paths_are_not_there_and_not_repeated(port: int, path: str) -> None:
    """No answer holds what was asked."""
    assert get(port, path) == (404, "there is /healthz, /readyz and /metrics\n")


@pytest.mark.parametrize(
    "request_",
    [b"\r\n\r\n", b"GET\r\n\r\n", b"GET /healthz\r\n\r\n", b"\x00\xff\r\n\r\n", b"a b c d\r\n\r\n", b""],
)
def test_what_is_no_request_is_refused(port: int, request_: bytes) -> None:
    """And does no harm."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        answer = read(connection)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert get(port, "/healthz")[0] == 200


def test_endless_requests_are_cut_off(port: int) -> None:
    """At some kilobytes."""
    answer = say(port, b"GET /healthz HTTP/1.1\r\nX: " + b"x" * (2 * REQUEST_BYTES))

    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


def test_slow_clients_are_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that sends a byte now and then."""
    monkeypatch.setattr(health_server, "REQUEST_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")

        assert read(connection).startswith(b"HTTP/1.1 400 ")


def test_too_many_at_once_are_turned_away_and_nobody_else_suffers(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When they are gone there is place again."""
    monkeypatch.setattr(health_server, "REQUEST_SECONDS", 1.0)
    with ExitStack() as stack:
        for _ in range(AT_ONCE):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as late:
            assert read(late) == b""
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))]
        assert [read(each) for each in held] == [b""]

    answers = [b""]
    while not answers[-1].startswith(b"HTTP/1.1 200 "):  # the test's own time limit ends it
        answers.append(say(port, b"GET /healthz HTTP/1.1\r\n\r\n"))


def test_without_a_port_nothing_is_served() -> None:
    """Two processes on a laptop would be in each other's way."""
    for port in (None, 0):
        with serving(Settings(health_port=port)) as health:
            assert health is None


def test_the_settings_say_where(health: Health) -> None:
    """A taken port ends the start, with the names of the settings."""
    with (
        served(health, "127.0.0.1", 0) as taken,
        pytest.raises(SettingsError, match="NEWSWIRE_HEALTH_PORT"),
        serving(Settings(health_port=taken)),
    ):
        pass
    with serving(Settings(health_port=taken, health_stuck_seconds=7)) as ours:
        assert ours is not None
        assert ours.stuck_seconds == 7
        assert get(taken, "/readyz") == (503, "not ready\nit is starting\n")


def test_a_host_that_is_none_is_a_wrong_setting(health: Health) -> None:
    """Not a traceback."""
    with pytest.raises(SettingsError, match="NEWSWIRE_HEALTH_HOST"), served(health, "no host", 0):
        pass
