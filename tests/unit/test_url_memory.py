"""The URL memory: one record, one event, and what is published and remembered then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newswire.envelope import ENTRY, FEED
from newswire.events import (
    Article,
    Entry,
    FetchFailure,
    Outcome,
    OutcomeKind,
    Page,
    Reason,
    Sighting,
    WaitingEntry,
)
from newswire.urls import article_id
from newswire_ingest import memory

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://courier.example/a"
TEXT = "A text that a feed carries in full, long enough to be worth an article of its own. " * 2
VALIDATORS = ('"v1"', "Mon, 23 Nov 2026 11:00:00 GMT")


def entry(number: int = 1, **changes: Any) -> Entry:
    """Return an entry for the URL."""
    fields = {"entry_id": f"e{number}", "feed_id": f"f{number}", "url": URL, "seen_at": NOW, "title": "T"}
    return Entry.model_validate(fields | changes)


def waiting(*entries: Entry, attempt: int = 0, minutes: int = 0) -> tuple[WaitingEntry, ...]:
    """Return the entries as they wait."""
    at = NOW + timedelta(minutes=minutes)
    return tuple(WaitingEntry(entry=each, attempt=attempt, not_before=at) for each in entries)


def page(*entries: Entry, **changes: Any) -> Page:
    """Return the record of the URL with entries that wait."""
    return Page.model_validate({"url": URL, "waiting": waiting(*entries)} | changes)


def failure(age: timedelta = timedelta(0)) -> FetchFailure:
    """Return a failure of that age."""
    return FetchFailure(reason=Reason.NOT_FOUND, message="answered 404", at=NOW - age)


def article(**changes: Any) -> Article:
    """Return an article of the page."""
    fields = {
        "article_id": "A", "entry_id": "e1", "feed_id": "f1", "seen_at": NOW, "url": URL,
        "canonical_url": URL, "title": "T", "text": "x", "content_hash": "h", "fetched_at": NOW,
    }  # fmt: skip
    return Article.model_validate(fields | changes)


def said(step: memory.Step) -> list[tuple[Any, ...]]:
    """Return what a step publishes beside the record, short."""
    found: list[tuple[Any, ...]] = []
    for each in step.messages:
        assert each.value is not None
        if each.topic == Outcome.topic:
            outcome = Outcome.from_bytes(each.value)
            found.append((outcome.kind, outcome.reason, outcome.entry_id))
        elif each.topic == Sighting.topic:
            sighting = Sighting.from_bytes(each.value)
            found.append(("sighting", sighting.article_id, sighting.entry_id))
        elif each.topic == Article.topic:
            found.append((Article.from_bytes(each.value).text_from, each.key, each.headers[ENTRY]))
        else:
            found.append(("entry", Entry.from_bytes(each.value).url, each.headers[ENTRY]))
    return found


def wait_ids(step: memory.Step) -> list[str]:
    """Return the entries that wait after a step."""
    return [each.entry.entry_id for each in step.page.waiting]


def test_an_entry_of_an_unknown_url_waits_from_now_on() -> None:
    """Nothing is said about it yet."""
    step = memory.arrive(None, entry(), NOW, HOUR)

    assert step.messages == ()
    assert step.page == page(entry())


def test_a_new_entry_of_a_known_article_is_a_sighting_and_changes_nothing() -> None:
    """No fetch."""
    known = page(article_id="A")
    step = memory.arrive(known, entry(2), NOW, HOUR)

    assert said(step) == [("sighting", "A", "e2")]
    assert step.page == known


def test_a_sighting_says_where_and_when_its_feed_showed_the_article() -> None:
    """Its headers carry the entry and its feed, its key the article."""
    (sent,) = memory.arrive(page(article_id="A"), entry(2), NOW, HOUR).messages
    assert sent.value is not None

    assert Sighting.from_bytes(sent.value) == Sighting(
        article_id="A", entry_id="e2", feed_id="f2", url=URL, seen_at=NOW
    )
    assert (sent.key, sent.headers[ENTRY], sent.headers[FEED]) == ("A", "e2", "f2")


@pytest.mark.parametrize(
    ("known", "triggered"),
    [
        (page(article_id="A"), "0123456789abcdef"),
        (page(article_id="A"), "recheck-1"),
        (page(failure=failure()), "0123456789abcdef"),
        (page(failure=failure(HOUR)), "new"),
        (page(failure=failure(2 * HOUR)), "new"),
    ],
    ids=["update", "recheck", "update after a failure", "failure just too old", "old failure"],
)
def test_what_memory_does_not_answer_waits(known: Page, triggered: str) -> None:
    """An update or recheck always fetches; a failure is remembered for an hour."""
    step = memory.arrive(known, entry(trigger=triggered), NOW, HOUR)

    assert step.messages == ()
    assert wait_ids(step) == ["e1"]


def test_a_new_entry_ends_with_the_reason_of_a_failure_not_yet_an_hour_old() -> None:
    """The outcome is of now; the record stays."""
    known = page(failure=failure(timedelta(minutes=59)))
    step = memory.arrive(known, entry(), NOW, HOUR)
    assert step.messages[0].value is not None
    outcome = Outcome.from_bytes(step.messages[0].value)

    assert said(step) == [(OutcomeKind.DISCARDED, Reason.NOT_FOUND, "e1")]
    assert (outcome.at, outcome.url, outcome.message) == (NOW, URL, "answered 404")
    assert step.page == known


def test_after_a_failure_the_text_of_another_feed_may_still_make_an_article() -> None:
    """The first feed had none, the second has."""
    known = page(failure=failure(timedelta(minutes=5)))
    step = memory.arrive(known, entry(content=TEXT), NOW, HOUR)
    assert step.messages[0].value is not None

    assert said(step) == [("feed-content", article_id(URL), "e1")]
    assert Article.from_bytes(step.messages[0].value).fetched_at == NOW
    assert step.page.article_id == article_id(URL)
    assert step.page.failure == known.failure


def test_an_entry_joins_those_that_wait_for_another_attempt() -> None:
    """Whoever waits is about to know better than the memory of a failure; nobody's place changes."""
    before = page(failure=failure(), waiting=waiting(entry(1), attempt=2, minutes=5))
    step = memory.arrive(before, entry(2), NOW, HOUR)

    assert step.messages == ()
    assert [(w.entry.entry_id, w.attempt) for w in step.page.waiting] == [("e1", 2), ("e2", 0)]


