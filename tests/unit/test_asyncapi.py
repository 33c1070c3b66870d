"""The AsyncAPI document says what our code does; that it is valid is tested against the official schema."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from newswire import asyncapi, contract
from newswire.envelope import FIRST_SEEN, VERSION, dead_letter, message, tombstone
from newswire.events import DEAD_LETTERS, EVENTS, Enriched, Event, Outcome, Reason
from newswire.headers import REPLAYED, SCHEMAS, mark_headers, schema_name
from newswire.letters import How, Letter
from newswire.log.port import Record
from newswire.schemas import ASYNCAPI, FOLDER, contract_files
from newswire.sending_back import mark
from newswire.settings import Settings
from newswire.topics import TOPICS

pytestmark = pytest.mark.unit

every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The checked-in document."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / ASYNCAPI).read_text(encoding="utf-8"))
    return found


def resolved(document: dict[str, Any], reference: str) -> Any:
    """Return what a reference inside the document points at."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(value: Any) -> list[str]:
    """Return all references in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value["$ref"]] if isinstance(value, dict) and isinstance(value.get("$ref"), str) else []
    return own + [found for each in inner for found in references(each)]


def violations(topic: str, headers: Any, *, null: bool = False) -> list[str]:
    """Return what is wrong with headers by the document's schema."""
    validator = Draft202012Validator(SCHEMAS[schema_name(topic, null=null)]())
    return [error.message for error in validator.iter_errors(dict(headers))]


def test_the_checked_in_document_is_that_of_the_code() -> None:
    """A changed event, topic or header comes with its changed document."""
    written = (FOLDER / ASYNCAPI).read_text(encoding="utf-8")

    assert written == contract_files()[ASYNCAPI], "run: python -m newswire.schemas"


def test_every_topic_has_a_channel(document: dict[str, Any]) -> None:
    """Dead letters and withdrawals too; the first is the one that consumers come for."""
    addresses = [channel["address"] for channel in document["channels"].values()]

    assert sorted(addresses) == sorted(spec.name for spec in TOPICS)
    assert addresses[0] == Enriched.topic
    assert next(iter(document["operations"])) == "consumers.enriched.v1"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """Inside the document, or to a JSON Schema beside it."""
    found = references(document)
    files = {reference for reference in found if reference.startswith("./")}

    assert all(resolved(document, reference) for reference in found if reference.startswith("#/"))
    assert files == {f"./{event.topic}.json" for event in EVENTS}
    assert all((FOLDER / reference).is_file() for reference in files)


def test_a_channel_says_how_its_topic_is_kept(document: dict[str, Any]) -> None:
    """In words and as Kafka's settings: what is compacted loses old versions, what expires is gone."""
    kept = document["channels"]["enriched.v1"]
    settings = kept["bindings"]["kafka"]["topicConfiguration"]

    assert settings == {
        "cleanup.policy": ["compact", "delete"],
        "retention.ms": 400 * 86_400_000,
        "delete.retention.ms": 400 * 86_400_000,
        "min.compaction.lag.ms": 7 * 86_400_000,
    }
    assert "every one for 7 days, a null for 400 days, none longer than 400 days" in kept["description"]
    assert document["channels"]["feeds.v1"]["bindings"]["kafka"]["topicConfiguration"] == {
        "cleanup.policy": ["compact"], "delete.retention.ms": 30 * 86_400_000,
    }  # fmt: skip


def test_the_partition_count_is_the_default_of_the_setting(document: dict[str, Any]) -> None:
    """The document describes an installation that changed nothing."""
    counts = {channel["bindings"]["kafka"]["partitions"] for channel in document["channels"].values()}

    assert counts == {contract.PARTITIONS} == {Settings().partitions}


def test_nulls_are_messages_where_they_are_written(document: dict[str, Any]) -> None:
    """A consumer that does not expect one would fall over the first withdrawal."""
    nullable = {name.removesuffix(".null") for name in document["components"]["messages"] if "null" in name}

    assert nullable == {
        "enriched.v1",
        "withdrawals.v1",
        "feeds.v1",
        "feed-status.v1",
        "feed-seen.v1",
        "dead-letters.v1",
    }
    assert document["components"]["messages"]["enriched.v1.null"]["payload"] == {"type": "null"}


@every_event
def test_examples_are_valid(event: type[Event], document: dict[str, Any]) -> None:
    """Payloads by the JSON Schema, headers by the document's own."""
    each = document["components"]["messages"][asyncapi.channel_id(event.topic)]
    payloads = Draft202012Validator(json.loads((FOLDER / each["payload"]["$ref"]).read_bytes()))

    for example in each["examples"]:
        payloads.validate(example["payload"])

        assert violations(event.topic, example["headers"]) == []


@every_event
def test_what_we_publish_has_the_headers_of_the_document(event: type[Event]) -> None:
    """All that it promises, and none that it does not name."""
    value = event.from_bytes(json.dumps(asyncapi.example(event.topic, "full")).encode())
    sent = message(value, "k", source="enrich", entry_id="e", feed_id="f")

    assert violations(event.topic, sent.headers) == []
    assert set(sent.headers) == set(SCHEMAS[schema_name(event.topic)]()["properties"]) - REPLAYED.keys()


def test_a_withdrawn_article_has_the_headers_of_the_document() -> None:
    """A null without a version could not be told from an older one."""
    whole = tombstone(Enriched.topic, "a", {VERSION: "1", FIRST_SEEN: "2026-11-24T00:00:00+00:00"})

    assert violations(Enriched.topic, whole.headers, null=True) == []
    assert violations(Enriched.topic, tombstone(Enriched.topic, "a").headers, null=True) != []
    assert violations("newswire.feeds.v1", tombstone("newswire.feeds.v1", "f").headers, null=True) == []


def test_a_dead_letter_has_the_headers_of_the_document() -> None:
    """The original's and ours."""
    value = Outcome.from_bytes(json.dumps(asyncapi.example(Outcome.topic, "full")).encode())
    original = message(value, "k", source="index", entry_id="e", feed_id="f")
    record = Record(original.topic, 3, 7, "k", b"x", {**original.headers, VERSION: "1", FIRST_SEEN: "t"}, 0)
    letter = dead_letter(record, "index", Reason.UNREADABLE, "no JSON", 3)[0]

    assert violations(DEAD_LETTERS, letter.headers) == []
    described = set(SCHEMAS[schema_name(DEAD_LETTERS)]()["properties"])

    assert set(letter.headers) == described - {"dl_pointer", "replay", "replay_version"}
    assert violations(DEAD_LETTERS, original.headers) != []


@pytest.mark.parametrize(("how", "end"), [(How.DROPPED, None), (How.REPLAYED, 7)])
def test_a_mark_on_a_dead_letter_has_the_headers_of_the_document(how: How, end: int | None) -> None:
    """Sent back or dropped: a null that says so."""
    value = Outcome.from_bytes(json.dumps(asyncapi.example(Outcome.topic, "full")).encode())
    original = message(value, "k", source="index", entry_id="e", feed_id="f")
    record = Record(original.topic, 3, 7, "k", original.value, original.headers, 0)
    letter = dead_letter(record, "index", Reason.UNREADABLE, "no JSON", 3)[0]
    lying = Record(DEAD_LETTERS, 1, 2, "k", letter.value, letter.headers, 0)
    marked = mark(Letter(lying), how, "desk", end)

    assert marked.value is None
    assert violations(DEAD_LETTERS, marked.headers, null=True) == []
    assert set(marked.headers) <= set(mark_headers()["properties"])
