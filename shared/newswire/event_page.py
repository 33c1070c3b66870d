"""The reference page of events: every topic with its key, headers and fields, made from the models.

Needs a checkout: the examples are the golden events of the tests.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from newswire.asyncapi import example
from newswire.contract import TERMS, kept, what
from newswire.headers import SCHEMAS, schema_name
from newswire.schemas import ASYNCAPI, schema_of
from newswire.topics import EVENT_OF, TOPICS

SHOWN_CHARACTERS = 60  # of a long text in an example
TITLES = {
    "eventHeaders": "Headers of every event",
    "removalHeaders": "Headers of a null that withdraws an article",
    "nullHeaders": "Headers of any other null",
    "deadLetterHeaders": "Headers of a dead letter",
    "markHeaders": "Headers of a null that deals with a dead letter",
}
INTRODUCTION = f"""\
What lies on each topic, the ones made for consumers first.
[How to subscribe](../how-to/subscribe.md) says how to read them.
Values are JSON in UTF-8, headers are text.
Every topic is partitioned by murmur2, as Kafka's own clients do.
Where NEWSWIRE_PREFIX is set, the prefix stands before every topic.
How long something is kept is what it is by default; an installation may say otherwise.
For programs [shared/schemas](../../shared/schemas) has a JSON Schema of each event and an AsyncAPI document,
`{ASYNCAPI}`.
In the tables, brackets hold what a missing field means, and "or another" says that more values may come."""


def events_page(made: str) -> str:
    """Return the page; ``made`` is the line that says what made it."""
    lines = ["# Events", "", made, "", INTRODUCTION]
    for topic in TERMS:
        lines += ["", f"## {topic}", "", what(topic), "", *_terms(topic), *_value(topic)]
    for name, title in TITLES.items():
        lines += ["", f"## {title}", "", *_table(SCHEMAS[name](), {})]
    return "\n".join(lines) + "\n"


def _terms(topic: str) -> Iterator[str]:
    terms, spec = TERMS[topic], next(spec for spec in TOPICS if spec.name == topic)
    partitioned = f" Partitioned by {terms.partitioned_by}." if terms.partitioned_by else ""
    yield f"- Key: {terms.key}.{partitioned}"
    yield f"- Kept: {kept(spec)}."
    yield f"- Written by: {', '.join(terms.written_by)}."
    yield f"- Headers: {_link(TITLES[schema_name(topic)])}."
    if terms.removal:
        yield f"- Null: {terms.removal} {_link(TITLES[schema_name(topic, null=True)])}."


def _link(title: str) -> str:
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _value(topic: str) -> Iterator[str]:
    model = EVENT_OF.get(topic)
    if model is None:
        yield "- Value: the original's, byte by byte, so it may be anything."
        return
    schema = schema_of(model)
    parts = schema.get("$defs", {})
    yield f"- Value: [JSON Schema](../../shared/schemas/{topic}.json)."
    yield from ("", *_table(schema, parts))
    for name, part in _parts(schema):
        yield from ("", f"**{name}**: {part['description']}", "", *_table(part, parts))
    shown = json.dumps(_short(example(topic, "full")), indent=2, ensure_ascii=False)
    yield from ("", "```json", shown, "```")


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, part) for name, part in schema.get("$defs", {}).items() if part.get("type") == "object")


def _table(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    if not schema["properties"]:
        yield "None."
        return
    yield from ("| field | type | required | what it is |", "|---|---|---|---|")
    for name, field in schema["properties"].items():
        required = "yes" if name in schema.get("required", ()) else f"no{_default(field)}"
        yield _row(f"`{name}`", in_words(field, parts), required, field.get("description", ""))


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return (
        ""
        if default is None
        else " (empty)"
        if default == []
        else f" (`{default if isinstance(default, str) else json.dumps(default)}`)"
    )


def in_words(field: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """Return the type of a field in plain words."""
    if "$ref" in field:
        name = field["$ref"].removeprefix("#/$defs/")
        part = parts[name]
        return name if part.get("type") == "object" else in_words(part, parts)
    if "anyOf" in field:
        return _one_of([each for each in field["anyOf"] if each.get("type") != "null"], parts)
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {in_words(field['items'], parts)}"
    return _plain(field)


def _one_of(choices: list[Mapping[str, Any]], parts: Mapping[str, Any]) -> str:
    words = list(dict.fromkeys(in_words(each, parts) for each in choices))
    return " or ".join("another" if word == "text" and len(words) > 1 else word for word in words)


def _plain(field: Mapping[str, Any]) -> str:
    formats = {"date-time": "date and time", "date": "date"}
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    word = formats.get(field.get("format", "")) or names.get(field.get("type", ""), "anything")
    bounds = [
        (field.get("exclusiveMinimum"), "above"),
        (field.get("minimum"), "from"),
        (field.get("maximum"), "to"),
    ]
    return " ".join([word, *(f"{name} {value}" for value, name in bounds if value is not None)])


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value[:1]]
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS and "://" not in value:
        return value[:SHOWN_CHARACTERS].rstrip() + " …"
    return value


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
