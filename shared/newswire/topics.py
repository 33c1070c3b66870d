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

DAYS = 30.0  # how long what is not compacted for ever is kept
RETENTION_DAYS = 400.0  # of enriched articles, in the log as in the index

TOPICS = (
    TopicSpec(Feed.topic, compacted=True),
    TopicSpec(FeedStatus.topic, compacted=True),
    TopicSpec(FeedSeen.topic, compacted=True),
    TopicSpec(Entry.topic, retention_days=DAYS),
    TopicSpec(Page.topic, compacted=True, retention_days=DAYS),
    TopicSpec(Article.topic, retention_days=DAYS),
    TopicSpec(Sighting.topic, retention_days=DAYS),
    TopicSpec(Enriched.topic, compacted=True, retention_days=RETENTION_DAYS, compaction_waits_for="index"),
    TopicSpec(Withdrawal.topic, compacted=True),
    TopicSpec(Outcome.topic, retention_days=DAYS),
    TopicSpec(DEAD_LETTERS, retention_days=DAYS),
)
