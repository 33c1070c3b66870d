"""Saying once, and not for every partition, that a dependency is down, and once that it is back."""

import time

import structlog

from newswire.errors import LogUnavailableError, UnavailableError

logger = structlog.get_logger()


def warn(event: str, error: UnavailableError, **keys: object) -> None:
    """Write a line about what has to wait for a dependency; the log says by itself that it is away."""
    say = logger.debug if isinstance(error, LogUnavailableError) else logger.warning
    say(event, error=str(error), **keys)


class Outages:
    """The partitions of one stage that wait for a dependency.

    Args:
        group: of the stage.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._waiting: set[int] = set()
        self._since = 0.0

    def down(self, number: int, error: UnavailableError) -> None:
        """Learn that a partition waits."""
        if not self._waiting:
            self._since = time.monotonic()
            warn("dependency.down", error, group=self._group, partition=number)
        self._waiting.add(number)

    def back(self, number: int) -> None:
        """Learn that a partition works."""
        if number in self._waiting:
            self._waiting.discard(number)
            if not self._waiting:
                seconds = round(time.monotonic() - self._since, 1)
                logger.warning("dependency.back", group=self._group, seconds=seconds)

    def forget(self, number: int) -> None:
        """Learn that a partition has been let go of; that says nothing of the dependency."""
        self._waiting.discard(number)
