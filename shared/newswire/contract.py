"""What readers can rely on beside the fields of events: keys, nulls, how long, and who writes what.

The AsyncAPI document and ``docs/reference/events.md`` are made from this and from the event models.
"""

from dataclasses import dataclass
from typing import Any

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
from newswire.kafka_settings import KafkaSettings
from newswire.log.kafka_topics import COMPACTED_AFTER_DAYS, DAY_MS, wanted
from newswire.log.port import TopicSpec
from newswire.topics import EVENT_OF

PARTITIONS = 12  # the default of NEWSWIRE_PARTITIONS; an installation may have more
RELIED_ON = {"cleanup.policy", "retention.ms", "delete.retention.ms", "min.compaction.lag.ms"}
COMMANDS = "commands"  # the `newswire` command line
DEAD_LETTER_WHAT = (
    "A message that could not be handled: its original bytes, and in headers who, where and why."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds of one topic.

    Attributes:
        key: what the key is.
        partitioned_by: what decides the partition, where that is not the key.
        written_by: the services that write it.
        removal: what a null says; empty where none is ever written.
        for_consumers: it is made for programs other than our own services.
    """

    key: str
    written_by: tuple[str, ...]
    partitioned_by: str = ""
    removal: str = ""
    for_consumers: bool = False


_DOMAIN = "the registered domain of the feed's first address"

TERMS: dict[str, Terms] = {
    Enriched.topic: Terms(
        "article id", ("enrich",), removal="The article is withdrawn: show it no longer.", for_consumers=True
    ),
    Withdrawal.topic: Terms(
        "article id", (COMMANDS,), removal="The withdrawal is lifted.", for_consumers=True
    ),
    Article.topic: Terms("article id", ("ingest", COMMANDS), for_consumers=True),
    Sighting.topic: Terms("article id", ("ingest",), for_consumers=True),
    Outcome.topic: Terms("entry id", ("ingest", "enrich", "index"), for_consumers=True),
    DEAD_LETTERS: Terms(
        "the original message's", ("ingest", "enrich", "index", COMMANDS),
        removal="With the header `dl_handled`: a dead letter was sent back or dropped.", for_consumers=True,
    ),
    Feed.topic: Terms(
        "feed id", (COMMANDS,), partitioned_by=_DOMAIN, removal="The feed is polled no longer."
    ),
    FeedStatus.topic: Terms(
        "feed id", ("ingest", COMMANDS), partitioned_by=_DOMAIN, removal="The feed was removed."
    ),
    FeedSeen.topic: Terms(
        "feed id", ("ingest", COMMANDS), partitioned_by=_DOMAIN, removal="The feed was removed."
    ),
    Entry.topic: Terms("registered domain of the entry's URL", ("ingest", COMMANDS)),
    Page.topic: Terms(
        "normalised URL", ("ingest",), partitioned_by="the registered domain of the URL"
    ),
}  # fmt: skip
"""Of every topic, what consumers read first."""


def what(topic: str) -> str:
    """Return a sentence that says what a message on a topic is."""
    model = EVENT_OF.get(topic)
    return " ".join(str(model.__doc__).split()) if model else DEAD_LETTER_WHAT


def kept(spec: TopicSpec) -> str:
    """Return in words how long a topic's messages are kept."""
    parts = ["the latest of each key (compacted)"] if spec.compacted else []
    if spec.compaction_waits_for:
        parts.append(f"every one for {COMPACTED_AFTER_DAYS} days")
    if spec.compacted:
        nulls_ms = kafka_configuration(spec)["delete.retention.ms"]
        parts.append(f"a null for {nulls_ms // DAY_MS} days")
    if spec.retention_days:
        parts.append(f"none longer than {spec.retention_days:.0f} days")
    return ", ".join(parts)


def kafka_configuration(spec: TopicSpec) -> dict[str, Any]:
    """Return the settings of a topic on Kafka that its readers may rely on, in AsyncAPI's types."""
    config = {name: value for name, value in wanted(spec, KafkaSettings()).items() if name in RELIED_ON}
    policies = config.pop("cleanup.policy").split(",")
    return {"cleanup.policy": policies, **{name: int(value) for name, value in config.items()}}
