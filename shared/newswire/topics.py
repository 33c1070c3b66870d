"""The topics of Newswire and how each is kept (docs/design.md, section 2)."""

import difflib

from newswire.errors import SettingsError
from newswire.events import (
    DEAD_LETTERS,
    EVENTS,
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
from newswire.log.port import TopicSpec

DAYS = 30.0  # how long what is not kept for ever is kept
RETENTION_DAYS = 400.0  # of enriched articles, in the log as in the index


def topic_specs(days: float = DAYS, enriched_days: float = RETENTION_DAYS) -> tuple[TopicSpec, ...]:
    """Return all topics.

    Args:
        days: how long what is not kept for ever is kept.
        enriched_days: how long enriched articles are.
    """
    return (
        TopicSpec(Feed.topic, compacted=True),
        TopicSpec(FeedStatus.topic, compacted=True),
        TopicSpec(FeedSeen.topic, compacted=True),
        TopicSpec(Entry.topic, retention_days=days),
        TopicSpec(Page.topic, compacted=True, retention_days=days),
        TopicSpec(Article.topic, retention_days=days),
        TopicSpec(Sighting.topic, retention_days=days),
        TopicSpec(Enriched.topic, compacted=True, retention_days=enriched_days, compaction_waits_for="index"),
        TopicSpec(Withdrawal.topic, compacted=True),
        TopicSpec(Outcome.topic, retention_days=days),
        TopicSpec(DEAD_LETTERS, retention_days=days),
    )


TOPICS = topic_specs()

OPERATIONS_GROUP = "index-operations"

GROUPS = frozenset({"ingest", "enrich", "index", OPERATIONS_GROUP})
"""The groups of Newswire's own stages: whoever else reads as one of them takes its messages away."""

EVENT_OF: dict[str, type[Event]] = {event.topic: event for event in EVENTS}
"""What lies on each topic; dead letters are any bytes."""


def topic_named(text: str) -> str:
    """Return the topic that is meant, with or without ``newswire.`` and ``.v1``; SettingsError if none is."""
    names = [spec.name for spec in TOPICS]
    for name in (text, f"newswire.{text}", f"{text}.v1", f"newswire.{text}.v1"):
        if name in names:
            return name
    short = [name.removeprefix("newswire.").removesuffix(".v1") for name in names]
    close = difflib.get_close_matches(text, [*short, *names], 1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(short)}"
    raise SettingsError(f"no topic is named {text!r}; {hint}")
