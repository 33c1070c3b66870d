"""What every log must do. An adapter subclasses and gives two fixtures: ``make_log`` and ``place``.

``make_log`` returns a function that makes another handle on the same log, as another process would have
one; ``place`` is how a child process opens it. Offsets are compared with those that the log gave, never
counted: a log may leave gaps. What a log keeps and drops in the background is waited for.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import pytest

from newswire.errors import FencedError, MovedError, SettingsError
from newswire.log import Claim, Log, Message, Record, TopicPartition, TopicSpec

TOPICS = (
    TopicSpec("in"),
    TopicSpec("out"),
    TopicSpec("state", compacted=True),
    TopicSpec("guarded"),
    TopicSpec("short", retention_days=0.0),
)
DEADLINE_SECONDS = 15.0

MakeLog = Callable[[], Awaitable[Log]]


class Place(NamedTuple):
    """How another process opens the log: address, prefix, and what is set in its environment."""

    address: str
    prefix: str = ""
    environment: Mapping[str, str] = MappingProxyType({})


def message(topic: str, key: str, value: str | None = "x", **headers: str) -> Message:
    """Return a message with a text."""
    return Message(topic, key, None if value is None else value.encode(), headers)


class Group:
    """A member at work: keeps the claims that it has won."""

    def __init__(self, log: Log, group: str = "readers", *, publishes: bool = True) -> None:
        self.claims: dict[int, Claim] = {}
        self.lost: list[int] = []
        self._member = log.member(group, ["in"], self._gain, self._lose, publishes=publishes)
        self._task: asyncio.Task[None] | None = None

    async def _gain(self, claim: Claim) -> None:
        self.claims[claim.number] = claim

    async def _lose(self, claim: Claim) -> None:
        self.claims.pop(claim.number, None)
        self.lost.append(claim.number)

    async def start(self) -> None:
        """Begin to take part."""
        self._task = asyncio.create_task(self._member.run())

    @property
    def is_settled(self) -> bool:
        """Whether the member says that it holds its share."""
        return self._member.is_settled

    async def stop(self) -> None:
        """Leave the group."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def claim_of(self, number: int) -> Claim:
        """Return the claim on a number, once it was won."""
        await until(lambda: number in self.claims)
        return self.claims[number]


@asynccontextmanager
async def joined(log: Log, group: str = "readers", *, publishes: bool = True) -> AsyncIterator[Group]:
    """A member of a group, for a while."""
    member = Group(log, group, publishes=publishes)
    await member.start()
    try:
        yield member
    finally:
        await member.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def fetched(claim: Claim, *, records: int = 10, size: int = 1000, least: int = 1) -> list[Record]:
    """Return what a claim fetches from in, as soon as there is so much."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(found := await claim.fetch(["in"], max_records=records, max_bytes=size)) < least:
            await claim.wait(["in"], 1.0)
    return found


async def eventually(log: Log, topic: str, expected: list[str]) -> None:
    """Wait until a topic holds these values and no others: a step is seen a moment after it was taken."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await values(log, topic) != expected:
            await asyncio.sleep(0.01)


async def values(log: Log, topic: str) -> list[str]:
    """Return the values on a topic, partition by partition."""
    found = []
    for number in range(log.partitions):
        offset = 0
        while records := await log.read(topic, number, offset):
            found += [(record.value or b"").decode() for record in records]
            offset = records[-1].offset + 1
    return found


@contextmanager
def process(code: str, place: Place, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process that is gone afterwards."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, place.address, place.prefix, *arguments],
        stdout=subprocess.PIPE, text=True, env={**os.environ, **place.environment},
    )  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        assert child.stdout
        child.stdout.close()


