"""What happens when: actions at moments of one clock."""

import heapq
import itertools
import time
from collections.abc import Callable


class Schedule:
    """Actions that are due at some second after the start; an action may add others."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._start = clock()
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def at(self, second: float, action: Callable[[], None]) -> None:
        """Do something at a second after the start."""
        heapq.heappush(self._due, (second, next(self._order), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something so many seconds from now."""
        self.at(self.now + seconds, action)

    def run(self) -> None:
        """Do everything in order of its moment, until nothing is left."""
        while self._due:
            second, _, action = heapq.heappop(self._due)
            if second > self.now:
                self._sleep(second - self.now)
            action()
