"""The headers of messages, as JSON Schemas; every value is UTF-8 text."""

from collections.abc import Callable
from typing import Any

from newswire.envelope import (
    ATTEMPTS,
    ENTRY,
    FEED,
    FIRST_SEEN,
    HANDLED,
    OUTCOMES_END,
    POINTER,
    REPLAY,
    REPLAY_VERSION,
    VERSION,
)  # fmt: skip
from newswire.events import DEAD_LETTERS, Enriched

Described = dict[str, str]

TRACE: Described = {"traceparent": "W3C trace context: the path of one article through all services"}
ABOUT: Described = {
    ENTRY: "The one entry that the message is about, if it is about one",
    FEED: "That entry's feed",
}
REPLAYED: Described = {
    REPLAY: "The message is no news but sent again on request: `again`, `index` or `enrich`",
    REPLAY_VERSION: "The version of the enriched article that is sent again",
    ATTEMPTS: "How often it was tried before it was sent back from the dead letters",
}
CLOUD_EVENT: Described = {
    "ce_id": "CloudEvents 1.0 (Kafka binary mode): unique id of the message",
    "ce_type": "CloudEvents: what it is, the topic's name without prefix",
    "ce_source": "CloudEvents: the service that says so, such as `/newswire/enrich`",
    "ce_time": "CloudEvents: when it was published",
    "ce_specversion": "CloudEvents: `1.0`",
    "content-type": "`application/json`",
    **TRACE,
}
REMOVAL: Described = {
    VERSION: "The version that this removal is; older ones that arrive later are to be ignored",
    FIRST_SEEN: "When the article was found first, as in its events",
}
MARK: Described = {
    HANDLED: "The dead letter that was dealt with: partition and offset, such as `3-1204`",
    "dl_how": "What became of it: `replayed` or `dropped`",
    "dl_by": "Who said so",
    "dl_at": "When",
}
MARKED: Described = {
    "dl_topic": "Where the original message lay",
    OUTCOMES_END: "Where the outcomes of its entry's partition ended when it was sent back",
}
POINTED: Described = {POINTER: "`1` where the value only says what the original was, as that was too large"}
DEAD_LETTER: Described = {
    "dl_stage": "The service that gave up",
    "dl_topic": "Where the message lay",
    "dl_partition": "Its partition there",
    "dl_offset": "Its offset there",
    "dl_reason": "Why, one of the reasons of outcomes; more may come",
    "dl_error": "The error, cut",
    ATTEMPTS: "How often it was tried",
    "dl_at": "When the service gave up",
}


def event_headers() -> dict[str, Any]:
    """Return the schema of the headers of an event."""
    return _schema(CLOUD_EVENT, ABOUT | REPLAYED)


def removal_headers() -> dict[str, Any]:
    """Return the schema of the headers of a null that withdraws an article."""
    return _schema(REMOVAL, TRACE)


def null_headers() -> dict[str, Any]:
    """Return the schema of the headers of any other null."""
    return _schema({}, TRACE)


def dead_letter_headers() -> dict[str, Any]:
    """Return the schema of the headers of a dead letter: the original's own stay."""
    return _schema(DEAD_LETTER, POINTED | CLOUD_EVENT | ABOUT | REPLAYED | REMOVAL)


def mark_headers() -> dict[str, Any]:
    """Return the schema of the headers of the null that says what became of a dead letter."""
    return _schema(MARK, MARKED | ABOUT)


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "eventHeaders": event_headers,
    "removalHeaders": removal_headers,
    "nullHeaders": null_headers,
    "deadLetterHeaders": dead_letter_headers,
    "markHeaders": mark_headers,
}
"""The schemas by their names in the AsyncAPI document."""


def schema_name(topic: str, *, null: bool = False) -> str:
    """Return the name of the schema of the headers of a topic's messages, or of its nulls."""
    if null:
        return {Enriched.topic: "removalHeaders", DEAD_LETTERS: "markHeaders"}.get(topic, "nullHeaders")
    return "deadLetterHeaders" if topic == DEAD_LETTERS else "eventHeaders"


def _schema(required: Described, optional: Described) -> dict[str, Any]:
    named = required | {name: text for name, text in optional.items() if name not in required}
    properties = {name: {"type": "string", "description": text} for name, text in named.items()}
    return {"type": "object", "required": list(required), "properties": properties}
