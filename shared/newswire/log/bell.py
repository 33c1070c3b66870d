"""Waking whoever waits for a partition to grow: here by events, in other processes by a datagram."""

import asyncio
import contextlib
import socket
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

LOOPBACK = "127.0.0.1"

Line = tuple[str, int]
"""A topic and a partition."""


class Bells:
    """Events by topic and partition, and one loopback socket on which other processes ring all of them."""

    def __init__(self) -> None:
        self._waiting: dict[Line, set[asyncio.Event]] = defaultdict(set)
        self._rings: Counter[Line] = Counter()
        self._rings_of_all = 0
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port on which this process is rung, 0 before ``open``."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    def open(self) -> None:
        """Listen for datagrams on a free port of loopback."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._rung)

    def close(self) -> None:
        """Stop listening."""
        if self._socket:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def ring(self, lines: Iterable[Line]) -> None:
        """Wake everybody here who waits on one of the lines."""
        for line in lines:
            self._rings[line] += 1
            for event in self._waiting.get(line, ()):
                event.set()

    def ring_all(self) -> None:
        """Wake everybody here."""
        self._rings_of_all += 1
        for events in self._waiting.values():
            for event in events:
                event.set()

    def heard(self, lines: Iterable[Line]) -> tuple[int, ...]:
        """Return how often the lines were rung: a look that is older than a ring has missed something."""
        return (self._rings_of_all, *(self._rings[line] for line in lines))

    @contextlib.contextmanager
    def listening(self, lines: Iterable[Line]) -> Iterator[asyncio.Event]:
        """Give an event that is set when one of the lines is rung."""
        lines, event = tuple(lines), asyncio.Event()
        for line in lines:
            self._waiting[line].add(event)
        try:
            yield event
        finally:
            for line in lines:
                self._waiting[line].discard(event)
                if not self._waiting[line]:
                    del self._waiting[line]

    def _rung(self) -> None:
        if self._socket:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                while self._socket.recv(1):
                    pass
        self.ring_all()


def ring_others(ports: Sequence[int]) -> None:
    """Send a datagram to each port; a lost one costs a waiter its time-out and no more."""
    if not ports:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for port in ports:
            with contextlib.suppress(OSError):
                sender.sendto(b"1", (LOOPBACK, port))
