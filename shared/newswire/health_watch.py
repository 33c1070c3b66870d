"""Looks after the workers of a process, again and again: who is behind, who stands still, what is down."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence

from newswire import metrics
from newswire.errors import UnavailableError
from newswire.health import BEAT_SECONDS, Health, Report
from newswire.lag import Lag
from newswire.log.port import Log
from newswire.worker import Worker

LOOK_SECONDS = 5.0  # between two looks at most
SOON_SECONDS = 1.0  # the same while the process is not ready
ANSWER_SECONDS = 20.0  # for what is asked: the log or a dependency of a stage


@contextlib.asynccontextmanager
async def beating(health: Health | None) -> AsyncIterator[None]:
    """Give a sign at every turn, as long as the event loop turns."""
    if health is None:
        yield
        return
    task = asyncio.create_task(_beat(health))
    try:
        yield
    finally:
        task.cancel()


async def _beat(health: Health) -> None:
    while True:
        health.beat()
        await asyncio.sleep(BEAT_SECONDS)


class Watch:
    """Tells the health of a process how its workers stand.

    Args:
        log: an open log.
        workers: of this process.
        health: is told.
    """

    def __init__(self, log: Log, workers: Sequence[Worker], health: Health) -> None:
        self._health = health
        self._watched = [_Watched(worker, Lag(log, worker.group, worker.topics)) for worker in workers]

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            often = SOON_SECONDS if self._health.not_ready() else LOOK_SECONDS
            await asyncio.sleep(min(often, self._health.stuck_seconds / 4))

    async def look(self) -> None:
        """Look once."""
        started = time.monotonic()
        stuck: list[str] = []
        waiting: list[str] = []
        for watched in self._watched:
            waiting += await watched.look()
            stuck += watched.stuck(self._health.stuck_seconds)
        self._health.looked(Report(started, tuple(stuck), tuple(dict.fromkeys(waiting))))


class _Watched:
    """A worker, how far its group is behind, and how long it has waited for dependencies."""

    def __init__(self, worker: Worker, lag: Lag) -> None:
        self._worker = worker
        self._lag = lag
        self._waited = 0.0

    async def look(self) -> list[str]:
        """Return what keeps the worker from being ready."""
        worker, group = self._worker, self._worker.group
        found: list[str] = []
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._lag.look()
        except (UnavailableError, TimeoutError) as error:
            found.append(f"the log does not answer: {_said(error)}")
            for signs in worker.signs.values():
                signs.seen()  # nothing can move meanwhile, and for a while after
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await worker.check()
        except (UnavailableError, TimeoutError) as error:
            found.append(f"{group} cannot work: {_said(error)}")
        self._measure()
        return [*found, *self._unsettled(), *self._outages()]

    def _unsettled(self) -> list[str]:
        group = self._worker.group
        if not self._worker.is_settled:
            return [f"{group} does not hold its share of the partitions yet"]
        closed = [number for number, signs in self._worker.signs.items() if not signs.is_open]
        return [f"{group} is opening {_numbers(closed)}"] if closed else []

    def _outages(self) -> list[str]:
        """Say what partitions wait for, in as few lines as there are reasons."""
        reasons: dict[str, list[int]] = {}
        for number, reason in self._worker.outages.reasons.items():
            reasons.setdefault(reason, []).append(number)
            if signs := self._worker.signs.get(number):
                signs.seen()
        return [f"{self._worker.group} waits in {_numbers(each)}: {why}" for why, each in reasons.items()]

    def stuck(self, seconds: float) -> list[str]:
        """Return which partitions have not moved for so long, with no good reason."""
        now = time.monotonic()
        found: dict[int, str] = {}
        for at, since in self._lag.since.items():
            signs = self._worker.signs.get(at.partition)
            if signs is None or not signs.is_open or signs.contained:
                continue
            still = now - max(since, signs.seen_at)
            if still >= seconds:
                found[at.partition] = (
                    f"{self._worker.group} has not moved in partition {at.partition} of {at.topic} "
                    f"for {still:.0f} s, with {self._lag.behind[at]} messages to read"
                )
        metrics.STUCK.labels(self._worker.group).set(len(found))
        return [found[number] for number in sorted(found)]

    def _measure(self) -> None:
        worker, group = self._worker, self._worker.group
        for topic in worker.topics:
            metrics.LAG.labels(group, topic).set(self._lag.of(topic))
        metrics.PARTITIONS.labels(group).set(sum(signs.is_open for signs in worker.signs.values()))
        metrics.OUTAGE.labels(group).set(bool(worker.outages.reasons))
        before, self._waited = self._waited, worker.outages.seconds
        metrics.OUTAGE_SECONDS.labels(group).inc(max(0.0, self._waited - before))


def _numbers(numbers: Iterable[int]) -> str:
    found = sorted(numbers)
    return f"partition{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"


def _said(error: Exception) -> str:
    return str(error) or f"no answer in {ANSWER_SECONDS:.0f} s"
