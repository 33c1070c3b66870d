"""Holds a server for the tests that want it."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from servers.missing import ServerMissingError, do_without


class Server(Protocol):
    """What is held: it can be started, when it is not running, and ended."""

    def start(self) -> None:
        """Start it, if it does not run."""

    def close(self) -> None:
        """End it and remove its data."""


S = TypeVar("S", bound=Server)


class Holder(Generic[S]):
    """Finds a server when it is first asked for, and remembers it, or why there is none.

    Args:
        name: of the kind of server, for who has to do without.
        find: returns a running one, or raises ServerMissingError.
        killable: whether tests may kill it, so that it may have to be started again.
    """

    def __init__(self, name: str, find: Callable[[], S], *, killable: bool = False) -> None:
        self._name = name
        self._find = find
        self._killable = killable
        self._server: S | None = None
        self._error: Exception | None = None

    def prepare(self) -> None:
        """Have the server running, if it can be had; a failure is kept for `get`."""
        if self._error is not None:
            return
        try:
            if self._server is None:
                self._server = self._find()
            elif self._killable:
                self._server.start()
        except Exception as error:  # noqa: BLE001 - told to the tests that want the server
            self._error = error

    def get(self) -> S:
        """Return the running server, or end the test."""
        self.prepare()
        if isinstance(self._error, ServerMissingError):
            do_without(self._name, self._error)
        if self._error is not None:
            raise self._error
        assert self._server is not None
        return self._server

    def close(self) -> None:
        """End the server; the next `get` finds another, unless there is no way to one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if not isinstance(self._error, ServerMissingError):
            self._error = None
