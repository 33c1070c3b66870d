"""Tables over compacted topics of Kafka: right for their owner at once, and for the next one."""

import asyncio
from pathlib import Path

import pytest
from contract.log_contract import DEADLINE_SECONDS, joined, until
from integration.kafka_world import KafkaWorld

from newswire.events import Withdrawal
from newswire.following import Latest
from newswire.log import Log, Message, TopicSpec
from newswire.log.kafka import KafkaLog
from newswire.ownership import Ownership
from newswire.table import CachedRows, Table

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

TOPIC = Withdrawal.topic
TOPICS = (TopicSpec("in"), TopicSpec("out"), TopicSpec(TOPIC, compacted=True))
STEPS = 20
QUICK = {
    "cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0", "delete.retention.ms": "0",
}  # fmt: skip


def withdrawal(key: str, reason: str) -> Withdrawal:
    """Return an event with something to tell it by."""
    at = "2026-11-25T09:30:00Z"
    return Withdrawal.model_validate(
        {"article_id": key, "withdrawn_at": at, "withdrawn_by": "desk", "reason": reason}
    )


def row(key: str, reason: str | None) -> Message:
    """Return a message of the one partition that these tests use."""
    value = None if reason is None else withdrawal(key, reason).to_bytes()
    return Message(TOPIC, key, value, {}, "same")


def reasons(table: Table[Withdrawal]) -> dict[str, str]:
    """Return a table as a dictionary."""
    return {key: event.reason for key, event in table.items()}


async def loaded(log: KafkaLog, cache: Path | None = None) -> dict[str, str]:
    """Return what a process that starts anew finds."""
    rows = CachedRows(cache, log.identity) if cache else None
    table = Table(log, Withdrawal, log.partition_of("same"), rows)
    await table.load()
    found = reasons(table)
    table.close()
    return found


async def without_topic(world: KafkaWorld, log: Log) -> None:
    """Delete the topic by hand, as Newswire never does, and wait until it is gone."""
    async with world.admin() as admin:
        await admin.delete_topics([world.prefix + TOPIC])
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await log.topic_states(TOPICS))[-1].partitions is not None:
            await asyncio.sleep(0.05)


async def test_an_owner_decides_on_what_it_has_just_written(world: KafkaWorld) -> None:
    """Step after step without a pause, though readers see each only a moment later; and so does the next."""
    log = await world.log(TOPICS)
    async with joined(log) as group:
        owner = Ownership(log, await group.claim_of(log.partition_of("same")))
        table = await owner.table(Withdrawal)
        for step in range(STEPS):
            count = int(table.get("a").reason) if "a" in table else 0  # type: ignore[union-attr]  # it is there
            assert count == step
            await owner.commit([row("a", f"{count + 1}"), row(f"{step}", f"{step}")])
        end = table.next_offset
        owner.close()
    async with joined(log) as group:
        owner = Ownership(log, await group.claim_of(log.partition_of("same")))
        again = await owner.table(Withdrawal)

        assert reasons(again) == {"a": f"{STEPS}", **{f"{n}": f"{n}" for n in range(STEPS)}}
        assert again.next_offset >= end
        owner.close()


async def test_an_owner_takes_over_what_the_one_before_it_wrote_last(world: KafkaWorld) -> None:
    """Each new owner reads to the end before it begins, however short the hand-over."""
    log = await world.log(TOPICS)
    for turn in range(3):
        async with joined(log) as group:
            owner = Ownership(log, await group.claim_of(log.partition_of("same")))
            table = await owner.table(Withdrawal)

            assert len(reasons(table)) == turn
            await owner.commit([row(f"{turn}", "here")])
            owner.close()


async def test_compaction_leaves_the_same_table(world: KafkaWorld, tmp_path: Path) -> None:
    """To whoever reads all of it, to a cache from before, and to one from in between; nulls removed a row."""
    await world.make(TOPIC, QUICK)
    log, cache, half = await world.log(TOPICS), tmp_path / "whole.db", tmp_path / "half.db"
    await log.publish([row("a", "1"), row("b", "1"), row("gone", "1")])
    await loaded(log, half)
    await log.publish([row("a", "2"), row("gone", None), row("c", "1")])
    expected = await loaded(log, cache)
    await compacted(log)

    assert expected == {"a": "2", "b": "1", "c": "1"}
    again = await world.log(TOPICS)
    for found in (await loaded(again), await loaded(again, cache), await loaded(again, half)):
        assert {key: found[key] for key in found if key != "filler"} == expected


async def compacted(log: Log) -> None:
    """Wait until only the latest of each key is left; the open segment is left alone, so begin new ones."""
    number = log.partition_of("same")
    async with asyncio.timeout(3 * DEADLINE_SECONDS):
        while True:
            records = [each for each in await log.read(TOPIC, number, 0) if each.key != "filler"]
            if len({each.key for each in records}) == len(records):
                return
            await log.publish([row("filler", "x")])
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("rows", [1, 9])
async def test_a_cache_of_a_topic_that_was_made_anew_is_dropped(
    world: KafkaWorld, tmp_path: Path, rows: int
) -> None:
    """Whether the new topic is shorter or longer than the old one was."""
    log, cache = await world.log(TOPICS), tmp_path / "t.db"
    await log.publish([row("old", "1"), row("old too", "1"), row("both", "1")])
    await loaded(log, cache)
    await without_topic(world, log)
    anew = await world.log(TOPICS)
    await anew.publish([row("both", f"{n}") for n in range(rows)])

    assert await loaded(anew, cache) == {"both": f"{rows - 1}"}


async def test_the_latest_of_all_partitions_follows(world: KafkaWorld) -> None:
    """Without a group: what is new since the last look, nulls too, across Kafka's own marks."""
    log = await world.log(TOPICS)
    latest = Latest(log, TOPIC)
    await latest.catch_up()
    await log.publish([Message(TOPIC, f"{n}", b"1") for n in range(9)])
    await latest.catch_up()
    first = dict(latest.values)
    await log.publish([Message(TOPIC, "0", None), Message(TOPIC, "1", b"2")])
    await latest.catch_up()

    assert first == {f"{n}": b"1" for n in range(9)}
    assert latest.values == {**{f"{n}": b"1" for n in range(2, 9)}, "1": b"2"}


async def test_offsets_and_members_are_those_that_kafka_knows(world: KafkaWorld) -> None:
    """Its own tools see the group, stable with one member, and where it stands."""
    log = await world.log(TOPICS)
    (at,) = await log.publish([Message("in", "a", b"1")])
    name = f"{world.prefix}readers"
    async with joined(log) as group:
        claim = await group.claim_of(at.partition)
        await claim.commit([], {"in": at.offset + 1})
        await until(lambda: len(group.claims) == log.partitions)
        async with world.admin() as admin, asyncio.timeout(DEADLINE_SECONDS):
            while (await log.committed("readers", "in"))[at.partition] == 0:  # a step is seen a moment later
                await asyncio.sleep(0.01)
            offsets = await admin.list_consumer_group_offsets(name)
            groups = (await admin.describe_consumer_groups([name]))[0].groups

    assert {(each.topic, each.partition): found.offset for each, found in offsets.items()} == {
        (f"{world.prefix}in", at.partition): at.offset + 1
    }
    assert [(each[1], each[2], len(each[5])) for each in groups] == [(name, "Stable", 1)]
