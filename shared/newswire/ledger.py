"""The ledger: proof that every entry that was seen ended exactly once, or is on its way.

seen = distinct entry ids in entries and outcomes
in flight = without outcome, and found waiting or in a message at or beyond its consumer's offset
lost = the rest; there must be none
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from newswire.envelope import ENTRY
from newswire.events import Article, Enriched, Entry, Outcome, OutcomeKind, Page, Sighting
from newswire.log.port import Log

CHUNK = 1000  # records read at a time
CONSUMERS = ((Article.topic, "enrich"), (Sighting.topic, "enrich"), (Enriched.topic, "index"))


@dataclass
class Balance:
    """What the ledger says at one moment.

    Attributes:
        seen: distinct entries.
        outcomes: count by kind and reason.
        by_feed: the same for each feed, with "seen" beside the kinds.
        in_flight: entries on their way.
        lost: ids of entries that are nowhere.
    """

    seen: int
    outcomes: dict[str, dict[str, int]]
    by_feed: dict[str, Counter[str]] = field(default_factory=dict)
    in_flight: int = 0
    lost: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """Return it as the JSON row of ``newswire ledger --json``."""
        return {
            "seen": self.seen,
            "outcomes": self.outcomes,
            "in_flight": self.in_flight,
            "lost": list(self.lost),
            "feeds": {feed: dict(counts) for feed, counts in sorted(self.by_feed.items())},
        }


class Ledger:
    """Follows entries and outcomes; reading on is cheap.

    Args:
        log: an open log.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._next: dict[tuple[str, int], int] = defaultdict(int)
        self._feed: dict[str, str] = {}
        self._ended: dict[str, tuple[OutcomeKind, str]] = {}

    @property
    def reading(self) -> tuple[int, int]:
        """How many entries were seen, and how many records stand behind it all: it moves when they do."""
        return len(self._feed), sum(self._next.values())

    @property
    def unfinished(self) -> set[str]:
        """Entries that have no outcome yet."""
        return self._feed.keys() - self._ended.keys()

    async def catch_up(self) -> None:
        """Read entries and outcomes to their ends."""
        for topic, event in ((Entry.topic, Entry), (Outcome.topic, Outcome)):
            for partition in range(self._log.partitions):
                await self._read(topic, partition, event)

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Return the latest outcomes counted by kind and reason, in a fixed order."""
        counts = Counter(self._ended.values())
        kinds: dict[str, dict[str, int]] = {}
        for kind, reason in sorted(counts, key=lambda pair: (list(OutcomeKind).index(pair[0]), pair[1])):
            kinds.setdefault(str(kind), {})[str(reason)] = counts[kind, reason]
        return kinds

    async def balance(self) -> Balance:
        """Read on, look for what is unfinished, and return the sums."""
        await self.catch_up()
        present = await self._present() if self.unfinished else set()
        await self.catch_up()  # what ended while we looked
        missing = self.unfinished
        return Balance(
            seen=len(self._feed),
            outcomes=self.outcomes(),
            by_feed=self._by_feed(),
            in_flight=len(missing & present),
            lost=tuple(sorted(missing - present)),
        )

    def _by_feed(self) -> dict[str, Counter[str]]:
        feeds: dict[str, Counter[str]] = defaultdict(Counter)
        for entry, feed in self._feed.items():
            feeds[feed]["seen"] += 1
            if entry in self._ended:
                feeds[feed][str(self._ended[entry][0])] += 1
        return feeds

    async def _read(self, topic: str, partition: int, event: type[Entry | Outcome]) -> None:
        while records := await self._log.read(
            topic, partition, self._next[topic, partition], max_records=CHUNK
        ):
            self._next[topic, partition] = records[-1].offset + 1
            for record in records:
                if record.value is not None:
                    self._enter(event.from_bytes(record.value))

    def _enter(self, event: Entry | Outcome) -> None:
        self._feed.setdefault(event.entry_id, event.feed_id)
        if isinstance(event, Outcome):
            self._ended[event.entry_id] = (event.kind, event.reason)
        elif event.trigger.startswith("replay"):
            self._ended.pop(event.entry_id, None)

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
            while records := await self._log.read(topic, partition, offset, max_records=CHUNK):
                found |= {record.headers[ENTRY] for record in records if ENTRY in record.headers}
                offset = records[-1].offset + 1  # noqa: PLW2901  the loop reads on from there
        return found

    async def _waiting(self) -> set[str]:
        """Return the entries that wait in the URL memory; rechecks that are not due do not count."""
        found: set[str] = set()
        now = datetime.now(UTC)
        for page in await latest(self._log, Page):
            found |= {
                waiting.entry.entry_id
                for waiting in page.waiting
                if waiting.not_before <= now or not waiting.entry.trigger.startswith("recheck")
            }
        return found


async def latest(log: Log, event: type[Any]) -> Iterable[Any]:
    """Return the latest event of every key of a compacted topic."""
    values: dict[str, bytes | None] = {}
    for partition in range(log.partitions):
        offset = 0
        while records := await log.read(event.topic, partition, offset, max_records=CHUNK):
            values.update((record.key, record.value) for record in records)
            offset = records[-1].offset + 1
    return [event.from_bytes(value) for value in values.values() if value is not None]
