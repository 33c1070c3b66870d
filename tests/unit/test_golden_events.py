"""Events as they lie on topics since their first release: today's classes must read and write them alike.

A test that fails here says that old messages or other people's readers would break. A new optional field
is added to the full example; anything else is a new class and a new topic.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from newswire.events import (
    EVENTS,
    Entity,
    Event,
    FetchFailure,
    Mention,
    SeenEntry,
    Source,
    TopicTag,
    WaitingEntry,
)
from newswire.schemas import FOLDER, schema_files

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden"
ROOT = Path(__file__).parents[2]
PARTS = (SeenEntry, WaitingEntry, FetchFailure, Mention, Entity, TopicTag, Source)
every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)


def golden(event: type[Event]) -> dict[str, dict[str, Any]]:
    """Return the examples of an event by their names."""
    examples: dict[str, dict[str, Any]] = json.loads((GOLDEN / f"{event.topic}.json").read_bytes())
    return examples


def as_bytes(value: dict[str, Any]) -> bytes:
    """Return an example as it lies on a topic."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def objects(value: Any) -> list[dict[str, Any]]:
    """Return all JSON objects in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [found for each in inner for found in objects(each)]


@every_event
def test_a_full_event_is_read_and_written_byte_by_byte(event: type[Event]) -> None:
    """No field, name, order or format has changed."""
    written = as_bytes(golden(event)["full"])

    assert event.from_bytes(written).to_bytes() == written


@every_event
def test_the_full_example_is_full(event: type[Event]) -> None:
    """A new field must enter the example, or its removal would go unnoticed later."""
    assert golden(event)["full"].keys() == event.model_fields.keys()


def test_the_full_examples_fill_every_part() -> None:
    """The same for the values inside events."""
    found = [each.keys() for event in EVENTS for each in objects(golden(event)["full"])]

    assert [part.__name__ for part in PARTS if part.model_fields.keys() not in found] == []


@every_event
def test_a_minimal_event_means_what_it_meant(event: type[Event]) -> None:
    """No field has become required, and no default has changed."""
    examples = golden(event)
    read = event.from_bytes(as_bytes(examples["minimal"]))

    assert read.to_bytes() == as_bytes(examples["minimal_as_written"])
    assert event.from_bytes(read.to_bytes()) == read


@every_event
def test_the_minimal_example_is_minimal(event: type[Event]) -> None:
    """Each of its fields is needed."""
    minimal = golden(event)["minimal"]
    for name in minimal:
        with pytest.raises(ValidationError):
            event.from_bytes(as_bytes({key: value for key, value in minimal.items() if key != name}))


@every_event
def test_unknown_fields_are_ignored(event: type[Event]) -> None:
    """A reader survives what a later writer adds, inside the event's parts too."""
    example = golden(event)["full"]
    known = event.from_bytes(as_bytes(example))
    for each in objects(example):
        if not {"near", "label", "score"} >= each.keys() - {"id"}:  # free-form values of reserved fields
            each["added_later"] = {"n": 1}

    assert event.from_bytes(as_bytes(example)) == known


@every_event
@pytest.mark.parametrize("name", ["full", "minimal", "minimal_as_written"])
def test_examples_satisfy_the_published_schema(event: type[Event], name: str) -> None:
    """Whoever validates against the file accepts what we write, also with a field that it does not know."""
    schema = json.loads((FOLDER / f"{event.topic}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    example = golden(event)[name]

    validator.validate(example)
    validator.validate({**example, "added_later": 1})


@every_event
def test_the_schema_refuses_what_the_class_refuses(event: type[Event]) -> None:
    """Without a required field both say no."""
    validator = Draft202012Validator(json.loads(schema_files()[f"{event.topic}.json"]))
    minimal = golden(event)["minimal"]

    assert [
        name
        for name in minimal
        if validator.is_valid({key: value for key, value in minimal.items() if key != name})
    ] == []


def test_the_checked_in_schemas_are_those_of_the_classes() -> None:
    """A changed class comes with its changed schema: ``python -m newswire.schemas`` writes them."""
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("newswire.*.json")}

    assert found == schema_files(), "run: python -m newswire.schemas"


def test_a_schema_names_itself() -> None:
    """Each says which dialect it is in, what it is of, and a unique id."""
    schemas = [json.loads(text) for text in schema_files().values()]

    assert {schema["title"] for schema in schemas} == {event.topic for event in EVENTS}
    assert len({schema["$id"] for schema in schemas}) == len(EVENTS)
    assert {schema["$schema"] for schema in schemas} == {"https://json-schema.org/draft/2020-12/schema"}
