"""From an event to a message on the log: CloudEvents 1.0 headers in Kafka's binary mode, and a trace.

A message that is about one entry carries the entry's id in a header, so that even bytes that cannot be
read any more can be given their outcome.
"""

import os
import re
from datetime import UTC, datetime

from newswire.events import DEAD_LETTERS, Event, Outcome, OutcomeKind, Reason
from newswire.log.port import Headers, Message, Record

ENTRY = "ce_entryid"  # our two CloudEvents extension attributes
FEED = "ce_feedid"
VERSION = "version"  # of an enriched article, on its tombstone
FIRST_SEEN = "first_seen_at"
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
    """Return a dead letter that holds a record's own bytes, and the outcome of the entry it is about."""
    headers = {
        **record.headers,
        "dl_stage": stage,
        "dl_topic": record.topic,
        "dl_partition": str(record.partition),
        "dl_offset": str(record.offset),
        "dl_reason": reason,
        "dl_error": error[:2000],
        "dl_attempts": str(attempts),
        "dl_at": datetime.now(UTC).isoformat(),
    }
    messages = [Message(DEAD_LETTERS, record.key, record.value, headers)]
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
