"""Enums of events: most may grow, and readers of today must cope with the values of tomorrow."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from newswire.events import (
    Article,
    Enriched,
    EntityType,
    Event,
    FeedStatus,
    Outcome,
    OutcomeKind,
    Page,
    PollResult,
    Reason,
)
from newswire_index.document import document_from

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden"


def example(event: type[Event]) -> dict[str, Any]:
    """Return the full example of an event."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{event.topic}.json").read_bytes())["full"]
    return found


def with_value(event: type[Event], path: tuple[str | int, ...], value: str) -> bytes:
    """Return the full example with another value at a path."""
    changed = example(event)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (Outcome, ("reason",)),
        (FeedStatus, ("result",)),
        (Page, ("failure", "reason")),
        (Article, ("text_from",)),
        (Enriched, ("text_from",)),
        (Enriched, ("entities", 0, "type")),
    ],
)
def test_a_value_of_tomorrow_is_read_and_kept(event: type[Event], path: tuple[str | int, ...]) -> None:
    """An old service beside a new one loses nothing of what the new one says."""
    written = with_value(event, path, "of-tomorrow")

    assert event.from_bytes(written).to_bytes() == written


@pytest.mark.parametrize(
    ("event", "path"), [(Outcome, ("kind",)), (Enriched, ("entities", 0, "mentions", 0, "field"))]
)
def test_a_closed_enum_refuses_what_it_does_not_know(event: type[Event], path: tuple[str | int, ...]) -> None:
    """A sixth end would break the ledger's sum, offsets into an unknown field would break a highlight."""
    with pytest.raises(ValidationError):
        event.from_bytes(with_value(event, path, "of-tomorrow"))


def test_a_known_value_is_read_as_its_member() -> None:
    """Code compares with members, whatever is read."""
    outcome = Outcome.from_bytes(with_value(Outcome, ("reason",), "gone"))
    status = FeedStatus.from_bytes(with_value(FeedStatus, ("result",), "throttled"))

    assert outcome.reason is Reason.GONE
    assert outcome.kind is OutcomeKind(example(Outcome)["kind"])
    assert status.result is PollResult.THROTTLED
    assert isinstance(Enriched.from_bytes(with_value(Enriched, ("title",), "x")).entities[0].type, EntityType)


def test_a_value_of_tomorrow_goes_to_a_child_process_and_back() -> None:
    """Events are pickled on the way to children."""
    article = Article.from_bytes(with_value(Article, ("text_from",), "of-tomorrow"))

    assert pickle.loads(pickle.dumps(article)) == article  # noqa: S301  our own bytes


def test_an_entity_of_an_unknown_type_reaches_the_document() -> None:
    """The index shows what it cannot name yet."""
    event = Enriched.from_bytes(with_value(Enriched, ("entities", 0, "type"), "of-tomorrow"))

    assert "of-tomorrow" in {entity.type for entity in document_from(event).entities}
