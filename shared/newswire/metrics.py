"""All metrics, declared in one place; whatever happens is counted where it happens.

Labels come from small closed sets: never an address, an id or a text.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from newswire.events import Outcome, OutcomeKind, PollResult, Reason
from newswire.log.port import Message

REGISTRY: Final = CollectorRegistry()
OTHER = "other"  # a value of an open enum that this version does not know
DONE, RETRY, DEAD_LETTER = "done", "retry", "dead_letter"
SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)

MESSAGES = Counter(
    "newswire_messages", "Messages by how they ended: done, retry, dead_letter", ["group", "end"],
    registry=REGISTRY,
)  # fmt: skip
BATCH_SECONDS = Histogram(
    "newswire_batch_seconds", "What a batch took, its commit included", ["group"],
    buckets=SECONDS, registry=REGISTRY,
)  # fmt: skip
LAG = Gauge(
    "newswire_lag_messages", "Messages not yet dealt with by the whole group, whoever owns them",
    ["group", "topic"], registry=REGISTRY,
)  # fmt: skip
PARTITIONS = Gauge(
    "newswire_partitions", "Partition numbers that this process works on", ["group"], registry=REGISTRY
)
STUCK = Gauge(
    "newswire_stuck_partitions", "Partition numbers of this process that do not move", ["group"],
    registry=REGISTRY,
)  # fmt: skip
OUTAGE = Gauge(
    "newswire_outage", "1 while partitions of this process wait for a dependency", ["group"],
    registry=REGISTRY,
)  # fmt: skip
OUTAGE_SECONDS = Counter(
    "newswire_outage_seconds", "Time spent waiting for dependencies", ["group"], registry=REGISTRY
)
READY = Gauge("newswire_ready", "1 if /readyz says so, else 0", registry=REGISTRY)
OUTCOMES = Counter(
    "newswire_outcomes", "Ends of entries, by kind and reason", ["kind", "reason"], registry=REGISTRY
)
FEEDS_POLLED = Counter(
    "newswire_feeds_polled", "Polls of feeds, by what they met", ["result"], registry=REGISTRY
)
FETCHES = Counter(
    "newswire_fetches", "Fetches of pages: fetched, not-modified, moved-on, or why not", ["reason"],
    registry=REGISTRY,
)  # fmt: skip
EXTRACTED = Counter("newswire_articles_extracted", "Articles extracted from pages", registry=REGISTRY)
ENRICH_SECONDS = Histogram(
    "newswire_enrich_seconds", "What enriching an article took, the wait for a child process included",
    buckets=SECONDS, registry=REGISTRY,
)  # fmt: skip
VERDICTS = Counter(
    "newswire_store_verdicts", "What the store said of articles: stored, older, expired, withdrawn, rejected",
    ["verdict"], registry=REGISTRY,
)  # fmt: skip
BULK_SECONDS = Histogram(
    "newswire_bulk_seconds", "What a write to the store took", ["group"], buckets=SECONDS, registry=REGISTRY
)
BULK_RETRIES = Counter(
    "newswire_bulk_retries", "Writes to the store that failed as a whole and come again", ["group"],
    registry=REGISTRY,
)  # fmt: skip
OPERATIONS_REJECTED = Counter(
    "newswire_operations_rejected", "Documents for the dashboards that the store refused", ["index"],
    registry=REGISTRY,
)  # fmt: skip
ProcessCollector(registry=REGISTRY)

_REASONS = frozenset(Reason)
_KINDS = frozenset(OutcomeKind)
_RESULTS = frozenset(PollResult)


def count_ends(group: str, end: str, messages: int) -> None:
    """Count messages that ended alike."""
    if messages:
        MESSAGES.labels(group, end).inc(messages)


def count_outcomes(messages: Sequence[Message]) -> None:
    """Count the outcomes among messages that were published."""
    for message in messages:
        if message.topic == Outcome.topic and message.value is not None:
            said: dict[str, Any] = json.loads(message.value)
            OUTCOMES.labels(known(said.get("kind"), _KINDS), known(said.get("reason"), _REASONS)).inc()


def count_poll(result: str) -> None:
    """Count a poll of a feed."""
    FEEDS_POLLED.labels(known(result, _RESULTS)).inc()


def known(value: object, values: Collection[object]) -> str:
    """Return a value of an open enum if this version knows it: labels stay few."""
    return str(value) if value in values else OTHER


def described() -> list[tuple[str, str, tuple[str, ...], str]]:
    """Return name, type, labels and description of each metric of ours, as it is scraped."""
    found = []
    for each in [value for value in globals().values() if isinstance(value, Counter | Gauge | Histogram)]:
        family = next(iter(each.describe()))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found.append((name, family.type, each._labelnames, family.documentation))  # noqa: SLF001  nowhere else
    return sorted(found)
