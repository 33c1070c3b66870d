"""The log contract on SQLite, and what only that adapter has."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from contract.log_contract import TOPICS, LogContract, MakeLog, Place, joined, message, until, values

from newswire.errors import FencedError, SettingsError, UnavailableError
from newswire.log import Log, TopicSpec, lease, open_log
from newswire.log.sqlite import SqliteClaim, SqliteLog

pytestmark = pytest.mark.contract


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Where the log is."""
    return f"sqlite:///{tmp_path / 'log.db'}"


@pytest.fixture
def place(address: str) -> Place:
    """How another process opens it."""
    return Place(address)


@pytest.fixture
async def make_log(address: str) -> AsyncIterator[MakeLog]:
    """Make handles on the same log."""
    opened: list[Log] = []

    async def make() -> Log:
        log = open_log(address, partitions=3)
        await log.open(TOPICS)
        opened.append(log)
        return log

    await make()
    yield make
    for log in opened:
        await log.close()


class TestSqliteLog(LogContract):
    """The suite on SQLite."""


async def test_the_number_of_partitions_is_the_files_own(address: str, make_log: MakeLog) -> None:
    """A later setting does not move keys to other partitions."""
    await make_log()
    log = open_log(address, partitions=12)
    await log.open()
    await log.close()

    assert log.partitions == 3


async def test_prefixes_keep_worlds_apart_in_one_file(address: str) -> None:
    """Topics and groups of another prefix are not seen."""
    one, two = open_log(address, prefix="one-", partitions=3), open_log(address, prefix="two-", partitions=3)
    await one.open(TOPICS)
    await two.open(TOPICS)
    await one.publish([message("out", "a", "1")])
    found = await values(one, "out"), await values(two, "out")
    await one.close()
    await two.close()

    assert found == (["1"], [])


async def test_compaction_waits_for_the_group_that_still_reads(make_log: MakeLog) -> None:
    """What the named group has not read stays, though newer values are there."""
    log = await make_log()
    await log.create_topics([TopicSpec("watched", compacted=True, compaction_waits_for="readers")])
    (at, *_) = await log.publish([message("watched", "a", str(n)) for n in range(3)])
    await log.maintain()
    unread = await values(log, "watched")
    async with joined(log) as group:
        await (await group.claim_of(at.partition)).commit([], {"watched": at.offset + 2})
    await log.maintain()

    assert unread == ["0", "1", "2"]
    assert await values(log, "watched") == ["2"]


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """The error says which file."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnavailableError, match=r"log\.db"):
        await open_log(f"sqlite:///{tmp_path}/file/log.db").open()


async def test_a_failing_piece_of_work_undoes_only_itself(make_log: MakeLog) -> None:
    """Commits that meet share a transaction, but not their failures."""
    log = await make_log()
    assert isinstance(log, SqliteLog)

    def refuse(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO log_meta VALUES ('half', 'done')")
        raise SettingsError("no")

    results = await asyncio.gather(
        log.publish([message("out", "a", "1")]), log.write(refuse), log.publish([message("out", "a", "2")]),
        return_exceptions=True,
    )  # fmt: skip

    assert isinstance(results[1], SettingsError)
    assert await values(log, "out") == ["1", "2"]
    assert await log.query(lambda c: c.execute("SELECT 1 FROM log_meta WHERE name='half'").fetchall()) == []


async def test_a_member_that_hangs_is_given_up_and_fenced(make_log: MakeLog) -> None:
    """A process that lives but has not beaten for a session loses its claims, and cannot commit any more."""
    log = await make_log()
    assert isinstance(log, SqliteLog)
    long_ago = int(time.time() * 1000) - lease.SESSION_MS - 1000
    life = lease.LifeFile(log.life_folder, "hung")
    await log.write(lambda connection: lease.beat(connection, "readers", "hung", 0, long_ago))
    epochs = await log.write(lambda connection: lease.take(connection, "readers", "hung", {0, 1, 2}))
    async with joined(log) as fresh:
        await until(lambda: len(fresh.claims) == 3)
        with pytest.raises(FencedError):
            await SqliteClaim(log, "readers", "hung", 0, epochs[0]).commit([message("out", "a", "late")])
    life.close()

    assert await values(log, "out") == []


async def test_a_beat_moves_no_partition(make_log: MakeLog) -> None:
    """The oldest member stays the oldest: else every beat would hand all partitions over to the other one."""
    log = await make_log()
    assert isinstance(log, SqliteLog)
    lives = [lease.LifeFile(log.life_folder, member) for member in ("elder", "younger")]
    now = int(time.time() * 1000)
    for member in ("elder", "younger", "elder", "younger", "elder"):
        await log.write(partial(lease.beat, group="readers", member=member, port=0, now_ms=now))
        members = await log.write(lambda c: lease.live_members(c, "readers", log.life_folder, now))
    for life in lives:
        life.close()

    assert members == ["elder", "younger"]


async def test_a_lease_lost_behind_ones_back_is_noticed_and_taken_anew(make_log: MakeLog) -> None:
    """A process that was given up for a while lets go of what it had before it takes part again."""
    log = await make_log()
    assert isinstance(log, SqliteLog)
    async with joined(log) as group:
        old = await group.claim_of(0)
        await log.write(lambda c: c.execute("UPDATE log_leases SET member=NULL, epoch=9 WHERE part=0"))
        await until(lambda: group.lost == [0] and 0 in group.claims)
        with pytest.raises(FencedError):
            await old.commit([message("out", "a", "late")])
        await group.claims[0].commit([message("out", "a", "right")])

    assert await values(log, "out") == ["right"]


async def test_a_committed_record_survives_an_interrupted_transaction(
    make_log: MakeLog, address: str
) -> None:
    """Another process's half-written transaction is invisible and goes away with it."""
    log = await make_log()
    await log.publish([message("out", "a", "1")])
    other = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO log_records VALUES ('out', 0, 99, 'a', 'half', '{}', 0)")
    seen = await values(log, "out")
    other.close()
    await log.publish([message("out", "a", "2")])

    assert seen == ["1"]
    assert await values(log, "out") == ["1", "2"]


