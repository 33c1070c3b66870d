"""The stage that keeps the dashboards' indices up to date: feeds and their polls, outcomes, dead letters.

    feeds, feed-status, outcomes, dead-letters ──► OperationsStore, then the offsets

It publishes nothing, and nothing here is ever dead-lettered: a dead letter about a dead letter would be the
next message to fail. What cannot be read or is refused is counted and left out; whatever else goes wrong is
waited for.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

import structlog
from pydantic import ValidationError

from newswire.envelope import FEED
from newswire.errors import FencedError, SettingsError, UnavailableError
from newswire.events import DEAD_LETTERS, Event, Feed, FeedStatus, Outcome
from newswire.following import Latest
from newswire.log.port import Log, Record, TopicPartition
from newswire.ownership import Ownership
from newswire.stage import Delivery, Done, End
from newswire.table import Table
from newswire.topics import OPERATIONS_GROUP
from newswire_index.elastic.names import DEAD_LETTERS as LETTERS
from newswire_index.elastic.names import FEED_STATUS, OUTCOMES
from newswire_index.operations.documents import (
    Known,
    Remove,
    Step,
    feed_step,
    letter_step,
    milliseconds,
    outcome_step,
)
from newswire_index.operations.store import OperationsStore, rejected
from newswire_index.store import StoreUnavailableError

logger = structlog.get_logger()

E = TypeVar("E", bound=Event)

LOOK_SECONDS = 30.0  # between two looks for changed feeds, as long as all are known


class Unread(Event):
    """Any bytes: reading them is left to the handler, which makes no dead letter of what it cannot read."""

    @classmethod
    def from_bytes(cls, value: bytes) -> Self:
        """Read nothing."""
        del value
        return cls()


class Feeds:
    """All feeds, of whatever partition: an outcome lies elsewhere than its feed.

    Args:
        log: an open log.
    """

    def __init__(self, log: Log) -> None:
        self._latest = Latest(log, Feed.topic)
        self._read: dict[str, tuple[bytes, Feed | None]] = {}
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def catch_up(self, feed_ids: set[str]) -> None:
        """Read on if one of these feeds is not known, or after a while."""
        async with self._lock:
            since = time.monotonic() - self._looked_at
            if since >= LOOK_SECONDS or (since > 1.0 and feed_ids - self._latest.values.keys()):
                await self._latest.catch_up()
                self._looked_at = time.monotonic()

    def get(self, feed_id: str) -> Feed | None:
        """Return a feed, None if there is none by this id."""
        value = self._latest.values.get(feed_id)
        if value is None:
            self._read.pop(feed_id, None)
            return None
        read = self._read.get(feed_id)
        if read is None or read[0] is not value:
            read = self._read[feed_id] = (value, _event(Feed, value))
        return read[1]


@dataclass(frozen=True)
class OperationsStage:
    """Reads what dashboards show; the only writer of their indices."""

    store: OperationsStore
    feeds: Feeds
    group: str = OPERATIONS_GROUP

    @property
    def inputs(self) -> Mapping[str, type[Event]]:
        """See Stage."""
        return dict.fromkeys((Feed.topic, FeedStatus.topic, Outcome.topic, DEAD_LETTERS), Unread)

    async def check(self) -> None:
        """See Dependent."""
        await self.store.check()

    async def open(self, ownership: Ownership) -> "OperationsHandler":
        """See Stage: feeds and their status lie under the same number, with the feed's domain."""
        feeds, statuses = await ownership.table(Feed), await ownership.table(FeedStatus)
        return OperationsHandler(self, feeds, statuses)


