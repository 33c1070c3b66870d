"""The check of schemas: every kind of change that somebody would not survive is found, and no other."""

import copy
from typing import Any

import pytest

from newswire.compatibility import breaks, reserved_fields
from newswire.events import EVENTS, Event
from newswire.schemas import schema_of

pytestmark = pytest.mark.unit

OLD: dict[str, Any] = {
    "$id": "urn:example",
    "type": "object",
    "title": "example",
    "$defs": {
        "Kind": {"type": "string", "enum": ["a", "b"], "title": "Kind"},
        "Anything": {},
        "Part": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    },
    "properties": {
        "id": {"type": "string", "description": "The id"},
        "size": {"type": "integer", "minimum": 1, "default": 1},
        "kind": {"$ref": "#/$defs/Kind"},
        "mood": {"anyOf": [{"$ref": "#/$defs/Kind"}, {"type": "string"}], "default": "a"},
        "only": {"const": "x", "type": "string"},
        "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}], "default": None},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "default": []},
        "later": {"default": None, "title": "Later", "description": "Reserved"},
        "much_later": {"$ref": "#/$defs/Anything", "default": None},
    },
    "required": ["id", "kind"],
}
Path = tuple[str | int, ...]
REMOVE = object()


def changed(path: Path, value: Any) -> dict[str, Any]:
    """Return the schema with another value at a path."""
    new = copy.deepcopy(OLD)
    inner: Any = new
    for step in path[:-1]:
        inner = inner[step]
    if value is REMOVE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return new


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("properties", "size"), REMOVE, "$.size: was removed"),
        (("properties",), REMOVE, "$: properties was"),
        (("properties", "size", "type"), "string", "$.size: type was integer, is string"),
        (("properties", "size", "type"), "number", "$.size: type was integer, is number"),
        (("properties", "size", "type"), REMOVE, "$.size: type was integer, is nothing"),
        (("properties", "size", "minimum"), 2, "$.size: minimum was 1, is 2"),
        (("properties", "size", "minimum"), REMOVE, "$.size: minimum was 1, is nothing"),
        (("properties", "size", "maximum"), 9, "$.size: maximum was nothing, is 9"),
        (("properties", "size", "default"), 2, "$.size: default was 1, is 2"),
        (("properties", "id", "pattern"), "^[0-9]+$", "$.id: pattern was nothing"),
        (("required",), ["id", "kind", "size"], "$.size: became required"),
        (("required",), ["id"], "$.kind: became optional"),
        (("required",), REMOVE, "$.id: became optional"),
        (("$defs", "Kind", "enum"), ["a"], "$.kind: the value 'b' was removed"),
        (("$defs", "Kind", "enum"), ["a", "b", "c"], "$.kind: the value 'c' was added to a closed enum"),
        (("$defs", "Kind", "enum"), REMOVE, "$.kind: enum was ['a', 'b'], is nothing"),
        (("properties", "mood"), {"$ref": "#/$defs/Kind", "default": "a"}, "$.mood: anyOf was"),
        (("properties", "mood", "anyOf", 1, "maxLength"), 9, "$.mood: maxLength was nothing, is 9"),
        (("properties", "kind"), {"anyOf": [{"$ref": "#/$defs/Kind"}, {"type": "string"}]}, "$.kind: anyOf"),
        (("properties", "only", "const"), "y", "$.only: the value 'x' was removed"),
        (("properties", "only"), {"enum": ["x", "y"], "type": "string"}, "$.only: the value 'y' was added"),
        (("properties", "at", "anyOf"), [{"type": "string", "format": "date-time"}], "$.at: anyOf was"),
        (("properties", "at", "anyOf", 0, "format"), "date", "$.at: format was date-time, is date"),
        (("properties", "parts", "items"), REMOVE, "$.parts: items was"),
        (("properties", "parts", "maxItems"), 5, "$.parts: maxItems was nothing, is 5"),
        (("$defs", "Part", "properties", "n"), {"type": "string"}, "$.parts[].n: type was integer"),
        (("$defs", "Part", "required"), [], "$.parts[].n: became optional"),
        (("properties", "later"), REMOVE, "$.later: was removed"),
        (("additionalProperties",), False, "$: additionalProperties was nothing, is False"),
        (("type",), "array", "$: type was object, is array"),
    ],
)
def test_a_break_is_found_and_says_where(path: Path, value: Any, said: str) -> None:
    """Old messages must be read by new readers, new messages by old ones."""
    found = breaks(OLD, changed(path, value))

    assert any(each.startswith(said) for each in found), found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("title",), "another"),
        (("$id",), "urn:another"),
        (("properties", "id", "description"), "Another word for it"),
        (("properties", "new"), {"type": "string", "default": ""}),
        (("$defs", "Part", "properties", "new"), {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (("properties", "mood", "anyOf", 0), {"enum": ["a", "b", "c"], "type": "string"}),
        (("properties", "only"), {"enum": ["x"], "type": "string"}),
        (("properties", "parts", "items"), OLD["$defs"]["Part"]),
        (("properties", "later"), {"type": "array", "items": {"type": "string"}, "default": []}),
        (("properties", "much_later"), {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}),
    ],
)
def test_what_nobody_notices_may_change(path: Path, value: Any) -> None:
    """Words, optional fields, values of open enums, the way a part is referred to, reserved fields."""
    assert breaks(OLD, changed(path, value)) == []


def test_a_new_field_that_must_be_there_is_a_break() -> None:
    """Old messages do not have it."""
    new = changed(("properties", "new"), {"type": "string"})
    new["required"] = [*OLD["required"], "new"]

    assert breaks(OLD, new) == ["$.new: became required"]


def test_a_value_added_to_an_enum_that_is_open_in_one_place_only_is_found_in_the_other() -> None:
    """The same enum may be open in one field and closed in another."""
    found = breaks(OLD, changed(("$defs", "Kind", "enum"), ["a", "b", "c"]))

    assert found == ["$.kind: the value 'c' was added to a closed enum"]


def test_a_value_removed_from_an_open_enum_is_a_break() -> None:
    """Old messages hold it, and it meant something."""
    found = breaks(OLD, changed(("properties", "mood", "anyOf", 0), {"enum": ["b"], "type": "string"}))

    assert found == ["$.mood: the value 'a' was removed"]


def test_all_breaks_are_told_at_once() -> None:
    """Whoever repairs them need not ask again and again."""
    new = changed(("properties", "size"), REMOVE)
    new["properties"]["id"] = {"type": "integer"}

    assert len(breaks(OLD, new)) == 2


def test_fields_that_allow_anything_are_reserved() -> None:
    """They may be given a type later."""
    assert reserved_fields(OLD) == {"later", "much_later"}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)
def test_our_schemas_are_compatible_with_themselves_and_no_field_may_go(event: type[Event]) -> None:
    """The check reads all that our own schemas are made of."""
    schema = schema_of(event)

    assert breaks(schema, schema) == []
    for name in schema["properties"]:
        new = copy.deepcopy(schema)
        del new["properties"][name]

        assert f"$.{name}: was removed" in breaks(schema, new)
