"""Fetches the waiting URLs of one partition, a URL once at a time."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from newswire import metrics
from newswire.envelope import dead_letter
from newswire.errors import ChildDiedError, ItemError, NewswireError, UnavailableError
from newswire.events import Entry, Page, Reason, WaitingEntry
from newswire.log.port import Message, Record
from newswire.outages import warn
from newswire.ownership import Ownership
from newswire.table import Table
from newswire.urls import registered_domain
from newswire_ingest import memory
from newswire_ingest.article import from_page, utc_now
from newswire_ingest.clients import Clients
from newswire_ingest.extract import Extraction, NotAnArticle
from newswire_ingest.fetch import Fetched, FetchError, OffsiteRedirect, status_reason
from newswire_ingest.page_kind import looks_like_bot_check
from newswire_ingest.queue import FetchQueue
from newswire_ingest.withdrawals import ids_of

logger = structlog.get_logger()

NOTHING_SECONDS = 30.0  # how long a partition sleeps when nothing waits; an arrival wakes it
MASKED_STATUSES = frozenset({403, 429, 503})  # behind which a bot check may stand


class Fetching:
    """Works off the fetch queue of one partition.

    Args:
        ownership: the claim and its tables.
        clients: what the process shares.
        pages: the URL memory.
    """

    def __init__(self, ownership: Ownership, clients: Clients, pages: Table[Page]) -> None:
        self._ownership = ownership
        self._clients = clients
        self._pages = pages
        self._queue = FetchQueue(clients.spacing)
        self._wake = asyncio.Event()

    def open(self) -> None:
        """Take over what waits."""
        for url, page in self._pages.items():
            self._queue.put(url, memory.next_time(page))

    def arrived(self, url: str, due: datetime | None) -> None:
        """Learn that an entry waits."""
        self._queue.put(url, due)
        self._wake.set()

    async def run(self) -> None:
        """Fetch what is due, until cancelled."""
        with self._clients.spacing.listening(self._freed):
            await self._run()

    def _freed(self, domain: str) -> None:
        """Look again when a domain is free that somebody waits for."""
        if self._queue.waits_for(domain):
            self._wake.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as fetches:
            while True:
                self._wake.clear()
                while (url := await self._next()) is not None:
                    fetches.create_task(self._fetch(url))
                await self._sleep()

    async def _next(self) -> str | None:
        """Return a URL for which there is a place, the domain's included."""
        await self._clients.fetches.acquire()
        url = self._queue.take(utc_now(), asyncio.get_running_loop().time())
        if url is None:
            self._clients.fetches.release()
        return url

    async def _sleep(self) -> None:
        seconds = self._queue.seconds_to_next(utc_now(), asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(min(NOTHING_SECONDS, NOTHING_SECONDS if seconds is None else seconds)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _fetch(self, url: str) -> None:
        """Fetch a URL, and record how that ended."""
        due: datetime | None = None  # as it stays when the partition is let go of in the middle
        place = contextlib.ExitStack()  # the domain's place, given back as soon as the request is over
        place.callback(self._clients.spacing.finish, registered_domain(url))
        try:
            with place:
                async with self._ownership.lock:  # an arrival may be in the middle of its commit
                    page = self._pages.get(url)
                started = memory.due(page, utc_now()) if page else []
                self._ownership.check()  # nobody else's page is asked for
                if page is not None and started:
                    await self._survive(page, started, place)
            current = self._pages.get(url)
            due = memory.next_time(current) if current else None
        except UnavailableError as error:  # nothing is lost: the entries still wait
            warn("page.not_recorded", error, url=url)
            due = utc_now() + timedelta(seconds=self._clients.settings.fetch_retry_seconds)
        finally:
            self._queue.release(url, due)
            self._clients.fetches.release()
            self._wake.set()

    async def _survive(
        self, page: Page, started: Sequence[WaitingEntry], place: contextlib.ExitStack
    ) -> None:
        """Attempt a fetch; an error that nobody foresaw ends this page, and not everything else."""
        try:
            await self._attempt(page, started, place)
        except ItemError as error:  # such as an article that the log does not take
            await self._dead(page, started, error)
        except NewswireError:
            raise
        except Exception as error:
            logger.exception("page.failed", url=page.url)
            await self._dead(page, started, ItemError(Reason.HANDLER_FAILED, repr(error)))

    async def _attempt(
        self, page: Page, started: Sequence[WaitingEntry], place: contextlib.ExitStack
    ) -> None:
        started = await self._not_withdrawn(page, started)
        if not started:
            return
        known = page.article_id is not None and not memory.is_anew(started)
        etag, last_modified = (page.etag, page.last_modified) if known else (None, None)
        try:
            with place:
                fetched = await self._clients.fetcher.get(page.url, etag=etag, last_modified=last_modified)
        except OffsiteRedirect as redirect:
            target = redirect.url
            metrics.FETCHES.labels("moved-on").inc()
            await self._commit(
                page, lambda current, ended, now: memory.moved_on(current, ended, target, now), started
            )
        except FetchError as error:
            await self._failure(
                page, started, error.reason, str(error), error.temporary, error.retry_after_seconds
            )
        else:
            await self._answer(page, started, fetched)

    async def _not_withdrawn(self, page: Page, started: Sequence[WaitingEntry]) -> Sequence[WaitingEntry]:
        """End what waits for a withdrawn article; return what is still to be fetched for."""
        withdrawals = self._clients.withdrawals
        await withdrawals.catch_up()
        gone = {w.entry.entry_id for w in page.waiting if withdrawals.of_entry(w.entry, page)}
        if not gone:
            return started

        def withdrawn(current: Page, _: Sequence[Entry], now: datetime) -> memory.Step:
            ended = [w.entry for w in current.waiting if w.entry.entry_id in gone]
            return memory.withdrawn(current, ended, page.article_id, now)

        await self._commit(page, withdrawn, started)
        return [waiting for waiting in started if waiting.entry.entry_id not in gone]

    async def _answer(self, page: Page, started: Sequence[WaitingEntry], fetched: Fetched) -> None:
        if not fetched.is_modified:
            if page.article_id is None or memory.is_anew(started):
                why = f"{page.url} answered 304 to a request without a condition"
                await self._failure(page, started, Reason.SERVER_ERROR, why, temporary=False)
                return
            metrics.FETCHES.labels("not-modified").inc()
            await self._commit(page, memory.not_modified, started)
            return
        refused = status_reason(fetched.status)
        if refused is None:
            await self._extract(page, started, fetched)
            return
        reason, temporary = refused
        if fetched.status in MASKED_STATUSES and looks_like_bot_check(fetched.body):
            reason, temporary = Reason.BOT_CHECK, False
        if reason is Reason.THROTTLED:
            wait = fetched.retry_after_seconds or self._clients.settings.fetch_retry_seconds
            self._clients.spacing.slow_down(registered_domain(page.url), wait)
        why = f"{page.url} answered {fetched.status}"
        await self._failure(page, started, reason, why, temporary, fetched.retry_after_seconds)

    async def _extract(self, page: Page, started: Sequence[WaitingEntry], fetched: Fetched) -> None:
        now = utc_now()
        item = {"body": fetched.body, "url": fetched.url, "charset": fetched.charset, "fetched_at": now}
        if not fetched.is_html:
            kind = fetched.headers.get("Content-Type")
            await self._failure(page, started, Reason.NOT_HTML, f"{page.url} is {kind}", temporary=False)
            return
        try:
            found: Extraction | NotAnArticle = await self._clients.children.run(("page", item))
        except ItemError as error:
            await self._dead(page, started, error)
            return
        if isinstance(found, NotAnArticle):
            await self._failure(page, started, found.reason, found.message, temporary=False)
            return
        extraction = found
        metrics.FETCHES.labels("fetched").inc()
        metrics.EXTRACTED.inc()
        validators = (fetched.etag, fetched.last_modified)
        withdrawals = self._clients.withdrawals
        await withdrawals.catch_up()

        def with_article(current: Page, ended: Sequence[Entry], at: datetime) -> memory.Step:
            article = from_page(ended[0], extraction, fetched.url, current.article_id, now)
            if withdrawals.hold([article.article_id, *ids_of(fetched.url, article.canonical_url)]):
                return memory.withdrawn(current, ended, article.article_id, at)
            return memory.with_article(current, ended, article, validators)

        await self._commit(page, with_article, started)

    async def _failure(
        self, page: Page, started: Sequence[WaitingEntry], reason: Reason, why: str, temporary: bool,
        retry_after_seconds: float | None = None,
    ) -> None:  # fmt: skip
        """Record a failed attempt: another one later if it may pass, else the end."""
        metrics.FETCHES.labels(reason).inc()
        settings = self._clients.settings
        attempt = 1 + max(waiting.attempt for waiting in started)
        if temporary and attempt < settings.fetch_attempts:
            wait = max(retry_after_seconds or 0, settings.fetch_retry_seconds * attempt)
            at = utc_now() + timedelta(seconds=wait)
            logger.debug("page.postponed", url=page.url, reason=reason, attempt=attempt, seconds=wait)
            await self._commit(page, lambda current, _, __: memory.try_again(current, started, at), started)
            return
        await self._commit(
            page, lambda current, ended, now: memory.failed(current, ended, reason, why, now), started
        )

    async def _dead(self, page: Page, started: Sequence[WaitingEntry], error: ItemError) -> None:
        """Dead-letter the entries of a page that our own extraction could not survive."""
        metrics.FETCHES.labels(error.reason).inc()
        logger.warning("page.dead_lettered", url=page.url, reason=error.reason, error=str(error))
        tries = 2 if isinstance(error, ChildDiedError) else 1

        def dead(current: Page, ended: Sequence[Entry], now: datetime) -> memory.Step:
            left = memory.given_up(current, ended, error.reason, str(error), now)
            died = {waiting.entry.entry_id: waiting.dead_attempts for waiting in current.waiting}
            letters = [m for e in ended for m in _letters(e, error, tries, died.get(e.entry_id, 0))]
            return memory.Step(left, tuple(letters))

        await self._commit(page, dead, started)

    async def _commit(self, page: Page, ending: memory.Ending, started: Sequence[WaitingEntry]) -> None:
        """Decide on the record as it is now, and commit; entries may have come during the fetch."""
        async with self._ownership.lock:
            current = self._pages.get(page.url) or page
            step = ending(current, memory.ends(current, started), utc_now())
            await self._ownership.commit(step.everything)


def _letters(entry: Entry, error: ItemError, tries: int, dead_attempts: int) -> list[Message]:
    """Return the dead letter of an entry, as the message that brought it, and its outcome."""
    sent = memory.entry_message(entry, dead_attempts)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    record = Record(sent.topic, -1, -1, sent.key, sent.value, sent.headers, now_ms)
    return dead_letter(record, memory.SOURCE, error.reason, str(error), tries)