async def test_a_log_that_is_away_for_a_moment_does_not_end_a_member(
    make_log: MakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next round finds it again."""
    log = await make_log()
    assert isinstance(log, SqliteLog)
    query, failures = log.query, iter([True, True])

    async def failing(work: Callable[[sqlite3.Connection], Any]) -> Any:
        if next(failures, False):
            raise UnavailableError("disk full")
        return await query(work)

    monkeypatch.setattr(log, "query", failing)
    async with joined(log) as group:
        await until(lambda: len(group.claims) == 3)


async def test_maintenance_leaves_alone_what_stands_still(make_log: MakeLog) -> None:
    """A second round has nothing to compact until something was published."""
    log = await make_log()
    assert isinstance(log, SqliteLog)
    await log.publish([message("state", "a", "1"), message("state", "a", "2")])
    await log.maintain()
    writes = 0
    write = log.write

    async def counting(work: Callable[[sqlite3.Connection], Any]) -> Any:
        nonlocal writes
        writes += 1
        return await write(work)

    log.write = counting  # type: ignore[method-assign]
    await log.maintain()

    assert writes == log.partitions  # the topic with a retention is looked through each time


async def test_the_place_of_a_moment_is_found_across_gaps(make_log: MakeLog) -> None:
    """Compaction and retention leave holes; what is left is parted rightly all the same."""
    log = await make_log()
    assert isinstance(log, SqliteLog)
    (at, *_) = await log.publish([message("out", "a", str(n)) for n in range(40)])
    await log.write(lambda c: c.execute("UPDATE log_records SET at = pos * 10"))
    await log.write(lambda c: c.execute("DELETE FROM log_records WHERE pos % 7 > 1 OR pos > 30"))
    kept = [record.offset for record in await log.read("out", at.partition, 0)]
    for at_ms in range(0, 410, 5):
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
        place = (await log.offsets_at("out", moment))[at.partition]
        found = [record.offset for record in await log.read("out", at.partition, place)]

        assert found == [offset for offset in kept if offset * 10 >= at_ms]
