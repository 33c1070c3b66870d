"""Steps as transactions of Kafka: all or nothing, and never by a writer that somebody has replaced."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import pytest
from aiokafka.structs import TopicPartition as At
from contract.log_contract import Group, eventually, fetched, joined, message, until, values
from integration.kafka_world import KafkaWorld

from newswire.errors import ClaimBrokenError, FencedError, MovedError
from newswire.log import Log, Record
from newswire.log.kafka import KafkaLog
from newswire.log.kafka_claim import KafkaClaim
from newswire.log.kafka_transactions import Placed, Transactions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

STEP = 10  # messages of one step


@contextlib.asynccontextmanager
async def opened(world: KafkaWorld, name: str, **settings: float) -> AsyncIterator[Transactions]:
    """A transactional producer, for a while."""
    transactions = Transactions(world.connection(**settings), f"{world.prefix}{name}")
    await transactions.open()
    try:
        yield transactions
    finally:
        await transactions.close()


def placed(log: KafkaLog, *texts: str) -> list[Placed]:
    """Return messages on their way to out."""
    return [log.place(message("out", text, text)) for text in texts]


async def moved() -> None:
    """Undo a step."""
    raise MovedError("it has grown")


async def watch(log: Log, seen: set[str]) -> None:
    """Read out from its beginning again and again."""
    while True:
        seen.update(await values(log, "out"))


async def test_a_reader_never_sees_a_step_that_was_undone(world: KafkaWorld) -> None:
    """Whoever reads all the time, while steps are taken and undone in turn, sees those that were taken."""
    log, seen = await world.log(), set[str]()
    watching = asyncio.create_task(watch(log, seen))
    async with opened(world, "w") as writer:
        for turn in range(5):
            with pytest.raises(MovedError):
                await writer.commit(placed(log, *(f"no{turn}.{n}" for n in range(STEP))), {}, "", moved)
            await writer.commit(placed(log, f"yes{turn}"), {}, "")
        await until(lambda: "yes4" in seen)
    watching.cancel()

    assert seen == {f"yes{turn}" for turn in range(5)}


async def test_a_writer_that_was_replaced_is_fenced(world: KafkaWorld) -> None:
    """Its next step fails for good, nothing of it is there, and the one that came later goes on."""
    log = await world.log()
    async with opened(world, "w") as first, opened(world, "w") as second:
        await second.commit(placed(log, "right"), {}, "")
        with pytest.raises(FencedError) as caught:
            await first.commit(placed(log, "late"), {}, "")
        with pytest.raises(ClaimBrokenError):
            await first.commit(placed(log, "later still"), {}, "")
        await second.commit(placed(log, "again"), {}, "")

        assert not isinstance(caught.value, ClaimBrokenError)
    await until_all(log, {"right", "again"})


async def test_a_writer_is_fenced_in_the_middle_of_its_step(world: KafkaWorld) -> None:
    """What it had sent already is undone before its follower begins."""
    log, sent, go = await world.log(), asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        sent.set()
        await go.wait()

    async with opened(world, "w") as first:
        step = asyncio.create_task(first.commit(placed(log, "late"), {}, "", pause))
        await sent.wait()
        async with opened(world, "w") as second:
            go.set()
            with pytest.raises(FencedError):
                await step
            await second.commit(placed(log, "right"), {}, "")
    await until_all(log, {"right"})


async def test_a_writer_that_was_replaced_moves_no_offsets(world: KafkaWorld) -> None:
    """Also where it publishes nothing."""
    log = await world.log()
    group = f"{world.prefix}readers"
    async with opened(world, "w") as first, opened(world, "w"):
        with pytest.raises(FencedError):
            await first.commit([], {At(log.full("in"), 0): 7}, group)

    assert (await log.committed("readers", "in"))[0] == 0


async def test_a_fenced_writer_leaves_nothing_unheard(
    world: KafkaWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """No future of aiokafka complains of an error that nobody looked at, on standard error."""
    log = await world.log()
    for offsets in ({}, {At(log.full("in"), 0): 7}):
        async with opened(world, "w") as first, opened(world, "w"):
            with pytest.raises(FencedError):
                await first.commit(placed(log, "late"), offsets, f"{world.prefix}readers")
        del first
        gc.collect()

    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


async def test_a_step_that_takes_too_long_is_given_up(world: KafkaWorld) -> None:
    """Nobody waits for ever; nothing of it is there, and the next writer goes on."""
    log = await world.log()

    async def stuck() -> None:
        await asyncio.Event().wait()

    async with opened(world, "w", step_seconds=1) as first:
        with pytest.raises(ClaimBrokenError):
            await first.commit(placed(log, "no"), {}, "", stuck)
    async with opened(world, "w") as second:
        await second.commit(placed(log, "yes"), {}, "")
    await until_all(log, {"yes"})


async def test_a_step_cut_off_anywhere_is_there_as_a_whole_or_not_at_all(world: KafkaWorld) -> None:
    """Whenever it is cancelled, the claim is broken, and the next owner finds out which of the two it was."""
    log, taken = await world.log(), 0
    records = await log.publish([message("in", "a", str(n)) for n in range(8)])
    number = records[0].partition
    async with joined(log) as group:
        for milliseconds in (0, 1, 2, 4, 6, 9, 13, 20):
            claim = await group.claim_of(number)
            (record,) = await fetched(claim, records=1)
            step = asyncio.create_task(_copy(claim, record))
            await asyncio.sleep(milliseconds / 1000)
            step.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await step
            taken += await _was_taken(group, claim, record)
    copies = await values(log, "out")

    assert len(copies) == taken * STEP
    assert len(set(copies)) == len(copies)


async def _copy(claim: object, record: Record) -> None:
    assert isinstance(claim, KafkaClaim)
    copies = [message("out", f"{n}", f"{record.offset}.{n}") for n in range(STEP)]
    await claim.commit(copies, {"in": record.offset + 1})


async def _was_taken(group: Group, claim: object, record: Record) -> bool:
    """Tell what the owner after a cut off step finds."""
    assert isinstance(claim, KafkaClaim)
    if not claim.is_held:
        await until(lambda: group.claims.get(claim.number, claim) is not claim)
    return await group.claims[claim.number].position("in") > record.offset


async def test_a_cancelled_step_leaves_the_claim_broken(world: KafkaWorld) -> None:
    """It may not be used any more, and the member takes it anew by itself."""
    log = await world.log()
    async with joined(log) as group:
        claim = await group.claim_of(0)
        step = asyncio.create_task(claim.commit([message("out", "a", "half")]))
        await asyncio.sleep(0)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        with pytest.raises(ClaimBrokenError):
            await claim.commit([message("out", "a", "after")])

        assert not claim.is_held
        await until(lambda: group.claims.get(0, claim) is not claim)
        await group.claims[0].commit([message("out", "a", "anew")])
        await eventually(log, "out", ["anew"])


async def test_steps_of_one_writer_take_turns(world: KafkaWorld) -> None:
    """Commits that are asked for at once are one transaction after the other."""
    log = await world.log()
    async with joined(log) as group:
        claim = await group.claim_of(0)
        await asyncio.gather(*(claim.commit([message("out", f"{n}", f"{n}")]) for n in range(STEP)))

    await until_all(log, {f"{n}" for n in range(STEP)})


async def until_all(log: Log, expected: set[str]) -> None:
    """Wait until out holds these values in any order, and nothing else."""
    async with asyncio.timeout(15):
        while set(found := await values(log, "out")) != expected:
            await asyncio.sleep(0.01)

    assert len(found) == len(expected)
