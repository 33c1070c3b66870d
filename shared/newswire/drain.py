"""When is everything done? When every feed was polled, and the ledger has nothing in flight, twice."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from newswire.events import Feed, FeedStatus
from newswire.following import Latest
from newswire.ledger import Balance, Ledger
from newswire.log.port import Log

LOOK_SECONDS = 0.25  # between two readings
SOON = timedelta(seconds=10)  # a feed polled so often is polled until it shows nothing new


class Drain:
    """Watches the log until it is drained.

    Drained means: every enabled feed has been polled since the start, at least ``polls`` times; nothing is
    in flight on two readings between which nothing moved; and feeds that are polled every few seconds have
    been polled once more since then with nothing new.

    Args:
        log: an open log.
        polls: of each feed, at least.
    """

    def __init__(self, log: Log, *, polls: int = 1) -> None:
        self.ledger = Ledger(log)
        self._polls = polls
        self._since = datetime.now(UTC)
        self._feeds, self._statuses = Latest(log, Feed.topic), Latest(log, FeedStatus.topic)
        self._before: dict[str, int] = {}
        self._quiet_since: datetime | None = None
        self._reading: tuple[int, int] | None = None

    async def wait(self, progress: Callable[[Ledger], None] = lambda _: None) -> Balance:
        """Return the balance when drained.

        Args:
            progress: called with the ledger after each reading.
        """
        await self._catch_up()
        self._before = {key: FeedStatus.from_bytes(it).polls for key, it in self._statuses.values.items()}
        while True:
            await self._catch_up()
            progress(self.ledger)
            if await self._quiet() and self._polled():
                return await self.ledger.balance()
            await asyncio.sleep(LOOK_SECONDS)

    async def _catch_up(self) -> None:
        await self.ledger.catch_up()
        await self._feeds.catch_up()
        await self._statuses.catch_up()

    async def _quiet(self) -> bool:
        """Tell whether nothing was in flight at this reading and the one before, and nothing moved."""
        reading = self.ledger.reading
        moved, self._reading = reading != self._reading, reading
        in_flight = bool(self.ledger.unfinished) and (moved or (await self.ledger.balance()).in_flight > 0)
        if moved or in_flight:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = datetime.now(UTC)
        else:
            return True
        return False

    def _polled(self) -> bool:
        feeds = [Feed.from_bytes(value) for value in self._feeds.values.values()]
        statuses = {key: FeedStatus.from_bytes(value) for key, value in self._statuses.values.items()}
        return all(self._feed_is_done(statuses.get(feed.feed_id)) for feed in feeds if feed.enabled)

    def _feed_is_done(self, status: FeedStatus | None) -> bool:
        if status is None or status.polled_at < self._since:
            return False
        if status.polls - self._before.get(status.feed_id, 0) < self._polls:
            return False
        if status.next_poll_at - status.polled_at > SOON:
            return True
        quiet_since = self._quiet_since or datetime.now(UTC)
        return status.polled_at > quiet_since and status.new_entries == 0
