"""The ledger: proof that every entry that was seen ended exactly once, or is on its way.

seen = distinct entry ids in entries and outcomes
in flight = without outcome, and found waiting or in a message at or beyond its consumer's offset
lost = the rest; there must be none
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from newswire.envelope import ENTRY, FEED, OUTCOMES_END
from newswire.events import DEAD_LETTERS, Article, Enriched, Entry, Feed, Outcome, OutcomeKind, Page, Sighting
from newswire.following import Follower, Latest
from newswire.log.port import Log, Record
from newswire.log.reading import records_from

CONSUMERS = ((Article.topic, "enrich"), (Sighting.topic, "enrich"), (Enriched.topic, "index"))


@dataclass(frozen=True)
class FeedBalance:
    """What the ledger says of one feed: entries seen, and outcomes by kind and reason."""

    seen: int
    outcomes: dict[str, dict[str, int]]


@dataclass
class Balance:
    """What the ledger says at one moment.

    Attributes:
        seen: distinct entries.
        outcomes: count by kind and reason.
        by_feed: the same for each feed, by its address.
        in_flight: entries on their way.
        lost: ids of entries that are nowhere.
    """

    seen: int
    outcomes: dict[str, dict[str, int]]
    by_feed: dict[str, FeedBalance] = field(default_factory=dict)
    in_flight: int = 0
    lost: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """Return it as the JSON row of ``newswire ledger --json``."""
        return {
            "seen": self.seen,
            "outcomes": self.outcomes,
            "in_flight": self.in_flight,
            "lost": len(self.lost),
            "lost_entries": list(self.lost),
            "feeds": {
                feed: {"seen": each.seen, "outcomes": each.outcomes}
                for feed, each in sorted(self.by_feed.items())
            },
        }


class Ledger:
    """Follows entries and outcomes; reading on is cheap.

    Args:
        log: an open log.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._letters = Follower(log, DEAD_LETTERS)
        self._followers = [(Follower(log, event.topic), event) for event in (Entry, Outcome)]
        self._feed: dict[str, str] = {}
        self._ended: dict[str, tuple[OutcomeKind, str]] = {}
        self._died: dict[str, int] = {}  # offset of the outcome, where the last one is dead-lettered
        self._sent_back: dict[str, int] = {}  # end that the outcomes had when an entry was sent back

    @property
    def reading(self) -> tuple[int, int]:
        """How many entries were seen, and how many records stand behind it all: it moves when they do."""
        return len(self._feed), self._letters.read + sum(each.read for each, _ in self._followers)

    @property
    def unfinished(self) -> set[str]:
        """Entries that have no outcome yet."""
        return self._feed.keys() - self._ended.keys()

    async def catch_up(self) -> None:
        """Read entries, outcomes and what was sent back to their ends."""
        async for record in self._letters.records():
            self._enter_letter(record)
        for follower, event in self._followers:
            async for record in follower.records():
                if record.value is not None:
                    self._enter(record, event)

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Return the latest outcomes counted by kind and reason, in a fixed order."""
        return _count(self._ended.values())

    async def balance(self) -> Balance:
        """Read on, look for what is unfinished, and return the sums."""
        await self.catch_up()
        looked_for = self.unfinished
        present = await self._present() if looked_for else set()
        await (
            self.catch_up()
        )  # what ended while we looked; what has come or was sent back since is on its way
        lost = (self.unfinished & looked_for) - present
        return Balance(
            seen=len(self._feed),
            outcomes=self.outcomes(),
            by_feed=await self._by_feed(),
            in_flight=len(self.unfinished) - len(lost),
            lost=tuple(sorted(lost)),
        )

    async def _by_feed(self) -> dict[str, FeedBalance]:
        addresses = {feed.feed_id: feed.url for feed in await latest(self._log, Feed)}
        entries: dict[str, list[str]] = defaultdict(list)
        for entry, feed in self._feed.items():
            entries[feed].append(entry)
        return {
            addresses.get(feed, feed): FeedBalance(
                len(each), _count(self._ended[entry] for entry in each if entry in self._ended)
            )
            for feed, each in entries.items()
        }

    def _enter(self, record: Record, kind: type[Entry | Outcome]) -> None:
        try:
            event = kind.from_bytes(record.value or b"")
        except ValidationError:  # it is about to be dead-lettered, under the id in its headers
            if ENTRY in record.headers:
                self._feed.setdefault(record.headers[ENTRY], record.headers.get(FEED, ""))
            return
        self._feed.setdefault(event.entry_id, event.feed_id)
        if isinstance(event, Outcome):
            self._end(event, record.offset)

    def _end(self, outcome: Outcome, offset: int) -> None:
        """Enter an outcome, unless the entry was sent back from that end."""
        entry = outcome.entry_id
        if outcome.kind is OutcomeKind.DEAD_LETTERED:
            if offset < self._sent_back.get(entry, 0):
                return
            self._died[entry] = offset
        else:
            self._died.pop(entry, None)
        self._ended[entry] = (outcome.kind, outcome.reason)

    def _enter_letter(self, record: Record) -> None:
        """Follow the mark of a dead letter that was sent back: its entry is on its way again.

        The mark says where the outcomes ended then, so that no clock decides which outcome is the later one.
        """
        entry, end = record.headers.get(ENTRY), record.headers.get(OUTCOMES_END, "")
        if entry is None or not end.isdigit():
            return
        self._sent_back[entry] = max(int(end), self._sent_back.get(entry, 0))
        if self._died.get(entry, self._sent_back[entry]) < self._sent_back[entry]:
            self._ended.pop(entry, None)
            self._died.pop(entry, None)

    async def _present(self) -> set[str]:
        """Return the entries that wait or lie in a message not yet read.

        Entries only move downstream, but for one way back: a redirect to another domain takes an entry
        from the waiting ones to the entries topic. So the stages are looked at in the order of the flow,
        and the first two twice.
        """
        found: set[str] = set()
        for _ in range(2):
            found |= await self._unread(Entry.topic, "ingest")
            found |= await self._waiting()
        for topic, group in CONSUMERS:
            found |= await self._unread(topic, group)
        return found

    async def _unread(self, topic: str, group: str) -> set[str]:
        found: set[str] = set()
        for partition, offset in (await self._log.committed(group, topic)).items():
            async for record in records_from(self._log, topic, partition, offset):
                if ENTRY in record.headers:
                    found.add(record.headers[ENTRY])
        return found

    async def _waiting(self) -> set[str]:
        """Return the entries that wait in the URL memory; rechecks that nobody has seen yet are no matter."""
        pages = await latest(self._log, Page)
        return {waiting.entry.entry_id for page in pages for waiting in page.waiting}


async def latest(log: Log, event: type[Any]) -> Iterable[Any]:
    """Return the latest event of every key of a compacted topic."""
    table = Latest(log, event.topic)
    await table.catch_up()
    return [event.from_bytes(value) for value in table.values.values()]


def _count(ended: Iterable[tuple[OutcomeKind, str]]) -> dict[str, dict[str, int]]:
    """Return how many ended by kind and reason, in a fixed order."""
    counts = Counter(ended)
    kinds: dict[str, dict[str, int]] = {}
    for kind, reason in sorted(counts, key=lambda pair: (list(OutcomeKind).index(pair[0]), pair[1])):
        kinds.setdefault(str(kind), {})[str(reason)] = counts[kind, reason]
    return kinds
