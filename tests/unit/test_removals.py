"""What a table remembers of a removed key: the version of its tombstone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from unit.scenes import enriched, publish

from newswire.envelope import VERSION, tombstone
from newswire.events import Enriched
from newswire.log import Log, Message, open_log
from newswire.table import CachedRows, MemoryRows, Rows, Table
from newswire.topics import TOPICS

pytestmark = pytest.mark.unit


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with one partition."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=1)
    await log.open(TOPICS)
    yield log
    await log.close()


@pytest.fixture(params=["memory", "cached"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Rows:
    """Each way to keep rows."""
    return MemoryRows() if request.param == "memory" else CachedRows(tmp_path / "c" / "t.db", "log 1")


def gone(**headers: str) -> Message:
    """Return a tombstone of the article."""
    return tombstone(Enriched.topic, "a", headers)


async def test_the_version_of_a_tombstone_is_remembered(log: Log, rows: Rows) -> None:
    """The key itself is gone, in every way of looking at it, until it comes back."""
    table = Table(log, Enriched, 0, rows)
    await publish(log, enriched(version=7), enriched(article_id="b"), gone(version="12"))
    await table.catch_up()

    assert (table.get("a"), table.removed_at("a")) == (None, 12)
    assert (list(table), [key for key, _ in table.items()]) == (["b"], ["b"])
    await publish(log, enriched(version=13))
    await table.catch_up()
    assert (table.removed_at("a"), table.get("a")) == (0, enriched(version=13))
    table.close()


async def test_an_owners_own_tombstone_is_remembered(log: Log, rows: Rows) -> None:
    """Without reading it back."""
    table = Table(log, Enriched, 0, rows)
    sent = gone(**{VERSION: "12"})
    table.apply(list(zip([sent], await log.publish([sent]), strict=True)))

    assert (table.get("a"), table.removed_at("a")) == (None, 12)
    table.close()


@pytest.mark.parametrize("headers", [{}, {VERSION: ""}, {VERSION: "-1"}, {VERSION: "٣"}, {VERSION: "new"}])
async def test_a_tombstone_without_a_version_just_removes(log: Log, rows: Rows, headers: Any) -> None:
    """Or with one that is no number."""
    table = Table(log, Enriched, 0, rows)
    await publish(log, enriched(), gone(**headers))
    await table.catch_up()

    assert (table.get("a"), table.removed_at("a"), list(table)) == (None, 0, [])
    table.close()


async def test_nothing_was_removed_of_what_was_never_there(log: Log, rows: Rows) -> None:
    """Version 0 is below all."""
    table = Table(log, Enriched, 0, rows)

    assert table.removed_at("a") == 0
    table.close()
