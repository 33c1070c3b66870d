"""Gathering: many small writes become one, and each caller learns what became of his."""

import asyncio
from collections.abc import Sequence

import pytest

from newswire_index.operations.documents import Remove, Step
from newswire_index.operations.gathering import Gathering
from newswire_index.store import StoreUnavailableError

pytestmark = pytest.mark.unit


class Writes:
    """Remembers what was written; may be held up, and fail."""

    def __init__(self) -> None:
        self.all: list[list[str]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.error: Exception | None = None

    async def write(self, steps: Sequence[Step]) -> None:
        """Write."""
        self.all.append([step.id for step in steps])
        await self.free.wait()
        if self.error:
            raise self.error

    def gathering(self) -> Gathering:
        """Return what gathers for it, for a very short moment."""
        return Gathering(self.write, 0.01)


def steps(*ids: str) -> list[Step]:
    """Return some steps."""
    return [Remove("outcomes", each) for each in ids]


async def reached(writes: Writes, count: int) -> None:
    """Wait until so many writes have begun."""
    async with asyncio.timeout(5):
        while len(writes.all) < count:
            await asyncio.sleep(0.001)


async def test_what_comes_together_is_written_together() -> None:
    """In the order in which it came."""
    writes = Writes()
    gathering = writes.gathering()
    await asyncio.gather(*(gathering.write(steps(f"{n}a", f"{n}b")) for n in range(3)))

    assert writes.all == [["0a", "0b", "1a", "1b", "2a", "2b"]]


async def test_what_comes_during_a_write_is_the_next_one() -> None:
    """One request at a time: the store has better things to do."""
    writes = Writes()
    writes.free.clear()
    gathering = writes.gathering()
    first = asyncio.create_task(gathering.write(steps("1")))
    await reached(writes, 1)
    later = [asyncio.create_task(gathering.write(steps(each))) for each in ("2", "3")]
    await asyncio.sleep(0.03)
    during = list(writes.all)
    writes.free.set()
    await asyncio.gather(first, *later)
    await gathering.write(steps("4"))

    assert during == [["1"]]
    assert writes.all == [["1"], ["2", "3"], ["4"]]


async def test_an_outage_is_everybodys_and_passes() -> None:
    """Each partition waits and comes again."""
    writes = Writes()
    writes.error = StoreUnavailableError("away")
    gathering = writes.gathering()
    ends = await asyncio.gather(
        gathering.write(steps("1")), gathering.write(steps("2")), return_exceptions=True
    )
    writes.error = None
    await gathering.write(steps("1"))

    assert [str(end) for end in ends] == ["away", "away"]
    assert writes.all == [["1", "2"], ["1"]]


async def test_whoever_gives_up_disturbs_nobody() -> None:
    """A partition was lost in the middle; what it wanted is written all the same, which does no harm."""
    writes = Writes()
    writes.free.clear()
    gathering = writes.gathering()
    tasks = [asyncio.create_task(gathering.write(steps(each))) for each in ("1", "2")]
    await reached(writes, 1)
    tasks[0].cancel()
    await asyncio.wait({tasks[0]})
    writes.free.set()
    await tasks[1]

    assert tasks[0].cancelled()
    assert writes.all == [["1", "2"]]


async def test_it_ends_in_the_middle() -> None:
    """And harmlessly so when there is nothing to end."""
    writes = Writes()
    writes.free.clear()
    gathering = writes.gathering()
    await gathering.close()
    task = asyncio.create_task(gathering.write(steps("1")))
    await reached(writes, 1)
    await gathering.close()
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
