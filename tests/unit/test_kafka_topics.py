"""How topics should be kept in Kafka, and how it is told where they are not."""

import pytest

from newswire.kafka_settings import KafkaSettings
from newswire.log import TopicSpec
from newswire.log.kafka_topics import Found, differences, wanted
from newswire.topics import TOPICS, topic_specs

pytestmark = pytest.mark.unit

DAY_MS = 86_400_000
PLAIN = KafkaSettings()


@pytest.mark.parametrize(
    ("spec", "policy", "retention"),
    [
        (TopicSpec("t"), "delete", "-1"),
        (TopicSpec("t", retention_days=30), "delete", str(30 * DAY_MS)),
        (TopicSpec("t", retention_days=0.5), "delete", str(DAY_MS // 2)),
        (TopicSpec("t", compacted=True), "compact", None),
        (TopicSpec("t", compacted=True, retention_days=30), "compact,delete", str(30 * DAY_MS)),
    ],
)
def test_what_is_cleaned_up_and_when(spec: TopicSpec, policy: str, retention: str | None) -> None:
    """For ever is said, as brokers drop after a week unasked; what is only compacted is not dropped."""
    config = wanted(spec, PLAIN)

    assert config["cleanup.policy"] == policy
    assert config.get("retention.ms") == retention


@pytest.mark.parametrize(("days", "kept"), [(None, 30), (7, 30), (400, 400)])
def test_tombstones_outlive_what_they_remove(days: float | None, kept: int) -> None:
    """Caches that were away must hear of them."""
    config = wanted(TopicSpec("t", compacted=True, retention_days=days), PLAIN)

    assert config["delete.retention.ms"] == str(kept * DAY_MS)
    assert config["segment.ms"] == str(DAY_MS)


def test_compaction_waits_where_a_consumer_needs_every_version() -> None:
    """A week."""
    waits = TopicSpec("t", compacted=True, compaction_waits_for="index")

    assert wanted(waits, PLAIN)["min.compaction.lag.ms"] == str(7 * DAY_MS)
    assert "min.compaction.lag.ms" not in wanted(TopicSpec("t", compacted=True), PLAIN)


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        (PLAIN, "min.insync.replicas", None),
        (PLAIN, "max.message.bytes", None),
        (KafkaSettings(min_insync_replicas=2), "min.insync.replicas", "2"),
        (KafkaSettings(max_message_bytes=500_000), "max.message.bytes", None),
        (KafkaSettings(max_message_bytes=5_000_000), "max.message.bytes", "5050000"),
    ],
)
def test_what_is_not_set_is_left_to_the_broker(settings: KafkaSettings, name: str, value: str | None) -> None:
    """A batch is a little larger than the message in it."""
    assert wanted(TopicSpec("t"), settings).get(name) == value


def test_every_topic_is_kept_as_the_design_says() -> None:
    """Which are compacted, and how long the others are kept."""
    kept = {spec.name: wanted(spec, PLAIN) for spec in topic_specs(30, 400)}

    assert {name for name, config in kept.items() if config["cleanup.policy"] == "compact"} == {
        "newswire.feeds.v1", "newswire.feed-status.v1", "newswire.feed-seen.v1", "newswire.withdrawals.v1",
    }  # fmt: skip
    assert {name for name, config in kept.items() if config["cleanup.policy"] == "compact,delete"} == {
        "newswire.pages.v1",
        "newswire.enriched.v1",
    }
    assert kept["newswire.enriched.v1"]["retention.ms"] == str(400 * DAY_MS)
    assert kept["newswire.dead-letters.v1"]["retention.ms"] == str(30 * DAY_MS)


@pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: spec.name)
def test_a_topic_made_as_wanted_does_not_differ(spec: TopicSpec) -> None:
    """What brokers add of their own is no difference, nor the order of a list."""
    config = {**wanted(spec, PLAIN), "compression.type": "producer"}
    config["cleanup.policy"] = ", ".join(reversed(config["cleanup.policy"].split(",")))

    assert differences(spec, Found(12, 3, config), 12, PLAIN) == ()


@pytest.mark.parametrize(
    ("found", "settings", "said"),
    [
        (Found(6, 1, {}), PLAIN, "partitions: 6, should be 12"),
        (Found(12, 1, {}), KafkaSettings(replication=3), "replication: 1, should be 3"),
        (Found(12, 1, {"cleanup.policy": "compact"}), PLAIN, "cleanup.policy: compact, should be delete"),
        (Found(12, 1, {"retention.ms": "1"}), PLAIN, "retention.ms: 1, should be -1"),
        (
            Found(12, 3, {"min.insync.replicas": "1"}),
            KafkaSettings(min_insync_replicas=2),
            "min.insync.replicas: 1, should be 2",
        ),
    ],
)
def test_each_difference_is_one_phrase(found: Found, settings: KafkaSettings, said: str) -> None:
    """What is there and what should be; nothing else."""
    spec = TopicSpec("t")
    right = Found(found.partitions, found.replication, {**wanted(spec, settings), **found.config})

    assert differences(spec, right, 12, settings) == (said,)


def test_what_is_not_set_is_said() -> None:
    """A broker that is too old to know a setting."""
    said = differences(TopicSpec("t"), Found(12, 1, {"retention.ms": "-1"}), 12, PLAIN)

    assert said == ("cleanup.policy: not set, should be delete",)
