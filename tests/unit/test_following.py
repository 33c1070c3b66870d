"""Following a topic without a group: what is new since the last look, and the latest of each key."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from newswire.following import Follower, Latest
from newswire.log import Log, Message, TopicSpec, open_log

pytestmark = pytest.mark.unit


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with three partitions."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=3)
    await log.open([TopicSpec("t")])
    yield log
    await log.close()


async def put(log: Log, *values: str) -> None:
    """Publish values as their own keys."""
    await log.publish([Message("t", value, value.encode()) for value in values])


async def look(follower: Follower) -> list[str]:
    """Return what a look finds."""
    return [record.key async for record in follower.records()]


async def test_each_look_gives_what_is_new(log: Log) -> None:
    """In all partitions, each record once, in order of its partition."""
    follower = Follower(log, "t")
    await put(log, "a", "b", "c", "d", "e")
    first = await look(follower)
    again = await look(follower)
    await put(log, "f", "g")
    second = await look(follower)

    assert sorted(first) == ["a", "b", "c", "d", "e"]
    assert first == sorted(first, key=lambda key: (log.partition_of(key), key))
    assert again == []
    assert sorted(second) == ["f", "g"]


async def test_how_far_was_read_grows_when_there_was_something(log: Log) -> None:
    """And only then."""
    follower = Follower(log, "t")
    seen = [follower.read]
    for values in (["a", "b"], [], ["c"]):
        await put(log, *values)
        await look(follower)
        seen.append(follower.read)

    assert seen == [0, 2, 2, 3]


async def test_it_begins_where_it_is_told(log: Log) -> None:
    """Partition by partition; where nothing is said, at the beginning."""
    await put(log, "a", "b", "c", "d", "e", "f")
    ends = await log.end_offsets("t")
    number = log.partition_of("a")
    follower = Follower(log, "t", {number: ends[number]})

    assert sorted(await look(follower)) == sorted(key for key in "abcdef" if log.partition_of(key) != number)


async def test_a_look_that_was_cut_off_goes_on_behind_what_it_gave(log: Log) -> None:
    """Nothing is given twice."""
    follower = Follower(log, "t")
    await put(log, *"abcdef")
    records = follower.records()
    first = (await anext(records)).key
    await records.aclose()  # type: ignore[attr-defined]  # it is a generator

    assert sorted([first, *await look(follower)]) == list("abcdef")


class GappyLog:
    """A log whose partition ends behind a mark of its own, with no record before it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.reads = 0

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return ends that lie one further than there are records."""
        return {number: end + 1 for number, end in (await self._log.end_offsets(topic)).items()}

    async def read(self, topic: str, partition: int, offset: int, *, max_records: int = 1) -> object:
        """Count how often is read."""
        self.reads += 1
        return await self._log.read(topic, partition, offset, max_records=max_records)


async def test_a_mark_at_the_end_is_not_read_again_and_again(log: Log) -> None:
    """An end says where the next record can lie at the earliest, and no more."""
    gappy = GappyLog(log)
    follower = Follower(gappy, "t")  # type: ignore[arg-type]  # all that is asked of it
    await put(log, "a")
    first = await look(follower)
    reads = gappy.reads

    assert first == ["a"]
    assert await look(follower) == []
    assert gappy.reads == reads


async def test_the_latest_value_of_each_key_is_kept(log: Log) -> None:
    """Later values replace it, nulls remove it, and a look later that still holds."""
    latest = Latest(log, "t")
    await log.publish([Message("t", "a", b"1"), Message("t", "b", b"1"), Message("t", "a", b"2")])
    await latest.catch_up()
    first = dict(latest.values)
    await log.publish([Message("t", "a", None), Message("t", "z", None), Message("t", "c", b"")])
    await latest.catch_up()

    assert first == {"a": b"2", "b": b"1"}
    assert latest.values == {"b": b"1", "c": b""}
