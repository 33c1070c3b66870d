"""Runs one stage on a fair share of the partitions, and lets go of them in good order."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any

import structlog

from newswire.errors import ClaimBrokenError, FencedError, UnavailableError
from newswire.log.port import Claim, Log, Member
from newswire.outages import Outages
from newswire.ownership import Ownership
from newswire.partition_loop import PartitionLoop, WorkerOptions
from newswire.signs import Signs, working_for
from newswire.stage import Dependent, Stage

logger = structlog.get_logger()


class Worker:
    """Runs one stage on a fair share of the partitions.

    Args:
        log: an open log.
        stage: what to do.
        options: bounds.
    """

    def __init__(self, log: Log, stage: Stage, options: WorkerOptions | None = None) -> None:
        self.signs: dict[int, Signs] = {}
        self.outages = Outages(stage.group)
        self._log = log
        self._stage = stage
        self._options = options or WorkerOptions()
        self._member: Member | None = None
        self._partitions: dict[int, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._failed: asyncio.Future[None] | None = None
        self._deadline = float("inf")
        self._stopping = asyncio.Event()

    @property
    def group(self) -> str:
        """The group that it works in."""
        return self._stage.group

    @property
    def topics(self) -> tuple[str, ...]:
        """What it reads."""
        return tuple(self._stage.inputs)

    @property
    def is_settled(self) -> bool:
        """Whether it holds what the group gave it, be it nothing."""
        return self._member is not None and self._member.is_settled

    async def check(self) -> None:
        """Raise UnavailableError if a dependency of the stage is down."""
        if isinstance(self._stage, Dependent):
            await self._stage.check()

    def stop(self) -> None:
        """Ask the worker to finish what it has in hand and return; may be called again."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped; raises what no retry can mend."""
        self._failed = asyncio.get_running_loop().create_future()
        self._member = self._log.member(
            self.group, self.topics, self._gained, self._lost, publishes=self._options.publishes
        )
        side = asyncio.create_task(self._member.run())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            ending: set[asyncio.Future[Any]] = {side, stopping, self._failed}
            await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._deadline = time.monotonic() + self._options.drain_seconds
            stopping.cancel()
            side.cancel()
            await asyncio.wait({side})  # not awaited itself: that would hide our own being cancelled
        if self._failed.done():
            self._failed.result()
        if not side.cancelled():
            side.result()

    async def _gained(self, claim: Claim) -> None:
        logger.debug("partition.gained", group=claim.group, partition=claim.number)
        stop = asyncio.Event()
        self.signs[claim.number] = Signs()
        task = asyncio.create_task(self._serve(claim, stop))
        task.add_done_callback(self._served)
        self._partitions[claim.number] = (task, stop)

    async def _lost(self, claim: Claim) -> None:
        task, stop = self._partitions.pop(claim.number)
        stop.set()
        deadline = min(self._deadline, time.monotonic() + self._options.drain_seconds)
        _, late = await asyncio.wait({task}, timeout=max(0.0, deadline - time.monotonic()))
        if late:
            task.cancel()
            await asyncio.wait({task})
        del self.signs[claim.number]
        logger.debug("partition.lost", group=claim.group, partition=claim.number)

    def _served(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() and self._failed and not self._failed.done():
            self._failed.set_exception(task.exception() or RuntimeError())

    async def _serve(self, claim: Claim, stop: asyncio.Event) -> None:
        """Work on one partition until it is lost."""
        try:
            failures = 0
            while not stop.is_set() and not await self._held(claim, stop):
                failures += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._options.backoff.seconds(failures))
        except (FencedError, BaseExceptionGroup) as error:
            if not _is(FencedError, error):
                raise
            say = logger.debug if _is(ClaimBrokenError, error) else logger.warning
            say("partition.fenced", group=claim.group, partition=claim.number, error=str(error))
        finally:
            self.outages.forget(claim.number)

    async def _held(self, claim: Claim, stop: asyncio.Event) -> bool:
        """Open the partition and work on it until it is lost; False if it cannot be opened yet."""
        ownership = Ownership(self._log, claim, self._options.cache)
        try:
            try:
                handler = await self._stage.open(ownership)
            except UnavailableError as error:  # such as a log that goes away while tables are read
                self.outages.down(claim.number, error)
                return False
            self.outages.back(claim.number)
            loop = PartitionLoop(self._stage, handler, ownership, stop, self._options, self.outages)
            signs = self.signs[claim.number]
            signs.is_open = True
            signs.seen()
            try:
                await _first_of(_signed(loop, signs), handler.run(), stop)
            finally:
                await handler.close()
        finally:
            ownership.close()
        return True


def _is(kind: type[Exception], error: BaseException) -> bool:
    """Tell whether an error, or each of a group, is of a kind."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is(kind, each) for each in error.exceptions)
    return isinstance(error, kind)


async def _signed(loop: PartitionLoop, signs: Signs) -> None:
    """Run the loop, so that what its batches hand to child processes is known as theirs."""
    with working_for(signs):
        await loop.run()


async def _first_of(
    consume: Coroutine[None, None, None], background: Coroutine[None, None, None], stop: asyncio.Event
) -> None:
    """Run both; when the consumer has stopped end the other, and let any failure through."""
    consumer = asyncio.ensure_future(consume)
    side = asyncio.ensure_future(background)
    try:
        done, _ = await asyncio.wait({consumer, side}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await consumer
    finally:
        stop.set()
        for task in (consumer, side):
            task.cancel()
        await asyncio.wait({consumer, side})
        for task in (consumer, side):
            if not task.cancelled():
                task.exception()  # where both have failed, asyncio would complain of the one not raised
    if not side.cancelled():
        side.result()  # an error on the way out is an error too
