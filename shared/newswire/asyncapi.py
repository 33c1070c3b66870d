"""The AsyncAPI 3.0 document: topics, messages and headers for tools of any language.

``python -m newswire.schemas`` writes it beside the JSON Schemas that it refers to. Making it needs a checkout
with the tools of developers: the examples are the golden events of the tests, and PyYAML is a dependency of
other distributions, not of this one.
"""

import json
from pathlib import Path
from typing import Any

from newswire.compatibility import reserved_fields
from newswire.contract import PARTITIONS, TERMS, kafka_configuration, kept, what
from newswire.events import DEAD_LETTERS
from newswire.headers import SCHEMAS, schema_name
from newswire.log.port import TopicSpec
from newswire.topics import EVENT_OF, TOPICS

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"  # of a checkout
VERSION = "1.0.0"  # of the contract: 1 as in the topics' names
BINDING = "0.5.0"  # of AsyncAPI's Kafka bindings
MADE = "# Made by `python -m newswire.schemas`: change the code, then run it.\n"
CONSUMERS = "consumers"
DESCRIPTION = """\
News articles with language, entities and topics, and what became of every entry of every feed.

Operations tagged `consumers` are what your program may do; the others say which service sends what.
Where NEWSWIRE_PREFIX is set, the prefix stands before every address, and before groups.
Partition counts and times are the defaults; an installation may have others.
Read with isolation level `read_committed`.
Delivery is at least once: of one article id the greatest version wins.
Ignore fields and headers that you do not know.
Where a schema allows any string beside an enum, more values may come.
"""


def document() -> dict[str, Any]:
    """Return the AsyncAPI document."""
    specs = {spec.name: spec for spec in TOPICS}
    ordered = [specs[topic] for topic in TERMS]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Newswire",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {channel_id(spec.name): _channel(spec) for spec in ordered},
        "operations": _operations(),
        "components": {
            "messages": {key: each for spec in ordered for key, each in _messages(spec.name).items()},
            "schemas": {name: schema() for name, schema in SCHEMAS.items()},
        },
    }


def asyncapi_text() -> str:
    """Return the document as YAML."""
    import yaml  # noqa: PLC0415  only a developer's checkout makes the document

    class Dumper(yaml.SafeDumper):
        """Shows a text of several lines as such."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    plain = json.loads(
        json.dumps(document())
    )  # without parts that stand in two places: they would be aliases
    return MADE + str(yaml.dump(plain, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110))


def channel_id(topic: str) -> str:
    """Return a topic's name in the document."""
    return topic.removeprefix("newswire.")


def _server() -> dict[str, Any]:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "The brokers of an installation.",
        "variables": {"bootstrap": {"default": "kafka:9092", "description": "Host and port of a broker"}},
    }


def _channel(spec: TopicSpec) -> dict[str, Any]:
    terms = TERMS[spec.name]
    partitioned = f"Partitioned by {terms.partitioned_by or 'the key'} (murmur2, as Kafka's own clients do)."
    binding = {
        "partitions": PARTITIONS,
        "topicConfiguration": kafka_configuration(spec),
        "bindingVersion": BINDING,
    }
    return {
        "address": spec.name,
        "title": what(spec.name),
        "description": f"Key: {terms.key}. {partitioned} Kept: {kept(spec)}. A prefix may stand before it.",
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in _messages(spec.name)},
        "bindings": {"kafka": binding},
    }


def _messages(topic: str) -> dict[str, dict[str, Any]]:
    """Return the messages of a topic by their names: what it is made for, and nulls."""
    terms, key = TERMS[topic], channel_id(topic)
    found = {key: _dead_letter() if topic == DEAD_LETTERS else _event(topic)}
    if terms.removal:
        found[f"{key}.null"] = {
            "name": f"{key}.null",
            "title": terms.removal,
            "headers": _headers(topic, null=True),
            "payload": {"type": "null"},
            "bindings": _key(terms.key),
        }
    return found


def _event(topic: str) -> dict[str, Any]:
    return {
        "name": str(getattr(EVENT_OF.get(topic), "__name__", topic)),
        "title": what(topic),
        "contentType": "application/json",
        "headers": _headers(topic),
        "payload": {"$ref": f"./{topic}.json"},
        "bindings": _key(TERMS[topic].key),
        "examples": [
            {"name": name, "headers": example_headers(topic), "payload": example(topic, name)}
            for name in ("full", "minimal_as_written")
        ],
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "DeadLetter",
        "title": what(DEAD_LETTERS),
        "contentType": "application/octet-stream",
        "headers": _headers(DEAD_LETTERS),
        "payload": {"description": "The original bytes; of a message too large for them a pointer in JSON."},
        "bindings": _key(TERMS[DEAD_LETTERS].key),
    }


def _headers(topic: str, *, null: bool = False) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema_name(topic, null=null)}"}


def _key(description: str) -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string", "description": description}, "bindingVersion": BINDING}}


def _operations() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for topic in TERMS:
        if TERMS[topic].for_consumers:
            found[f"{CONSUMERS}.{channel_id(topic)}"] = _operation(topic, "receive", CONSUMERS, "Read")
    for topic, terms in TERMS.items():
        for service in terms.written_by:
            found[f"{service}.{channel_id(topic)}"] = _operation(topic, "send", service, "Write")
    return found


def _operation(topic: str, action: str, who: str, verb: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel_id(topic)}"},
        "summary": f"{verb}: {what(topic)}",
        "tags": [{"name": who}],
    }


def example(topic: str, name: str) -> dict[str, Any]:
    """Return a golden example of a topic's event, without reserved fields, which nobody writes yet."""
    model = EVENT_OF.get(topic)
    reserved = reserved_fields(model.model_json_schema()) if model else set()
    golden: dict[str, dict[str, Any]] = json.loads((GOLDEN / f"{topic}.json").read_bytes())
    return {key: value for key, value in golden[name].items() if key not in reserved}


def example_headers(topic: str) -> dict[str, str]:
    """Return what the headers of an event look like."""
    return {
        "ce_id": "5f0c2a1b9d3e4f60718293a4b5c6d7e8",
        "ce_type": topic,
        "ce_source": f"/newswire/{TERMS[topic].written_by[0]}",
        "ce_time": "2026-11-22T18:05:04.500000+00:00",
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "traceparent": "00-7c1a5d2e9b3f4860a1b2c3d4e5f60718-9f8e7d6c5b4a3921-01",
    }
