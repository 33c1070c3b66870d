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
        self._waiting: dict[int, str] = {}
        self._since = 0.0
        self._seconds = 0.0  # of outages that are over

    @property
    def reasons(self) -> dict[int, str]:
        """Which partitions wait, and for what."""
        return dict(self._waiting)

    @property
    def seconds(self) -> float:
        """How long something was waited for, all outages together."""
        return self._seconds + (time.monotonic() - self._since if self._waiting else 0.0)

    def down(self, number: int, error: UnavailableError) -> None:
        """Learn that a partition waits."""
        if not self._waiting:
            self._since = time.monotonic()
            warn("dependency.down", error, group=self._group, partition=number)
        self._waiting[number] = str(error)

    def back(self, number: int) -> None:
        """Learn that a partition works."""
        if self._end(number):
            seconds = round(time.monotonic() - self._since, 1)
            logger.warning("dependency.back", group=self._group, seconds=seconds)

    def forget(self, number: int) -> None:
        """Learn that a partition has been let go of; that says nothing of the dependency."""
        self._end(number)

    def _end(self, number: int) -> bool:
        """Take out a partition; tell whether it was the last that waited."""
        if self._waiting.pop(number, None) is None or self._waiting:
            return False
        self._seconds += time.monotonic() - self._since
        return True
