"""Replays: what is chosen, how they go on where they stopped, and at which rate."""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.scenes import NOW, enriched, publish

from newswire.envelope import FIRST_SEEN, VERSION, tombstone
from newswire.events import Enriched
from newswire.log import Log, Message, Record, open_log
from newswire.replaying import PORTION, Request, State, replay, state_of
from newswire.topics import TOPICS

pytestmark = pytest.mark.unit

ENRICH = Request("enrich")


class Taker:
    """Remembers what it was given; may die of a portion, or do something in the middle."""

    def __init__(self, *, removals: bool = False, dies_at: int = 0) -> None:
        self.wants_removals = removals
        self.portions: list[list[tuple[str, int]]] = []
        self.dies_at = dies_at
        self.meanwhile: Any = None

    async def take(self, records: Sequence[Record]) -> Counter[str]:
        """Take a portion."""
        if self.dies_at and len(self.portions) + 1 == self.dies_at:
            raise KeyboardInterrupt
        self.portions.append([(record.key, version(record)) for record in records])
        if self.meanwhile:
            await self.meanwhile()
        return Counter(taken=len(records))

    @property
    def taken(self) -> list[tuple[str, int]]:
        """Everything, in order."""
        return [each for portion in self.portions for each in portion]


def version(record: Record) -> int:
    """Return an article's version, or 0 for a tombstone."""
    return Enriched.from_bytes(record.value).version if record.value else 0


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with three partitions."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=3)
    await log.open(TOPICS)
    yield log
    await log.close()


async def put(log: Log, *versions: tuple[str, int], **fields: Any) -> None:
    """Publish versions of articles."""
    await publish(log, *(enriched(article_id=key, version=number, **fields) for key, number in versions))


async def run(log: Log, taker: Taker, folder: Path, request: Request = ENRICH, **options: Any) -> State:
    """Replay to the end."""
    state = await state_of(log, request, folder, **options)
    async for reached in replay(log, request, taker, state):
        assert reached.done <= reached.total
    return state


async def test_the_latest_of_each_article_is_replayed_once(log: Log, tmp_path: Path) -> None:
    """Over all partitions; what was removed is not."""
    await put(log, ("a", 1), ("b", 1), ("a", 2), ("c", 1), ("d", 1))
    await publish(log, tombstone(Enriched.topic, "d", {VERSION: "3"}))
    taker = Taker()
    state = await run(log, taker, tmp_path)

    assert sorted(taker.taken) == [("a", 2), ("b", 1), ("c", 1)]
    assert (state.counts, state.done) == ({"taken": 3}, state.total)


async def test_removals_are_replayed_to_who_wants_them(log: Log, tmp_path: Path) -> None:
    """An index may have missed one."""
    await put(log, ("a", 1))
    await publish(log, tombstone(Enriched.topic, "a", {VERSION: "3"}))
    taker = Taker(removals=True)
    await run(log, taker, tmp_path)

    assert taker.taken == [("a", 0)]


@pytest.mark.parametrize(
    ("request_", "meant"),
    [
        (Request("enrich"), ["gone", "new", "old"]),
        (Request("enrich", since=NOW - timedelta(days=1)), ["gone", "new"]),
        (Request("enrich", topic="talks"), ["new"]),
        (Request("enrich", article="old"), ["old"]),
        (Request("enrich", article="gone"), ["gone"]),
        (Request("enrich", since=NOW + timedelta(days=1)), []),
    ],
)
async def test_what_is_meant_is_said_by_first_sight_topic_and_id(
    log: Log, tmp_path: Path, request_: Request, meant: list[str]
) -> None:
    """A tombstone has no topic, but a first sight."""
    await put(log, ("old", 1), first_seen_at=NOW - timedelta(days=9))
    await put(log, ("new", 1), topics=[{"id": "talks", "score": 1, "by": "r"}])
    headers = {VERSION: "3", FIRST_SEEN: NOW.isoformat()}
    await publish(log, tombstone(Enriched.topic, "gone", headers))
    taker = Taker(removals=True)
    state = await run(log, taker, tmp_path, request_)

    assert sorted(key for key, _ in taker.taken) == meant
    assert state.done == state.total


async def test_what_is_no_event_is_counted_and_passed_over(log: Log, tmp_path: Path) -> None:
    """It has its dead letter."""
    await put(log, ("a", 1))
    await publish(log, Message(Enriched.topic, "b", b"{", {}))
    taker = Taker()
    state = await run(log, taker, tmp_path)

    assert (taker.taken, state.counts) == ([("a", 1)], {"taken": 1, "unreadable": 1})


