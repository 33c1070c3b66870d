"""What is known of this process's health: is it alive, and is it ready?

Alive means that the event loop turns and no partition stands still although there is something to read: a
process that is not alive should be started again. Ready means alive, with the log and the other dependencies
answering and all partitions that are ours at work; whoever stands by as a spare is ready too. A dependency
that is down makes a process not ready, never not alive, as a new start would not mend it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

BEAT_SECONDS = 0.5  # between two signs of the event loop
HUNG_SECONDS = 30.0  # without one the event loop hangs; never longer than the time until stuck
OLD_SECONDS = 60.0  # a report so old says nothing any more


@dataclass(frozen=True)
class Report:
    """How things stood at one look.

    Attributes:
        at: when, by the monotonic clock.
        stuck: what does not move, in words.
        waiting: what else keeps the process from being ready.
    """

    at: float
    stuck: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Health:
    """Told by the event loop, asked by the threads of the server: every attribute is set at once.

    Args:
        stuck_seconds: a partition that has not moved for so long is stuck.
        clock: a monotonic one.
    """

    def __init__(self, stuck_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.stuck_seconds = stuck_seconds
        self._clock = clock
        self._beat_at = clock()
        self._report: Report | None = None
        self._stopping = False

    def beat(self) -> None:
        """Learn that the event loop turns."""
        self._beat_at = self._clock()

    def looked(self, report: Report) -> None:
        """Learn how things stand."""
        self._report = report

    def stopping(self) -> None:
        """Learn that the process was asked to end."""
        self._stopping = True

    def not_alive(self) -> list[str]:
        """Say what is wrong for good; nothing if the process is alive."""
        silent = self._clock() - self._beat_at
        hung = silent >= min(HUNG_SECONDS, self.stuck_seconds)
        found = [f"the event loop has not turned for {silent:.0f} s"] if hung else []
        return [*found, *(self._report.stuck if self._report else ())]

    def not_ready(self) -> list[str]:
        """Say why the process is not ready; nothing if it is."""
        found = self.not_alive()
        if self._stopping:
            return [*found, "it is stopping"]
        if self._report is None:
            return [*found, "it is starting"]
        old = self._clock() - self._report.at
        if old >= OLD_SECONDS:
            found.append(f"nobody has looked at the partitions for {old:.0f} s")
        return [*found, *self._report.waiting]
