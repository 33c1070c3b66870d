"""Waiting out a dependency that is down, beside the worker's own loop."""

import asyncio

import structlog

from newswire.backoff import Backoff
from newswire.errors import UnavailableError

logger = structlog.get_logger()


class Patience:
    """Waits longer each time in a row that a dependency is found down, and says so once.

    Args:
        what: the activity that waits, for the log line.
        backoff: the waits.
    """

    def __init__(self, what: str, backoff: Backoff | None = None) -> None:
        self._what = what
        self._backoff = backoff or Backoff()
        self._outages = 0

    async def wait(self, error: UnavailableError) -> None:
        """Wait after an outage."""
        self._outages += 1
        if self._outages == 1:
            logger.warning("dependency.down", activity=self._what, error=str(error))
        await asyncio.sleep(self._backoff.seconds(self._outages))

    def back(self) -> None:
        """Take note that something went well."""
        if self._outages:
            logger.warning("dependency.back", activity=self._what)
        self._outages = 0