# Copies what it reads, in transactions of three, and dies by kill -9 before the n-th call of the log.
COPYING = """
import asyncio, json, os, signal, sys
from newswire.log import Message, TopicSpec, open_log
address, prefix, fatal = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = 0
def tick():
    global calls
    calls += 1
    if calls == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
async def main():
    log = open_log(address, prefix=prefix, partitions=3)
    tick(); await log.open()
    tick(); ends = await log.end_offsets("in")
    done = asyncio.Event()
    left = {number for number, end in ends.items() if end}
    async def copy(claim):
        while await log.read("in", claim.number, await claim.position("in"), max_records=1):
            tick(); records = await claim.fetch(["in"], max_records=3, max_bytes=10_000)
            if not records:
                tick(); await claim.wait(["in"], 1.0)
                continue
            copies = [Message("out", record.key, record.value) for record in records]
            tick(); await claim.commit(copies, {"in": records[-1].offset + 1})
        left.discard(claim.number)
        if not left:
            done.set()
    tasks = []
    async def gained(claim):
        tasks.append(asyncio.create_task(copy(claim)))
    async def lost(claim):
        pass
    member = log.member("copiers", ["in"], gained, lost)
    running = asyncio.create_task(member.run())
    await done.wait()
    tick(); running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    tick(); await log.close()
asyncio.run(main())
print(json.dumps(calls), flush=True)
"""


