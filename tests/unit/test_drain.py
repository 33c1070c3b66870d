"""When a run is drained: every feed polled, nothing in flight, nothing moving."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from unit.scenes import NOW, commit, entry, feed, outcome, page, publish, removed, status

from newswire import drain
from newswire.drain import Drain
from newswire.events import Entry, Event, Feed
from newswire.ledger import Balance, Ledger
from newswire.log import Log, open_log
from newswire.topics import TOPICS

pytestmark = pytest.mark.unit

LATER = NOW + timedelta(days=1)  # the suite may have been running for a while
LOOKS = 6  # readings after which a run that is not drained will not be


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(drain, "LOOK_SECONDS", 0.001)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with all topics."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=1)
    await log.open(TOPICS)
    yield log
    await log.close()


class Watch:
    """Counts the readings of a drain under way."""

    def __init__(self, log: Log, polls: int) -> None:
        self.looks = 0
        self.task = asyncio.create_task(Drain(log, polls=polls).wait(self._look))

    def _look(self, _: Ledger) -> None:
        self.looks += 1

    async def more(self, looks: int = LOOKS) -> bool:
        """Wait for so many more readings, or the end; tell whether it is drained."""
        until = self.looks + looks
        async with asyncio.timeout(3):
            while not self.task.done() and self.looks < until:
                await asyncio.sleep(0.001)
        return self.task.done()

    async def balance(self) -> Balance:
        """Return what it ended with."""
        async with asyncio.timeout(3):
            return await self.task


@asynccontextmanager
async def watching(log: Log, polls: int = 1) -> AsyncIterator[Watch]:
    """Watch a log, and stop in the end."""
    watch = Watch(log, polls)
    try:
        await watch.more(1)
        yield watch
    finally:
        watch.task.cancel()
        await asyncio.gather(watch.task, return_exceptions=True)


async def test_an_empty_log_is_drained(log: Log) -> None:
    """There is nothing to wait for."""
    async with watching(log) as watch:
        assert (await watch.balance()).seen == 0


async def test_a_feed_must_have_been_polled(log: Log) -> None:
    """An empty ledger says nothing before that."""
    await publish(log, feed())
    async with watching(log) as watch:
        assert not await watch.more()
        await publish(log, status())
        await watch.balance()


async def test_a_poll_before_the_start_does_not_count(log: Log) -> None:
    """This run is to look for itself."""
    await publish(log, feed(), status(polled_at=NOW - timedelta(hours=1)))
    async with watching(log) as watch:
        assert not await watch.more()
        await publish(log, status(polls=2))
        await watch.balance()


async def test_a_poll_that_began_before_the_start_does_not_count(log: Log) -> None:
    """Even if its status comes later: what it saw may be old."""
    await publish(log, feed())
    async with watching(log) as watch:
        await publish(log, status(polled_at=NOW - timedelta(hours=1)))
        assert not await watch.more()


async def test_a_quick_feed_polled_while_something_was_in_flight_is_polled_once_more(log: Log) -> None:
    """What it showed then says nothing of the quiet that came later."""
    await publish(log, feed(), entry())
    async with watching(log) as watch:
        at = datetime.now(UTC)
        await publish(log, status(polled_at=at, next_poll_at=at + timedelta(seconds=2)))
        assert not await watch.more()
        await publish(log, outcome())
        assert not await watch.more()


@pytest.mark.parametrize("gone", [removed(Feed, "g"), feed("g", enabled=False)], ids=["removed", "disabled"])
async def test_feeds_that_are_not_polled_are_not_waited_for(log: Log, gone: Event) -> None:
    """Whoever removes or disables one ends the wait."""
    await publish(log, feed(), feed("g"))
    async with watching(log) as watch:
        await publish(log, status())
        assert not await watch.more()
        await publish(log, gone)
        await watch.balance()


async def test_each_feed_is_polled_so_many_times(log: Log) -> None:
    """Counted from the start of the watch."""
    await publish(log, feed(), status(polls=7, polled_at=NOW - timedelta(hours=1)))
    async with watching(log, polls=2) as watch:
        await publish(log, status(polls=8))
        assert not await watch.more()
        await publish(log, status(polls=9))
        await watch.balance()


async def test_an_entry_without_outcome_is_waited_for(log: Log) -> None:
    """Until it has ended; the balance is that of the end."""
    await publish(log, feed(), entry())
    async with watching(log) as watch:
        await publish(log, status())
        assert not await watch.more()
        await publish(log, outcome())
        balance = await watch.balance()

    assert balance.outcomes == {"indexed": {"new": 1}}


async def test_a_retry_is_waited_for(log: Log) -> None:
    """Even if it is not due for minutes."""
    await publish(log, feed(), entry())
    await commit(log, "ingest", Entry.topic)
    await publish(log, page(entry(), not_before=LATER))
    async with watching(log) as watch:
        await publish(log, status())
        assert not await watch.more()
        await publish(log, outcome(kind="discarded", reason="server-error"), page())
        await watch.balance()


async def test_a_recheck_of_tomorrow_is_not_waited_for(log: Log) -> None:
    """It is a matter of a later run."""
    await publish(log, feed(), page(entry(trigger="recheck-1"), not_before=LATER))
    async with watching(log) as watch:
        await publish(log, status())
        await watch.balance()


async def test_a_lost_entry_is_not_waited_for(log: Log) -> None:
    """It would never come; the balance tells."""
    await publish(log, feed(), entry())
    await commit(log, "ingest", Entry.topic)
    async with watching(log) as watch:
        await publish(log, status())
        assert (await watch.balance()).lost == ("e",)


@pytest.mark.parametrize(
    ("polled_at", "new_entries", "done"),
    [(LATER, 0, True), (LATER, 1, False), (NOW - timedelta(seconds=1), 0, False)],
    ids=["nothing new", "something new", "too early"],
)
async def test_a_feed_polled_every_few_seconds_must_have_shown_nothing_new(
    log: Log, polled_at: datetime, new_entries: int, *, done: bool
) -> None:
    """In a poll since everything was quiet: it might show more at any moment."""
    await publish(log, feed())
    async with watching(log) as watch:
        next_poll_at = polled_at + timedelta(seconds=2)
        await publish(log, status(polled_at=polled_at, next_poll_at=next_poll_at, new_entries=new_entries))

        assert await watch.more() == done


async def test_something_must_stand_still(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readings between which nothing moved; a moving log is not drained."""
    await publish(log, feed())
    looks: list[int] = []
    catch_up: Callable[..., object] = Drain._catch_up

    async def moving(self: Drain) -> None:
        looks.append(1)
        if len(looks) == 3:
            await publish(log, status())
        if len(looks) < 10:
            await publish(log, outcome(f"e{len(looks)}"))
        await catch_up(self)  # type: ignore[misc]  # a coroutine function

    monkeypatch.setattr(Drain, "_catch_up", moving)
    async with watching(log) as watch:
        assert (await watch.balance()).seen == 9
    assert len(looks) >= 11