class OperationsHandler:
    """Operations at work on one partition."""

    def __init__(self, stage: OperationsStage, feeds: Table[Feed], statuses: Table[FeedStatus]) -> None:
        self._stage = stage
        self._store = stage.store
        self._feeds = feeds
        self._statuses = statuses
        self._known: dict[str, Known] = {}

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Store what a batch says; all of it ends as done."""
        records = [delivery.record for delivery in batch]
        try:
            await self._store_all(records)
        except (UnavailableError, FencedError, SettingsError):
            raise
        except Exception as error:
            # Not the message's fault, or it would have been left out: no tries, and no dead letter.
            logger.exception("operations.failed")
            raise StoreUnavailableError(f"our own failure: {error!r:.300}") from error
        return [Done()] * len(batch)

    async def _store_all(self, records: Sequence[Record]) -> None:
        known = await self._known_after(records)
        outcomes = [each for each in records if each.topic == Outcome.topic and each.value is not None]
        if outcomes:
            await self._stage.feeds.catch_up({each.headers.get(FEED, "") for each in outcomes})
        letters = [each for each in records if each.topic == DEAD_LETTERS]
        plans: list[tuple[str, str, Callable[[], Step]]] = [
            *((FEED_STATUS, each, partial(self._feed_step, each, known[each])) for each in known),
            *((OUTCOMES, each.key, partial(self._outcome_step, each)) for each in outcomes),
            *((LETTERS, _place(each), partial(letter_step, each)) for each in letters),
        ]
        steps = [step for plan in plans for step in _made(*plan)]
        if not steps:
            return
        await self._store.write(steps)
        for step in steps:
            if isinstance(step, Remove):
                known.pop(step.id)
                self._known.pop(step.id)  # one that comes back begins anew
        self._known |= known

    async def _known_after(self, records: Sequence[Record]) -> dict[str, Known]:
        """Return, for the feeds that a batch is about, what is known after it."""
        about: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            if record.topic in {Feed.topic, FeedStatus.topic}:
                about[record.key].append(record)
        if not about:
            return {}
        await self._feeds.catch_up()
        await self._statuses.catch_up()
        self._known |= await self._store.known(about.keys() - self._known.keys())
        return {feed_id: self._after(feed_id, mine) for feed_id, mine in about.items()}

    def _after(self, feed_id: str, records: Sequence[Record]) -> Known:
        """Go through the polls of a feed, and make its version no older than what is told of it."""
        polls = [
            poll
            for record in records
            if record.topic == FeedStatus.topic and (poll := _event(FeedStatus, record.value)) is not None
        ]
        known = self._known[feed_id].after(polls)
        times = [milliseconds(poll.polled_at) for poll in polls]
        changes = [record.timestamp_ms for record in records if record.topic == Feed.topic]
        return Known(max([known.version, *times, *changes]), known.last_new_at, known.silent_since)

    def _feed_step(self, feed_id: str, known: Known) -> Step:
        """Store a feed as the tables have it now, which may be further on than the batch."""
        feed = self._feeds.get(feed_id)
        if feed is None:
            return Remove(FEED_STATUS, feed_id)
        return feed_step(feed, self._statuses.get(feed_id), known)

    def _outcome_step(self, record: Record) -> Step:
        outcome = Outcome.from_bytes(record.value or b"")
        return outcome_step(outcome, self._stage.feeds.get(outcome.feed_id))

    def preconditions(self) -> Mapping[TopicPartition, int]:
        """See Handler: the store keeps the older from winning."""
        return {}

    async def run(self) -> None:
        """See Handler: everything comes by message."""

    async def close(self) -> None:
        """See Handler."""


def _made(kind: str, document_id: str, make: Callable[[], Step]) -> Iterator[Step]:
    """Yield a step; a message that is none, or that we cannot cope with, is left out."""
    try:
        yield make()
    except Exception as error:  # noqa: BLE001  one odd message may not hold up all others for ever
        rejected(kind, document_id, f"{type(error).__name__}: {error}")


def _place(record: Record) -> str:
    return f"{record.partition}-{record.offset}"


def _event(kind: type[E], value: bytes | None) -> E | None:
    """Return an event, None if that cannot be read."""
    try:
        return kind.from_bytes(value or b"")
    except ValidationError:
        return None