def test_due_is_what_may_be_fetched_now_and_the_next_time_the_first_of_all() -> None:
    """The moment itself counts."""
    now, later = waiting(entry(1)), waiting(entry(2), minutes=1)
    record = page(waiting=(*later, *now))

    assert memory.due(record, NOW) == list(now)
    assert memory.next_time(record) == NOW
    assert memory.next_time(page()) is None


def test_a_fetch_ends_all_new_entries_and_those_it_was_made_for() -> None:
    """An update that came during the fetch may be newer than the page."""
    first, second = entry(1), entry(2)
    made_for, late = entry(3, trigger="u1"), entry(4, trigger="u2")
    record = page(first, second, made_for, late)

    assert memory.ends(record, waiting(made_for)) == [first, second, made_for]


def test_an_article_goes_with_its_first_entry_and_the_others_are_sightings() -> None:
    """Those that were not ended wait on."""
    late = entry(4, trigger="u2")
    record = page(entry(1), entry(2), late, failure=failure())
    step = memory.with_article(record, [entry(1), entry(2)], article(), VALIDATORS)

    assert said(step) == [("page", "A", "e1"), ("sighting", "A", "e2")]
    assert step.messages[0].headers[FEED] == "f1"
    assert step.page == Page(
        url=URL, article_id="A", content_hash="h", fetched_at=NOW, etag=VALIDATORS[0],
        last_modified=VALIDATORS[1], waiting=waiting(late),
    )  # fmt: skip


def test_nothing_modified_makes_sightings_and_keeps_the_validators() -> None:
    """Only the time of the fetch is new."""
    known = page(entry(1, trigger="u1"), article_id="A", content_hash="h", etag='"v1"')
    step = memory.not_modified(known, [entry(1, trigger="u1")], NOW)

    assert said(step) == [("sighting", "A", "e1")]
    assert step.page == known.model_copy(update={"fetched_at": NOW, "waiting": ()})


def test_a_failure_for_good_discards_and_is_remembered() -> None:
    """All entries end with its reason."""
    step = memory.failed(page(entry(1), entry(2)), [entry(1), entry(2)], Reason.GONE, "answered 410", NOW)

    assert said(step) == [
        (OutcomeKind.DISCARDED, Reason.GONE, "e1"),
        (OutcomeKind.DISCARDED, Reason.GONE, "e2"),
    ]
    assert step.page == page(failure=FetchFailure(reason=Reason.GONE, message="answered 410", at=NOW))


def test_a_failure_with_a_feeds_text_makes_an_article_of_it() -> None:
    """The entry that has the text leads, whichever it is; the failure is remembered all the same."""
    entries = [entry(1), entry(2, content=TEXT), entry(3, content=TEXT)]
    step = memory.failed(page(*entries), entries, Reason.NOT_FOUND, "answered 404", NOW)
    assert step.messages[0].value is not None
    made = Article.from_bytes(step.messages[0].value)

    assert said(step) == [
        ("feed-content", article_id(URL), "e2"),
        ("sighting", article_id(URL), "e1"),
        ("sighting", article_id(URL), "e3"),
    ]
    assert made.notes == ("page-not-had: not-found",)
    assert step.page.failure == FetchFailure(reason=Reason.NOT_FOUND, message="answered 404", at=NOW)
    assert (step.page.article_id, step.page.etag, step.page.waiting) == (article_id(URL), None, ())


