"""Puts together what the partitions of a process have to write: few requests instead of many small ones.

    partition ─┐
    partition ─┼─ gathered for a moment, and while a request is out ──► one write ──► all of them go on
    partition ─┘

No dashboard needs what happened a moment ago, and every request to the store is work that it does not do for
articles.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from newswire_index.operations.documents import Step

GATHER_SECONDS = 0.2  # well below the time that a batch may take before batches become smaller

Write = Callable[[Sequence[Step]], Awaitable[None]]


class Gathering:
    """Gathers steps of several callers, who all wait until theirs are taken.

    Args:
        write: takes steps; what it raises is raised to all whose steps were among them.
        seconds: that are waited for more.
    """

    def __init__(self, write: Write, seconds: float = GATHER_SECONDS) -> None:
        self._write = write
        self._seconds = seconds
        self._waiting: list[tuple[Sequence[Step], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, steps: Sequence[Step]) -> None:
        """Take steps, in the order of each caller."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((steps, taken))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        await taken

    async def close(self) -> None:
        """End; whoever still waits is given up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._seconds)
            taken, self._waiting = self._waiting, []
            try:
                await self._write([step for steps, _ in taken for step in steps])
            except Exception as error:  # noqa: BLE001  raised to those who wait
                _end(taken, error)
            else:
                _end(taken, None)
        self._task = None


def _end(taken: Sequence[tuple[Sequence[Step], asyncio.Future[None]]], error: Exception | None) -> None:
    """Let all who still wait go on; a partition may have been lost meanwhile."""
    for _, future in taken:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
