"""A member of a Kafka group without Kafka: what a change of the assignment does to what is held."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable

import pytest
from aiokafka.structs import TopicPartition as At
from unit.test_kafka_claim import FakeNames, FakeSteps

from newswire.kafka_settings import KafkaSettings
from newswire.log import Claim
from newswire.log.kafka_connection import Connection
from newswire.log.kafka_member import KafkaMember

pytestmark = pytest.mark.unit

TOPICS = ("in", "late")
SECONDS = 10.0


class FakeConsumer:
    """Remembers where it was told to read."""

    def __init__(self) -> None:
        self.positions: dict[At, int] = {}
        self.held: set[At] = set()

    def assignment(self) -> set[At]:
        """Return what was assigned."""
        return partitions(range(4))

    def paused(self) -> set[At]:
        """Return what is not read."""
        return self.held

    def seek(self, at: At, offset: int) -> None:
        """Read on from there."""
        self.positions[at] = offset

    def pause(self, at: At) -> None:
        """Read no more."""
        self.held.add(at)

    def resume(self, at: At) -> None:
        """Read again."""
        self.held.discard(at)


class Opened(FakeSteps):
    """Steps that count how many are open at once for a number."""

    def __init__(self, open_now: list[int], number: int) -> None:
        super().__init__()
        self._open_now = open_now
        self._number = number

    async def open(self) -> None:
        """Enter."""
        self._open_now.append(self._number)

    async def close(self) -> None:
        """Leave."""
        self._open_now.remove(self._number)


class Scene:
    """A member, and what it said."""

    def __init__(self, *, eager: bool = False) -> None:
        self.consumer = FakeConsumer()
        self.said: list[tuple[str, int]] = []
        self.open_now: list[int] = []
        self.slow = asyncio.Event()  # until it is set nothing is let go of
        self.slow.set()
        connection = Connection(("broker:9092",), KafkaSettings(hand_over_seconds=0.2, session_seconds=1))
        self.member = KafkaMember(
            FakeNames(), connection, "readers", "p-readers", TOPICS,
            lambda _, number: Opened(self.open_now, number), self._gained, self._lost, eager=eager,
        )  # fmt: skip
        self.member._consumer = self.consumer
        self.member._ticked = time.monotonic() + 3600

    async def _gained(self, claim: Claim) -> None:
        self.said.append(("gained", claim.number))

    async def _lost(self, claim: Claim) -> None:
        self.said.append(("losing", claim.number))
        await self.slow.wait()
        self.said.append(("lost", claim.number))

    async def assigned(self, *numbers: int) -> None:
        """Have numbers assigned, and let that begin to take effect."""
        self.member.assigned(partitions(numbers))
        deadline = time.monotonic() + SECONDS
        while self.member._changed.is_set() and self.member._consumer is not None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def until(self, *said: tuple[str, int]) -> None:
        """Wait until so much was said and no more."""
        deadline = time.monotonic() + SECONDS
        while sorted(self.said) != sorted(said):
            assert time.monotonic() < deadline, self.said
            await asyncio.sleep(0.001)


def partitions(numbers: Iterable[int]) -> set[At]:
    """Return the partitions of all topics with these numbers."""
    return {At(f"p-{topic}", number) for topic in TOPICS for number in numbers}


@contextlib.asynccontextmanager
async def at_work(*, eager: bool = False) -> AsyncIterator[Scene]:
    """A member that follows its assignment."""
    scene = Scene(eager=eager)
    following = asyncio.create_task(scene.member._follow(scene.consumer))
    try:
        yield scene
    finally:
        scene.slow.set()
        following.cancel()
        await asyncio.wait({following})
    assert scene.open_now == []


async def test_what_is_assigned_is_opened_and_read() -> None:
    """From the committed offset on, in all topics; the rest stays paused."""
    async with at_work() as scene:
        await scene.assigned(0, 1)
        await scene.until(("gained", 0), ("gained", 1))

        assert scene.consumer.positions == dict.fromkeys(partitions([0, 1]), 0)
        assert scene.consumer.held == set()


async def test_a_number_that_stays_is_neither_lost_nor_gained() -> None:
    """It is read on from where it was, while another goes and a third comes."""
    async with at_work() as scene:
        await scene.assigned(0, 1)
        await scene.until(("gained", 0), ("gained", 1))
        scene.member._claims[0].waiting["in"].next = 7
        await scene.assigned(0, 2)
        await scene.until(("gained", 0), ("gained", 1), ("losing", 1), ("lost", 1), ("gained", 2))

        assert scene.consumer.positions[At("p-in", 0)] == 7


async def test_a_number_that_comes_and_goes_is_held_once_at_a_time() -> None:
    """However often it does so while the first claim is still being let go of."""
    async with at_work() as scene:
        await scene.assigned(0)
        await scene.until(("gained", 0))
        first = scene.member._claims[0]
        scene.slow.clear()
        for numbers in ((), (0,), (), (0,)):
            await scene.assigned(*numbers)
        await scene.until(("gained", 0), ("losing", 0))

        assert scene.open_now == [0]
        scene.slow.set()
        await scene.until(("gained", 0), ("losing", 0), ("lost", 0), ("gained", 0))
        assert scene.open_now == [0]
        assert scene.member._claims[0] is not first


async def test_room_is_made_by_waiting_for_batches_in_hand() -> None:
    """Nothing new is begun meanwhile; a batch that takes longer than is allowed is not waited for."""
    async with at_work() as scene:
        await scene.assigned(0)
        await scene.until(("gained", 0))
        claim = scene.member._claims[0]
        claim.in_hand = True
        waiting = asyncio.create_task(scene.member.make_room())
        await asyncio.sleep(0)
        held = scene.member.holding
        claim.in_hand = False
        await asyncio.wait_for(waiting, SECONDS)
        claim.in_hand = True
        await asyncio.wait_for(scene.member.make_room(), SECONDS)
        await scene.assigned(0)

        assert held
        assert not scene.member.holding
        assert scene.said == [("gained", 0)]


async def test_an_eager_member_lets_go_of_everything_first() -> None:
    """As nothing fences whoever only commits offsets."""
    async with at_work(eager=True) as scene:
        await scene.assigned(0, 1)
        await scene.until(("gained", 0), ("gained", 1))
        await scene.member.make_room()

        assert {each for each in scene.said if each[0] == "lost"} == {("lost", 0), ("lost", 1)}
        assert scene.open_now == []


async def test_a_process_that_stood_still_gives_up_what_it_had() -> None:
    """Others may own it by now; it is opened anew, as the group still says it is ours."""
    async with at_work() as scene:
        await scene.assigned(0)
        await scene.until(("gained", 0))
        claim = scene.member._claims[0]
        scene.member._ticked = time.monotonic() - 2  # and the session is 1 s
        asleep = claim.is_held
        ticking = asyncio.create_task(scene.member._tick())
        await scene.until(("gained", 0), ("losing", 0), ("lost", 0), ("gained", 0))
        ticking.cancel()
        await asyncio.wait({ticking})

        assert not asleep
        assert claim.broken.is_set()
        assert scene.member._claims[0].is_held


async def test_an_assignment_after_the_consumer_was_stopped_is_ignored() -> None:
    """Aiokafka may still come to join."""
    async with at_work() as scene:
        scene.member._consumer = None
        await scene.assigned(0)

        assert scene.member._assigned == set()
