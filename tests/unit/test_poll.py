"""What a poll of a feed means."""

from datetime import UTC, datetime, timedelta

import pytest

from newswire.events import Feed, FeedSeen, FeedStatus, OutcomeKind, PollResult, Reason, SeenEntry
from newswire_ingest.feeds import ParsedEntry, ParsedFeed
from newswire_ingest.poll import LONGEST, SEEN_AT_MOST, PollDecision, Polled, PollTimes, decide

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEED = Feed(feed_id="f", url="https://courier.example/feed.xml", outlet="The Courier", language="en")
TIMES = PollTimes(poll_seconds=900, retry_seconds=300)


def entry(
    path: str | None = "/a", native: str | None = "1", title: str = "T", updated: int | None = None
) -> ParsedEntry:
    """Return an entry of a feed; ``updated`` in hours after NOW."""
    return ParsedEntry(
        id=native,
        url=None if path is None else f"https://courier.example{path}",
        title=title,
        updated_at=None if updated is None else NOW + timedelta(hours=updated),
    )


def polled(*entries: ParsedEntry, **more: object) -> Polled:
    """Return a poll that met a document."""
    parsed = ParsedFeed(format="rss", title="Courier", entries=entries)
    return Polled(PollResult.NEW, http_status=200, parsed=parsed, **more)  # type: ignore[arg-type]


def after(decision: PollDecision, met: Polled, *, minutes: int = 15) -> PollDecision:
    """Return the decision about the next poll."""
    seen = decision.seen or FeedSeen(feed_id="f")
    return decide(FEED, decision.status, seen, met, NOW + timedelta(minutes=minutes), TIMES)


def first(*entries: ParsedEntry) -> PollDecision:
    """Return the decision about a first poll."""
    return decide(FEED, None, None, polled(*entries), NOW, TIMES)


def test_an_entry_is_published_once_with_what_the_feed_says() -> None:
    """The second poll of the same document brings nothing."""
    one = first(entry(title="Headline"))
    two = after(one, polled(entry(title="Headline")))

    assert [(e.url, e.title, e.trigger, e.outlet) for e in one.entries] == [
        ("https://courier.example/a", "Headline", "new", "The Courier")
    ]
    assert one.status.result is PollResult.NEW
    assert two.entries == ()
    assert two.seen is None
    assert two.status.result is PollResult.UNCHANGED


def test_an_entry_is_an_update_when_the_feed_says_so() -> None:
    """A later updated makes a new entry id with a trigger of its own, once."""
    one = first(entry(updated=0))
    two = after(one, polled(entry(updated=1)))
    three = after(two, polled(entry(updated=1)))

    assert [e.trigger != "new" for e in two.entries] == [True]
    assert two.entries[0].entry_id != one.entries[0].entry_id
    assert three.entries == ()


def test_a_headline_edit_is_an_update_where_the_feed_has_no_dates() -> None:
    """It is the same article, never a new one."""
    one = first(entry(title="Old"))
    two = after(one, polled(entry(title="New")))

    assert [e.trigger == "new" for e in two.entries] == [False]
    assert two.entries[0].url == one.entries[0].url


def test_items_that_share_one_guid_are_all_kept() -> None:
    """A GUID alone is not an identity."""
    one = first(entry("/a", "same"), entry("/b", "same"), entry("/c", "same"))

    assert len({e.entry_id for e in one.entries}) == 3


def test_the_same_item_twice_in_a_document_is_one_entry() -> None:
    """Also when the second has another date: that comes with the next poll."""
    assert len(first(entry(), entry()).entries) == 1
    assert len(first(entry(updated=0), entry(updated=1)).entries) == 1


def test_tracking_parameters_do_not_make_an_entry() -> None:
    """The link is compared as it is normalised."""
    one = first(entry("/a?utm_source=one", None))
    two = after(one, polled(entry("/a?utm_source=two", None)))

    assert two.entries == ()


@pytest.mark.parametrize(
    ("parsed", "reason"),
    [(entry(None, "1"), Reason.NO_LINK), (entry(None, None), Reason.NO_LINK)],
    ids=["guid only", "neither"],
)
def test_an_entry_without_a_link_ends_at_once_and_once(parsed: ParsedEntry, reason: Reason) -> None:
    """It is told, not swallowed; and not told again at each poll."""
    one = first(parsed)
    two = after(one, polled(parsed))

    assert [(o.kind, o.reason) for o in one.outcomes] == [(OutcomeKind.DISCARDED, reason)]
    assert two.outcomes == ()


