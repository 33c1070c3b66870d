"""One process's part in a consumer group of Kafka.

A consumer of aiokafka takes part in the group and reads; each partition number that the group gives us is
held by a task of its own:

assigned ──► fence the old owner ──► read committed offsets ──► seek, read on ──► gained … lost ──► let go

aiokafka looks up committed offsets before it tells of an assignment, and swallows what a listener raises. So
all partitions are paused in the moment they are assigned, the listener does nothing that could fail, and what
must be done in order is done by the task. A rebalance takes nothing away from a number that stays ours.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from newswire.backoff import Backoff
from newswire.errors import LogUnavailableError
from newswire.log.kafka_claim import KafkaClaim, Naming, Steps
from newswire.log.kafka_connection import Connection, refuse_for_good
from newswire.log.kafka_reading import answering, new_consumer, stop
from newswire.log.port import Handover

logger = structlog.get_logger()

PUMP_MS = 500  # a look for records
TICK_SECONDS = 0.5  # how often a member shows itself that it is running
POLL_MS = 3_600_000  # the pump polls without a pause, so slow work never looks like a dead process
REBALANCE_MS = 30_000  # for all members to let go and join again
AT_ONCE = 4  # partition numbers that are opened side by side
MAKE_ROOM_SECONDS = 0.02  # between two looks whether batches are finished

MakeSteps = Callable[[AIOKafkaConsumer, int], "Opening"]


class Opening(Steps, Protocol):
    """Takes the step, once opened."""

    async def open(self) -> None:
        """Make ready; for a transactional producer that fences the owner before us."""


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Hands the two moments of a rebalance to the member."""

    def __init__(self, member: "KafkaMember") -> None:
        self._member = member

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let batches in hand be finished, as far as there is time."""
        del revoked
        await self._member.make_room()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Learn what is ours now."""
        self._member.assigned(assigned)


