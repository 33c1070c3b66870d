"""Reading a topic as a member of a group, record by record, each committed once it is done.

claims ──fetch──► the batch of one partition ──► the record in hand ──done──► committed, a few at a time

Only one partition at a time has a batch here. Its offset is committed when the batch is done, when a second
has passed, and before the partition is let go of. So little comes again after a death, and a lone record is
committed at once.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from newswire.backoff import Backoff
from newswire.errors import FencedError, UnavailableError
from newswire.log.port import Claim, Log, Record
from newswire.outages import Outages
from newswire.pace import Pace
from newswire.waiting import first

logger = structlog.get_logger()

COMMIT_SECONDS = 1.0  # what is done is committed after that, as soon as the next record is asked for
IDLE_SECONDS = 5.0  # an idle reader looks again after that, in case a bell was not heard
HAND_OVER_SECONDS = 4.0  # for the record in hand before its partition goes; Kafka itself waits for 5
FIRST_BATCH, LARGEST_BATCH = 16, 500  # records
BATCH_BYTES = 8_000_000


class Lane:
    """A partition that is ours.

    Args:
        claim: on it.
        topic: that is read.
    """

    def __init__(self, claim: Claim, topic: str) -> None:
        self.claim = claim
        self.placed = False  # whether it is known where to begin
        self.gone = False  # whether it was lost to somebody else
        self._topic = topic
        self._done: int | None = None
        self.lock = asyncio.Lock()  # one move at a time

    @property
    def usable(self) -> bool:
        """Whether it can be read."""
        return not self.gone and self.claim.is_held

    def done(self, record: Record) -> None:
        """Learn that everything up to a record is dealt with."""
        self._done = record.offset + 1

    async def commit(self) -> None:
        """Commit what is done; it comes again elsewhere if the partition was lost in the meantime."""
        async with self.lock:
            offset = self._done
            if offset is None or self.gone:
                return
            await self.move_to(offset)
            if self._done == offset:
                self._done = None

    async def move_to(self, offset: int) -> None:
        """Commit an offset."""
        try:
            await self.claim.commit([], {self._topic: offset})
        except FencedError as error:
            self.gone = True
            logger.debug("partition.fenced", group=self.claim.group, partition=self.claim.number, error=str(error))  # fmt: skip  # noqa: E501


class GroupReader:
    """One process's part in a group that reads a topic.

    Args:
        log: an open log.
        group: the group.
        topic: what it reads.
        from_end: whether a partition in which the group has never committed begins at its end.
    """

    def __init__(self, log: Log, group: str, topic: str, *, from_end: bool = False) -> None:
        self.in_hand: Record | None = None
        self._log = log
        self._group = group
        self._topic = topic
        self._from_end = from_end
        self._ends: dict[int, int] = {}
        self._lanes: dict[int, Lane] = {}
        self._lane: Lane | None = None
        self._batch: deque[Record] = deque()
        self._begun_at = 0.0  # the batch
        self._taken = 0  # records of it
        self._committed_at = 0.0
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._free = asyncio.Event()  # nothing is in hand
        self._pace = Pace(FIRST_BATCH, LARGEST_BATCH)
        self._outages = Outages(group)
        self._backoff = Backoff()
        self._membership: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Join the group."""
        self._free.set()
        if self._from_end:
            self._ends = await self._log.end_offsets(self._topic)
        member = self._log.member(self._group, [self._topic], self._gained, self._lost, publishes=False)
        self._membership = asyncio.create_task(member.run())
        self._membership.add_done_callback(lambda _: self._changed.set())

    def stop(self) -> None:
        """End: there is no next record."""
        self._stopping.set()

    async def close(self) -> None:
        """Commit what is done and leave the group; a record in hand comes again."""
        self.stop()
        self.in_hand = None
        self._free.set()
        if self._membership is None:
            return
        for lane in list(self._lanes.values()):
            await self._last_commit(lane)
        self._membership.cancel()
        await asyncio.wait({self._membership})
        if not self._membership.cancelled() and (error := self._membership.exception()):
            logger.debug("membership.failed", group=self._group, error=repr(error))  # raised by ``next``

    def done(self) -> None:
        """Say that the record in hand is dealt with."""
        record, self.in_hand = self.in_hand, None
        lane = self._lanes.get(record.partition) if record else None
        if record and lane and lane is self._lane:
            lane.done(record)
        self._free.set()

    def put_back(self) -> None:
        """Say that the record in hand was not dealt with: it is the next one."""
        record, self.in_hand = self.in_hand, None
        if record and self._lane and self._lane is self._lanes.get(record.partition):
            self._batch.appendleft(record)
        self._free.set()

    async def commit(self) -> None:
        """Commit what is done, also while a log that is away lets nobody."""
        if self._lane is not None:
            await self._patiently(self._lane, self._lane.commit)
        self._committed_at = time.monotonic()

    async def next(self) -> Record | None:
        """Return the next record, None when stopped; raises what ended the membership."""
        if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
            await self.commit()
        while not self._stopping.is_set():
            record = self._take()
            if record is not None:
                return record
            self._changed.clear()
            self._check()
            if not await self._refill():
                await self._idle()
        await self.commit()
        return None

    def _check(self) -> None:
        if self._membership and self._membership.done():
            self._membership.result()

    def _take(self) -> Record | None:
        """Take the next record of the batch into the hand, if its partition is still ours."""
        if self._lane is None or not self._lane.usable:
            self._batch.clear()
        if not self._batch:
            return None
        self._taken += 1
        self._free.clear()
        self.in_hand = self._batch.popleft()
        return self.in_hand

    async def _refill(self) -> bool:
        """Commit the batch, and take one from the next partition that has something; tell whether one has."""
        await self.commit()
        if self._taken:
            self._pace.took(self._taken, time.monotonic() - self._begun_at)
            self._taken = 0
        numbers = sorted(self._lanes)
        after = self._lane.claim.number if self._lane else -1
        for number in sorted(numbers, key=lambda each: (each <= after, each)):
            lane = self._lanes.get(number)
            if lane is None or not lane.usable:
                continue
            records: list[Record] = []
            await self._patiently(lane, lambda lane=lane, into=records: self._fetch(lane, into))  # type: ignore[misc]
            if self._stopping.is_set():
                return False
            if records and self._lanes.get(number) is lane:
                self._lane, self._batch, self._begun_at = lane, deque(records), time.monotonic()
                return True
        return False

    async def _fetch(self, lane: Lane, into: list[Record]) -> None:
        await self._place(lane)
        into += await lane.claim.fetch([self._topic], max_records=self._pace.size, max_bytes=BATCH_BYTES)

    async def _idle(self) -> None:
        """Wait until there may be something, or until what is ours has changed."""
        lanes = [lane for lane in self._lanes.values() if lane.usable]
        await first(
            self._changed.wait(),
            self._stopping.wait(),
            *(lane.claim.wait([self._topic], IDLE_SECONDS) for lane in lanes),
        )

    async def _patiently(self, lane: Lane, work: Callable[[], Awaitable[None]]) -> None:
        """Do something with a partition, again and again while the log is away; a stop ends the waiting.

        It is shielded, as a commit that is cancelled half-way costs the claim.
        """
        number, failures = lane.claim.number, 0
        while True:
            try:
                await asyncio.shield(work())
            except UnavailableError as error:
                failures += 1
                self._outages.down(number, error)
                if self._stopping.is_set():
                    return
                await first(asyncio.sleep(self._backoff.seconds(failures)), self._stopping.wait())
            else:
                self._outages.back(number)
                return

    async def _place(self, lane: Lane) -> None:
        """See that a partition which is new to the group begins where it should."""
        number = lane.claim.number
        async with lane.lock:
            if lane.placed:
                return
            if self._from_end and number not in await self._log.begun(self._group, self._topic):
                await lane.move_to(self._ends.get(number, 0))
            lane.placed = True

    async def _gained(self, claim: Claim) -> None:
        lane = Lane(claim, self._topic)
        try:
            await self._place(lane)
        except UnavailableError as error:  # it is tried again before the first look
            self._outages.down(claim.number, error)
        self._lanes[claim.number] = lane
        self._changed.set()

    async def _lost(self, claim: Claim) -> None:
        """Let the record in hand be finished, within bounds, commit, and forget the partition."""
        lane = self._lanes.get(claim.number)
        if lane is None or lane.claim is not claim:
            return
        if lane is self._lane:
            self._batch.clear()
            if lane.usable:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._free.wait(), HAND_OVER_SECONDS)
        await self._last_commit(lane)
        if self._lanes.get(claim.number) is lane:
            del self._lanes[claim.number]
        if self._lane is lane:
            self._lane = None
        self._outages.forget(claim.number)
        self._changed.set()

    async def _last_commit(self, lane: Lane) -> None:
        try:
            await lane.commit()
        except UnavailableError as error:
            logger.warning("subscription.not_committed", group=self._group, partition=lane.claim.number, error=str(error))  # fmt: skip  # noqa: E501
