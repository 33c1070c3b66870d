"""One article's path through the stages, told from the log."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from newswire.envelope import ENTRY, HANDLED
from newswire.events import DEAD_LETTERS, Article, Enriched, Entry, Event, Outcome, Page, Sighting, Withdrawal
from newswire.log.port import Log, Record
from newswire.log.reading import records_from
from newswire.urls import BadUrlError, article_id, normalise

FLOW: tuple[type[Event], ...] = (Entry, Page, Article, Sighting, Enriched, Withdrawal, Outcome)
ID_FIELDS = ("entry_id", "article_id")
URL_FIELDS = ("url", "origin_url", "canonical_url")


@dataclass(frozen=True)
class Step:
    """One thing that happened to an article."""

    at: datetime
    topic: str
    partition: int
    offset: int
    summary: str

    def row(self) -> dict[str, Any]:
        """Return it as a JSON row."""
        return {
            "at": self.at.isoformat(), "topic": self.topic, "partition": self.partition,
            "offset": self.offset, "summary": self.summary,
        }  # fmt: skip


async def steps_of(log: Log, what: str) -> list[Step]:
    """Return what happened to an article, an entry or an address, oldest first.

    Reads the topics from beginning to end, twice: once to find the ids that belong together.
    """
    records = [record async for record in _everything(log)]
    known = {what, *_as_address(what)}
    for _ in range(2):  # an address leads to its entries, those to their article, that to more entries
        for record in records:
            names = _names(record)
            if names & known:
                known |= names - _shared_names(record)
    found = [record for record in records if _names(record) & known]
    return sorted((_step(record) for record in found), key=lambda step: (step.at, _rank(step.topic)))


def _as_address(what: str) -> set[str]:
    """Return the address that is meant, as it stands in events, with the article id that it would have."""
    try:
        address = normalise(what)
    except BadUrlError:
        return set()
    return {address, article_id(address)}


async def _everything(log: Log) -> AsyncIterator[Record]:
    for topic in (*(event.topic for event in FLOW), DEAD_LETTERS):
        for partition in range(log.partitions):
            async for record in records_from(log, topic, partition):
                yield record


def _rank(topic: str) -> int:
    names = [event.topic for event in FLOW]
    return names.index(topic) if topic in names else len(names)


def _event(record: Record) -> Event | None:
    event = next((each for each in FLOW if each.topic == record.topic), None)
    try:
        return event.from_bytes(record.value) if event and record.value else None
    except ValidationError:  # its dead letter tells the rest
        return None


def _names(record: Record) -> set[str]:
    """Return the ids and addresses that a record is about."""
    event = _event(record)
    names = {str(value) for field in (*ID_FIELDS, *URL_FIELDS) if (value := getattr(event, field, None))}
    if isinstance(event, Page):
        names |= {waiting.entry.entry_id for waiting in event.waiting}
    return names | {record.key} | ({record.headers[ENTRY]} if ENTRY in record.headers else set())


def _shared_names(record: Record) -> set[str]:
    """Return keys that many articles have in common: the domain of an entry, also of a dead one."""
    return {record.key} if Entry.topic in {record.topic, record.headers.get("dl_topic")} else set()


def _step(record: Record) -> Step:
    at = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
    return Step(at, record.topic, record.partition, record.offset, _summary(record))


def _summary(record: Record) -> str:
    event = _event(record)
    if record.topic == DEAD_LETTERS:
        headers = record.headers
        if HANDLED in headers:
            return f"dead letter {headers[HANDLED]} {headers.get('dl_how')} by {headers.get('dl_by')}"
        return (
            f"dead letter of {headers.get('dl_stage')}: {headers.get('dl_reason')}: {headers.get('dl_error')}"
        )
    if event is None:
        return f"unreadable: {record.key}" if record.value else f"removed: {record.key}"
    return _SUMMARIES[type(event)](event)


def _entry(event: Any) -> str:
    return f"entry {event.entry_id} ({event.trigger}) of feed {event.feed_id}: {event.url}"


def _page(event: Any) -> str:
    if event.waiting:
        tries = max(waiting.attempt for waiting in event.waiting)
        return f"{event.url}: {len(event.waiting)} waiting, {tries} tries so far"
    if event.failure:
        return f"{event.url}: {event.failure.reason}: {event.failure.message}"
    return f"{event.url}: article {event.article_id}"


def _article(event: Any) -> str:
    what = f"{event.title!r}, {len(event.text)} characters"
    return f"article {event.article_id} from the {event.text_from}: {what}"


def _enriched(event: Any) -> str:
    topics = ", ".join(tag.id for tag in event.topics) or "no topic"
    return (
        f"article {event.article_id} revision {event.revision}: {event.language}, "
        f"{len(event.entities)} entities, {topics}, {len(event.sources)} sources"
    )


def _outcome(event: Any) -> str:
    message = f": {event.message}" if event.message else ""
    return f"entry {event.entry_id} {event.kind}: {event.reason}{message}"


_SUMMARIES: dict[type[Event], Callable[[Any], str]] = {
    Entry: _entry,
    Page: _page,
    Article: _article,
    Sighting: lambda event: f"entry {event.entry_id} leads to article {event.article_id}",
    Enriched: _enriched,
    Withdrawal: lambda event: f"article {event.article_id} withdrawn by {event.withdrawn_by}: {event.reason}",
    Outcome: _outcome,
}