class LogContract:
    """The suite."""

    async def test_publishes_in_order_of_a_key(self, make_log: MakeLog) -> None:
        """Records of one key come back in the order in which they were published, with all they carry."""
        log = await make_log()
        positions = await log.publish([message("out", "a", str(n), n=str(n)) for n in range(5)])
        records = await log.read("out", positions[0].partition, 0)

        assert [record.value for record in records] == [b"0", b"1", b"2", b"3", b"4"]
        assert [record.offset for record in records] == [position.offset for position in positions]
        assert records[3].headers == {"n": "3"}
        assert records[3].key == "a"

    async def test_partitions_keys_as_kafka_does(self, make_log: MakeLog) -> None:
        """Keys lie where Kafka's default partitioner puts them (values taken from a Kafka client)."""
        log = await make_log()
        found = {key: log.partition_of(key) for key in ("courier.example", "a", "ab", "abc")}
        twelve = {"courier.example": 10, "a": 4, "ab": 2, "abc": 3}

        assert log.partitions == 3
        assert found == {key: number % 3 for key, number in twelve.items()}

    async def test_the_partition_key_decides_where_it_is_given(self, make_log: MakeLog) -> None:
        """Records of different keys lie together if their partition key is the same."""
        log = await make_log()
        keys = [Message("out", str(n), b"x", {}, "same") for n in range(9)]

        assert {position.partition for position in await log.publish(keys)} == {log.partition_of("same")}

    async def test_end_offsets_and_committed_start_at_zero(self, make_log: MakeLog) -> None:
        """Nothing published, nothing committed."""
        log = await make_log()

        assert await log.end_offsets("in") == {0: 0, 1: 0, 2: 0}
        assert await log.committed("readers", "in") == {0: 0, 1: 0, 2: 0}

    async def test_offsets_at_a_moment_part_older_records_from_younger_ones(self, make_log: MakeLog) -> None:
        """Reading from there gives what was published at the moment or later, and nothing else."""
        log = await make_log()
        (at, _) = await log.publish([message("out", "a", "1"), message("out", "a", "2")])
        await asyncio.sleep(0.02)
        moment = datetime.now(UTC)
        await log.publish([message("out", "a", "3"), message("out", "a", "4")])
        places = await log.offsets_at("out", moment)
        young = await log.read("out", at.partition, places[at.partition])

        assert set(places) == {0, 1, 2}
        assert [record.value for record in young] == [b"3", b"4"]

    async def test_offsets_at_a_moment_beyond_all_records(self, make_log: MakeLog) -> None:
        """Before the first record lies everything, after the last one nothing."""
        log = await make_log()
        (at,) = await log.publish([message("out", "a", "1")])
        now = datetime.now(UTC)
        before = await log.offsets_at("out", now - timedelta(days=1))
        after = await log.offsets_at("out", now + timedelta(days=1))

        assert len(await log.read("out", at.partition, before[at.partition])) == 1
        assert await log.read("out", at.partition, after[at.partition]) == []

    async def test_a_group_has_begun_where_it_has_committed_even_0(self, make_log: MakeLog) -> None:
        """So a new group can be told from one that has met nothing yet."""
        log = await make_log()
        before = await log.begun("readers", "in")
        async with joined(log) as group:
            await (await group.claim_of(1)).commit([], {"in": 0})

        assert before == set()
        async with asyncio.timeout(DEADLINE_SECONDS):  # a step is seen a moment after it was taken
            while await log.begun("readers", "in") != {1}:
                await asyncio.sleep(0.01)
        assert await log.begun("others", "in") == set()

    async def test_one_member_gets_all_claims(self, make_log: MakeLog) -> None:
        """A group of one holds every partition number."""
        log = await make_log()
        async with joined(log) as group:
            await until(lambda: set(group.claims) == {0, 1, 2})

    async def test_fetch_returns_what_lies_beyond_the_committed_offset(self, make_log: MakeLog) -> None:
        """Until it is committed the same comes again; then it does not."""
        log = await make_log()
        (at, _) = await log.publish([message("in", "a", "1"), message("in", "a", "2")])
        async with joined(log) as group:
            claim = await group.claim_of(at.partition)
            first = await fetched(claim, records=1)
            again = await fetched(claim, records=1)
            await claim.commit([], {"in": first[0].offset + 1})
            second = await fetched(claim)
            position = await claim.position("in")

        assert first == again
        assert [record.value for record in second] == [b"2"]
        assert (await log.committed("readers", "in"))[at.partition] == position == at.offset + 1

    async def test_fetch_is_bounded_by_bytes_but_lets_a_large_record_through(self, make_log: MakeLog) -> None:
        """A record larger than the bound comes alone."""
        log = await make_log()
        (at, *_) = await log.publish([message("in", "a", "x" * 500), message("in", "a", "y" * 500)])
        async with joined(log) as group:
            claim = await group.claim_of(at.partition)
            records = await fetched(claim, size=100)

        assert [len(record.value or b"") for record in records] == [500]

    async def test_commit_publishes_and_moves_offsets_together(self, make_log: MakeLog) -> None:
        """Results and offsets are there at once, and the positions are told."""
        log = await make_log()
        (at,) = await log.publish([message("in", "a", "1")])
        async with joined(log) as group:
            claim = await group.claim_of(at.partition)
            next_offset = at.offset + 1
            positions = await claim.commit(
                [message("out", "a", "r"), message("state", "k", "s")], {"in": next_offset}
            )

        await eventually(log, "out", ["r"])
        await eventually(log, "state", ["s"])
        assert positions[0].partition == log.partition_of("a")
        assert (await log.committed("readers", "in"))[at.partition] == next_offset

    async def test_a_commit_without_offsets_publishes(self, make_log: MakeLog) -> None:
        """Polling has results but no input."""
        log = await make_log()
        async with joined(log) as group:
            await (await group.claim_of(0)).commit([message("out", "a", "r")])

        await eventually(log, "out", ["r"])

    async def test_a_commit_is_refused_when_a_topic_it_rests_on_has_grown(self, make_log: MakeLog) -> None:
        """Nothing of it happens then; with the new end it passes."""
        log = await make_log()
        async with joined(log) as group:
            claim = await group.claim_of(0)
            before = await log.end_offsets("guarded")
            (at,) = await log.publish([message("guarded", "g")])
            where, after = TopicPartition("guarded", at.partition), await log.end_offsets("guarded")
            with pytest.raises(MovedError):
                await claim.commit([message("out", "a", "no")], unless_moved={where: before[at.partition]})
            await claim.commit([message("out", "a", "yes")], unless_moved={where: after[at.partition]})

        await eventually(log, "out", ["yes"])

    async def test_two_members_share_the_claims(self, make_log: MakeLog) -> None:
        """A second member gets its part, the first lets go of that, nobody holds the same."""
        one, two = await make_log(), await make_log()
        async with joined(one) as first:
            await until(lambda: len(first.claims) == 3)
            async with joined(two) as second:
                await until(lambda: {len(first.claims), len(second.claims)} == {1, 2})

                assert set(first.claims) | set(second.claims) == {0, 1, 2}
            await until(lambda: len(first.claims) == 3)

    async def test_a_member_is_settled_once_it_holds_its_share_be_it_nothing(self, make_log: MakeLog) -> None:
        """One more than there are partitions stands by, and knows that it does."""
        log = await make_log()
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(joined(log))
            before = first.is_settled
            await until(lambda: first.is_settled)
            held = len(first.claims)
            members = [first] + [
                await stack.enter_async_context(joined(await make_log())) for _ in range(log.partitions)
            ]
            await until(lambda: [len(each.claims) for each in members].count(1) == log.partitions)
            await until(lambda: all(each.is_settled for each in members))

        assert (before, held) == (False, log.partitions)

    async def test_different_groups_read_independently(self, make_log: MakeLog) -> None:
        """What one group committed another still gets."""
        log = await make_log()
        (at,) = await log.publish([message("in", "a", "1")])
        async with joined(log, "readers") as one, joined(log, "others") as two:
            await (await one.claim_of(at.partition)).commit([], {"in": 1})
            claim = await two.claim_of(at.partition)

            assert len(await fetched(claim)) == 1

    async def test_a_claim_that_was_let_go_cannot_commit(self, make_log: MakeLog) -> None:
        """The old owner is fenced as soon as there is a new one."""
        one, two = await make_log(), await make_log()
        async with joined(one) as first:
            await until(lambda: len(first.claims) == 3)
            old = dict(first.claims)
            async with joined(two) as second:
                await until(lambda: {len(first.claims), len(second.claims)} == {1, 2})
                number = next(iter(second.claims))
                with pytest.raises(FencedError):
                    await old[number].commit([message("out", "a", "late")], {"in": 7})

        assert await values(one, "out") == []
        assert (await one.committed("readers", "in"))[number] == 0

    async def test_wait_returns_as_soon_as_something_is_published(self, make_log: MakeLog) -> None:
        """A waiter is woken by a commit of another handle long before its time is over."""
        one, two = await make_log(), await make_log()
        number = one.partition_of("a")
        async with joined(one) as group:
            claim = await group.claim_of(number)
            waiting = asyncio.create_task(claim.wait(["in"], 60.0))
            await two.publish([message("in", "a")])
            async with asyncio.timeout(DEADLINE_SECONDS):
                await waiting

    async def test_wait_returns_at_once_if_something_is_there(self, make_log: MakeLog) -> None:
        """What came before the waiting began is not waited for."""
        log = await make_log()
        (at,) = await log.publish([message("in", "a")])
        async with joined(log) as group, asyncio.timeout(DEADLINE_SECONDS):
            await (await group.claim_of(at.partition)).wait(["in"], 60.0)

    async def test_a_wait_without_a_group_ends_when_the_topic_has_grown(self, make_log: MakeLog) -> None:
        """By what is published meanwhile, by another handle too, and by what came before."""
        one, two = await make_log(), await make_log()
        number = one.partition_of("a")
        async with joined(one) as group, asyncio.timeout(DEADLINE_SECONDS):
            await group.claim_of(number)
            waiting = asyncio.create_task(one.wait("state", number, 0, 60.0))
            await asyncio.sleep(0)
            await two.publish([message("state", "a")])
            await waiting
            await one.wait("state", number, 0, 60.0)

    async def test_a_wait_without_a_group_ends_after_its_time(self, make_log: MakeLog) -> None:
        """Nothing has come beyond the end that is known."""
        log = await make_log()
        (at,) = await log.publish([message("state", "a")])
        async with asyncio.timeout(DEADLINE_SECONDS):
            await log.wait("state", at.partition, (await log.end_offsets("state"))[at.partition], 0.01)

    async def clean(self, log: Log, topic: str, partition: int) -> None:
        """Have the log compact and expire; one that does so by itself needs a reason to."""
        del topic, partition
        await log.maintain()

    async def test_compaction_keeps_the_latest_of_each_key(self, make_log: MakeLog) -> None:
        """Older values go, in the end, and offsets stay."""
        log = await make_log()
        places = await log.publish(
            [Message("state", *each, {}, "same") for each in (("a", b"1"), ("a", b"2"), ("b", b"3"))]
        )
        before = await log.end_offsets("state")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while "1" in await values(log, "state"):
                await self.clean(log, "state", places[0].partition)
        kept = [r for r in await log.read("state", places[0].partition, 0) if r.key in {"a", "b"}]

        assert [(r.offset, r.value) for r in kept] == [(places[1].offset, b"2"), (places[2].offset, b"3")]
        assert (await log.end_offsets("state"))[places[0].partition] >= before[places[0].partition]

    async def test_retention_drops_old_records(self, make_log: MakeLog) -> None:
        """What is older than the topic keeps goes, in the end; the end does not go back."""
        log = await make_log()
        (at,) = await log.publish([message("short", "a", "1")])
        before = await log.end_offsets("short")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while "1" in await values(log, "short"):
                await self.clean(log, "short", at.partition)

        assert (await log.end_offsets("short"))[at.partition] >= before[at.partition]

    async def test_topics_are_made_once_and_told(self, make_log: MakeLog) -> None:
        """What is there stays as it is; what is missing is told, made, and there afterwards."""
        log = await make_log()
        wanted = [TopicSpec("in"), TopicSpec("fresh", compacted=True)]
        before = [(state.name, state.partitions) for state in await log.topic_states(wanted)]
        made = await log.create_topics(wanted), await log.create_topics(wanted)
        await log.publish([message("fresh", "a")])

        assert before == [("in", 3), ("fresh", None)]
        assert made == (["fresh"], [])
        assert [(s.partitions, s.differences) for s in await log.topic_states(wanted)][1] == (3, ())

    async def test_a_topic_that_does_not_exist_is_named(self, make_log: MakeLog) -> None:
        """A misspelt topic is an error, not an empty one."""
        log = await make_log()
        with pytest.raises(SettingsError, match="nowhere"):
            await log.publish([message("nowhere", "a")])

    async def test_a_member_that_only_reads_commits_offsets(self, make_log: MakeLog) -> None:
        """For consumers that publish nothing; the next member of the group goes on behind them."""
        log = await make_log()
        (at, _) = await log.publish([message("in", "a", "1"), message("in", "a", "2")])
        async with joined(log, publishes=False) as group:
            claim = await group.claim_of(at.partition)
            (first, _) = await fetched(claim, least=2)
            await claim.commit([], {"in": first.offset + 1})
        async with joined(log, publishes=False) as group:
            rest = await fetched(await group.claim_of(at.partition))

        assert [record.value for record in rest] == [b"2"]

    async def test_a_tombstone_has_no_value(self, make_log: MakeLog) -> None:
        """None is not the empty text."""
        log = await make_log()
        positions = await log.publish(
            [Message("state", "a", None, {}, "same"), Message("state", "b", b"", {}, "same")]
        )
        records = await log.read("state", positions[0].partition, 0)

        assert [record.value for record in records] == [None, b""]

    @pytest.mark.timeout(120)
    async def test_kill_before_any_call_loses_and_doubles_nothing(
        self, make_log: MakeLog, place: Place
    ) -> None:
        """A copier is killed before each call of the log in turn; what it copied is complete at the end."""
        log = await make_log()
        expected = [f"{key}{n}" for n in range(7) for key in "abcd"]
        await log.publish([message("in", value[0], value) for value in expected])
        fatal, finished = 1, False
        while not finished:
            with process(COPYING, place, str(fatal)) as child:
                output, _ = await asyncio.to_thread(child.communicate, timeout=30)
            finished = child.returncode == 0
            copied = await values(log, "out")

            assert len(copied) == len(set(copied)), f"doubled before call {fatal}"
            fatal += 1

        assert sorted(copied) == sorted(expected)
        assert json.loads(output) < fatal
        assert fatal > 5

    @pytest.mark.timeout(60)
    async def test_the_claims_of_a_killed_process_are_taken_over(
        self, make_log: MakeLog, place: Place
    ) -> None:
        """Those of a process that was killed, before long."""
        log = await make_log()
        with process(HOLDING, place) as child:
            assert child.stdout
            assert await asyncio.to_thread(child.stdout.readline) == "3\n"
            async with joined(log) as group:
                child.kill()
                await until(lambda: len(group.claims) == 3)


# Takes all claims, says so and holds them.
HOLDING = """
import asyncio, sys
from newswire.log import open_log
async def main():
    log = open_log(sys.argv[1], prefix=sys.argv[2], partitions=3)
    await log.open()
    held = []
    async def gained(claim):
        held.append(claim)
        if len(held) == 3:
            print(3, flush=True)
    async def lost(claim):
        pass
    await log.member("readers", ["in"], gained, lost).run()
asyncio.run(main())
"""
