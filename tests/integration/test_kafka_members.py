"""Sharing a topic on Kafka: every message is copied once, whoever dies, hangs, comes or takes long."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
from contract.log_contract import DEADLINE_SECONDS, Group, fetched, joined, message, process, until, values
from integration.kafka_world import SESSION_SECONDS, KafkaWorld

from newswire.errors import FencedError
from newswire.log import Log, Message
from newswire.log.kafka_claim import KafkaClaim
from newswire.log.kafka_member import KafkaMember

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

COPIER = Path(__file__).with_name("kafka_copier.py")
ALL = {0, 1, 2}
MESSAGES = 30  # of each round
LONG_SECONDS = 40.0  # for processes to start, to be missed and to be followed

# Reads with all claims, says so with a batch in hand, and never commits.
READING = """
import asyncio, sys
from newswire.log import open_log
async def main():
    log = open_log(sys.argv[1], prefix=sys.argv[2])
    await log.open()
    held = []
    async def gained(claim):
        while not await claim.fetch(["in"], max_records=5, max_bytes=1000):
            await claim.wait(["in"], 1.0)
        held.append(claim)
        if len(held) == 3:
            print("holding", flush=True)
    async def lost(claim):
        pass
    await log.member("readers", ["in"], gained, lost, publishes=False).run()
asyncio.run(main())
"""


class Start(Protocol):
    """Starts a copier."""

    def __call__(self, name: str, *, holding: bool = False) -> "Copying":
        """Return the process; one that holds keeps its first batch in hand."""


class Copying:
    """A copier's process, and what it has said.

    Args:
        world: where it works.
        hold: while this file is there, it keeps its first batch in hand.
        output: file for what it says.
    """

    def __init__(self, world: KafkaWorld, hold: Path, output: Path) -> None:
        self.hold = hold
        self._output = output
        place = world.place
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, COPIER, place.address, place.prefix, hold],
                stdout=file, env={**os.environ, **place.environment},
            )  # fmt: skip

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def said(self, word: str) -> int:
        """Return how often it has said something."""
        return sum(line.startswith(word) for line in self._output.read_text().splitlines())

    @property
    def holds(self) -> int:
        """How many numbers it has."""
        return self.said("gained") - self.said("lost")

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def copiers(world: KafkaWorld, tmp_path: Path) -> Iterator[Start]:
    """Start copiers, which are gone in the end."""
    with ExitStack() as stack:

        def start(name: str, *, holding: bool = False) -> Copying:
            hold = tmp_path / f"{name}.hold"
            if holding:
                hold.touch()
            copying = Copying(world, hold, tmp_path / name)
            stack.callback(copying.end)
            return copying

        yield start


class InHand(NamedTuple):
    """A claim with one message in hand, and the offset behind it."""

    claim: KafkaClaim
    number: int
    end: int


async def with_batches(log: Log, group: Group) -> dict[int, InHand]:
    """Give each of the group's claims a message, the number as text, and have all in hand."""
    await until(lambda: set(group.claims) == ALL)
    held = {}
    for number, claim in sorted(group.claims.items()):
        (at,) = await log.publish([Message("in", "k", f"{number}".encode(), {}, key_of(log, number))])
        assert isinstance(claim, KafkaClaim)
        await fetched(claim)
        held[number] = InHand(claim, number, at.offset + 1)
    return held


def key_of(log: Log, number: int) -> str:
    """Return a key that lies in a partition."""
    return next(key for key in map(str, range(1000)) if log.partition_of(key) == number)


def is_holding(group: Group) -> bool:
    """Tell whether partitions are just being shared out."""
    member = group._member
    assert isinstance(member, KafkaMember)
    return member.holding


async def publish(log: Log, text: str) -> None:
    """Publish numbered messages."""
    await log.publish([message("in", f"{n}", text.format(n)) for n in range(MESSAGES)])


async def copied(log: Log, *texts: str) -> None:
    """Wait until out holds all these messages, and see that it holds none twice."""
    expected = sorted(text.format(n) for text in texts for n in range(MESSAGES))
    assert sorted(await settled(log, len(expected))) == expected


async def settled(log: Log, count: int) -> list[str]:
    """Return what lies on out as soon as it is so much."""
    async with asyncio.timeout(LONG_SECONDS):
        while len(found := await values(log, "out")) < count:
            await asyncio.sleep(0.05)
    return found


async def stands(log: Log, offsets: dict[int, int]) -> None:
    """Wait until the group stands there: like messages, offsets are seen a moment after their step."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await log.committed("readers", "in") != offsets:
            await asyncio.sleep(0.01)


async def until_true(condition: Callable[[], bool]) -> None:
    """Wait for what processes say."""
    async with asyncio.timeout(LONG_SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


async def read_on(group: Group) -> set[str]:
    """Read what a group's claims give, and commit it."""
    seen = set[str]()
    for claim in list(group.claims.values()):
        records = await claim.fetch(["in"], max_records=5, max_bytes=1000)
        if records:
            seen |= {(record.value or b"").decode() for record in records}
            with contextlib.suppress(FencedError):
                await claim.commit([], {"in": records[-1].offset + 1})
        await claim.wait(["in"], 0.01)
    return seen


