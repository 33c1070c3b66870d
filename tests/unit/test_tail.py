"""Where tail begins, what it follows, and how it waits for a log that is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from unit.scenes import enriched, outcome, publish, removed, unreadable

from newswire import tail
from newswire.errors import SettingsError, UnavailableError
from newswire.events import Enriched, Outcome
from newswire.filters import Filters
from newswire.log import Log, Record, open_log
from newswire.tail import Question, following, start_of
from newswire.topics import TOPICS, topic_named

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with all topics."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=2)
    await log.open(TOPICS)
    yield log
    await log.close()


def question(name: str = "enriched", **fields: object) -> Question:
    """Return a question about all that is there."""
    base = {"topic": topic_named(name), "filters": Filters(), "start": "beginning", "follow": False}
    return Question(**{**base, **fields})  # type: ignore[arg-type]


async def keys(log: Log, asked: Question) -> list[str]:
    """Return the keys of what is shown."""
    return [record.key async for record in following(log, asked)]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("beginning", "beginning"),
        ("end", "end"),
        ("30m", NOW - timedelta(minutes=30)),
        ("1d12h", NOW - timedelta(hours=36)),
        ("90s", NOW - timedelta(seconds=90)),
        ("2w", NOW - timedelta(days=14)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:30", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("2026-11-20T08:30:00+02:00", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
        ("2026-11-20T08:30Z", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_start_is_a_word_a_moment_or_so_long_ago(text: str, start: object) -> None:
    """What has no zone is UTC."""
    assert start_of(text, NOW) == start


@pytest.mark.parametrize("text", ["", "yesterday", "2x", "h", "-2h", "2026-13-01", "9999999999w"])
def test_other_starts_are_refused_with_an_example(text: str) -> None:
    """The line says what would be right."""
    with pytest.raises(SettingsError, match=r"--from .*beginning, end.*2h"):
        start_of(text, NOW)


@pytest.mark.parametrize("text", ["enriched", "newswire.enriched", "enriched.v1", "newswire.enriched.v1"])
def test_a_topic_is_named_with_or_without_its_ends(text: str) -> None:
    """However people write it."""
    assert topic_named(text) == Enriched.topic


@pytest.mark.parametrize(
    ("text", "hint"), [("enrichd", "did you mean enriched"), ("zzz", r"there is feeds, .*dead-letters")]
)
def test_an_unknown_topic_is_answered_with_a_hint(text: str, hint: str) -> None:
    """The nearest, or all."""
    with pytest.raises(SettingsError, match=hint):
        topic_named(text)


async def test_filters_apply_and_what_takes_back_passes(log: Log) -> None:
    """As does what nobody can read: nothing is left out silently."""
    await publish(log, enriched(article_id="a"), enriched(article_id="b", topics=[]))
    await publish(log, removed(Enriched, "b"), unreadable(Enriched.topic, "c", None))
    wanted = Filters.of(topics=["nato-bid"])
    found = [(record.key, record.value) async for record in following(log, question(filters=wanted))]

    found.sort()

    assert found[1:] == [("b", None), ("c", b"{")]
    assert found[0][0] == "a"


async def test_the_beginning_the_end_and_a_moment(log: Log) -> None:
    """Everything, nothing, what came since."""
    await publish(log, outcome("e1"))
    await asyncio.sleep(0.01)
    moment = datetime.now(UTC)
    await publish(log, outcome("e2"))

    assert sorted(await keys(log, question("outcomes"))) == ["e1", "e2"]
    assert await keys(log, question("outcomes", start="end")) == []
    assert await keys(log, question("outcomes", start=moment)) == ["e2"]


async def test_following_shows_what_comes_later(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the end that there was at the start."""
    monkeypatch.setattr(tail, "LOOK_SECONDS", 0.01)
    await publish(log, outcome("e1"))
    async with contextlib.aclosing(following(log, question("outcomes", start="end", follow=True))) as it:
        waiting = asyncio.ensure_future(anext(it))
        await asyncio.sleep(0.05)
        await publish(log, outcome("e2"))
        async with asyncio.timeout(10):
            assert (await waiting).key == "e2"


async def test_a_log_that_is_away_is_waited_for(
    log: Log, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said once, and nothing is shown twice or left out."""
    monkeypatch.setattr(tail, "LOOK_SECONDS", 0.01)
    read, failures = log.read, iter([False, True, True, False])

    async def failing(topic: str, partition: int, offset: int, **bounds: int) -> list[Record]:
        if next(failures, False):
            raise UnavailableError("gone fishing")
        return await read(topic, partition, offset, **bounds)

    monkeypatch.setattr(log, "read", failing)
    await publish(log, *(outcome(f"e{n}") for n in range(6)))
    found: list[str] = []
    async with asyncio.timeout(10):
        async for record in following(log, question("outcomes", follow=True)):
            found.append(record.key)
            if len(found) == 6:
                break

    assert sorted(found) == [f"e{n}" for n in range(6)]
    assert capsys.readouterr().err == "newswire tail: waiting: gone fishing\n"


async def test_without_following_a_log_that_is_away_is_an_error(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an answer would look like a whole one."""

    async def failing(*_: object, **__: object) -> list[Record]:
        raise UnavailableError("gone fishing")

    await publish(log, outcome())
    monkeypatch.setattr(log, "read", failing)
    with pytest.raises(UnavailableError):
        await keys(log, question(Outcome.topic))
