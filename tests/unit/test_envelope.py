"""Messages around events: CloudEvents headers, traces, dead letters."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from unit.scenes import outcome

from newswire.envelope import dead_letter, message, outcome_message, tombstone, traceparent
from newswire.events import DEAD_LETTERS, Outcome, OutcomeKind, Reason
from newswire.log import Message, Record

pytestmark = pytest.mark.unit

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{SPAN}-00"


def record(**headers: str) -> Record:
    """Return a record that is no event."""
    return Record("in", 3, 17, "k", b"\xff\x00", headers, 0)


def test_an_event_carries_the_headers_of_cloudevents() -> None:
    """Binary mode: attributes in headers, the event itself as the value."""
    made = message(outcome(), "k", source="ingest")
    headers = dict(made.headers)

    assert (made.topic, made.key, made.value) == (Outcome.topic, "k", outcome().to_bytes())
    assert headers.pop("traceparent")
    assert re.fullmatch("[0-9a-f]{32}", headers.pop("ce_id"))
    assert datetime.now(UTC) - datetime.fromisoformat(headers.pop("ce_time")) < timedelta(minutes=1)
    assert headers == {
        "ce_type": Outcome.topic,
        "ce_source": "/newswire/ingest",
        "ce_specversion": "1.0",
        "content-type": "application/json",
    }


def test_every_message_has_an_id_of_its_own() -> None:
    """Even two of one event."""
    assert len({message(outcome(), "k", source="x").headers["ce_id"] for _ in range(10)}) == 10


def test_a_message_about_an_entry_names_it() -> None:
    """So its outcome can be given even if its bytes cannot be read."""
    made = message(outcome(), "k", source="x", entry_id="e", feed_id="f", partition_key="p")

    assert (made.headers["ce_entryid"], made.headers["ce_feedid"], made.partition_key) == ("e", "f", "p")
    assert "ce_entryid" not in message(outcome(), "k", source="x").headers
    assert message(outcome(), "k", source="x").partition_key is None


def test_a_trace_goes_on_from_its_cause() -> None:
    """The same trace, a new span, sampled."""
    made = traceparent({"traceparent": GIVEN})

    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", made)
    assert SPAN not in made
    caused = message(outcome(), "k", source="x", cause={"traceparent": GIVEN})
    assert caused.headers["traceparent"].split("-")[1] == TRACE


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"traceparent": ""},
        {"traceparent": "rubbish"},
        {"traceparent": GIVEN.upper()},
        {"traceparent": GIVEN + "-more"},
        {"traceparent": "01" + GIVEN[2:]},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
    ],
)
def test_without_a_valid_cause_a_trace_begins(given: dict[str, str] | None) -> None:
    """What is malformed is not passed on."""
    made = traceparent(given)

    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", made)
    assert TRACE not in made
    assert made.split("-")[1] != "0" * 32


def test_a_tombstone_has_no_value() -> None:
    """And no headers but those given."""
    assert tombstone("t", "k") == Message("t", "k", None, {}, None)
    assert tombstone("t", "k", {"version": "3"}, "p") == Message("t", "k", None, {"version": "3"}, "p")


def test_an_outcome_is_wrapped_under_its_entry() -> None:
    """Its stage is the source."""
    made = outcome_message(outcome("e"), {"traceparent": GIVEN})

    assert (made.topic, made.key) == (Outcome.topic, "e")
    assert made.headers["ce_source"] == "/newswire/index"
    assert (made.headers["ce_entryid"], made.headers["ce_feedid"]) == ("e", "f")
    assert TRACE in made.headers["traceparent"]


def test_a_dead_letter_keeps_the_bytes_and_says_why() -> None:
    """With the headers that the record had."""
    (made,) = dead_letter(record(x="y"), "enrich", Reason.CPU_LIMIT, "too slow", 2)
    headers = dict(made.headers)

    assert (made.topic, made.key, made.value) == (DEAD_LETTERS, "k", b"\xff\x00")
    assert datetime.fromisoformat(headers.pop("dl_at")).tzinfo
    assert headers == {
        "x": "y",
        "dl_stage": "enrich",
        "dl_topic": "in",
        "dl_partition": "3",
        "dl_offset": "17",
        "dl_reason": "cpu-limit",
        "dl_error": "too slow",
        "dl_attempts": "2",
    }


def test_a_dead_letter_gives_its_entry_the_outcome() -> None:
    """By the ids in its headers, in the same trace."""
    headers = {"ce_entryid": "e", "ce_feedid": "f", "traceparent": GIVEN}
    _, made = dead_letter(record(**headers), "enrich", Reason.UNREADABLE, "no event", 1)
    told = Outcome.from_bytes(made.value or b"")

    assert (told.entry_id, told.feed_id, told.stage, told.message) == ("e", "f", "enrich", "no event")
    assert (told.kind, told.reason) == (OutcomeKind.DEAD_LETTERED, Reason.UNREADABLE)
    assert TRACE in made.headers["traceparent"]


def test_a_dead_letter_without_its_feed_still_gives_the_outcome() -> None:
    """An entry that ended is better than one that is lost."""
    _, made = dead_letter(record(ce_entryid="e"), "enrich", Reason.UNREADABLE, "x", 1)

    assert Outcome.from_bytes(made.value or b"").feed_id == ""


def test_long_errors_are_cut() -> None:
    """A header is no place for a page."""
    letter, told = dead_letter(record(ce_entryid="e"), "x", Reason.HANDLER_FAILED, "é" * 9000, 1)

    assert len(letter.headers["dl_error"]) == 2000
    assert len(Outcome.from_bytes(told.value or b"").message or "") == 500
