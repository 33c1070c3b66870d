"""Answers /healthz, /readyz and /metrics, in threads of its own: also while the event loop hangs.

Small on purpose: it reads one request line, answers, and closes. Whoever is slow is cut off, whoever comes
when many are being answered is not answered, and nothing that was asked stands in an answer.
"""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, disable_created_metrics, generate_latest

from newswire.errors import SettingsError
from newswire.health import Health
from newswire.metrics import READY, REGISTRY
from newswire.settings import Settings

REQUEST_SECONDS = 5.0  # to send a request, and to take the answer
REQUEST_BYTES = 8192
AT_ONCE = 16  # connections
TEXT = "text/plain; charset=utf-8"


class _Server(socketserver.ThreadingTCPServer):
    """Takes connections, not too many at once."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, health: Health) -> None:
        self.health = health
        self._places = threading.Semaphore(AT_ONCE)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self.address_family = found[0]
        super().__init__(found[4][:2], _Handler)  # type: ignore[arg-type]  # host and port, of IPv6 too

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Answer in a thread if there is a place for it."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Answer, and give the place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that has gone away is no news."""


class _Handler(socketserver.BaseRequestHandler):
    """Answers one request."""

    server: _Server

    def handle(self) -> None:
        """Read a request, answer it."""
        method, path = _asked(self.request)
        if not method:
            status, kind, body = HTTPStatus.BAD_REQUEST, TEXT, b"no request\n"
        elif method not in {"GET", "HEAD"}:
            status, kind, body = HTTPStatus.METHOD_NOT_ALLOWED, TEXT, b"GET and HEAD only\n"
        else:
            status, kind, body = answer(self.server.health, path)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nAllow: GET, HEAD\r\n"
            "Connection: close\r\n\r\n"
        )
        self.request.settimeout(REQUEST_SECONDS)
        self.request.sendall(head.encode("ascii") + (b"" if method == "HEAD" else body))


def _asked(connection: socket.socket) -> tuple[str, str]:
    """Return method and path of a request, empty if none comes in time; the query counts for nothing."""
    deadline = time.monotonic() + REQUEST_SECONDS
    read = b""
    while b"\r\n\r\n" not in read and b"\n\n" not in read:
        left = deadline - time.monotonic()
        if left <= 0 or len(read) > REQUEST_BYTES:
            return "", ""
        connection.settimeout(left)
        try:
            more = connection.recv(REQUEST_BYTES)
        except OSError:
            return "", ""
        if not more:
            return "", ""
        read += more
    words = read.split(b"\n", 1)[0].decode("latin-1").split()
    return (words[0], words[1].partition("?")[0]) if len(words) == 3 else ("", "")  # noqa: PLR2004  with the version


def answer(health: Health, path: str) -> tuple[HTTPStatus, str, bytes]:
    """Return status, content type and body of what a path answers."""
    if path == "/healthz":
        return _verdict(health.not_alive(), "alive")
    if path == "/readyz":
        return _verdict(health.not_ready(), "ready")
    if path == "/metrics":
        return _metrics(health)
    return HTTPStatus.NOT_FOUND, TEXT, b"there is /healthz, /readyz and /metrics\n"


def _verdict(wrong: list[str], word: str) -> tuple[HTTPStatus, str, bytes]:
    status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
    lines = [f"not {word}", *wrong] if wrong else [word]
    return status, TEXT, "".join(f"{line}\n" for line in lines).encode()


def _metrics(health: Health) -> tuple[HTTPStatus, str, bytes]:
    READY.set(not health.not_ready())
    return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(REGISTRY)


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[Health | None]:
    """Serve the health of this process where the settings say, and yield it; None where they say nothing."""
    if not settings.health_port:
        yield None
        return
    health = Health(settings.health_stuck_seconds)
    with served(health, settings.health_host, settings.health_port):
        yield health


@contextlib.contextmanager
def served(health: Health, host: str, port: int) -> Iterator[int]:
    """Serve a health and yield the port; raises SettingsError if that cannot be had."""
    try:
        server = _Server(host, port, health)
    except OSError as error:
        raise SettingsError(
            f"NEWSWIRE_HEALTH_HOST and NEWSWIRE_HEALTH_PORT: {host}:{port} cannot be had: {error}"
        ) from error
    disable_created_metrics()  # type: ignore[no-untyped-call]  # one more series a counter, which nobody reads
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
