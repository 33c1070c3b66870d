"""Subscriptions on SQLite, and what shows best there: a log that is away."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from contract.subscription_contract import SubscriptionContract, committed
from unit.scenes import enriched, publish

from newswire import group_reader
from newswire.errors import FencedError, SettingsError, UnavailableError
from newswire.events import Enriched
from newswire.group_reader import GroupReader
from newswire.log import Log, Message, open_log
from newswire.log.sqlite import SqliteClaim, SqliteLog
from newswire.settings import Settings
from newswire.topics import TOPICS

pytestmark = pytest.mark.contract


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Where the log is."""
    return Settings(log=f"sqlite:///{tmp_path / 'log.db'}", prefix="t-", partitions=3)


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[Log]:
    """A handle on it."""
    log = open_log(settings.log, prefix=settings.prefix, partitions=settings.partitions)
    await log.open(TOPICS)
    yield log
    await log.close()


@pytest.fixture
def group() -> str:
    """The log is new, so every group is."""
    return "my-app"


@pytest.mark.timeout(120)
class TestSubscriptionOnSqlite(SubscriptionContract):
    """The suite on SQLite."""


@pytest.fixture
async def reader(log: Log) -> AsyncIterator[GroupReader]:
    """A reader that has joined."""
    reader = GroupReader(log, "my-app", Enriched.topic)
    await reader.open()
    yield reader
    await reader.close()


async def the_next(reader: GroupReader) -> int:
    """Return the offset of the next record."""
    async with asyncio.timeout(20):
        record = await reader.next()
    assert record is not None
    return record.offset


async def test_a_log_that_is_away_is_waited_for(
    log: Log, reader: GroupReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither reading nor committing fails because of it, and nothing comes twice."""
    commit, failures = SqliteClaim.commit, iter([True, True, False, True])

    async def failing(self: SqliteClaim, messages: Sequence[Message], offsets: Mapping[str, int]) -> Any:
        if next(failures, False):
            raise UnavailableError("disk full")
        return await commit(self, messages, offsets)

    monkeypatch.setattr(SqliteClaim, "commit", failing)
    await publish(log, enriched())
    found = [await the_next(reader)]
    reader.done()
    await reader.commit()
    await publish(log, enriched())
    found.append(await the_next(reader))
    reader.done()
    await reader.commit()

    assert found == [0, 1]
    assert await committed(log, "my-app") == 2


async def test_what_cannot_be_committed_at_the_end_comes_again(
    log: Log, reader: GroupReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving does not wait for a log that is away."""

    async def failing(*_: object) -> None:
        raise UnavailableError("disk full")

    await publish(log, enriched())
    await the_next(reader)
    reader.done()
    with monkeypatch.context() as patched:
        patched.setattr(SqliteClaim, "commit", failing)
        async with asyncio.timeout(5):
            await reader.close()
    again = GroupReader(log, "my-app", Enriched.topic)
    await again.open()

    assert await the_next(again) == 0
    await again.close()


async def test_a_partition_lost_to_somebody_else_is_left_alone(
    log: Log, reader: GroupReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was handled comes again with whoever has it now; here that is us, once it is given back."""
    await publish(log, enriched())
    await the_next(reader)
    reader.done()
    assert isinstance(log, SqliteLog)
    commit, fenced = SqliteClaim.commit, iter([True])

    async def failing(self: SqliteClaim, messages: Sequence[Message], offsets: Mapping[str, int]) -> Any:
        if next(fenced, False):
            await log.write(lambda c: c.execute("UPDATE log_leases SET member=NULL, epoch=9"))
            raise FencedError("lost")
        return await commit(self, messages, offsets)

    monkeypatch.setattr(SqliteClaim, "commit", failing)

    assert await the_next(reader) == 0


async def test_an_item_in_hand_is_waited_for_before_its_partition_is_let_go(
    log: Log, reader: GroupReader
) -> None:
    """So that it is committed first, and whoever gets the partition does not get the item too."""
    await publish(log, enriched(version=1), enriched(version=2))
    await the_next(reader)
    assert reader._lane is not None
    leaving = asyncio.ensure_future(reader._lost(reader._lane.claim))
    await asyncio.sleep(0.05)
    waits = not leaving.done()
    reader.done()
    async with asyncio.timeout(5):
        await leaving

    assert waits
    assert await committed(log, "my-app") == 1


async def test_an_item_that_takes_too_long_does_not_hold_up_the_others(
    log: Log, reader: GroupReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while its partition goes, and the item comes again there: that is at least once."""
    monkeypatch.setattr(group_reader, "HAND_OVER_SECONDS", 0.05)
    await publish(log, enriched(version=1), enriched(version=2))
    await the_next(reader)
    assert reader._lane is not None
    async with asyncio.timeout(5):
        await reader._lost(reader._lane.claim)
    reader.done()
    await reader.commit()

    assert await committed(log, "my-app") == 0


async def test_what_ends_the_membership_is_raised(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader never waits for what cannot come."""

    async def failing(*_: object) -> None:
        raise SettingsError("the topic is gone")

    monkeypatch.setattr(GroupReader, "_place", failing)
    other = GroupReader(log, "other-app", Enriched.topic)
    await other.open()
    async with asyncio.timeout(20):
        with pytest.raises(SettingsError, match="gone"):
            await other.next()
    await other.close()
