"""What a test may do with an Elasticsearch, wherever it came from."""

import base64
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

VERSION = "9.4.3"
USER = "tester"
PASSWORD = "tester-secret"  # noqa: S105 - of servers that live as long as a test run
SECONDS = 10.0  # for one answer


class Answer(NamedTuple):
    """An answer of the server, with its body read as JSON."""

    status: int
    body: Any


class ElasticsearchServer(ABC):
    """A running Elasticsearch of one node.

    Args:
        url: where it answers.
        username: of a superuser, if authentication is on.
        password: likewise.
        snapshots: a folder, as the server sees it, in which repositories of the type `fs` may be made.
    """

    origin: str
    can_be_killed = True

    def __init__(
        self,
        url: str,
        username: str | None = None,
        password: str | None = None,
        *,
        snapshots: str | None = None,
    ) -> None:
        self.url = url
        self.username = username
        self.password = password
        self.snapshots = snapshots

    @abstractmethod
    def start(self) -> None:
        """Start it, if it does not run, on the same port with the same data; return when it answers."""

    @abstractmethod
    def kill(self) -> None:
        """Kill it as `kill -9` does; the data stays."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it in order; the data stays."""

    @abstractmethod
    def configure(self, settings: Mapping[str, str]) -> None:
        """Set what its elasticsearch.yml says beyond the usual, instead of what was set before.

        It holds from the next start on; a running server with other settings is stopped.
        """

    @abstractmethod
    def close(self) -> None:
        """End it and remove its data."""

    def ask(self, path: str, method: str = "GET", body: object = None) -> Answer:
        """Ask as the superuser, if authentication is on; like `ask_as` otherwise."""
        user = None if self.username is None else (self.username, self.password or "")
        return self.ask_as(user, path, method, body)

    def ask_as(
        self, user: tuple[str, str] | None, path: str, method: str = "GET", body: object = None
    ) -> Answer:
        """Ask the server over plain HTTP, without a client's retries.

        Args:
            user: name and password; None gives none.
            path: with its parameters, from the slash on.
            method: of HTTP.
            body: to be sent as JSON; None sends none.
        """
        headers = {"Content-Type": "application/json"}
        if user is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(':'.join(user).encode()).decode()}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, headers, method=method)  # noqa: S310 - of our own server
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=SECONDS) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"null"))
        except HTTPError as refused:
            with refused:
                return Answer(refused.code, _json_if_any(refused.read()))

    def answers(self) -> bool:
        """Say whether it serves: the cluster has formed, and its indices can be written to."""
        try:
            health = self.ask("/_cluster/health?wait_for_status=yellow&timeout=1s")
        except OSError:
            return False
        return health.status == HTTPStatus.OK

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End it and remove its data."""
        self.close()


def _json_if_any(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def wait_until_it_answers(server: ElasticsearchServer, seconds: float, runs: Callable[[], bool]) -> bool:
    """Wait; return False when the time is over, or as soon as it does not run any more."""
    deadline = time.monotonic() + seconds
    while not server.answers():
        if not runs() or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
