"""What dashboards are given of a feed, an outcome and a dead letter."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newswire.envelope import ENTRY, FEED, dead_letter
from newswire.events import Feed, FeedStatus, Outcome, OutcomeKind, PollResult, Reason
from newswire.log.port import Record
from newswire_index.operations.documents import (
    Add,
    Change,
    Known,
    Put,
    feed_step,
    letter_step,
    milliseconds,
    outcome_step,
)
from newswire_index.operations.mapping import DEAD_LETTER_FIELDS, FEED_STATUS_FIELDS, OUTCOME_FIELDS

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
URL = "https://news.courier.example/feed.xml"


def feed(**changes: Any) -> Feed:
    """Return a feed of which everything is known."""
    fields = {
        "feed_id": "f1", "url": URL, "title": "World", "outlet": "The Courier", "language": "en",
        "tags": ("world", "daily"), "enabled": True,
    }  # fmt: skip
    return Feed.model_validate(fields | changes)


def status(minutes: int = 0, **changes: Any) -> FeedStatus:
    """Return the status of a poll some minutes later."""
    at = NOW + timedelta(minutes=minutes)
    fields = {
        "feed_id": "f1", "url": URL, "polled_at": at, "next_poll_at": at + timedelta(minutes=15), "polls": 7,
        "result": PollResult.NEW, "message": "fine", "http_status": 200, "failures": 0, "entries": 20,
        "new_entries": 2, "title": "Courier: world", "etag": "x", "last_modified": "y",
    }  # fmt: skip
    return FeedStatus.model_validate(fields | changes)


def outcome(**changes: Any) -> Outcome:
    """Return an outcome of which everything is known."""
    fields = {
        "entry_id": "e1", "feed_id": "f1", "kind": OutcomeKind.DISCARDED, "reason": Reason.GONE,
        "stage": "ingest", "at": NOW, "url": "https://www.courier.example/a", "article_id": "a1",
        "message": "answered 410",
    }  # fmt: skip
    return Outcome.model_validate(fields | changes)


def letter(**changes: Any) -> Record:
    """Return a record as it lies on the topic of dead letters."""
    headers = {ENTRY: "e1", FEED: "f1", "dl_attempts": "2"}
    original = Record(
        "newswire.articles.v1", 3, 17, "a1", b'{"url": "https://x.example/", "title": "T"}', headers, 0
    )
    (made, _) = dead_letter(original, "enrich", Reason.CPU_LIMIT, "used too much", 3)
    fields = {"headers": dict(made.headers), "value": made.value}
    return Record(
        "newswire.dead-letters.v1", 3, 1042, "a1", timestamp_ms=milliseconds(NOW), **(fields | changes)
    )


def mark(letter_id: str = "3-1042", at: str = NOW.isoformat()) -> Record:
    """Return the mark of a letter."""
    headers = {"dl_handled": letter_id, "dl_how": "replayed", "dl_by": "desk", "dl_at": at}
    return letter(value=None, headers=headers)


def test_a_feed_has_its_status_and_what_it_was_added_with() -> None:
    """Every field of the mapping, and no other."""
    known = Known(milliseconds(NOW), NOW - timedelta(hours=1), NOW - timedelta(hours=1))
    step = feed_step(feed(), status(failures=2), known)

    assert (step.kind, step.id, step.version) == ("feed-status", "f1", milliseconds(NOW))
    assert step.source.keys() == FEED_STATUS_FIELDS.keys()
    assert (step.source["title"], step.source["outlet"]) == ("World", "The Courier")
    assert (step.source["result"], step.source["failing"], step.source["failures"]) == ("new", True, 2)
    assert step.source["last_new_at"] == "2026-11-24T08:00:00+00:00"


def test_a_feed_that_was_not_polled_is_there_too() -> None:
    """Somebody has just added it, or it is switched off."""
    step = feed_step(feed(enabled=False), None, Known(5))

    assert step.source == {
        "feed_id": "f1", "url": URL, "title": "World", "outlet": "The Courier", "tags": ["world", "daily"],
        "language": "en", "enabled": False, "polls": 0, "failing": False,
    }  # fmt: skip


def test_a_feed_is_called_by_the_best_that_is_known() -> None:
    """Its own title, then its address; its outlet is then its domain."""
    bare = feed(title=None, outlet=None)

    assert feed_step(bare, status(), Known()).source["title"] == "Courier: world"
    assert feed_step(bare, None, Known()).source["title"] == URL
    assert feed_step(bare, None, Known()).source["outlet"] == "courier.example"
    assert feed_step(feed(outlet=None, url="nonsense"), None, Known()).source["outlet"] == "nonsense"


def test_the_last_poll_with_news_is_remembered() -> None:
    """A feed is silent since then."""
    known = Known().after([status(0), status(15, new_entries=0), status(30), status(45, new_entries=0)])
    later = known.after([status(60, new_entries=0)])

    assert known.last_new_at == known.silent_since == NOW + timedelta(minutes=30) == later.last_new_at
    assert known.after([]) == known


def test_a_feed_that_never_had_news_is_silent_since_its_first_poll() -> None:
    """As far as is known; a poll from before changes that, one from after does not."""
    known = Known().after([status(15, new_entries=0), status(30, new_entries=0)])

    assert (known.last_new_at, known.silent_since) == (None, NOW + timedelta(minutes=15))
    assert known.after([status(45, new_entries=0)]) == known
    assert known.after([status(0)]).silent_since == NOW


def test_an_outcome_has_its_feed_and_domain() -> None:
    """Every field of the mapping; the moment is its version."""
    step = outcome_step(outcome(), feed())

    assert (step.kind, step.id, step.version) == ("outcomes", "e1", milliseconds(NOW))
    assert step.source.keys() == OUTCOME_FIELDS.keys()
    assert (step.source["outlet"], step.source["domain"]) == ("The Courier", "courier.example")
    assert (step.source["kind"], step.source["reason"]) == ("discarded", "gone")


def test_an_outcome_without_a_feed_or_an_address_is_stored_all_the_same() -> None:
    """Sent by hand, or dead-lettered unread; a reason of tomorrow is kept."""
    bare = outcome(url=None, article_id=None, message=None, reason="moon-phase")
    odd = outcome_step(outcome(url="http://[broken"), None)

    assert outcome_step(bare, None).source == {
        "entry_id": "e1", "feed_id": "f1", "kind": "discarded", "reason": "moon-phase", "stage": "ingest",
        "at": "2026-11-24T09:00:00+00:00",
    }  # fmt: skip
    assert "domain" not in odd.source


def test_a_dead_letter_has_who_when_where_and_why() -> None:
    """It is open until somebody deals with it."""
    step = letter_step(letter())

    assert isinstance(step, Add)
    assert (step.kind, step.id) == ("dead-letters", "3-1042")
    assert step.source.keys() == DEAD_LETTER_FIELDS.keys() - {"handled", "handled_by", "handled_at"}
    assert (step.source["open"], step.source["attempts"], step.source["pointer"]) == (True, 5, False)
    assert (step.source["url"], step.source["title"]) == ("https://x.example/", "T")
    assert (step.source["topic"], step.source["reason"]) == ("newswire.articles.v1", "cpu-limit")


@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe", b"[1]", b'{"url": 1}', b'{"url": "\\ud800"}'])
def test_a_dead_letter_may_be_any_bytes(value: bytes | None) -> None:
    """The headers say what is to be said."""
    step = letter_step(letter(value=value))

    assert step.source["letter_id"] == "3-1042"
    assert "url" not in step.source


def test_a_dead_letter_without_our_headers_is_one_too() -> None:
    """Its age is that of its record."""
    step = letter_step(letter(headers={}))

    assert step.source == {
        "letter_id": "3-1042", "key": "a1", "at": "2026-11-24T09:00:00+00:00", "attempts": 0,
        "pointer": False, "open": True, "url": "https://x.example/", "title": "T",
    }  # fmt: skip


def test_a_mark_changes_its_letter() -> None:
    """How, by whom and when; an odd time is replaced by the record's."""
    step = letter_step(mark())
    odd = letter_step(mark(at="yesterday"))

    changed = {"handled": "replayed", "handled_by": "desk", "handled_at": "2026-11-24T09:00:00+00:00"}
    assert step == Change("dead-letters", "3-1042", {"open": False, **changed})
    assert odd.source["handled_at"] == "2026-11-24T09:00:00+00:00"


def test_a_mark_of_nothing_is_refused() -> None:
    """Whoever made it did not know how letters are named."""
    with pytest.raises(ValueError, match="not the id of a dead letter"):
        letter_step(mark("everything"))


def test_control_characters_go_on_the_way() -> None:
    """A page's title is a stranger's."""
    step = feed_step(feed(title="Wo\x1b[31mrld"), None, Known())

    assert isinstance(step, Put)
    assert "\x1b" not in step.source["title"]
