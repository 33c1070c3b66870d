"""Manners: how often and how many at once a registered domain is asked, over feeds and pages alike."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

BUSY_SECONDS = 0.05  # between two looks at a domain that is busy


@dataclass
class _Domain:
    free_at: float = 0.0  # monotonic seconds
    busy: int = 0


class Spacing:
    """When each domain may be asked next.

    Args:
        seconds: between the starts of two requests to a domain.
        concurrency: requests to a domain at once.
    """

    def __init__(self, seconds: float, concurrency: int) -> None:
        self._seconds = seconds
        self._concurrency = concurrency
        self._domains: dict[str, _Domain] = defaultdict(_Domain)
        self._listeners: list[Callable[[str], None]] = []

    def free_at(self, domain: str) -> float:
        """Return when the domain may be asked; infinity while it is busy enough."""
        state = self._domains.get(domain)
        if state is None:
            return 0.0
        return float("inf") if state.busy >= self._concurrency else state.free_at

    def slow_down(self, domain: str, seconds: float) -> None:
        """Leave a domain alone for a while, as it asked."""
        now = asyncio.get_running_loop().time()
        state = self._domains[domain]
        state.free_at = max(state.free_at, now + seconds)

    def start(self, domain: str) -> None:
        """Take a place of the domain, which must be free."""
        state = self._domains[domain]
        state.busy += 1
        state.free_at = max(state.free_at, asyncio.get_running_loop().time() + self._seconds)

    def finish(self, domain: str) -> None:
        """Give a place back."""
        self._domains[domain].busy -= 1
        for listener in self._listeners:
            listener(domain)

    @contextlib.contextmanager
    def listening(self, freed: Callable[[str], None]) -> Iterator[None]:
        """Have a function called with each domain of which a place was given back."""
        self._listeners.append(freed)
        try:
            yield
        finally:
            self._listeners.remove(freed)

    @contextlib.asynccontextmanager
    async def request(self, domain: str) -> AsyncIterator[None]:
        """Wait for the domain's turn, and hold a place of it."""
        clock = asyncio.get_running_loop().time
        while (wait := self.free_at(domain) - clock()) > 0:  # noqa: ASYNC110  time alone frees a domain too
            await asyncio.sleep(min(wait, BUSY_SECONDS))
        self.start(domain)
        try:
            yield
        finally:
            self.finish(domain)