def test_an_address_that_cannot_be_fetched_ends_as_bad_url() -> None:
    """Mail and scripts are no pages."""
    bad = ParsedEntry(id="1", url="mailto:desk@courier.example", title="T")

    assert [o.reason for o in first(bad).outcomes] == [Reason.BAD_URL]


def test_what_a_feed_showed_is_forgotten_after_30_days_unless_it_still_shows_it() -> None:
    """The last document is always remembered."""
    one = first(entry("/a"), entry("/b", "2"))
    later = after(one, polled(entry("/b", "2")), minutes=60 * 24 * 31)

    alone = first(entry("/b", "2"))

    assert later.seen is not None
    assert alone.seen is not None
    assert {each.hash for each in later.seen.seen} == {each.hash for each in alone.seen.seen}


def test_seen_hashes_are_bounded_and_evictions_counted() -> None:
    """The document's own stay, the oldest of the others go."""
    old = tuple(SeenEntry(hash=f"{n:016x}", last_seen=NOW - timedelta(days=1)) for n in range(SEEN_AT_MOST))
    decision = decide(FEED, None, FeedSeen(feed_id="f", seen=old), polled(entry()), NOW, TIMES)

    assert decision.seen is not None
    assert len(decision.seen.seen) == SEEN_AT_MOST
    assert decision.seen.evicted == 2
    assert len(after(decision, polled(entry())).entries) == 0


def test_seen_is_written_only_when_it_changes() -> None:
    """The time of a sight is refreshed once a day, not at each poll."""
    one = first(entry())

    assert after(one, polled(entry()), minutes=60).seen is None
    assert after(one, polled(entry()), minutes=60 * 25).seen is not None


def test_a_304_keeps_validators_and_what_was_seen() -> None:
    """Nothing new, nothing lost."""
    one = decide(FEED, None, None, polled(entry(), etag='"v1"', last_modified="Mon"), NOW, TIMES)
    two = after(one, Polled(PollResult.UNCHANGED, http_status=304))

    assert (two.status.etag, two.status.last_modified) == ('"v1"', "Mon")
    assert two.status.result is PollResult.UNCHANGED
    assert two.seen is None
    assert two.status.polls == 2


def test_a_document_without_validators_drops_the_old_ones() -> None:
    """A validator is only good for the document that it came with."""
    one = decide(FEED, None, None, polled(entry(), etag='"v1"'), NOW, TIMES)

    assert after(one, polled(entry())).status.etag is None


def test_failures_wait_longer_each_time_and_are_forgotten_after_a_success() -> None:
    """Linear, and bounded."""
    failing = Polled(PollResult.UNREACHABLE, "no answer")
    one = decide(FEED, None, None, failing, NOW, TIMES)
    two = after(one, failing, minutes=0)
    well = after(two, polled(entry()), minutes=0)

    assert (one.status.next_poll_at - NOW).total_seconds() == 1200
    assert (two.status.next_poll_at - NOW).total_seconds() == 1500
    assert two.status.failures == 2
    assert (well.status.failures, well.status.next_poll_at - NOW) == (0, timedelta(seconds=900))
    assert two.status.message == "no answer"


def test_a_failure_is_not_an_empty_feed() -> None:
    """Results are told apart."""
    assert first().status.result is PollResult.EMPTY
    assert (
        decide(FEED, None, None, Polled(PollResult.BLOCKED), NOW, TIMES).status.result is PollResult.BLOCKED
    )


@pytest.mark.parametrize(
    ("asked", "expected"), [(None, 900), (60, 900), (7200, 7200), (10**9, LONGEST.total_seconds())]
)
def test_retry_after_is_honoured_up_to_a_day(asked: float | None, expected: float) -> None:
    """A server may ask for less, or for years."""
    one = decide(FEED, None, None, polled(entry(), retry_after_seconds=asked), NOW, TIMES)

    assert (one.status.next_poll_at - NOW).total_seconds() == expected


def test_a_feeds_own_interval_wins_over_the_default() -> None:
    """What an operator sets for a feed holds."""
    feed = FEED.model_copy(update={"interval_seconds": 1.0})
    decision = decide(feed, None, None, polled(entry()), NOW, TIMES)

    assert (decision.status.next_poll_at - NOW).total_seconds() == 1


def test_publication_dates_decide_nothing() -> None:
    """An item dated years ago, or in the future, is as new as any other."""
    odd = [
        ParsedEntry(id=str(n), url=f"https://courier.example/{n}", title="T", published_at=at)
        for n, at in enumerate([datetime(1246, 1, 1, tzinfo=UTC), NOW + timedelta(days=900), None])
    ]

    assert len(first(*odd).entries) == 3
    assert FeedStatus.from_bytes(first(*odd).status.to_bytes()).entries == 3
