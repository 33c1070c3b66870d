"""What the enrich service's child processes answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newswire.events import Entity, TopicTag
from newswire_enrich.child import LINE_LIMIT, document_handler, line_handler

pytestmark = pytest.mark.unit

CONFIG = {"topics": str(Path(__file__).parents[2] / "deploy" / "topics.yaml")}
ITEM = {
    "id": "a1",
    "title": "Truce holds",
    "text": "The ceasefire in Sudan held, NATO said in Brussels on Monday.",
}
Handle = Callable[[bytes], dict[str, Any]]


@pytest.fixture(scope="module")
def handle() -> Handle:
    """Return the filter's function, loaded once."""
    return line_handler(CONFIG)


def test_a_document_becomes_plain_values_that_events_can_hold() -> None:
    """The answer survives JSON and reads as the events' own models."""
    answer = json.loads(json.dumps(document_handler(CONFIG)({**ITEM, "language": "en"})))

    assert answer["language"] == "en"
    assert {Entity.model_validate(e).name for e in answer["entities"]} == {"Sudan", "NATO", "Brussels"}
    assert [TopicTag.model_validate(t).id for t in answer["topics"]] == ["ceasefire"]


def test_a_line_becomes_a_row_with_the_promised_keys(handle: Handle) -> None:
    """Id, language, entities and topics have exactly the keys of the filter's description."""
    row = handle(json.dumps(ITEM).encode())

    assert set(row) == {"id", "language", "entities", "topics"}
    assert row["id"] == "a1"
    assert all(set(e) == {"name", "type", "wikidata", "salience", "mentions", "by"} for e in row["entities"])
    assert all(set(t) == {"id", "score", "by", "evidence"} for t in row["topics"])
    for mention in (m for e in row["entities"] for m in e["mentions"]):
        assert ITEM[mention["field"]][mention["start"] : mention["end"]] == mention["text"]


@pytest.mark.parametrize(
    ("line", "identifier", "code"),
    [
        (b"{", None, "not-json"),
        (b"[1]", None, "not-json"),
        (b"\xff", None, "not-json"),
        (b"[" * 100_000, None, "not-json"),
        (b'{"id": 1, "title": "x"}', 1, "missing-field"),
        (b'{"title": "x", "text": "y"}', None, "missing-field"),
        (b'{"id": 2, "title": null, "text": "y"}', 2, "missing-field"),
        (b" " * (LINE_LIMIT + 1), None, "too-large"),
    ],
)
def test_a_bad_line_is_answered_and_never_raises(
    handle: Handle, line: bytes, identifier: object, code: str
) -> None:
    """The row carries the id where there is one, a code and a message."""
    row = handle(line)

    assert row["id"] == identifier
    assert row["error"]["code"] == code
    assert row["error"]["message"]


def test_lone_surrogates_and_odd_languages_are_survived(handle: Handle) -> None:
    """JSON can hold what UTF-8 cannot; a language that is no string counts as none."""
    row = handle(b'{"id": 1, "title": "\\ud800 Kyiv", "text": "\\udfff NATO met.", "language": 5}')

    assert "error" not in row
