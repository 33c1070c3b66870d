"""How ``newswire tail`` shows a record: one or two lines for people, a line of JSON for machines."""

import base64
import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError
from rich.text import Text

from newswire.envelope import HANDLED
from newswire.events import (
    DEAD_LETTERS,
    Article,
    Enriched,
    Entry,
    Event,
    Feed,
    FeedSeen,
    FeedStatus,
    Outcome,
    Page,
    Sighting,
    Withdrawal,
)
from newswire.log.port import Record
from newswire.terminal import json_line, plain
from newswire.topics import EVENT_OF

ENTITIES_SHOWN = 6  # the most salient ones


class Shown(NamedTuple):
    """What is said of an event: a headline, and what stands below it."""

    head: str
    below: Iterable[str | None] = ()


def event_of(record: Record) -> Event | None:
    """Return a record's event, None for a null; raises ``pydantic.ValidationError``."""
    event = EVENT_OF.get(record.topic)
    return None if event is None or record.value is None else event.from_bytes(record.value)


def lines(record: Record) -> list[Text]:
    """Return the lines for people; nothing in them can do anything to the terminal."""
    shown = _shown(record)
    head = Text().append(f"{_moment(record):%Y-%m-%d %H:%M:%S}  ", "dim").append(plain(shown.head), "bold")
    below = " · ".join(plain(part) for part in shown.below if part)
    return [head, Text(f"  {below}", style="dim")] if below else [head]


def json_of(record: Record) -> str:
    """Return the line of JSON for machines; bytes that are no JSON stand in ``bytes``, in base64."""
    if record.value is None:
        return json_line(_row(record, value=None))
    try:
        value = json.loads(record.value.decode(), parse_constant=_number, parse_float=_number)
        return json_line(_row(record, value=value))
    except (ValueError, RecursionError):  # nested too deep for reading it, or for writing it again
        return json_line(_row(record, value=None, bytes=base64.b64encode(record.value).decode()))


def _row(record: Record, **value: Any) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "timestamp": _moment(record).isoformat(timespec="milliseconds"),
        "headers": dict(record.headers),
        **value,
    }


def _number(text: str) -> float:
    """Return a number that can be written as JSON again."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number in JSON")
    return number


def _moment(record: Record) -> datetime:
    return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)


def _shown(record: Record) -> Shown:
    if record.topic == DEAD_LETTERS:
        return _dead_letter(record)
    if record.value is None:
        return Shown("withdrawn" if record.topic == Enriched.topic else "removed", (record.key,))
    try:
        event = event_of(record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Shown("not readable", (record.key, f"{where}: {first['msg']}" if where else first["msg"]))
    if event is None:
        return _dead_letter(record)
    return SHOWN[type(event)](event)


def _dead_letter(record: Record) -> Shown:
    headers = record.headers
    if HANDLED in headers:
        what = f"dead letter {headers[HANDLED]} {headers.get('dl_how', '?')} by {headers.get('dl_by', '?')}"
        return Shown(what, (record.key, headers.get("dl_topic")))
    head = f"dead letter of {headers.get('dl_stage', '?')}: {headers.get('dl_reason', '?')}"
    return Shown(head, (record.key, headers.get("dl_topic"), headers.get("dl_error")))


def _enriched(event: Enriched) -> Shown:
    entities = sorted(event.entities, key=lambda entity: -entity.salience)[:ENTITIES_SHOWN]
    topics = (f"#{topic.id}" for topic in event.topics)
    names = ", ".join(entity.name for entity in entities)
    return Shown(event.title, (event.outlet, event.language, *topics, names, event.canonical_url))


def _article(event: Article) -> Shown:
    return Shown(event.title, (event.outlet, event.language, event.canonical_url))


def _entry(event: Entry) -> Shown:
    again = None if event.trigger == "new" else event.trigger
    return Shown(event.title or event.url, (event.outlet, again, event.url if event.title else None))


def _outcome(event: Outcome) -> Shown:
    return Shown(f"{event.kind}: {event.reason}", (event.stage, event.url or event.entry_id, event.message))


def _feed(event: Feed) -> Shown:
    off = None if event.enabled else "not enabled"
    return Shown(event.outlet or event.title or event.url, (event.language, event.url, off))


def _feed_status(event: FeedStatus) -> Shown:
    new = f"{event.new_entries} of {event.entries} entries new"
    return Shown(f"polled: {event.result}", (event.url, new, event.message))


def _feed_seen(event: FeedSeen) -> Shown:
    return Shown(f"{len(event.seen)} entries seen", (event.feed_id,))


def _page(event: Page) -> Shown:
    waiting = f"{len(event.waiting)} waiting" if event.waiting else None
    return Shown(event.url, (event.article_id, waiting, event.failure.reason if event.failure else None))


def _sighting(event: Sighting) -> Shown:
    return Shown(event.url, (event.article_id, f"feed {event.feed_id}"))


def _withdrawal(event: Withdrawal) -> Shown:
    return Shown(f"withdrawn: {event.reason}", (event.url or event.article_id, event.withdrawn_by))


SHOWN: dict[type[Event], Callable[[Any], Shown]] = {
    Enriched: _enriched, Article: _article, Entry: _entry, Outcome: _outcome, Feed: _feed,
    FeedStatus: _feed_status, FeedSeen: _feed_seen, Page: _page, Sighting: _sighting,
    Withdrawal: _withdrawal,
}  # fmt: skip
"""What is said of each event."""
