"""What the dashboards hold of a feed, an outcome and a dead letter, field by field.

    Feed, FeedStatus, what is known ──► feed status      Outcome, Feed ──► outcome
    letter on its topic ──► dead letter                  mark ──► how a dead letter was dealt with

Pure: no clock, no client. ``mapping`` names the fields.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from newswire.envelope import FEED, HANDLED
from newswire.events import Feed, FeedStatus, Outcome
from newswire.letters import LETTER_ID, Letter
from newswire.log.port import Record
from newswire.urls import registered_domain
from newswire_index.document import clean
from newswire_index.elastic.names import DEAD_LETTERS, FEED_STATUS, OUTCOMES

Source = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Put:
    """A document to be stored unless a newer version of it is there."""

    kind: str
    id: str
    source: Source
    version: int


@dataclass(frozen=True, slots=True)
class Add:
    """A document to be stored unless it is there."""

    kind: str
    id: str
    source: Source


@dataclass(frozen=True, slots=True)
class Change:
    """Fields to be changed in a document, if that is there."""

    kind: str
    id: str
    source: Source


@dataclass(frozen=True, slots=True)
class Remove:
    """A document to be deleted, if it is there."""

    kind: str
    id: str


Step = Put | Add | Change | Remove


@dataclass(frozen=True, slots=True)
class Known:
    """What the index has of a feed that no event tells.

    Attributes:
        version: of its document; 0 if it has none.
        last_new_at: the last poll with a new entry.
        silent_since: that, else the first poll that is known.
    """

    version: int = 0
    last_new_at: datetime | None = None
    silent_since: datetime | None = None

    def after(self, polls: Iterable[FeedStatus]) -> "Known":
        """Return what is known after some polls."""
        last, first = self.last_new_at, self.silent_since
        for poll in polls:
            first = min(first or poll.polled_at, poll.polled_at)
            if poll.new_entries:
                last = max(last or poll.polled_at, poll.polled_at)
        return Known(self.version, last, last or first)


def feed_step(feed: Feed, status: FeedStatus | None, known: Known) -> Put:
    """Return what is stored of a feed; one that was not polled yet has no result."""
    source: Source = {
        "feed_id": feed.feed_id, "url": feed.url, "title": title_of(feed, status), "outlet": outlet_of(feed),
        "tags": list(feed.tags), "language": feed.language, "enabled": feed.enabled, "polls": 0,
        "failing": False, "last_new_at": _time(known.last_new_at), "silent_since": _time(known.silent_since),
    }  # fmt: skip
    if status is not None:
        source |= {
            "polls": status.polls, "polled_at": _time(status.polled_at),
            "next_poll_at": _time(status.next_poll_at), "result": status.result, "message": status.message,
            "http_status": status.http_status, "failing": status.failures > 0, "failures": status.failures,
            "entries": status.entries, "new_entries": status.new_entries,
        }  # fmt: skip
    return Put(FEED_STATUS, feed.feed_id, _told(source), known.version)


def outcome_step(outcome: Outcome, feed: Feed | None) -> Put:
    """Return what is stored of an entry's end."""
    source: Source = {
        **outcome.model_dump(exclude={"at"}), "at": _time(outcome.at), "domain": _domain(outcome.url),
        "feed_title": title_of(feed) if feed else None, "outlet": outlet_of(feed) if feed else None,
    }  # fmt: skip
    return Put(OUTCOMES, outcome.entry_id, _told(source), milliseconds(outcome.at))


def letter_step(record: Record) -> Add | Change:
    """Return what is stored of a record on the topic of dead letters; ValueError if it is neither."""
    if HANDLED in record.headers:
        return _mark_step(record)
    letter = Letter(record)
    source: Source = {
        "letter_id": letter.id, "stage": letter.stage, "topic": letter.topic, "key": record.key,
        "reason": letter.reason, "error": letter.error, "at": _time(letter.at), "attempts": letter.attempts,
        "entry_id": letter.entry_id, "feed_id": record.headers.get(FEED), "url": letter.told("url"),
        "title": letter.told("title"), "pointer": letter.is_pointer, "open": True,
    }  # fmt: skip
    return Add(DEAD_LETTERS, letter.id, _told(source))


def _mark_step(record: Record) -> Change:
    headers = record.headers
    letter_id = headers[HANDLED]
    if not LETTER_ID.fullmatch(letter_id):
        raise ValueError(f"not the id of a dead letter: {letter_id[:100]!r}")
    source: Source = {
        "open": False, "handled": headers.get("dl_how"), "handled_by": headers.get("dl_by"),
        "handled_at": _time(_moment(headers.get("dl_at", "")) or _published(record)),
    }  # fmt: skip
    return Change(DEAD_LETTERS, letter_id, _told(source))


def title_of(feed: Feed, status: FeedStatus | None = None) -> str:
    """Return what we call a feed, else what it calls itself, else its address."""
    return feed.title or (status.title if status else None) or feed.url


def outlet_of(feed: Feed) -> str:
    """Return who publishes a feed, as it was added, else the domain of its address."""
    return feed.outlet or _domain(feed.url) or feed.url


def milliseconds(moment: datetime) -> int:
    """Return a moment as a version."""
    return int(moment.timestamp() * 1000)


def _domain(url: str | None) -> str | None:
    try:
        return registered_domain(urlsplit(url).hostname or url) if url else None  # hosts are remembered
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _published(record: Record) -> datetime:
    return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _told(source: Source) -> Source:
    """Leave out fields that hold nothing, and what no terminal or browser should be given."""
    clear = {name: clean(value) if isinstance(value, str) else value for name, value in source.items()}
    return {name: value for name, value in clear.items() if value not in (None, "", [])}
