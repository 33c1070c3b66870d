"""Running history through a stage again: what ``enriched.v1`` holds, the latest of each article.

    enriched topic ── latest of each key ── filters ── portions at a rate ──► a stage's replayer
                          └── position in a file: the same replay goes on where it stopped

A replay ends where the topic ended when it began. An article that got a newer version in the meantime is
replayed as it is by then; one that came later needs no replay.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from newswire.envelope import FIRST_SEEN
from newswire.events import Enriched
from newswire.ids import short_digest
from newswire.log.port import Log, Record
from newswire.log.reading import records_from

PORTION = 100  # articles handed over together

Say = Callable[[str], None]


class Replayer(Protocol):
    """A stage's part in a replay."""

    @property
    def wants_removals(self) -> bool:
        """Whether tombstones are replayed too."""

    async def take(self, records: Sequence[Record]) -> Counter[str]:
        """Handle a portion; return what became of it, counted in words."""


@dataclass(frozen=True)
class Request:
    """What is to be replayed; the same one goes on where it stopped.

    Attributes:
        stage: through which it goes.
        since: first seen then or later.
        topic: tagged with it.
        article: this one only.
        rate: articles a second; None is as fast as the stage takes them.
        words: what was typed, by which a replay is known again: a time such as 2h means another one later.
    """

    stage: str
    since: datetime | None = None
    topic: str | None = None
    article: str | None = None
    rate: float | None = None
    words: tuple[str, ...] = ()

    def has(self, record: Record) -> bool:
        """Tell whether an article is meant; raises ValidationError for what is none."""
        if self.article is not None and record.key != self.article:
            return False
        if record.value is None:
            seen = record.headers.get(FIRST_SEEN)
            return not self.topic and (not self.since or (seen is not None and _at(seen) >= self.since))
        event = Enriched.from_bytes(record.value)
        tagged = self.topic is None or any(tag.id == self.topic for tag in event.topics)
        return tagged and (self.since is None or event.first_seen_at >= self.since)


@dataclass
class State:
    """How far a replay is, in a file that may be lost: then it begins anew, which harms nobody.

    Attributes:
        identity: of the log.
        since: as it was meant at the start.
        ends: where each partition ended at the start.
        following: the next offset of each partition.
        counts: what became of articles so far.
    """

    path: Path
    identity: str
    since: datetime | None
    ends: dict[int, int]
    following: dict[int, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_resumed(self) -> bool:
        """Whether it goes on."""
        return bool(self.following)

    @property
    def done(self) -> int:
        """How much of it lies behind, in offsets."""
        return sum(min(self.following.get(number, 0), end) for number, end in self.ends.items())

    @property
    def total(self) -> int:
        """How much it is in all, in offsets."""
        return sum(self.ends.values())

    def save(self) -> None:
        """Write it, all of it or nothing."""
        row = {
            "identity": self.identity, "since": self.since.isoformat() if self.since else None,
            "ends": self.ends, "following": self.following, "counts": self.counts,
        }  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(row), encoding="utf-8")
        beside.replace(self.path)

    def remove(self) -> None:
        """Forget it: the replay is at its end."""
        self.path.unlink(missing_ok=True)


async def state_of(log: Log, request: Request, folder: Path, *, restart: bool = False) -> State:
    """Return how far this replay is, or that it begins; a file of another log, or a strange one, is none."""
    path = folder / f"{request.stage}-{short_digest(*request.words)}.json"
    known = None if restart else _read(path)
    if known is not None and known.identity == log.identity:
        return known
    return State(path, log.identity, request.since, await log.end_offsets(Enriched.topic))


async def replay(log: Log, request: Request, replayer: Replayer, state: State) -> AsyncIterator[State]:
    """Replay what is meant, from where it stopped; yields after each portion, and at the end.

    ``request.since`` is the one that the state remembers.
    """
    pace = _Pace(request.rate)
    for number, end in sorted(state.ends.items()):
        if request.article is not None and number != log.partition_of(request.article):
            state.following[number] = end
            continue
        async for portion, position in _portions(
            log, number, state.following.get(number, 0), end, pace.portion
        ):
            chosen = _chosen(portion, request, replayer, state.counts)
            if chosen:
                state.counts += await replayer.take(chosen)
            state.following[number] = position
            state.save()
            yield state
            await pace.after(len(chosen))
        state.following[number] = end
    state.remove()
    yield state


async def _portions(
    log: Log, number: int, start: int, end: int, size: int
) -> AsyncIterator[tuple[list[Record], int]]:
    """Yield the latest records of a partition's keys, with the offset behind each portion."""
    pending: dict[str, int] = {}
    async for record in records_from(log, Enriched.topic, number, start):
        if record.offset >= end:
            break
        pending[record.key] = record.offset
    tail = _Tail(log, number, end)
    portion: list[Record] = []
    async for record in records_from(log, Enriched.topic, number, start):
        if record.offset >= end:
            break
        if pending.get(record.key) != record.offset:
            continue
        portion.append(record)
        if len(portion) >= size:
            yield await tail.newest(portion, pending), record.offset + 1
            portion = []
    if portion:
        yield await tail.newest(portion, pending), end


class _Tail:
    """What has come to a partition since a replay began."""

    def __init__(self, log: Log, number: int, start: int) -> None:
        self._log = log
        self._number = number
        self._next = start
        self._newer: dict[str, Record] = {}

    async def newest(self, portion: Sequence[Record], pending: dict[str, int]) -> list[Record]:
        """Return each article of a portion as it is by now; they are not pending any more."""
        async for record in records_from(self._log, Enriched.topic, self._number, self._next):
            self._next = record.offset + 1
            if record.key in pending:
                self._newer[record.key] = record
        for record in portion:
            del pending[record.key]
        return [self._newer.pop(record.key, record) for record in portion]


class _Pace:
    """Keeps to a rate."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._started = time.monotonic()
        self._handled = 0
        self.portion = PORTION if rate is None else max(1, min(PORTION, int(rate)))

    async def after(self, count: int) -> None:
        """Wait until the next portion may go."""
        self._handled += count
        if self._rate is not None:
            due = self._started + self._handled / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def _chosen(
    portion: Sequence[Record], request: Request, replayer: Replayer, counts: Counter[str]
) -> list[Record]:
    chosen = []
    for record in portion:
        try:
            if (record.value is not None or replayer.wants_removals) and request.has(record):
                chosen.append(record)
        except ValidationError:  # its dead letter tells the rest
            counts["unreadable"] += 1
    return chosen


def _read(path: Path) -> State | None:
    try:
        row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return State(
            path,
            str(row["identity"]),
            _at(row["since"]) if row["since"] else None,
            {int(number): int(offset) for number, offset in row["ends"].items()},
            {int(number): int(offset) for number, offset in row["following"].items()},
            Counter({str(word): int(count) for word, count in row["counts"].items()}),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
