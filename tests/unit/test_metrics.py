"""Metrics: few labels, each event counted once, each metric on the page."""

from pathlib import Path

import pytest

from newswire import metrics
from newswire.envelope import outcome_message
from newswire.events import Outcome, OutcomeKind, Reason
from newswire.log.port import Message
from newswire.metrics import REGISTRY, count_ends, count_outcomes, count_poll, described, known

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
LABELS = {"group", "end", "topic", "kind", "reason", "result", "verdict", "index"}


def value(name: str, **labels: str) -> float:
    """Return what a metric says now."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def ended(reason: str) -> Message:
    """Return an outcome as it is published."""
    fields = {"entry_id": "e", "feed_id": "f", "kind": OutcomeKind.DISCARDED, "reason": reason}
    return outcome_message(
        Outcome.model_validate({**fields, "stage": "ingest", "at": "2026-11-23T00:00:00Z"})
    )


def test_outcomes_are_counted_by_kind_and_reason() -> None:
    """Whatever else is published with them is not."""
    gone = {"kind": "discarded", "reason": "gone"}
    before = value("newswire_outcomes_total", **gone)
    tombstone = Message(Outcome.topic, "e", None)
    count_outcomes([ended(Reason.GONE), Message("other", "k", b"{}"), tombstone, ended(Reason.GONE)])

    assert value("newswire_outcomes_total", **gone) - before == 2


def test_reasons_of_a_later_version_share_a_label() -> None:
    """An open enum must not grow the number of series without bound."""
    other = {"kind": "discarded", "reason": "other"}
    before = value("newswire_outcomes_total", **other)
    count_outcomes([ended("moon-phase"), ended("tide")])

    assert value("newswire_outcomes_total", **other) - before == 2
    assert known("moon-phase", frozenset(Reason)) == "other"
    assert known(None, frozenset(Reason)) == "other"


def test_polls_are_counted_by_result() -> None:
    """Unknown results share a label."""
    before = (
        value("newswire_feeds_polled_total", result="new"),
        value("newswire_feeds_polled_total", result="other"),
    )
    count_poll("new")
    count_poll("eclipse")

    assert value("newswire_feeds_polled_total", result="new") - before[0] == 1
    assert value("newswire_feeds_polled_total", result="other") - before[1] == 1


def test_nothing_counted_makes_no_series() -> None:
    """A stage without dead letters shows none."""
    count_ends("nobody", metrics.DEAD_LETTER, 0)

    assert (
        REGISTRY.get_sample_value("newswire_messages_total", {"group": "nobody", "end": "dead_letter"})
        is None
    )


def test_names_and_labels_are_ours_and_few() -> None:
    """Every metric begins alike, and no label can hold an address or an id."""
    found = described()

    assert len(found) == len({name for name, *_ in found}) > 15
    assert all(name.startswith("newswire_") for name, *_ in found)
    assert {label for _, _, labels, _ in found for label in labels} <= LABELS


def test_every_metric_stands_on_the_page() -> None:
    """With its labels and a word about it."""
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name, _, _, text in described() if f"| `{name}` |" not in page or text not in page] == []
