"""Tables and who owns them: reading to the end, following one's own writes, caches that may be lost."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from newswire.errors import CacheBrokenError, FencedError
from newswire.events import Sighting, Withdrawal
from newswire.log import Claim, Log, Message, TopicPartition, TopicSpec, open_log
from newswire.log.port import Position
from newswire.ownership import Ownership
from newswire.table import CachedRows, MemoryRows, Rows, Table

pytestmark = pytest.mark.unit

TOPIC = Withdrawal.topic
MakeRows = Callable[[], Rows]


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with two partitions; every key here lies in the first."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=2)
    await log.open([TopicSpec(TOPIC, compacted=True), TopicSpec(Sighting.topic)])
    yield log
    await log.close()


@pytest.fixture(params=["memory", "cached"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Rows:
    """Each way to keep rows."""
    return MemoryRows() if request.param == "memory" else CachedRows(tmp_path / "c" / "t.db", "log 1")


def withdrawal(key: str, reason: str) -> Withdrawal:
    """Return an event with something to tell it by."""
    at = "2026-11-25T09:30:00Z"
    return Withdrawal.model_validate(
        {"article_id": key, "withdrawn_at": at, "withdrawn_by": "desk", "reason": reason}
    )


def message(key: str, reason: str | None, topic: str = TOPIC) -> Message:
    """Return a message that sets a key, or removes it."""
    value = None if reason is None else withdrawal(key, reason).to_bytes()
    return Message(topic, key, value, {}, partition_key="b")


async def put(log: Log, *pairs: tuple[str, str | None]) -> list[tuple[Message, Position]]:
    """Publish what a table is made of."""
    messages = [message(key, reason) for key, reason in pairs]
    return list(zip(messages, await log.publish(messages), strict=True))


def reasons(table: Table[Withdrawal]) -> dict[str, str]:
    """Return a table as a dictionary."""
    return {key: event.reason for key, event in table.items()}


def number(log: Log) -> int:
    """Return the partition that all keys lie in."""
    return log.partition_of("b")


async def test_the_latest_value_of_each_key_counts(log: Log, rows: Rows) -> None:
    """Also within one reading; what changed is told."""
    await put(log, ("a", "1"), ("b", "1"), ("a", "2"))
    table = Table(log, Withdrawal, number(log), rows)

    assert await table.catch_up() == {"a", "b"}
    assert reasons(table) == {"a": "2", "b": "1"}
    assert table.get("a") == withdrawal("a", "2")
    assert table.get("c") is None
    table.close()


async def test_a_null_removes_its_key(log: Log, rows: Rows) -> None:
    """Whether it was there or not, and it may come back."""
    table = Table(log, Withdrawal, number(log), rows)
    await put(log, ("a", "1"))
    await table.catch_up()
    await put(log, ("a", None), ("z", None))

    assert await table.catch_up() == {"a", "z"}
    assert reasons(table) == {}
    await put(log, ("a", "3"))
    await table.catch_up()
    assert reasons(table) == {"a": "3"}
    table.close()


async def test_only_what_is_new_is_read(log: Log, rows: Rows) -> None:
    """A table remembers how far it has read."""
    await put(log, ("a", "1"))
    table = Table(log, Withdrawal, number(log), rows)
    await table.catch_up()

    assert await table.catch_up() == set()
    assert table.next_offset == 1
    table.close()


async def test_a_table_is_of_one_partition(log: Log, rows: Rows) -> None:
    """What lies in others is somebody else's."""
    await put(log, ("a", "1"))
    table = Table(log, Withdrawal, 1 - number(log), rows)

    assert await table.catch_up() == set()
    table.close()


