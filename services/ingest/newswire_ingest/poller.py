"""Polls the feeds of one partition when they are due."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from newswire import metrics
from newswire.envelope import message, outcome_message
from newswire.errors import ItemError, NewswireError, UnavailableError
from newswire.events import Feed, FeedSeen, FeedStatus, PollResult, Reason
from newswire.log.port import Message
from newswire.outages import warn
from newswire.ownership import Ownership
from newswire.urls import registered_domain
from newswire.waiting import first
from newswire_ingest.article import utc_now
from newswire_ingest.clients import Clients
from newswire_ingest.feeds import FeedError, ParsedFeed
from newswire_ingest.fetch import FEED_ACCEPT, Fetched, FetchError, OffsiteRedirect, status_reason
from newswire_ingest.memory import SOURCE, entry_message
from newswire_ingest.poll import PollDecision, Polled, PollTimes, decide

if TYPE_CHECKING:
    from newswire.table import Table

logger = structlog.get_logger()

LOOK_SECONDS = 30.0  # for feeds added by somebody whose bell was not heard
AWAY_SECONDS = 2.0  # between two looks while the log is away
JITTER = 0.1  # of the interval, so that feeds added together drift apart
HTTP_ERROR = 400

RESULT_OF = {
    Reason.NOT_FOUND: PollResult.GONE,
    Reason.GONE: PollResult.GONE,
    Reason.FORBIDDEN: PollResult.BLOCKED,
    Reason.THROTTLED: PollResult.THROTTLED,
    Reason.PRIVATE_ADDRESS: PollResult.BLOCKED,
    Reason.CLIENT_ERROR: PollResult.INVALID,
    Reason.TOO_LARGE: PollResult.INVALID,
    Reason.BAD_ENCODING: PollResult.INVALID,
    Reason.BAD_URL: PollResult.INVALID,
}


class Poller:
    """Polls one partition's feeds.

    Args:
        ownership: the claim and its tables.
        clients: what the process shares.
    """

    def __init__(self, ownership: Ownership, clients: Clients) -> None:
        self._ownership = ownership
        self._clients = clients
        settings = clients.settings
        self._times = PollTimes(settings.poll_seconds, settings.poll_retry_seconds)
        self._feeds: Table[Feed]
        self._statuses: Table[FeedStatus]
        self._seen: Table[FeedSeen]
        self._due: dict[str, datetime] = {}
        self._polling: set[str] = set()
        self._polled = asyncio.Event()
        self._changes: set[str] = set()  # feeds added, changed or removed, not yet followed

    async def open(self) -> None:
        """Load the tables."""
        self._feeds = await self._ownership.table(Feed)
        self._statuses = await self._ownership.table(FeedStatus)
        self._seen = await self._ownership.table(FeedSeen)
        for feed_id in self._feeds:
            self._schedule(feed_id)
        self._changes = set(self._statuses) - set(self._feeds)  # removed while nobody was here

    async def run(self) -> None:
        """Poll what is due, until cancelled."""
        async with asyncio.TaskGroup() as polls:
            while True:
                await self._follow()
                for feed_id in self._due_now():
                    self._polling.add(feed_id)
                    polls.create_task(self._poll(feed_id))
                self._polled.clear()
                await first(self._grown(), self._polled.wait())

    async def _grown(self) -> None:
        """Return when somebody added or changed a feed, or the next one is due."""
        seconds = self._seconds_to_next()
        try:
            await self._ownership.log.wait(
                Feed.topic, self._ownership.number, self._feeds.next_offset, seconds
            )
        except UnavailableError:  # said by whoever has something to commit
            await asyncio.sleep(min(AWAY_SECONDS, seconds))

    def _schedule(self, feed_id: str) -> None:
        """Set when a feed is due; one that is gone or switched off is not."""
        feed, status = self._feeds.get(feed_id), self._statuses.get(feed_id)
        if feed is None or not feed.enabled:
            self._due.pop(feed_id, None)
            return
        due = status.next_poll_at if status else utc_now()
        jitter = (due - status.polled_at) * random.uniform(0, JITTER) if status else timedelta(0)
        self._due[feed_id] = due + jitter

    async def _follow(self) -> None:
        """Follow the feeds that were added, changed or removed; with a feed goes what is known of it."""
        try:
            self._changes |= await self._feeds.catch_up()
            for feed_id in list(self._changes):
                self._schedule(feed_id)
                if self._feeds.get(feed_id) is None:
                    await self._forget(feed_id)
                self._changes.discard(feed_id)
        except UnavailableError as error:
            warn("feeds.not_followed", error)  # the changes are kept for the next look

    async def _forget(self, feed_id: str) -> None:
        async with self._ownership.lock:
            known = (self._statuses.get(feed_id), self._seen.get(feed_id))
            if known[0] is not None:
                domain = registered_domain(known[0].url)
                await self._ownership.commit(
                    [Message(each.topic, feed_id, None, {}, domain) for each in known if each is not None]
                )

    def _due_now(self) -> list[str]:
        now = utc_now()
        return [feed for feed, due in self._due.items() if due <= now and feed not in self._polling]

    def _seconds_to_next(self) -> float:
        now = utc_now()
        waits = [(due - now).total_seconds() for feed, due in self._due.items() if feed not in self._polling]
        return min(LOOK_SECONDS, max(0.02, min(waits, default=LOOK_SECONDS)))

    async def _poll(self, feed_id: str) -> None:
        try:
            self._ownership.check()  # nobody else's feed is asked
            feed = self._feeds.get(feed_id)
            if feed is not None:
                await self._survive(feed)
            self._schedule(feed_id)
        except UnavailableError as error:
            warn("feed.not_recorded", error, feed_id=feed_id)
            self._due[feed_id] = utc_now() + timedelta(seconds=self._times.retry_seconds)
        finally:
            self._polling.discard(feed_id)
            self._polled.set()  # its interval may be shorter than the wait of the loop

    async def _survive(self, feed: Feed) -> None:
        """Ask a feed and record it; an error that nobody foresaw fails this poll, and not everything else."""
        try:
            await self._record(feed, await self._ask(feed, self._statuses.get(feed.feed_id)))
        except ItemError as error:  # such as an entry that the log does not take
            await self._record(feed, Polled(PollResult.INVALID, f"cannot be recorded: {error}"))
        except NewswireError:
            raise
        except Exception as error:
            logger.exception("feed.failed", feed=feed.url)
            await self._record(feed, Polled(PollResult.INVALID, f"our own failure: {error!r:.300}"))

    async def _ask(self, feed: Feed, status: FeedStatus | None) -> Polled:
        """Fetch and parse a feed."""
        async with self._clients.spacing.request(registered_domain(feed.url)), self._clients.polls:
            try:
                fetched = await self._clients.fetcher.get(
                    feed.url,
                    etag=status.etag if status else None,
                    last_modified=status.last_modified if status else None,
                    follow_offsite=True,
                    accept=FEED_ACCEPT,
                )
            except FetchError as error:
                return _unreachable(error)
            except OffsiteRedirect as error:
                return Polled(PollResult.INVALID, f"redirected to {error.url}")
        return await self._read(fetched)

    async def _read(self, fetched: Fetched) -> Polled:
        """Say what an answer holds."""
        status = fetched.status
        if not fetched.is_modified:
            return Polled(
                PollResult.UNCHANGED,
                http_status=status,
                etag=fetched.etag,
                last_modified=fetched.last_modified,
            )
        if status >= HTTP_ERROR:
            return _refused(fetched)
        item = {"body": fetched.body, "url": fetched.url, "content_type": fetched.headers.get("Content-Type")}
        try:
            parsed: ParsedFeed | FeedError = await self._clients.children.run(("feed", item))
        except ItemError as error:
            return Polled(PollResult.INVALID, f"cannot be parsed: {error}", status)
        if isinstance(parsed, FeedError):
            return Polled(PollResult.INVALID, f"{parsed.code}: {parsed}", status)
        return Polled(PollResult.NEW, None, status, fetched.etag, fetched.last_modified, parsed)

    async def _record(self, feed: Feed, polled: Polled) -> None:
        """Commit what a poll leads to: entries, outcomes, status and seen, together."""
        async with self._ownership.lock:
            if self._feeds.get(feed.feed_id) is None:
                return  # removed while it was polled
            status, seen = self._statuses.get(feed.feed_id), self._seen.get(feed.feed_id)
            decision = decide(feed, status, seen, polled, utc_now(), self._times)
            await self._ownership.commit(_messages(feed, decision))
        metrics.count_poll(decision.status.result)
        say = logger.warning if polled.failed and not (status and status.failures) else logger.debug
        say(
            "feed.polled", feed=feed.url, result=decision.status.result, new=len(decision.entries),
            entries=decision.status.entries, message=polled.message,
        )  # fmt: skip


def _messages(feed: Feed, decision: PollDecision) -> list[Message]:
    domain = registered_domain(feed.url)
    messages = [entry_message(entry) for entry in decision.entries]
    messages += [outcome_message(outcome) for outcome in decision.outcomes]
    if decision.seen is not None:
        messages.append(message(decision.seen, feed.feed_id, source=SOURCE, partition_key=domain))
    return [*messages, message(decision.status, feed.feed_id, source=SOURCE, partition_key=domain)]


def _unreachable(error: FetchError) -> Polled:
    result = RESULT_OF.get(error.reason, PollResult.UNREACHABLE)
    return Polled(result, str(error), retry_after_seconds=error.retry_after_seconds)


def _refused(fetched: Fetched) -> Polled:
    known = status_reason(fetched.status)
    result = RESULT_OF.get(known[0], PollResult.UNREACHABLE) if known else PollResult.UNREACHABLE
    return Polled(
        result, f"answered {fetched.status}", fetched.status, retry_after_seconds=fetched.retry_after_seconds
    )
