"""Topic and index compared: what differs is named, what is on its way is not."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.scenes import NOW, commit, enriched, publish, removed, unreadable, wrapped

from newswire.envelope import FIRST_SEEN, VERSION, tombstone
from newswire.events import Enriched, Withdrawal
from newswire.log import Log, open_log
from newswire.log.sqlite import SqliteLog
from newswire.topics import TOPICS
from newswire_index.verify import verifying
from newswire_index.verify.rows import TopicRows
from newswire_index.verify.verifying import Item, Keeping, Report, Verification, verify

pytestmark = pytest.mark.unit

MONTHS_AGO = timedelta(days=500)


def version(ago: timedelta = timedelta()) -> int:
    """Return the version of an article that was enriched so long ago."""
    return int((datetime.now(UTC) - ago).timestamp() * 1000)


NEW = version()


class Index:
    """Gives the items of one scan after the other, the last ones again and again."""

    def __init__(self, *scans: Sequence[Item]) -> None:
        self.scans = list(scans)
        self.scanned = 0
        self.meanwhile: Any = None

    async def items(self) -> AsyncIterator[Item]:
        """Go through one scan."""
        scan = self.scans[min(self.scanned, len(self.scans) - 1)]
        self.scanned += 1
        for item in sorted(scan):
            yield item
        if self.meanwhile:
            await self.meanwhile()


def item(
    key: str, number: int = NEW, title: str = "Talks", text: str = "h", where: str | None = None
) -> Item:
    """Return an article as the index has it."""
    return Item(key, number, title, text, where)


def event(key: str, number: int = NEW, **fields: Any) -> Enriched:
    """Return an article as the topic has it."""
    return enriched(article_id=key, version=number, **fields)


def withdrawal(key: str) -> Withdrawal:
    """Return a withdrawal."""
    return Withdrawal(article_id=key, withdrawn_at=NOW, withdrawn_by="desk", reason="x")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with three partitions."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=3)
    await log.open(TOPICS)
    yield log
    await log.close()


async def indexed(log: Log) -> None:
    """Let the index service have read everything."""
    assert isinstance(log, SqliteLog)
    await log.write(lambda connection: connection.execute("DELETE FROM log_offsets"))
    await commit(log, "index", Enriched.topic)
    await commit(log, "index", Withdrawal.topic)


async def verified(log: Log, folder: Path, index: Index, keeping: Keeping | None = None) -> Report:
    """Compare."""
    return await verify(log, index.items, folder / "cache", keeping or Keeping(), settle_seconds=0)


def named(report: Report) -> list[tuple[str, str, str]]:
    """Return what differs."""
    return [(each.kind, each.article_id, each.why) for each in report.first]


async def test_equal_is_said_after_one_look(log: Log, tmp_path: Path) -> None:
    """The newest version of each counts, and nothing stays on disk."""
    await publish(log, event("a", NEW - 1, title="Old"), event("a"), event("b"))
    await indexed(log)
    index = Index([item("a"), item("b")])
    report = await verified(log, tmp_path, index)

    assert (report.is_equal, report.equal, report.indexed, index.scanned) == (True, 2, 2, 1)
    assert list((tmp_path / "cache").iterdir()) == []


async def test_nothing_equals_nothing(log: Log, tmp_path: Path) -> None:
    """An empty topic and an empty index."""
    assert (await verified(log, tmp_path, Index([]))).is_equal


@pytest.mark.parametrize(
    ("held", "kind", "why"),
    [
        ([], "missing", f"version {NEW} is not in the index"),
        ([item("a", NEW - 1)], "stale", f"version {NEW - 1}, on the topic {NEW}"),
        ([item("a", NEW + 1, where="i")], "stale", f"version {NEW + 1} in i, on the topic {NEW}"),
        ([item("a", title="Else")], "unlike", f"another title in version {NEW}"),
        ([item("a", text="g")], "unlike", f"another content hash in version {NEW}"),
        ([item("a"), item("b", where="i")], "surplus", "not on the topic in i"),
        ([item("a", where="i-1"), item("a", where="i-2")], "doubled", "once more in i-2"),
    ],
    ids=["missing", "stale", "newer", "title", "content hash", "surplus", "doubled"],  # versions are of today
)
async def test_what_differs_is_named_with_the_reason(
    log: Log, tmp_path: Path, held: list[Item], kind: str, why: str
) -> None:
    """After it was looked at three times."""
    await publish(log, event("a"))
    await indexed(log)
    index = Index(held)
    report = await verified(log, tmp_path, index)

    assert [(each[0], each[2]) for each in named(report)] == [(kind, why)]
    assert (dict(report.counts), index.scanned) == ({kind: 1}, verifying.ROUNDS)


async def test_an_article_with_all_its_faults_has_its_address(log: Log, tmp_path: Path) -> None:
    """As far as the topic knows it."""
    await publish(log, event("a", canonical_url="https://x.example/a"))
    await indexed(log)
    report = await verified(log, tmp_path, Index([]))

    assert [each.url for each in report.first] == ["https://x.example/a"]


async def test_control_characters_make_no_difference(log: Log, tmp_path: Path) -> None:
    """A title is kept without them."""
    await publish(log, event("a", title="Talks\x1b[2J"))
    await indexed(log)

    assert (await verified(log, tmp_path, Index([item("a", title="Talks[2J")]))).is_equal


async def test_removed_and_withdrawn_articles_belong_out_of_the_index(log: Log, tmp_path: Path) -> None:
    """Whether or not the topic still has them, and until a withdrawal is lifted."""
    gone = tombstone(Enriched.topic, "b", {VERSION: str(NEW + 1), FIRST_SEEN: NOW.isoformat()})
    await publish(log, event("a"), event("b"), gone, event("c"), event("d"))
    await publish(log, *(withdrawal(key) for key in "acx"), removed(Withdrawal, "c"))
    await indexed(log)
    right = await verified(log, tmp_path, Index([item("c"), item("d")]))
    wrong = await verified(log, tmp_path, Index([item(key) for key in "abcdx"]))

    assert (right.is_equal, right.withdrawn) == (True, 1)
    assert named(wrong) == [
        ("surplus", "a", "withdrawn"),
        ("surplus", "b", f"removed from the topic by version {NEW + 1}"),
        ("surplus", "x", "withdrawn"),
    ]


async def test_what_expired_is_missed_by_nobody(log: Log, tmp_path: Path) -> None:
    """Whether it is gone already or not; but a withdrawn one must be gone."""
    old = datetime.now(UTC) - MONTHS_AGO
    await publish(log, *(event(key, first_seen_at=old) for key in "abc"), withdrawal("c"))
    await indexed(log)
    report = await verified(log, tmp_path, Index([item("b")]))
    withdrawn = await verified(log, tmp_path, Index([item("c")]))

    assert (report.is_equal, report.expired, report.withdrawn) == (True, 2, 1)
    assert named(withdrawn) == [("surplus", "c", "withdrawn")]


async def test_what_the_topic_has_dropped_for_its_age_is_no_surplus(log: Log, tmp_path: Path) -> None:
    """A month stays in the index until its end is too old, its first articles no longer on the topic."""
    index = Index([item("a", version(timedelta(days=31))), item("b", version(timedelta(days=29)))])
    report = await verified(log, tmp_path, index, Keeping(topic=timedelta(days=30)))

    assert (report.outlived, named(report)) == (1, [("surplus", "b", "not on the topic")])


async def test_a_withdrawn_article_that_outlived_the_topic_is_a_difference(log: Log, tmp_path: Path) -> None:
    """Nobody may find it, however old it is."""
    await publish(log, withdrawal("a"))
    await indexed(log)
    report = await verified(log, tmp_path, Index([item("a", version(MONTHS_AGO))]))

    assert named(report) == [("surplus", "a", "withdrawn")]


async def test_what_the_index_service_has_not_read_is_in_flight(log: Log, tmp_path: Path) -> None:
    """Articles as well as withdrawals; what it has not read and yet is there is equal."""
    await publish(log, event("a"), event("b"), event("c", NEW - 1))
    await indexed(log)
    await publish(log, withdrawal("a"), withdrawal("x"), event("c"), event("d"), event("e"))
    index = Index([*(item(key) for key in "abex"), item("c", NEW - 1)])
    report = await verified(log, tmp_path, index)

    assert (report.is_equal, report.in_flight, report.equal) == (True, 4, 2)
    assert index.scanned == 1


async def test_what_changes_while_we_look_is_in_flight(log: Log, tmp_path: Path) -> None:
    """The index is ahead of what was read of the topic."""
    await publish(log, event("a"))
    await indexed(log)
    index = Index([item("a", NEW + 1), item("b")])

    async def meanwhile() -> None:
        await publish(log, event("a", NEW + 1), event("b"), withdrawal("c"))
        await indexed(log)
        index.meanwhile = None

    index.meanwhile = meanwhile
    report = await verified(log, tmp_path, index)

    assert (report.is_equal, report.in_flight) == (True, 2)


async def test_what_has_come_right_by_the_second_look_is_equal(log: Log, tmp_path: Path) -> None:
    """What was written can be found only after a moment."""
    await publish(log, event("a"), event("b"))
    await indexed(log)
    index = Index([item("a", NEW - 1)], [item("a"), item("b")])
    report = await verified(log, tmp_path, index)

    assert (report.is_equal, report.equal, index.scanned) == (True, 2, 2)


async def test_another_fault_each_time_is_no_difference(log: Log, tmp_path: Path) -> None:
    """It is at work on it."""
    await publish(log, event("a"), event("b"))
    await indexed(log)
    index = Index([item("a")], [item("a"), item("b", NEW - 1)], [item("a"), item("b")])

    assert (await verified(log, tmp_path, index)).is_equal


async def test_records_that_are_no_event_are_counted(log: Log, tmp_path: Path) -> None:
    """The version before stays what it was; a version that no store takes is missing."""
    await publish(log, event("a"), unreadable(Enriched.topic, "a", None), event("b", 2**70))
    await indexed(log)
    report = await verified(log, tmp_path, Index([item("a")]))

    assert (report.unreadable, [each[:2] for each in named(report)]) == (1, [("missing", "b")])


async def test_many_differences_are_counted_and_few_named(log: Log, tmp_path: Path) -> None:
    """In order of their ids, over more rows than are held at once."""
    await log.publish([wrapped(event(f"{number:05}")) for number in range(2500)])
    await indexed(log)
    seen: list[int] = []
    rows = TopicRows(tmp_path / "rows.db")
    verification = Verification(log, Index([item("00001")]).items, rows, settle_seconds=0)
    report = await verification.verify(2, seen.append)
    rows.close()

    assert (dict(report.counts), report.equal) == ({"missing": 2499}, 1)
    assert [each.article_id for each in report.first] == ["00000", "00002"]
    assert (seen[-1], await verification.total()) == (2500, 2500)


async def test_what_is_behind_by_another_version_each_time_is_no_difference(log: Log, tmp_path: Path) -> None:
    """The index is at work on it; by the same one it is stuck, however fast the topic goes on."""
    await publish(log, event("a", NEW + 9), event("b", NEW + 9))
    await indexed(log)
    stuck = item("b", NEW)
    index = Index(*([item("a", NEW + number), stuck] for number in range(3)))
    report = await verified(log, tmp_path, index)

    assert [each[:2] for each in named(report)] == [("stale", "b")]