async def test_more_than_a_chunk_is_read(log: Log, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading goes on to the end."""
    monkeypatch.setattr("newswire.table.CHUNK", 2)
    await put(log, *((str(n), str(n)) for n in range(5)))
    table = Table(log, Withdrawal, number(log), rows)
    await table.catch_up()

    assert len(reasons(table)) == 5
    table.close()


async def test_own_writes_are_taken_over(log: Log, rows: Rows) -> None:
    """Values and nulls, without reading them back."""
    table = Table(log, Withdrawal, number(log), rows)
    table.apply(await put(log, ("a", "1"), ("b", "1"), ("a", None)))

    assert reasons(table) == {"b": "1"}
    assert table.next_offset == 3
    table.close()


async def test_own_writes_are_taken_over_across_a_gap(log: Log, rows: Rows) -> None:
    """A log may put marks of its own between the records; nobody else writes what an owner writes."""
    table = Table(log, Withdrawal, number(log), rows)
    table.apply([(message("a", "ours"), Position(number(log), 7))])

    assert reasons(table) == {"a": "ours"}
    assert table.next_offset == 8
    table.close()


async def test_rows_from_beyond_the_end_are_forgotten(log: Log, rows: Rows) -> None:
    """They are of a topic that was made anew since, whose offsets begin again."""
    rows.put({"z": b"of the old topic"}, 99)
    await put(log, ("a", "1"))
    table = Table(log, Withdrawal, number(log), rows)
    await table.load()

    assert reasons(table) == {"a": "1"}
    assert table.next_offset == 1
    table.close()


async def test_writes_elsewhere_are_no_business_of_a_table(log: Log, rows: Rows) -> None:
    """Neither other topics nor other partitions."""
    table = Table(log, Withdrawal, number(log), rows)
    table.apply([(message("a", "1", Sighting.topic), Position(number(log), 0))])
    table.apply([(message("a", "1"), Position(1 - number(log), 0))])
    table.apply([])

    assert (reasons(table), table.next_offset) == ({}, 0)
    table.close()


def test_rows_may_change_while_they_are_listed(rows: Rows) -> None:
    """Whoever walks over a table may publish as it goes."""
    rows.put({"a": b"1", "b": b"2"}, 2)
    for key, value in rows.items():
        rows.put({key: None}, len(value))

    assert list(rows.items()) == []
    rows.close()


def test_a_cache_is_there_again_when_it_is_opened(tmp_path: Path) -> None:
    """Rows and the offset that they reflect."""
    path = tmp_path / "t.db"
    first = CachedRows(path, "log 1")
    first.put({"a": b"1", "b": b"2"}, 7)
    first.put({"b": None}, 8)
    first.close()
    again = CachedRows(path, "log 1")

    assert again.next_offset == 8
    assert dict(again.items()) == {"a": b"1"}
    assert again.get("a") == b"1"
    assert again.get("b") is None
    again.close()


def test_a_cache_of_another_log_is_emptied(tmp_path: Path) -> None:
    """Its offsets mean nothing here, and the log after that is a third one."""
    path = tmp_path / "t.db"
    first = CachedRows(path, "log 1")
    first.put({"a": b"1"}, 7)
    first.close()
    second = CachedRows(path, "log 2")

    assert (second.next_offset, dict(second.items())) == (0, {})
    second.put({"b": b"2"}, 1)
    second.close()
    third = CachedRows(path, "log 2")
    assert (third.next_offset, dict(third.items())) == (1, {"b": b"2"})
    third.close()


def other_tables(path: Path) -> None:
    """Write a SQLite file of some other version."""
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE state (something TEXT);")
    connection.close()


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.write_bytes(b"no database" * 1000), other_tables],
    ids=["bytes", "other tables"],
)
def test_a_strange_cache_is_made_again(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Its rows come from the topic once more; nobody needs to remove it by hand."""
    path = tmp_path / "t.db"
    spoil(path)
    rows = CachedRows(path, "log 1")

    assert rows.next_offset == 0
    rows.put({"a": b"1"}, 1)
    assert rows.get("a") == b"1"
    rows.close()


class FakeClaim:
    """A claim that publishes to a log and remembers what else it was given."""

    group = "owners"

    def __init__(self, log: Log, *, fenced: bool = False) -> None:
        self.number = number(log)
        self.given: list[object] = []
        self._log = log
        self._fenced = fenced

    async def fetch(self, topics: object, **bounds: int) -> list[object]:
        """Return nothing."""
        del topics, bounds
        return []

    async def wait(self, topics: object, timeout_seconds: float) -> None:
        """Return at once."""

    async def commit(
        self, messages: list[Message], offsets: object = None, *, unless_moved: object = None
    ) -> list[Position]:
        """Publish, or be fenced."""
        if self._fenced:
            raise FencedError("lost")
        self.given += [offsets, unless_moved]
        return await self._log.publish(messages)


def owning(log: Log, cache: Path | None = None, *, fenced: bool = False) -> tuple[Ownership, FakeClaim]:
    """Return an ownership with its claim."""
    claim = FakeClaim(log, fenced=fenced)
    typed: Claim = claim  # type: ignore[assignment]  # all that is asked of it
    return Ownership(log, typed, cache), claim


async def test_an_owners_table_is_read_to_the_end(log: Log) -> None:
    """It can be decided from at once."""
    await put(log, ("a", "1"))
    owner, claim = owning(log)

    assert owner.number == claim.number
    assert reasons(await owner.table(Withdrawal)) == {"a": "1"}
    owner.close()


async def test_what_an_owner_commits_is_in_its_tables(log: Log) -> None:
    """The claim is given everything, the table follows."""
    owner, claim = owning(log)
    table = await owner.table(Withdrawal)
    ends = {TopicPartition(TOPIC, 0): 0}
    await owner.commit([message("a", "1")], {"in": 4}, unless_moved=ends)

    assert reasons(table) == {"a": "1"}
    assert claim.given == [{"in": 4}, ends]
    owner.close()


async def test_what_is_not_committed_is_not_in_the_tables(log: Log) -> None:
    """A claim that was lost changes nothing."""
    owner, _ = owning(log, fenced=True)
    table = await owner.table(Withdrawal)
    with pytest.raises(FencedError):
        await owner.commit([message("a", "1")])

    assert reasons(table) == {}
    owner.close()


@pytest.mark.parametrize(("large", "given", "cached"), [(True, True, 1), (False, True, 0), (True, False, 0)])
async def test_only_large_tables_are_cached(
    log: Log, tmp_path: Path, *, large: bool, given: bool, cached: int
) -> None:
    """And only where a folder for caches was given."""
    folder = tmp_path / "cache"
    owner, _ = owning(log, folder if given else None)
    await owner.table(Withdrawal, large=large)
    owner.close()

    assert len(list(folder.glob("*.db"))) == cached


async def test_an_owner_goes_on_from_its_cache(log: Log, tmp_path: Path) -> None:
    """What the last owner had read is not read again."""
    await put(log, ("a", "1"))
    first, _ = owning(log, tmp_path)
    await first.table(Withdrawal, large=True)
    first.close()
    second, _ = owning(log, tmp_path)
    table = await second.table(Withdrawal, large=True)

    assert table.next_offset == 1
    assert reasons(table) == {"a": "1"}
    second.close()


def test_a_cache_that_breaks_in_use_is_removed_and_ends_its_user(tmp_path: Path) -> None:
    """It must neither pass for empty nor poison messages: the next process makes it again."""
    path = tmp_path / "t.db"
    rows = CachedRows(path, "log 1")
    other = sqlite3.connect(path)
    other.execute("DROP TABLE rows")
    other.close()
    with pytest.raises(CacheBrokenError, match=r"t\.db"):
        rows.get("k")
    rows.close()

    assert not path.exists()
    assert CachedRows(path, "log 1").next_offset == 0