async def test_everything_is_copied_once_whoever_dies_hangs_or_comes(
    world: KafkaWorld, copiers: Start
) -> None:
    """One of three is killed, one hangs with a batch in hand and comes back, one is new."""
    log = await world.log()
    first, second, third = (f"{turn}.{{}}" for turn in range(3))
    killed, hung, stays = copiers("killed"), copiers("hung", holding=True), copiers("stays")
    await until_true(lambda: killed.holds == hung.holds == stays.holds == 1)
    await publish(log, first)
    await until_true(lambda: hung.said("holding") > 0)
    hung.signal(signal.SIGSTOP)
    killed.signal(signal.SIGKILL)
    added = copiers("added")
    await publish(log, second)
    await copied(log, first, second)
    hung.hold.unlink()
    hung.signal(signal.SIGCONT)
    await until_true(lambda: hung.said("fenced") + hung.said("lost") > 0)
    await publish(log, third)
    await copied(log, first, second, third)
    await until_true(lambda: hung.holds + stays.holds + added.holds == len(ALL))

    assert len(found := await values(log, "out")) == len(set(found))


async def test_a_claim_that_stays_is_not_let_go(world: KafkaWorld) -> None:
    """Whoever comes gets a part; what the other keeps it goes on with as if nothing had happened."""
    log = await world.log()
    async with joined(log) as first:
        await until(lambda: set(first.claims) == ALL)
        before = dict(first.claims)
        async with joined(await world.log()) as second:
            await until(lambda: len(second.claims) > 0 and len(first.claims) + len(second.claims) == len(ALL))
            moved = set(second.claims)
            await asyncio.gather(*(claim.commit([message("out", "a")]) for claim in first.claims.values()))

            assert set(first.lost) == moved
            assert all(first.claims[number] is before[number] for number in ALL - moved)
        await until(lambda: set(first.claims) == ALL)

    assert all(first.lost.count(number) == 1 for number in ALL - moved)  # when it left
    assert len(await settled(log, len(ALL - moved))) == len(ALL - moved)


async def test_a_batch_in_hand_is_waited_for(world: KafkaWorld) -> None:
    """The newcomer gets nothing before it is committed, nothing new is begun, and it is not done again."""
    log = await world.log(hand_over_seconds=25)
    async with joined(log) as first:
        claims = await with_batches(log, first)
        async with joined(await world.log()) as second:
            await until(lambda: is_holding(first))
            assert await next(iter(claims.values())).claim.fetch(["in"], max_records=5, max_bytes=1000) == []
            for each in claims.values():
                each.claim.in_hand = True  # the look above ended it
                await each.claim.commit([message("out", "a", f"{each.number}")], {"in": each.end})
            given = set(second.claims)
            for each in claims.values():
                each.claim.in_hand = False
            await until(lambda: len(second.claims) > 0)

    assert given == set()
    assert sorted(await settled(log, len(ALL))) == ["0", "1", "2"]
    await stands(log, {number: each.end for number, each in claims.items()})


async def test_a_batch_in_hand_is_waited_for_no_longer_than_set(world: KafkaWorld) -> None:
    """Then the partition goes to the newcomer, and the late batch is refused."""
    log = await world.log(hand_over_seconds=0.2)
    async with joined(log) as first:
        claims = await with_batches(log, first)
        async with joined(await world.log()) as second:
            await until(lambda: len(second.claims) > 0)
            number = min(second.claims)
            with pytest.raises(FencedError):
                await claims[number].claim.commit([message("out", "a", "late")], {"in": claims[number].end})
            again = await fetched(second.claims[number])

    assert [record.value for record in again] == [f"{number}".encode()]
    assert await values(log, "out") == []


@pytest.mark.parametrize("publishes", [True, False])
async def test_slow_work_is_no_reason_to_be_thrown_out(world: KafkaWorld, *, publishes: bool) -> None:
    """A batch that takes longer than a session is committed all the same: the event loop was free."""
    log = await world.log()
    async with joined(log, publishes=publishes) as group:
        claims = await with_batches(log, group)
        await asyncio.sleep(2 * SESSION_SECONDS)
        for each in claims.values():
            await each.claim.commit([message("out", "a")] if publishes else [], {"in": each.end})

        assert group.lost == []
    await stands(log, {number: each.end for number, each in claims.items()})


async def test_members_that_only_read_share_too(world: KafkaWorld) -> None:
    """Each number is one's, a batch in hand of one that is killed comes again, and nothing is passed over."""
    log, seen = await world.log(), set[str]()
    await publish(log, "{}")
    with process(READING, world.place) as child:
        assert child.stdout
        await asyncio.to_thread(child.stdout.readline)
        async with (
            joined(log, publishes=False) as first,
            joined(await world.log(), publishes=False) as second,
        ):
            child.kill()
            await until(lambda: sorted([*first.claims, *second.claims]) == sorted(ALL))
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(seen) < MESSAGES:
                    for group in (first, second):
                        seen |= await read_on(group)
    ends = await log.end_offsets("in")

    assert seen == {f"{n}" for n in range(MESSAGES)}
    assert all(at <= ends[number] for number, at in (await log.committed("readers", "in")).items())


async def test_a_reader_that_leaves_hands_over_what_it_did_not_commit(world: KafkaWorld) -> None:
    """Nothing fences it, so it lets go of everything before others begin."""
    log = await world.log(hand_over_seconds=0.2)
    async with joined(log, publishes=False) as first:
        claims = await with_batches(log, first)
        async with joined(await world.log(), publishes=False) as second:
            await until(lambda: len(second.claims) > 0)
            number = min(second.claims)
            again = await fetched(second.claims[number])
            with pytest.raises(FencedError):
                await claims[number].claim.commit([], {"in": claims[number].end})

            assert set(first.lost) == ALL
    assert [record.value for record in again] == [f"{number}".encode()]
    assert (await log.committed("readers", "in"))[number] == 0
