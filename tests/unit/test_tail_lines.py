"""How tail shows records."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from unit.scenes import article, enriched, entry, feed, outcome, page, sighting, status

from newswire.events import DEAD_LETTERS, EVENTS, Enriched, Event, Feed
from newswire.log import Record
from newswire.tail_lines import SHOWN, json_of, lines

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden"
AT_MS = 1_795_370_702_250  # 2026-11-22T18:05:02.250Z


def record(topic: str, value: bytes | None, **headers: str) -> Record:
    """Return a record."""
    return Record(topic, 3, 7, "the-key", value, headers, AT_MS)


def row(record: Record) -> Any:
    """Return what the line of JSON says; constants that are no JSON are refused."""
    return json.loads(json_of(record), parse_constant=pytest.fail)


def shown(event: Event) -> list[str]:
    """Return the lines for an event."""
    return [line.plain for line in lines(record(type(event).topic, event.to_bytes()))]


def test_an_article_takes_two_lines() -> None:
    """When, title; who, language, topics, entities by salience, address."""
    entities = [
        {"name": "Kyiv", "type": "place", "salience": 0.2},
        {"name": "NATO", "type": "organisation", "salience": 0.9},
    ]
    event = enriched(title="Talks", outlet="The Courier", entities=entities)

    assert shown(event) == [
        "2026-11-22 18:05:02  Talks",
        f"  The Courier · en · #nato-bid · NATO, Kyiv · {event.canonical_url}",
    ]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (article(outlet="The Courier"), ["Talks [in] Berlin", "The Courier", "courier.example"]),
        (entry(title="A headline", trigger="recheck-1"), ["A headline", "recheck-1", "courier.example"]),
        (entry(), ["https://courier.example"]),
        (outcome("e9", "discarded", "too-large", message="9 MB"), ["discarded: too-large", "e9", "9 MB"]),
        (feed(enabled=False), ["courier.example/feeds", "not enabled"]),
        (status(entries=9, new_entries=2), ["polled: new", "2 of 9 entries new"]),
        (page(entry(), article_id="a1"), ["courier.example", "a1", "1 waiting"]),
        (sighting(), ["courier.example", "feed g"]),
    ],
)
def test_each_event_says_what_matters(event: Event, said: list[str]) -> None:
    """In two lines at most."""
    found = shown(event)

    assert len(found) <= 2
    assert [part for part in said if part not in " ".join(found)] == []


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_can_be_shown(event: type[Event]) -> None:
    """The golden one of each class, and none is forgotten."""
    golden = json.loads((GOLDEN / f"{event.topic}.json").read_text(encoding="utf-8"))
    value = json.dumps(golden["full"]).encode()

    assert 1 <= len(lines(record(event.topic, value))) <= 2
    assert set(SHOWN) == set(EVENTS)


def test_a_null_says_what_it_does() -> None:
    """An article is withdrawn, another key removed."""
    found = [[line.plain.strip() for line in lines(record(t, None))] for t in (Enriched.topic, Feed.topic)]

    assert [(head.rpartition(" ")[2], below) for head, below in found] == [
        ("withdrawn", "the-key"),
        ("removed", "the-key"),
    ]


def test_what_cannot_be_read_is_shown_as_such() -> None:
    """With what is wrong."""
    head, below = [line.plain for line in lines(record(Feed.topic, b'{"feed_id": "f"}'))]

    assert head.endswith("not readable")
    assert "the-key · url: Field required" in below


def test_a_dead_letter_is_told_from_its_headers() -> None:
    """Its bytes may be anything."""
    letter = record(DEAD_LETTERS, b"\xff", dl_stage="enrich", dl_reason="unreadable", dl_error="bad\x1b[0m")
    head, below = [line.plain for line in lines(letter)]

    assert head.endswith("dead letter of enrich: unreadable")
    assert below.endswith("bad�[0m")


def test_nothing_in_an_article_reaches_the_terminal_as_a_command() -> None:
    """Neither in the title nor in a name."""
    hostile = "x\x1b]0;owned\x07\x9b2J\nsecond line\u202e"
    entity = {"name": hostile, "type": "person", "salience": 1}
    found = shown(enriched(title=hostile, outlet=hostile, entities=[entity], language=hostile))

    assert len(found) == 2
    assert all(character.isprintable() for line in found for character in line)


def test_a_row_has_all_of_a_record() -> None:
    """As JSON; the value is the event, not a string with JSON in it."""
    event = outcome()
    found = row(record("newswire.outcomes.v1", event.to_bytes(), ce_id="1"))

    assert found == {
        "topic": "newswire.outcomes.v1",
        "partition": 3,
        "offset": 7,
        "key": "the-key",
        "timestamp": "2026-11-22T18:05:02.250+00:00",
        "headers": {"ce_id": "1"},
        "value": json.loads(event.to_bytes()),
    }


@pytest.mark.parametrize(
    "value", [b"{", b"\xff\xfe\x00", b"", b"NaN", b'{"x": 1e999}', b"[" * 100_000, b'"\xed\xa0\x80"']
)
def test_bytes_that_are_no_json_stand_in_base64(value: bytes) -> None:
    """Nothing is lost, and the row stays JSON that everybody reads."""
    found = row(record(DEAD_LETTERS, value))

    assert found["value"] is None
    assert base64.b64decode(found["bytes"]) == value


def test_no_depth_of_brackets_is_too_much() -> None:
    """What can just be read cannot always be written again."""
    for depth in range(900, 1000):
        value = b"[" * depth + b"]" * depth
        line = json_of(record(DEAD_LETTERS, value))

        assert ("bytes" in line) != ("[[[" in line)


def test_a_null_is_null_and_has_no_bytes() -> None:
    """So it can be told from bytes that are no JSON."""
    found = row(record(Enriched.topic, None))

    assert found["value"] is None
    assert "bytes" not in found


def test_what_became_of_a_dead_letter_is_told_from_its_mark() -> None:
    """And a dead letter of a removal is no removal, though neither has a value."""
    mark = {"dl_handled": "3-1042", "dl_how": "dropped", "dl_by": "desk\x1b", "dl_topic": Feed.topic}
    removal = {"dl_stage": "index", "dl_reason": "store-rejected", "dl_topic": "newswire.enriched.v1"}
    heads = [lines(record(DEAD_LETTERS, None, **headers))[0].plain for headers in (mark, removal)]

    assert heads[0].endswith("dead letter 3-1042 dropped by desk�")
    assert heads[1].endswith("dead letter of index: store-rejected")
