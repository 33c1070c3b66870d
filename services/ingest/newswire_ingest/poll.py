"""What a poll of a feed means: pure decisions, no network and no clock.

An entry is new if the feed never showed it; it is updated if the feed says so. What a feed has shown is
remembered as 64-bit hashes. No cursor is ever moved by a publication date.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newswire.events import (
    Entry,
    Feed,
    FeedSeen,
    FeedStatus,
    Outcome,
    OutcomeKind,
    PollResult,
    Reason,
    SeenEntry,
)
from newswire.fitting import FIELD_BYTES, cut, fit_entry
from newswire.ids import digest, short_digest
from newswire.urls import BadUrlError, normalise
from newswire_ingest.feeds import ParsedEntry, ParsedFeed

SEEN_FOR = timedelta(days=30)
SEEN_AT_MOST = 5000  # hashes of a feed
REFRESH_AFTER = timedelta(days=1)  # a hash seen again is written again only then
LONGEST = timedelta(days=1)  # between two polls, whatever a feed or its server asks for
HASH_CHARACTERS = 16  # 64 bits in hex

SOURCE = "ingest"


@dataclass(frozen=True)
class Polled:
    """What came back from a feed.

    Attributes:
        result: as far as the answer alone tells.
        message: for a person, if something is wrong.
        parsed: the document, if there is one.
        retry_after_seconds: the wait that the server asked for.
    """

    result: PollResult
    message: str | None = None
    http_status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    parsed: ParsedFeed | None = None
    retry_after_seconds: float | None = None

    @property
    def failed(self) -> bool:
        """Tell whether the feed could not be read."""
        return self.result not in {PollResult.NEW, PollResult.UNCHANGED, PollResult.EMPTY}


@dataclass(frozen=True)
class PollDecision:
    """What a poll leads to; ``seen`` is None if it did not change."""

    status: FeedStatus
    seen: FeedSeen | None
    entries: tuple[Entry, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class PollTimes:
    """How long to wait, in seconds: between polls, and added for each failure in a row."""

    poll_seconds: float
    retry_seconds: float


def decide(
    feed: Feed,
    status: FeedStatus | None,
    seen: FeedSeen | None,
    polled: Polled,
    now: datetime,
    times: PollTimes,
) -> PollDecision:
    """Return what follows from a poll."""
    seen = seen or FeedSeen(feed_id=feed.feed_id)
    found, marks = _sort(feed, seen, polled.parsed.entries if polled.parsed else (), now)
    entries = tuple(each for each in found if isinstance(each, Entry))
    outcomes = tuple(each for each in found if isinstance(each, Outcome))
    return PollDecision(
        status=_status(feed, status, polled, now, times, len(entries)),
        seen=_remember(seen, marks, now) if polled.parsed else None,
        entries=entries,
        outcomes=outcomes,
    )


def _sort(
    feed: Feed, seen: FeedSeen, parsed: Iterable[ParsedEntry], now: datetime
) -> tuple[list[Entry | Outcome], list[str]]:
    """Return the entries and outcomes that are new, and the hashes of all that the document shows."""
    known = {each.hash for each in seen.seen}
    found: list[Entry | Outcome] = []
    marks: list[str] = []
    for each in parsed:
        identity, link = _identity(feed, each)
        update = short_digest(each.updated_at.isoformat() if each.updated_at else each.title or "")
        new_id, update_id = digest(*identity, "new"), digest(*identity, update)
        new_mark, update_mark = new_id[:HASH_CHARACTERS], update_id[:HASH_CHARACTERS]
        if new_mark in marks:
            continue  # the same entry twice in one document
        if new_mark not in known:
            found.append(_entry(feed, each, link, new_id, "new", now))
        elif update_mark not in known:
            found.append(_entry(feed, each, link, update_id, update, now))
        marks += [new_mark, update_mark]
    return found, marks


def _identity(feed: Feed, entry: ParsedEntry) -> tuple[tuple[str, ...], str | Reason]:
    """Return what tells an entry from the others of its feed, and its normalised link or what is wrong."""
    link: str | Reason
    try:
        link = normalise(entry.url, feed.url) if entry.url else Reason.NO_LINK
    except BadUrlError:
        link = Reason.BAD_URL
    if entry.url or entry.id:
        return (feed.feed_id, link if not isinstance(link, Reason) else entry.url or "", entry.id or ""), link
    published = entry.published_at.isoformat() if entry.published_at else ""
    return (feed.feed_id, entry.title or "", published), link


def _entry(
    feed: Feed, parsed: ParsedEntry, link: str | Reason, entry_id: str, trigger: str, now: datetime
) -> Entry | Outcome:
    if isinstance(link, Reason):
        what = f"{parsed.title or 'an entry without a title'} in {feed.url}"
        return Outcome(
            entry_id=entry_id, feed_id=feed.feed_id, kind=OutcomeKind.DISCARDED, reason=link, stage=SOURCE,
            at=now, url=parsed.url or None, message=what,
        )  # fmt: skip
    entry = Entry(
        entry_id=entry_id, feed_id=feed.feed_id, url=link, native_id=parsed.id, trigger=trigger, seen_at=now,
        title=parsed.title, published_at=parsed.published_at, updated_at=parsed.updated_at,
        authors=parsed.authors, summary=parsed.summary, content=parsed.content, tags=parsed.tags,
        outlet=feed.outlet, language=feed.language,
    )  # fmt: skip
    return fit_entry(entry)


def _remember(seen: FeedSeen, marks: Iterable[str], now: datetime) -> FeedSeen | None:
    """Return what the feed has shown now: its last document and 30 days; None if that is what we had."""
    shown = dict.fromkeys(marks, now)
    kept = {each.hash: each.last_seen for each in seen.seen}
    recent = {mark: at for mark, at in kept.items() if mark in shown or now - at <= SEEN_FOR}
    for mark in shown:
        if mark not in recent or now - recent[mark] > REFRESH_AFTER:
            recent[mark] = now
    newest_first = sorted(recent.items(), key=lambda item: (item[0] in shown, item[1]), reverse=True)
    evicted = max(0, len(newest_first) - SEEN_AT_MOST)
    after = tuple(SeenEntry(hash=mark, last_seen=at) for mark, at in sorted(newest_first[:SEEN_AT_MOST]))
    if after == seen.seen:
        return None
    return FeedSeen(feed_id=seen.feed_id, seen=after, evicted=seen.evicted + evicted)


def _status(
    feed: Feed, before: FeedStatus | None, polled: Polled, now: datetime, times: PollTimes, new: int
) -> FeedStatus:
    failures = (before.failures if before else 0) + 1 if polled.failed else 0
    unchanged = polled.parsed is None and not polled.failed
    result = polled.result
    if polled.parsed is not None:
        result = (
            PollResult.NEW if new else PollResult.UNCHANGED if polled.parsed.entries else PollResult.EMPTY
        )
    # A failure or a 304 says nothing about validators: those of the last document still hold.
    keep = before if (unchanged or polled.failed) else None
    return FeedStatus(
        feed_id=feed.feed_id, url=feed.url, polled_at=now,
        next_poll_at=now + _wait(feed, polled, times, failures),
        polls=(before.polls if before else 0) + 1, result=result, message=polled.message,
        http_status=polled.http_status, etag=polled.etag or (keep.etag if keep else None),
        last_modified=polled.last_modified or (keep.last_modified if keep else None), failures=failures,
        entries=len(polled.parsed.entries) if polled.parsed else 0, new_entries=new,
        title=_title(polled, before),
    )  # fmt: skip


def _title(polled: Polled, before: FeedStatus | None) -> str | None:
    if polled.parsed is None:
        return before.title if before else None
    return cut(polled.parsed.title or "", FIELD_BYTES) or None


def _wait(feed: Feed, polled: Polled, times: PollTimes, failures: int) -> timedelta:
    """Return the time to the next poll: what was set for the feed, else the longer of ours and its own."""
    own = polled.parsed.ttl_seconds if polled.parsed else None
    interval = feed.interval_seconds or max(times.poll_seconds, own or 0)
    seconds = max(interval + failures * times.retry_seconds, polled.retry_after_seconds or 0)
    return min(LONGEST, timedelta(seconds=seconds))
