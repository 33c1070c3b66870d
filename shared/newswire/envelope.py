"""From an event to a message on the log: CloudEvents 1.0 headers in Kafka's binary mode, and a trace.

A message that is about one entry carries the entry's id in a header, so that even bytes that cannot be
read any more can be given their outcome.
"""

import hashlib
import json
import os
import re
from datetime import UTC, datetime
from typing import Any

from newswire.events import DEAD_LETTERS, EVENTS, Event, Outcome, OutcomeKind, Reason
from newswire.log.port import Headers, Message, Record

ENTRY = "ce_entryid"  # our two CloudEvents extension attributes
FEED = "ce_feedid"
VERSION = "version"  # of an enriched article, on its tombstone
FIRST_SEEN = "first_seen_at"
REPLAY = "replay"  # on a message that is no news: one of the three below
AGAIN, REINDEX, REENRICH = "again", "index", "enrich"
REPLAY_VERSION = "replay_version"  # of the enriched article that is replayed
ATTEMPTS = "dl_attempts"  # stays with a message that is sent back, and with what follows from it
HANDLED = "dl_handled"  # on the mark that a dead letter was dealt with: its id
OUTCOMES_END = "dl_outcomes_end"  # on that mark: the end of the outcomes when its entry was sent back
POINTER = "dl_pointer"  # on a dead letter that only says what the original was
MAX_LETTER_BYTES = 900_000  # key, value and headers: less than the megabyte that brokers take
POINTER_CHARACTERS = 2_000  # of a field, and of a header, that a pointer repeats
MAX_NAME = 100  # characters of a header's name that a pointer repeats
TRACEPARENT = re.compile(  # W3C Trace Context, version 00; ids of zeros only are not valid
    r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


def traceparent(cause: Headers | None) -> str:
    """Return the W3C trace context of a message: a new span in its cause's trace, or a new trace."""
    given = (cause or {}).get("traceparent", "")
    trace = given.split("-")[1] if TRACEPARENT.fullmatch(given) else os.urandom(16).hex()
    return f"00-{trace}-{os.urandom(8).hex()}-01"


def message(
    event: Event,
    key: str,
    *,
    source: str,
    cause: Headers | None = None,
    partition_key: str | None = None,
    entry_id: str | None = None,
    feed_id: str | None = None,
) -> Message:
    """Wrap an event for its topic.

    Args:
        event: what happened.
        key: the key on the topic.
        source: the service that says so.
        cause: headers of the message that led to this one.
        partition_key: what decides the partition, where that is not the key.
        entry_id: the one entry that this is about, if any.
        feed_id: that entry's feed.
    """
    headers = {
        "ce_id": os.urandom(16).hex(),
        "ce_type": type(event).topic,
        "ce_source": f"/newswire/{source}",
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "traceparent": traceparent(cause),
    }
    if entry_id:
        headers[ENTRY] = entry_id
    if feed_id:
        headers[FEED] = feed_id
    if cause and ATTEMPTS in cause:
        headers[ATTEMPTS] = cause[ATTEMPTS]
    return Message(type(event).topic, key, event.to_bytes(), headers, partition_key)


def tombstone(
    topic: str, key: str, headers: Headers | None = None, partition_key: str | None = None
) -> Message:
    """Return the message that removes a key."""
    return Message(topic, key, None, dict(headers or {}), partition_key)


def outcome_message(outcome: Outcome, cause: Headers | None = None) -> Message:
    """Wrap an outcome."""
    return message(
        outcome,
        outcome.entry_id,
        source=outcome.stage,
        cause=cause,
        entry_id=outcome.entry_id,
        feed_id=outcome.feed_id,
    )


def dead_letter(record: Record, stage: str, reason: Reason, error: str, attempts: int) -> list[Message]:
    """Return a dead letter that holds a record's own bytes, and the outcome of the entry it is about.

    Bytes that are too many for the topic are replaced by a pointer. Attempts add up over dead letters that
    were sent back.
    """
    headers = {
        **record.headers,
        "dl_stage": stage,
        "dl_topic": record.topic,
        "dl_partition": str(record.partition),
        "dl_offset": str(record.offset),
        "dl_reason": reason,
        "dl_error": error[:2000],
        ATTEMPTS: str(attempts + attempts_before(record.headers)),
        "dl_at": datetime.now(UTC).isoformat(),
    }
    messages = [_fitting(Message(DEAD_LETTERS, record.key, record.value, headers), record.topic)]
    if ENTRY in record.headers:
        outcome = Outcome(
            entry_id=record.headers[ENTRY],
            feed_id=record.headers.get(FEED, ""),
            kind=OutcomeKind.DEAD_LETTERED,
            reason=reason,
            stage=stage,
            at=datetime.now(UTC),
            message=error[:500],
        )
        messages.append(outcome_message(outcome, record.headers))
    return messages


def attempts_before(headers: Headers) -> int:
    """Return how often a message was tried before it was sent back, 0 if it never was."""
    said = headers.get(ATTEMPTS, "")
    return int(said) if said.isascii() and said.isdigit() else 0


def _fitting(letter: Message, topic: str) -> Message:
    """Return a dead letter that the topic takes: with a pointer in place of bytes that are too many."""
    if _size(letter) <= MAX_LETTER_BYTES:
        return letter
    value = letter.value or b""
    pointer = {
        **_told(value, topic),
        "size": len(value),
        "sha256": hashlib.sha256(value).hexdigest(),
    }
    headers = {
        name: text[:POINTER_CHARACTERS] for name, text in letter.headers.items() if len(name) <= MAX_NAME
    }
    body = json.dumps(pointer).encode()
    return Message(letter.topic, letter.key[:POINTER_CHARACTERS], body, {**headers, POINTER: "1"})


def _size(message: Message) -> int:
    headers = sum(len(name.encode()) + len(text.encode()) for name, text in message.headers.items())
    return len(message.key.encode()) + len(message.value or b"") + headers


def _told(value: bytes, topic: str) -> dict[str, Any]:
    """Return the short fields of an event, as far as its bytes can be read: addresses, ids, times."""
    names = next((event.model_fields.keys() for event in EVENTS if event.topic == topic), ())
    try:
        read = json.loads(value)
    except ValueError:
        return {}
    fields = {name: read[name] for name in names if name in read} if isinstance(read, dict) else {}
    return {
        name: field
        for name, field in fields.items()
        if isinstance(field, int | float) or (isinstance(field, str) and len(field) <= POINTER_CHARACTERS)
    }