async def test_a_replay_ends_where_the_topic_ended_when_it_began(log: Log, tmp_path: Path) -> None:
    """An article with a newer version by then is replayed as it is; new ones are not; none comes twice."""
    await put(log, *((str(n), 1) for n in range(6 * PORTION)))
    taker = Taker()

    async def meanwhile() -> None:
        await put(log, *((str(n), len(taker.portions) + 1) for n in range(6 * PORTION)), ("new", 1))

    taker.meanwhile = meanwhile
    await run(log, taker, tmp_path)

    assert sorted(key for key, _ in taker.taken) == sorted(str(n) for n in range(6 * PORTION))
    assert [{number for _, number in portion} for portion in taker.portions] == [
        {number + 1} for number in range(len(taker.portions))
    ]


async def test_a_replay_goes_on_where_it_stopped(log: Log, tmp_path: Path) -> None:
    """The portion in hand comes again, the ones before do not, nor what they led to."""
    await put(log, *((str(n), 1) for n in range(9 * PORTION)))
    first, second, third = Taker(dies_at=4), Taker(), Taker()

    async def enriched_anew() -> None:
        await put(log, *((key, 2) for key, _ in first.portions[-1]))

    first.meanwhile = enriched_anew
    with pytest.raises(KeyboardInterrupt):
        await run(log, first, tmp_path)
    state = await run(log, second, tmp_path)
    await run(log, third, tmp_path)

    keys = [key for key, _ in first.taken + second.taken]
    assert len(first.portions) == 3
    assert sorted(keys) == sorted({str(n) for n in range(9 * PORTION)})
    assert state.counts == {"taken": 9 * PORTION}
    assert len(third.taken) == 9 * PORTION  # the one before was at its end: this one begins anew


async def test_a_replay_is_known_by_what_was_asked(log: Log, tmp_path: Path) -> None:
    """Another question, another log or ``restart`` begins at the beginning."""
    await put(log, *((str(n), 1) for n in range(4 * PORTION)))
    words = Request("enrich", since=NOW - timedelta(hours=2), words=("since=2h",))
    with pytest.raises(KeyboardInterrupt):
        await run(log, Taker(dies_at=2), tmp_path, words)
    same = await state_of(log, Request("enrich", since=NOW, words=("since=2h",)), tmp_path)
    others = [
        await state_of(log, Request("enrich"), tmp_path),
        await state_of(log, Request("index", words=("since=2h",)), tmp_path),
        await state_of(log, words, tmp_path, restart=True),
    ]

    assert (same.is_resumed, same.since) == (True, words.since)  # 2h means what it meant at the start
    assert [each.is_resumed for each in others] == [False, False, False]


def state_file(folder: Path) -> Path:
    """Return the file that holds how far a replay is."""
    (file,) = folder.glob("enrich-*.json")
    return file


@pytest.mark.parametrize("spoil", ["nothing", "[]", '{"identity": "other"}', "{", "other log"])
async def test_a_strange_state_is_none(log: Log, tmp_path: Path, spoil: str) -> None:
    """It may be lost at any time."""
    await put(log, *((str(n), 1) for n in range(4 * PORTION)))
    with pytest.raises(KeyboardInterrupt):
        await run(log, Taker(dies_at=2), tmp_path)
    file = state_file(tmp_path)
    if spoil == "nothing":
        file.unlink()
    elif spoil == "other log":
        file.write_text(json.dumps(json.loads(file.read_text()) | {"identity": "another"}))
    else:
        file.write_text(spoil)

    assert not (await state_of(log, ENRICH, tmp_path)).is_resumed


async def test_a_rate_is_kept(log: Log, tmp_path: Path) -> None:
    """In small portions."""
    await put(log, *((str(n), 1) for n in range(30)))
    taker = Taker()
    before = time.monotonic()
    await run(log, taker, tmp_path, Request("enrich", rate=60))

    assert 0.45 < time.monotonic() - before < 5
    assert max(len(portion) for portion in taker.portions) <= 60


async def test_an_empty_topic_is_replayed_at_once(log: Log, tmp_path: Path) -> None:
    """Nothing to do is no error."""
    state = await run(log, Taker(), tmp_path)

    assert (state.counts, state.total) == ({}, 0)