class KafkaMember:
    """A member of a group.

    Args:
        log: names and places.
        connection: to the brokers.
        group: without the prefix.
        full_group: with it.
        topics: that the group shares.
        make_steps: from the consumer and a partition number to what takes the step.
        gained: awaited with each claim won.
        lost: awaited with each claim about to be let go.
        eager: lets go of everything before partitions are shared out anew. A group that only commits offsets
            must, as nothing fences whoever had them; a transactional one keeps what stays its own.
    """

    def __init__(
        self,
        log: Naming,
        connection: Connection,
        group: str,
        full_group: str,
        topics: Sequence[str],
        make_steps: MakeSteps,
        gained: Handover,
        lost: Handover,
        *,
        eager: bool = False,
    ) -> None:
        self.holding = False
        self._joined = False
        self._log = log
        self._connection = connection
        self._session = connection.settings.session_seconds
        self._group = group
        self._full_group = full_group
        self._topics = {log.full(topic): topic for topic in topics}
        self._make_steps = make_steps
        self._gained = gained
        self._lost = lost
        self._eager = eager
        self._claims: dict[int, KafkaClaim] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._leaving: dict[int, asyncio.Task[None]] = {}
        self._assigned: set[int] = set()
        self._changed = asyncio.Event()
        self._ticked = 0.0
        self._opening = asyncio.Semaphore(AT_ONCE)
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def is_settled(self) -> bool:
        """See the port."""
        return self._joined and self._assigned <= self._claims.keys()

    @property
    def is_alive(self) -> bool:
        """Whether the process was never stopped for so long that others took it for dead."""
        return time.monotonic() - self._ticked < self._session

    def resume(self, partition: TopicPartition) -> None:
        """Read on in a partition that was paused."""
        if self._consumer is not None and partition in self._consumer.paused():
            self._consumer.resume(partition)

    async def run(self) -> None:
        """See the port; a consumer that fails is replaced."""
        backoff, failures = Backoff(0.5, 2.0), 0
        while True:
            started = time.monotonic()
            try:
                await self._take_part()
            except (KafkaError, LogUnavailableError, OSError) as error:
                refuse_for_good(error, f"the group {self._full_group}")
                failures = failures + 1 if time.monotonic() - started < self._session else 1
                logger.debug("member.failed", group=self._group, error=repr(error))
                await asyncio.sleep(backoff.seconds(failures))

    async def _take_part(self) -> None:
        consumer = self._new_consumer()
        try:
            async with answering("is joined"):
                await consumer.start()
            self._consumer = consumer
            self._ticked = time.monotonic()
            self._assigned = set()
            consumer.subscribe(list(self._topics), listener=Listener(self))
            await self._work(consumer)
        finally:
            self._consumer = None
            self.holding = self._joined = False
            await asyncio.shield(stop(consumer))

    async def _work(self, consumer: AIOKafkaConsumer) -> None:
        ticker = asyncio.create_task(self._tick())
        working = {asyncio.create_task(self._pump(consumer)), asyncio.create_task(self._follow(consumer))}
        try:
            done, _ = await asyncio.wait({ticker, *working}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in working:
                task.cancel()
            await asyncio.wait(working)
            ticker.cancel()  # last: what is let go of may still commit, if the process runs

    async def _tick(self) -> None:
        """Notice when the process was stopped for so long that others may have what we had."""
        while True:
            now = time.monotonic()
            if now - self._ticked >= self._session:
                for claim in self._claims.values():
                    claim.give_up()
            self._ticked = now
            await asyncio.sleep(TICK_SECONDS)

    def _new_consumer(self) -> AIOKafkaConsumer:
        session_ms = int(self._session * 1000)
        return new_consumer(
            self._connection,
            group_id=self._full_group,
            partition_assignment_strategy=(RangePartitionAssignor,),  # equal numbers of all topics meet
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=max(200, session_ms // 4),
            rebalance_timeout_ms=REBALANCE_MS,
            max_poll_interval_ms=POLL_MS,
        )

    async def make_room(self) -> None:
        """Begin nothing new, and wait for the batches in hand, as long as the settings say."""
        self.holding = True
        deadline = time.monotonic() + self._connection.settings.hand_over_seconds
        if self._eager:
            self._assigned = set()
            self._changed.set()
        while self._busy() and time.monotonic() < deadline:  # noqa: ASYNC110  ends in many places
            await asyncio.sleep(MAKE_ROOM_SECONDS)

    def _busy(self) -> bool:
        if self._eager:
            return bool(self._tasks or self._leaving)
        return any(claim.in_hand for claim in self._claims.values())

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Learn what is ours now: what stays goes on where it was, the rest is paused until it is opened."""
        if self._consumer is None:  # a consumer that is being stopped may still come to join
            return
        here = list(partitions)
        self._joined = True
        self._assigned = {at.partition for at in here}
        for at in here:
            claim = self._claims.get(at.partition)
            waiting = claim.waiting[self._topics[at.topic]] if claim else None
            if waiting is not None:
                self._consumer.seek(at, waiting.next)
            if waiting is None or waiting.full:
                self._consumer.pause(at)
        self.holding = False
        for claim in self._claims.values():
            claim.look()
        self._changed.set()

    async def _pump(self, consumer: AIOKafkaConsumer) -> None:
        """Read, and hand on; a partition of which enough is waiting is paused."""
        while True:
            found = await consumer.getmany(timeout_ms=PUMP_MS)
            for at, raw in found.items():
                claim = self._claims.get(at.partition)
                if claim is not None and claim.take_in(self._topics[at.topic], raw):
                    consumer.pause(at)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Hold each number that is ours by a task of its own, until cancelled."""
        try:
            while True:
                self._changed.clear()
                for number in sorted(set(self._tasks) - self._assigned):
                    self._leave(number)
                for number in sorted(self._assigned - set(self._tasks)):
                    after = self._leaving.get(number)
                    self._tasks[number] = asyncio.create_task(self._hold(consumer, number, after))
                await self._change()
        finally:
            for number in list(self._tasks):
                self._leave(number)
            if self._leaving:
                await asyncio.wait(self._leaving.values())

    async def _change(self) -> None:
        """Wait until something else is ours; raise what no retry can mend."""
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait(
                {changed, *self._tasks.values(), *self._leaving.values()}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            changed.cancel()
        gone = [number for number, task in self._leaving.items() if task.done()]
        for task in [*(self._leaving.pop(number) for number in gone), *self._tasks.values()]:
            if task.done() and not task.cancelled():
                task.result()

    def _leave(self, number: int) -> None:
        """Begin to let go of a number; it is not opened again before that is over."""
        task = self._tasks.pop(number)
        task.cancel()
        before = self._leaving.get(number)  # that it was waiting for, and whoever comes next has to
        self._leaving[number] = task if before is None else asyncio.create_task(_all_of(before, task))

    async def _hold(
        self, consumer: AIOKafkaConsumer, number: int, after: "asyncio.Task[None] | None" = None
    ) -> None:
        """Hold a number until cancelled; a claim that is broken is taken anew."""
        if after is not None:
            await asyncio.wait({after})
        backoff, failures = Backoff(0.2, 2.0), 0
        while True:
            try:
                async with self._opening:
                    claim = await self._open(consumer, number)
            except (LogUnavailableError, KafkaError, OSError) as error:
                failures += 1
                logger.debug("claim.not_opened", group=self._group, partition=number, error=str(error))
                await asyncio.sleep(backoff.seconds(failures))
                continue
            failures = 0
            try:
                await self._gained(claim)
                await claim.broken.wait()
            finally:
                self._pause(consumer, number)
                await asyncio.shield(self._drop(claim))
            # Whoever fenced us may be the right one: the group tells us within a heartbeat or two.
            await asyncio.sleep(self._session / 3)

    async def _open(self, consumer: AIOKafkaConsumer, number: int) -> KafkaClaim:
        """Fence the old owner, then read what it committed, then read on from there."""
        steps = self._make_steps(consumer, number)
        await steps.open()
        try:
            partitions = {TopicPartition(full, number): topic for full, topic in self._topics.items()}
            found = await self._log.stable_offsets(self._full_group, list(partitions))
            starts = {at: max(0, found.get(at, 0)) for at in partitions}
            claim = KafkaClaim(
                self._log, self, self._group, self._full_group, number, steps,
                {partitions[at]: start for at, start in starts.items()},
            )  # fmt: skip
            self._claims[number] = claim
            for at, start in starts.items():
                consumer.seek(at, start)
                consumer.resume(at)
        except BaseException:
            self._claims.pop(number, None)
            await asyncio.shield(steps.close())
            raise
        return claim

    async def _drop(self, claim: KafkaClaim) -> None:
        await self._lost(claim)
        if self._claims.get(claim.number) is claim:
            del self._claims[claim.number]
        await claim.close()

    def _pause(self, consumer: AIOKafkaConsumer, number: int) -> None:
        ours = consumer.assignment()
        for full in self._topics:
            if TopicPartition(full, number) in ours:
                consumer.pause(TopicPartition(full, number))


async def _all_of(*tasks: "asyncio.Task[None]") -> None:
    """Wait for tasks; raise the error of one that was not cancelled."""
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
