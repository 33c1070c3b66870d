"""A claim on Kafka without Kafka: what is given, until when, and what a step does to it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest
from aiokafka.structs import TopicPartition as At
from structlog.testing import capture_logs

from newswire.errors import ClaimBrokenError, FencedError, LogUnavailableError, MovedError
from newswire.log import Message, TopicPartition
from newswire.log.kafka_claim import ENOUGH_BYTES, ENOUGH_RECORDS, KafkaClaim, Waiting, size_of
from newswire.log.kafka_transactions import Placed
from newswire.log.port import Position, Record

pytestmark = pytest.mark.unit

NUMBER = 3


class Raw:
    """A record as aiokafka gives it."""

    def __init__(self, offset: int, value: bytes | None = b"x", key: bytes | None = b"k") -> None:
        self.partition = NUMBER
        self.offset = offset
        self.key = key
        self.value = value
        self.headers = (("name", b"value"), ("none", None))
        self.timestamp = 1


class FakeOwner:
    """A member that does as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.is_alive = True
        self.holding = False
        self.resumed: list[At] = []

    def resume(self, partition: At) -> None:
        """See Owner."""
        self.resumed.append(partition)


class FakeNames:
    """The part of a log that a claim needs."""

    is_away = False

    def __init__(self) -> None:
        self.ends: dict[TopicPartition, int] = {}

    async def stable_offsets(self, group: str, partitions: Sequence[At]) -> dict[At, int]:
        """See Naming: nothing was committed."""
        del group
        return dict.fromkeys(partitions, -1)

    def full(self, topic: str) -> str:
        """See Naming."""
        return f"p-{topic}"

    def place(self, message: Message) -> Placed:
        """See Naming."""
        return Placed(self.full(message.topic), NUMBER, message)

    async def ends_of(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """See Naming."""
        return {at: self.ends[at] for at in partitions}


class FakeSteps:
    """Takes every step, or raises; remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[list[Message], dict[At, int], str]] = []
        self.error: BaseException | None = None
        self.closed = False

    async def commit(
        self,
        placed: Sequence[Placed],
        offsets: Mapping[At, int],
        group: str,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> list[Position]:
        """See Steps."""
        if check is not None:
            await check()
        if self.error is not None:
            raise self.error
        self.given.append(([each.message for each in placed], dict(offsets), group))
        return [Position(each.partition, 100 + n) for n, each in enumerate(placed)]

    async def close(self) -> None:
        """See Steps."""
        self.closed = True


class Scene:
    """A claim with everything around it."""

    def __init__(self, **starts: int) -> None:
        self.owner, self.names, self.steps = FakeOwner(), FakeNames(), FakeSteps()
        self.claim = KafkaClaim(
            self.names, self.owner, "readers", "p-readers", NUMBER, self.steps, starts or {"in": 0}
        )

    async def fetch(self, *topics: str, records: int = 100, size: int = 1_000_000) -> list[int]:
        """Return the offsets of what is fetched."""
        found = await self.claim.fetch(topics or ("in",), max_records=records, max_bytes=size)
        return [record.offset for record in found]


def record(offset: int, value: bytes | None = b"x") -> Record:
    """Return a record of in."""
    return Record("in", NUMBER, offset, "k", value, {}, 1)


def test_what_waits_begins_behind_what_was_committed() -> None:
    """What is older was read for nothing; gaps are none of its business."""
    waiting = Waiting(5)
    waiting.take_in([record(3), record(4), record(5), record(9)])

    assert [each.offset for each in waiting.records] == [5, 9]
    assert (waiting.committed, waiting.next) == (5, 10)


def test_what_waits_is_not_taken_in_twice() -> None:
    """After a rebalance it is read again."""
    waiting = Waiting(0)
    waiting.take_in([record(0), record(1)])
    waiting.take_in([record(0), record(1), record(2)])

    assert [each.offset for each in waiting.records] == [0, 1, 2]
    assert waiting.bytes == 3 * size_of(record(0))


def test_what_was_committed_does_not_wait_any_more() -> None:
    """Up to the offset, which may lie beyond all that was read."""
    waiting = Waiting(0)
    waiting.take_in([record(n) for n in range(4)])
    waiting.done(2)
    assert [each.offset for each in waiting.records] == [2, 3]
    waiting.done(9)
    waiting.take_in([record(5), record(9)])

    assert [each.offset for each in waiting.records] == [9]
    assert (waiting.committed, waiting.next, waiting.bytes) == (9, 10, size_of(record(9)))


def test_a_tombstone_has_the_size_of_its_key() -> None:
    """It has no value."""
    assert size_of(record(0, None)) == 1
    assert size_of(record(0, b"12345")) == 6


@pytest.mark.parametrize(
    ("records", "size", "full", "low"),
    [
        (ENOUGH_RECORDS - 1, 0, False, False),
        (ENOUGH_RECORDS, 0, True, False),
        (ENOUGH_RECORDS // 2, 0, False, True),
        (1, ENOUGH_BYTES - 2, False, False),
        (1, ENOUGH_BYTES, True, False),
        (1, ENOUGH_BYTES // 2 - 1, False, True),
        (1, ENOUGH_BYTES // 2, False, False),
        (0, 0, False, True),
    ],
)
def test_enough_is_enough_by_count_or_by_bytes(records: int, size: int, *, full: bool, low: bool) -> None:
    """And there is room again when half of both is gone."""
    waiting = Waiting(0)
    waiting.take_in([record(n, b"x" * size if n == 0 else b"") for n in range(records)])

    assert (waiting.full, waiting.low) == (full, low)


async def test_fetch_is_bounded_by_count() -> None:
    """The same comes again until it is committed."""
    scene = Scene()
    scene.claim.take_in("in", [Raw(n) for n in range(5)])

    assert await scene.fetch(records=2) == [0, 1]
    assert await scene.fetch(records=2) == [0, 1]
    await scene.claim.commit([], {"in": 1})
    assert await scene.fetch(records=2) == [1, 2]


async def test_fetch_is_bounded_by_bytes_but_gives_one() -> None:
    """However large that is."""
    scene = Scene()
    scene.claim.take_in("in", [Raw(0, b"x" * 50), Raw(1, b"x" * 40), Raw(2, b"x" * 40)])

    assert await scene.fetch(size=10) == [0]
    assert await scene.fetch(size=91) == [0]
    assert await scene.fetch(size=92) == [0, 1]
    assert await scene.fetch(size=1000) == [0, 1, 2]


async def test_topics_are_given_in_the_order_in_which_they_are_asked_for() -> None:
    """Those that are not asked for are left alone, and both bounds hold for all together."""
    scene = Scene(one=0, two=0)
    scene.claim.take_in("one", [Raw(10), Raw(11)])
    scene.claim.take_in("two", [Raw(20), Raw(21)])

    assert await scene.fetch("one", "two") == [10, 11, 20, 21]
    assert await scene.fetch("two", "one", records=3) == [20, 21, 10]
    assert await scene.fetch("two", "one", size=6) == [20, 21, 10]
    assert await scene.fetch("two") == [20, 21]


async def test_a_record_keeps_what_kafka_gave() -> None:
    """Headers as texts; what has no key or no header value has empty ones."""
    scene = Scene()
    scene.claim.take_in("in", [Raw(0, None, None)])
    (found,) = await scene.claim.fetch(["in"], max_records=1, max_bytes=1)

    assert found == Record("in", NUMBER, 0, "", None, {"name": "value", "none": ""}, 1)


async def test_taking_in_tells_when_it_is_enough() -> None:
    """The member pauses the partition then; when half was committed it is read on."""
    scene = Scene()

    assert not scene.claim.take_in("in", [Raw(n) for n in range(ENOUGH_RECORDS - 1)])
    assert scene.claim.take_in("in", [Raw(ENOUGH_RECORDS - 1)])
    await scene.claim.commit([], {"in": ENOUGH_RECORDS // 2 - 1})
    assert scene.owner.resumed == []
    await scene.claim.commit([], {"in": ENOUGH_RECORDS // 2})
    assert scene.owner.resumed == [At("p-in", NUMBER)]


async def test_a_step_is_placed_and_named_in_full() -> None:
    """Messages where they go, offsets of the claim's own partition, the group with its prefix."""
    scene = Scene()
    messages = [Message("out", "a", b"1"), Message("out", "b", None)]
    positions = await scene.claim.commit(messages, {"in": 7})

    assert positions == [Position(NUMBER, 100), Position(NUMBER, 101)]
    assert scene.steps.given == [(messages, {At("p-in", NUMBER): 7}, "p-readers")]
    assert await scene.claim.position("in") == 7


async def test_a_step_without_offsets_moves_nothing() -> None:
    """It only publishes."""
    scene = Scene()
    await scene.claim.commit([Message("out", "a", b"1")])

    assert scene.steps.given == [([Message("out", "a", b"1")], {}, "p-readers")]
    assert await scene.claim.position("in") == 0


async def test_while_partitions_are_shared_out_nothing_new_is_begun() -> None:
    """What is in hand may still be committed, and a look shows that nothing is in hand any more."""
    scene = Scene()
    scene.claim.take_in("in", [Raw(0), Raw(1)])
    await scene.fetch(records=1)
    assert scene.claim.in_hand
    scene.owner.holding = True
    await scene.claim.commit([], {"in": 1})

    assert await scene.fetch() == []
    assert not scene.claim.in_hand
    scene.owner.holding = False
    assert await scene.fetch() == [1]


async def test_a_batch_is_in_hand_until_the_next_look() -> None:
    """Waiting ends it too."""
    scene = Scene()
    assert await scene.fetch() == []
    assert not scene.claim.in_hand
    scene.claim.take_in("in", [Raw(0)])
    await scene.fetch()
    assert scene.claim.in_hand
    await scene.claim.wait(["in"], 0.0)
    assert not scene.claim.in_hand


async def test_waiting_ends_when_something_comes() -> None:
    """Long before its time."""
    scene = Scene()
    waiting = asyncio.create_task(scene.claim.wait(["in"], 60.0))
    await asyncio.sleep(0)
    scene.claim.take_in("in", [Raw(0)])
    async with asyncio.timeout(5):
        await waiting


async def test_waiting_ends_at_once_if_something_is_there() -> None:
    """Of the topics that are asked for; else after its time."""
    scene = Scene(one=0, two=0)
    scene.claim.take_in("one", [Raw(0)])
    await scene.claim.fetch(["one", "two"], max_records=1, max_bytes=1)
    async with asyncio.timeout(5):
        await scene.claim.wait(["one"], 60.0)
        await scene.claim.wait(["two"], 0.01)


async def test_waiting_ends_when_the_claim_is_given_up() -> None:
    """Whoever works on it learns that it is of no use any more."""
    scene = Scene()
    waiting = asyncio.create_task(scene.claim.wait(["in"], 60.0))
    await asyncio.sleep(0)
    scene.claim.give_up()
    async with asyncio.timeout(5):
        await waiting

    assert not scene.claim.is_held
    assert await scene.fetch() == []


async def test_a_member_that_was_stopped_holds_nothing() -> None:
    """It finds out before it asks Kafka, and does not come back to life with the same claim."""
    scene = Scene()
    assert scene.claim.is_held
    scene.owner.is_alive = False
    assert not scene.claim.is_held
    with pytest.raises(ClaimBrokenError, match="let go of partition 3"):
        await scene.claim.commit([], {"in": 1})
    scene.owner.is_alive = True

    assert not scene.claim.is_held
    assert scene.steps.given == []


@pytest.mark.parametrize(
    "error", [FencedError("newer"), ClaimBrokenError("who knows"), asyncio.CancelledError()]
)
async def test_a_step_whose_end_is_not_known_breaks_the_claim(error: BaseException) -> None:
    """The next owner reads what was committed; nothing is taken for done here."""
    scene = Scene()
    scene.claim.take_in("in", [Raw(0)])
    scene.steps.error = error
    with pytest.raises(type(error)):
        await scene.claim.commit([], {"in": 1})

    assert scene.claim.broken.is_set()
    assert await scene.claim.position("in") == 0


@pytest.mark.parametrize("error", [MovedError("grown"), LogUnavailableError("away")])
async def test_a_step_that_did_not_happen_leaves_the_claim_as_it_was(error: Exception) -> None:
    """The same may be tried again."""
    scene = Scene()
    scene.claim.take_in("in", [Raw(0)])
    scene.steps.error = error
    with pytest.raises(type(error)):
        await scene.claim.commit([], {"in": 1})

    assert scene.claim.is_held
    assert await scene.fetch() == [0]


@pytest.mark.parametrize(("away", "said"), [(False, ["step.unknown"]), (True, [])])
async def test_an_unknown_end_is_said_unless_the_log_is_away(*, away: bool, said: list[str]) -> None:
    """Then the log has said it already."""
    scene = Scene()
    scene.names.is_away = away
    scene.steps.error = ClaimBrokenError("who knows")
    with capture_logs() as lines, pytest.raises(ClaimBrokenError):
        await scene.claim.commit([])

    assert [line["event"] for line in lines] == said


async def test_a_step_asks_whether_what_it_rests_on_has_grown() -> None:
    """At the last moment; it passes with the ends that it knows."""
    scene, at = Scene(), TopicPartition("guarded", 1)
    scene.names.ends = {at: 5}
    await scene.claim.commit([], {"in": 1}, unless_moved={at: 5})
    scene.names.ends = {at: 6}
    with pytest.raises(MovedError, match="guarded partition 1 has grown"):
        await scene.claim.commit([], {"in": 2}, unless_moved={at: 5})

    assert len(scene.steps.given) == 1
    assert scene.claim.is_held


async def test_steps_take_turns() -> None:
    """One transaction of a producer at a time, in the order in which they were asked for."""
    scene = Scene()
    order: list[int] = []
    commit = scene.steps.commit

    async def slow(*arguments: object) -> list[Position]:
        order.append(1)
        await asyncio.sleep(0)
        order.append(2)
        return await commit(*arguments)  # type: ignore[arg-type]  # handed on as they came

    scene.steps.commit = slow  # type: ignore[assignment,method-assign]
    await asyncio.gather(*(scene.claim.commit([], {"in": n}) for n in (1, 2, 3)))

    assert order == [1, 2] * 3
    assert await scene.claim.position("in") == 3


async def test_a_closed_claim_lets_go_of_what_commits() -> None:
    """And is of no use any more."""
    scene = Scene()
    await scene.claim.close()

    assert scene.steps.closed
    assert not scene.claim.is_held