def test_a_feeds_text_never_replaces_what_is_known_of_a_page() -> None:
    """An update whose page is gone is discarded."""
    update = entry(1, trigger="u1", content=TEXT)
    known = page(update, article_id="A", content_hash="h", etag='"v1"')
    step = memory.failed(known, [update], Reason.GONE, "answered 410", NOW)

    assert said(step) == [(OutcomeKind.DISCARDED, Reason.GONE, "e1")]
    assert (step.page.article_id, step.page.content_hash, step.page.etag) == ("A", "h", '"v1"')


def test_giving_up_publishes_nothing_and_invents_no_article() -> None:
    """Else later entries would be sightings of an article that was never published."""
    entries = [entry(1, content=TEXT)]
    left = memory.given_up(page(*entries), entries, Reason.CHILD_KILLED, "died of SIGKILL", NOW)

    assert left == page(failure=FetchFailure(reason=Reason.CHILD_KILLED, message="died of SIGKILL", at=NOW))


def test_another_attempt_is_counted_for_those_that_took_part() -> None:
    """Who came later waits as before."""
    record = page(waiting=(*waiting(entry(1), attempt=1), *waiting(entry(2), minutes=3)))
    at = NOW + timedelta(minutes=2)
    step = memory.try_again(record, waiting(entry(1)), at)

    assert step.messages == ()
    assert [(w.attempt, w.not_before) for w in step.page.waiting] == [
        (2, at),
        (0, NOW + timedelta(minutes=3)),
    ]


def test_entries_move_to_the_owner_of_another_domain_under_their_own_ids() -> None:
    """They remember what the feed said, and every move is counted."""
    target = "https://gazette.example/b"
    moved = entry(1), entry(2, origin_url="https://first.example/x", hops=4)
    late = entry(3, trigger="u")
    step = memory.moved_on(page(*moved, late), moved, target, NOW)
    sent = [Entry.from_bytes(each.value or b"") for each in step.messages]

    assert [each.key for each in step.messages] == ["gazette.example"] * 2
    assert [(e.entry_id, e.url, e.origin_url, e.hops) for e in sent] == [
        ("e1", target, URL, 1),
        ("e2", target, "https://first.example/x", 5),
    ]
    assert wait_ids(step) == ["e3"]
    assert step.page.failure is None


def test_an_entry_that_has_moved_too_often_ends_in_a_loop() -> None:
    """Others of the same page move on."""
    tired, fresh = entry(1, hops=memory.MAX_HOPS), entry(2)
    step = memory.moved_on(page(tired, fresh), [tired, fresh], "https://gazette.example/b", NOW)

    assert said(step) == [
        ("entry", "https://gazette.example/b", "e2"),
        (OutcomeKind.DISCARDED, Reason.REDIRECT_LOOP, "e1"),
    ]
    assert wait_ids(step) == []
    assert step.page.failure is not None


def test_a_record_lies_with_its_domain_and_goes_last() -> None:
    """Wherever the domain's entries lie, so does its memory."""
    deep = Page(url="https://www.courier.example/a/b?c=1")
    sent = memory.page_message(deep)
    step = memory.Step(deep, ())

    assert (sent.key, sent.partition_key) == (deep.url, "courier.example")
    assert [each.key for each in step.everything] == [deep.url]
    assert memory.entry_message(entry(url=deep.url)).key == "courier.example"


def test_a_discarded_entry_has_an_outcome_for_a_person() -> None:
    """Who, where, why."""
    sent = memory.discarded(entry(), Reason.TIME_OUT, "did not answer", NOW)

    assert Outcome.from_bytes(sent.value or b"") == Outcome(
        entry_id="e1", feed_id="f1", kind=OutcomeKind.DISCARDED, reason=Reason.TIME_OUT, stage="ingest",
        at=NOW, url=URL, message="did not answer",
    )  # fmt: skip


def test_a_withdrawn_entry_ends_and_its_address_learns_nothing() -> None:
    """Others go on waiting."""
    step = memory.withdrawn(page(entry(1), entry(2)), [entry(1)], "A", NOW)
    (told,) = [Outcome.from_bytes(each.value or b"") for each in step.messages]

    assert (told.entry_id, told.kind, told.reason) == ("e1", OutcomeKind.DISCARDED, Reason.WITHDRAWN)
    assert told.message == "the article A is withdrawn"
    assert step.page == page(entry(2))


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({}, False),
        ({"feed_id": "manual"}, False),
        ({"trigger": "recheck-1"}, False),
        ({"feed_id": "manual", "trigger": "recheck-1"}, True),
    ],
)
def test_what_was_asked_for_by_hand_is_fetched_whole(changes: dict[str, str], anew: bool) -> None:
    """One such entry is enough."""
    assert memory.is_anew(waiting(entry(1), entry(2, **changes))) is anew
