"""Whether the index holds what the topic says: the latest of each article, less what is withdrawn or expired.

    topics ──► rows on disk, by id ─┐
                                    ├─ merged ──► suspects ──► asked again a moment later ──► differences
    index ──► items, by id ─────────┘

The pipeline may run meanwhile. What the index service has not read yet, or what changes while we look, is in
flight and no difference. What differs is looked at again before it is named.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from newswire.events import Enriched, Withdrawal
from newswire.following import Follower
from newswire.log.port import Log, Record
from newswire.progress import bar
from newswire_index.document import is_expired
from newswire_index.store import RETENTION, Store
from newswire_index.verify.rows import LARGEST, Read, Row, Suspect, TopicRows, fingerprint

GROUP = "index"
ROUNDS = 3  # looks at what differs, before it is named
SETTLE_SECONDS = 2.0  # between two looks: what was written must be searchable by then
NAMED = 20  # differences that are named, unless asked otherwise
PORTION = 1000  # records taken over at once


class Kind(StrEnum):
    """How the index differs from the topic."""

    MISSING = "missing"
    STALE = "stale"
    UNLIKE = "unlike"
    SURPLUS = "surplus"
    DOUBLED = "doubled"


class Item(NamedTuple):
    """An article as the index has it; ``where`` names the index, in a store that has several."""

    article_id: str
    version: int
    title: str
    content_hash: str
    where: str | None = None


Items = Callable[[], AsyncIterator[Item]]


@dataclass(frozen=True)
class Difference:
    """An article in which topic and index differ."""

    kind: Kind
    article_id: str
    url: str | None
    why: str


@dataclass
class Report:
    """What a verification found.

    Attributes:
        indexed: articles in the index, doubles included.
        equal: articles that are as the topic says.
        in_flight: articles that are not, but which the index service has not read yet.
        expired: articles on the topic that are older than the index keeps.
        withdrawn: articles on the topic that are withdrawn.
        outlived: articles in the index that are older than the topic keeps.
        unreadable: records that are no event.
        counts: how many differences there are of each kind.
        first: some of them.
    """

    indexed: int = 0
    equal: int = 0
    in_flight: int = 0
    expired: int = 0
    withdrawn: int = 0
    outlived: int = 0
    unreadable: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Difference] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.counts


@dataclass(frozen=True)
class Keeping:
    """What is kept how long: an article may have gone from one side and not yet from the other.

    Attributes:
        index: how long after its end a month stays in the index.
        topic: how long an article stays on the topic.
    """

    index: timedelta = RETENTION
    topic: timedelta = RETENTION

    def is_outlived(self, version: int, now: datetime) -> bool:
        """Tell whether the topic may have dropped a version because of its age."""
        return version < int((now - self.topic).timestamp() * 1000)


def items_of(store: Store) -> Items:
    """Return how to go through what a store holds."""

    async def items() -> AsyncIterator[Item]:
        async for each in store.items():
            yield Item(*each)

    return items


class Verification:
    """Compares topic and index.

    Args:
        log: an open log.
        items: goes through the index, by article id.
        rows: an empty table for what the topic says.
        keeping: how long what is kept.
        settle_seconds: between two looks.
        clock: the current time, with a zone.
    """

    def __init__(
        self,
        log: Log,
        items: Items,
        rows: TopicRows,
        keeping: Keeping | None = None,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._items = items
        self._rows = rows
        self._keeping = keeping or Keeping()
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._articles = Follower(log, Enriched.topic)
        self._withdrawals = Follower(log, Withdrawal.topic)
        self._moved: Callable[[int], None] = lambda _: None

    async def total(self) -> int:
        """Return how much there is to read, in offsets of the topic."""
        return sum((await self._log.end_offsets(Enriched.topic)).values())

    async def verify(self, named: int = NAMED, moved: Callable[[int], None] = lambda _: None) -> Report:
        """Compare, and return what differs for good.

        Args:
            named: how many differences are named.
            moved: is told how much of the topic was read.
        """
        self._moved = moved
        for number in range(1, ROUNDS + 1):
            report = await self._round(number)
            if next(self._rows.suspects(number), None) is None:
                break
            if number < ROUNDS:
                await asyncio.sleep(self._settle_seconds)
        for suspect in self._rows.suspects(number):
            report.counts[suspect.kind] += 1
            if len(report.first) < named:
                report.first.append(
                    Difference(Kind(suspect.kind), suspect.article_id, suspect.url, suspect.why)
                )
        return report

    async def _round(self, number: int) -> Report:
        """Look once; the index is read after what its service has committed was asked for."""
        await self._follow()
        read = Read(
            await self._log.committed(GROUP, Enriched.topic),
            await self._log.committed(GROUP, Withdrawal.topic),
        )
        look = _Look(self._rows, read, self._keeping, self._clock())
        async for row, item in _merged(iter(self._rows), self._items()):
            look.at(row, item)
            if len(look.suspects) >= PORTION:
                self._remember(look, number)
        self._remember(look, number)
        await self._follow()
        look.report.in_flight += self._rows.acquit(self._rows.look)
        look.report.unreadable = self._rows.unreadable
        return look.report

    def _remember(self, look: "_Look", number: int) -> None:
        self._rows.suspect(look.suspects, number)
        look.suspects.clear()

    async def _follow(self) -> None:
        """Read both topics on to the ends that they have now."""
        self._rows.look += 1
        await self._take(self._withdrawals, self._rows.put_withdrawals)
        await self._take(self._articles, self._rows.put)

    async def _take(self, follower: Follower, put: Callable[[Sequence[Record]], None]) -> None:
        portion: list[Record] = []
        async for record in follower.records():
            portion.append(record)
            if len(portion) >= PORTION:
                put(portion)
                portion.clear()
                self._moved(self._articles.read)
        put(portion)
        self._moved(self._articles.read)


class _Look:
    """One look at all articles."""

    def __init__(self, rows: TopicRows, read: Read, keeping: Keeping, now: datetime) -> None:
        self.report = Report()
        self.suspects: list[Suspect] = []
        self._rows = rows
        self._read = read
        self._keeping = keeping
        self._now = now
        self._last = ""

    def at(self, row: Row | None, item: Item | None) -> None:
        """Compare what the topic has of an article with what the index has."""
        if item is not None:
            self.report.indexed += 1
            if item.article_id == self._last:
                self._suspect(item.article_id, item, Kind.DOUBLED, f"once more{_where(item)}", None)
                return
            self._last = item.article_id
        if row is None:
            if item is not None:
                self._unknown(item)
        elif not row.withdrawn and is_expired(row.month, self._keeping.index, self._now):
            self.report.expired += 1  # it may be in the index still, for an hour
        else:
            self._compare(row, item)

    def _unknown(self, item: Item) -> None:
        withdrawn = self._rows.withdrawn(item.article_id)
        if withdrawn is not None:
            self.report.withdrawn += 1
            if self._read.has(*withdrawn):
                self._suspect(item.article_id, item, Kind.SURPLUS, f"withdrawn{_where(item)}", None)
            else:
                self.report.in_flight += 1
        elif self._keeping.is_outlived(item.version, self._now):
            self.report.outlived += 1
        else:
            self._suspect(item.article_id, item, Kind.SURPLUS, f"not on the topic{_where(item)}", None)

    def _compare(self, row: Row, item: Item | None) -> None:
        self.report.withdrawn += row.withdrawn
        found = _difference(row, item)
        if found is None:
            self.report.equal += item is not None
        elif self._read.covers(row):
            kind, why = found
            self._suspect(row.article_id, item, kind, why, row.url)
        else:
            self.report.in_flight += 1

    def _suspect(self, article_id: str, item: Item | None, kind: Kind, why: str, url: str | None) -> None:
        held = 0 if item is None else min(item.version, LARGEST)
        self.suspects.append(Suspect(article_id, kind, held, why, url))


def _difference(row: Row, item: Item | None) -> tuple[Kind, str] | None:
    if item is None:
        absent = row.withdrawn or not row.live
        return None if absent else (Kind.MISSING, f"version {row.version} is not in the index")
    if row.withdrawn:
        return Kind.SURPLUS, f"withdrawn{_where(item)}"
    if not row.live:
        return Kind.SURPLUS, f"removed from the topic by version {row.version}{_where(item)}"
    if item.version != row.version:
        return Kind.STALE, f"version {item.version}{_where(item)}, on the topic {row.version}"
    title, text = fingerprint(item.title) == row.title, item.content_hash == row.content_hash
    if title and text:
        return None
    return (
        Kind.UNLIKE,
        f"another {'content hash' if title else 'title'} in version {item.version}{_where(item)}",
    )


def _where(item: Item) -> str:
    return f" in {item.where}" if item.where else ""


async def _merged(
    rows: Iterator[Row], items: AsyncIterator[Item]
) -> AsyncIterator[tuple[Row | None, Item | None]]:
    """Go through both, which are in order, side by side; an item with its row if it is the first."""
    row = next(rows, None)
    async for item in items:
        while row is not None and row.article_id < item.article_id:
            yield row, None
            row = next(rows, None)
        if row is not None and row.article_id == item.article_id:
            yield row, item
            row = next(rows, None)
        else:
            yield None, item
    while row is not None:
        yield row, None
        row = next(rows, None)


async def verify(
    log: Log,
    items: Items,
    folder: Path,
    keeping: Keeping,
    *,
    settle_seconds: float,
    named: int = NAMED,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """Compare topic and index; what the topic says lies in a folder meanwhile.

    Args:
        log: an open log.
        items: goes through the index, by article id.
        folder: where there is room on disk; made at need.
        keeping: how long what is kept.
        settle_seconds: between two looks at what differs.
        named: how many differences are named.
        clock: the current time, with a zone.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="verify-", dir=folder) as place:
        rows = TopicRows(Path(place) / "topic.db")
        try:
            verification = Verification(log, items, rows, keeping, settle_seconds=settle_seconds, clock=clock)
            with bar("verify", await verification.total()) as moved:
                return await verification.verify(named, moved)
        finally:
            rows.close()
