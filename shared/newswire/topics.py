"""The topics of Newswire and how each is kept (docs/design.md, section 2)."""

from newswire.events import (
    DEAD_LETTERS,
    Article,
    Enriched,
    Entry,
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
