"""Events on a log, to set a scene for whoever reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from newswire.envelope import ENTRY, FEED, message, tombstone
from newswire.events import Article, Enriched, Entry, Event, Feed, FeedStatus, Outcome, Page, Sighting
from newswire.log import Log, Message
from newswire.log.sqlite import SqliteLog

NOW = datetime.now(UTC).replace(microsecond=0)
URL = "https://courier.example/world/ukraine-nato-berlin"
FEED_URL = "https://courier.example/feeds/world.xml"


def feed(key: str = "f", **fields: Any) -> Feed:
    """Return a feed to poll."""
    return Feed(**{"feed_id": key, "url": FEED_URL, **fields})


def status(key: str = "f", **fields: Any) -> FeedStatus:
    """Return a feed's last poll: in a moment that is still to come, with the next one in an hour."""
    at = datetime.now(UTC) + timedelta(minutes=5)
    base = {"feed_id": key, "url": FEED_URL, "polled_at": at, "next_poll_at": at + timedelta(hours=1)}
    return FeedStatus(**{**base, "polls": 1, "result": "new", **fields})


def entry(key: str = "e", **fields: Any) -> Entry:
    """Return an entry of a feed."""
    return Entry(**{"entry_id": key, "feed_id": "f", "url": URL, "seen_at": NOW, **fields})


def page(*waiting: Entry, not_before: datetime = NOW, **fields: Any) -> Page:
    """Return the memory of a URL with entries that wait for it."""
    rows = [{"entry": each, "attempt": 1, "not_before": not_before} for each in waiting]
    return Page(**{"url": URL, "waiting": rows, **fields})


def article(key: str = "e", **fields: Any) -> Article:
    """Return the article that an entry led to."""
    base = {
        "article_id": "a", "entry_id": key, "feed_id": "f", "seen_at": NOW, "url": URL, "canonical_url": URL,
        "title": "Talks [in] Berlin", "text": "A text.", "content_hash": "h", "fetched_at": NOW,
    }  # fmt: skip
    return Article(**{**base, **fields})


def sighting(key: str = "e2", **fields: Any) -> Sighting:
    """Return another entry that led to the article."""
    base = {"article_id": "a", "entry_id": key, "feed_id": "g", "url": URL, "seen_at": NOW}
    return Sighting(**{**base, **fields})


def enriched(**fields: Any) -> Enriched:
    """Return the article, tagged."""
    base = {
        "article_id": "a", "version": 1, "revision": 1, "first_seen_at": NOW, "enriched_at": NOW, "url": URL,
        "canonical_url": URL, "title": "Talks", "text": "A text.", "content_hash": "h", "fetched_at": NOW,
        "language": "en", "topics": [{"id": "nato-bid", "score": 1, "by": "r"}],
    }  # fmt: skip
    return Enriched(**{**base, **fields})


def outcome(key: str = "e", kind: str = "indexed", reason: str = "new", **fields: Any) -> Outcome:
    """Return where an entry ended."""
    base = {"entry_id": key, "feed_id": "f", "kind": kind, "reason": reason, "stage": "index", "at": NOW}
    return Outcome(**{**base, **fields})


KEYS: dict[type[Event], str] = {Feed: "feed_id", FeedStatus: "feed_id", Page: "url", Outcome: "entry_id"}


def wrapped(event: Any) -> Message:
    """Return an event as its stage would publish it."""
    if isinstance(event, Entry):
        return message(
            event, "courier.example", source="ingest", entry_id=event.entry_id, feed_id=event.feed_id
        )
    key = getattr(event, KEYS.get(type(event), "article_id"))
    return message(
        event, key, source="test", entry_id=getattr(event, "entry_id", None),
        feed_id=getattr(event, "feed_id", None),
    )  # fmt: skip


async def publish(log: Log, *events: Event | Message) -> None:
    """Publish events one after the other."""
    for event in events:
        await log.publish([event if isinstance(event, Message) else wrapped(event)])


def unreadable(topic: str, key: str, entry_id: str | None) -> Message:
    """Return a message that is no event, about an entry if one is given."""
    return Message(topic, key, b"{", {ENTRY: entry_id, FEED: "f"} if entry_id else {})


def removed(event: type[Event], key: str) -> Message:
    """Return the message that removes a key."""
    return tombstone(event.topic, key)


async def commit(log: Log, group: str, topic: str) -> None:
    """Let a group have read a topic to its end, without a worker."""
    assert isinstance(log, SqliteLog)
    for number, end in (await log.end_offsets(topic)).items():
        row = (group, topic, number, end)
        await log.write(lambda c, row=row: c.execute("INSERT INTO log_offsets VALUES (?,?,?,?)", row))  # type: ignore[misc]
