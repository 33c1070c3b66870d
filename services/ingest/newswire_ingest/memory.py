"""The URL memory, which is the fetch queue as well: pure decisions about one URL's record.

    entry ──► arrive ──► waiting ──► fetch ──► article · not modified · failed · moved on · try again
                 └──────► known or failed lately: answered from memory

Each function takes a record and gives back the messages to publish and the record as it is then; both go
into one commit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newswire.envelope import AGAIN, ATTEMPTS, REPLAY, message, outcome_message
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
from newswire.fitting import fit_page
from newswire.log.port import Message
from newswire.recheck import is_manual
from newswire.urls import registered_domain
from newswire_ingest.article import from_feed

SOURCE = "ingest"
MAX_HOPS = 5  # redirects from one registered domain to another


@dataclass(frozen=True)
class Step:
    """What is to be published, the URL's record included."""

    page: Page
    messages: tuple[Message, ...]

    @property
    def everything(self) -> list[Message]:
        """The messages, and the record."""
        return [*self.messages, page_message(self.page)]


Ending = Callable[[Page, Sequence[Entry], datetime], Step]
"""What a fetch makes of the record as it is now, given the entries that it ends and the time."""


def page_message(page: Page) -> Message:
    """Wrap a URL's record."""
    return message(fit_page(page), page.url, source=SOURCE, partition_key=registered_domain(page.url))


def entry_message(entry: Entry, dead_attempts: int = 0) -> Message:
    """Wrap an entry for the owner of its domain, one that was a dead letter as what it is."""
    domain = registered_domain(entry.url)
    sent = message(entry, domain, source=SOURCE, entry_id=entry.entry_id, feed_id=entry.feed_id)
    if not dead_attempts:
        return sent
    return replace(sent, headers={**sent.headers, REPLAY: AGAIN, ATTEMPTS: str(dead_attempts)})


def arrive(
    page: Page | None, entry: Entry, now: datetime, failure_memory: timedelta, dead_attempts: int = 0
) -> Step:
    """Take in an entry: answer a new one from memory if that knows the URL, else let it wait.

    A dead letter that was sent back is really tried again, whatever failure is remembered.
    """
    page = page or Page(url=entry.url)
    if any(waiting.entry.entry_id == entry.entry_id for waiting in page.waiting):
        return Step(page, ())  # sent back twice
    if entry.trigger == "new" and page.article_id:
        return Step(page, (_sighting(page.article_id, entry),))
    if (
        entry.trigger == "new"
        and page.failure
        and not page.waiting
        and not dead_attempts
        and now - page.failure.at < failure_memory
    ):
        return _without_page(page, [entry], page.failure, now)
    waiting = WaitingEntry(entry=entry, not_before=now, dead_attempts=dead_attempts)
    return Step(page.model_copy(update={"waiting": (*page.waiting, waiting)}), ())


def due(page: Page, now: datetime) -> list[WaitingEntry]:
    """Return the waiting entries whose time has come."""
    return [waiting for waiting in page.waiting if waiting.not_before <= now]


def next_time(page: Page) -> datetime | None:
    """Return when the first of the waiting entries is due."""
    return min((waiting.not_before for waiting in page.waiting), default=None)


def ends(page: Page, started: Sequence[WaitingEntry]) -> list[Entry]:
    """Return the entries that a fetch ends: all new ones, and those it was made for."""
    ids = {waiting.entry.entry_id for waiting in started}
    return [w.entry for w in page.waiting if w.entry.trigger == "new" or w.entry.entry_id in ids]


def is_anew(started: Sequence[WaitingEntry]) -> bool:
    """Tell whether a fetch must bring the whole page: after a lift the article is known to nobody else."""
    return any(is_manual(waiting.entry) for waiting in started)


def withdrawn(page: Page, ended: Sequence[Entry], article_id: str | None, now: datetime) -> Step:
    """End entries that lead to an article which must not be shown; its address is not remembered for it."""
    why = f"the article {article_id} is withdrawn" if article_id else "its article is withdrawn"
    left = page.model_copy(update={"waiting": _rest(page, ended)})
    return Step(left, tuple(discarded(entry, Reason.WITHDRAWN, why, now) for entry in ended))


def with_article(
    page: Page, ended: Sequence[Entry], article: Article, validators: tuple[str | None, str | None]
) -> Step:
    """End a fetch that brought an article: the first entry carries it, the others are sightings."""
    lead, *others = ended
    carried = message(
        article, article.article_id, source=SOURCE, entry_id=lead.entry_id, feed_id=lead.feed_id
    )
    known = page.model_copy(
        update={
            "article_id": article.article_id,
            "content_hash": article.content_hash,
            "fetched_at": article.fetched_at,
            "etag": validators[0],
            "last_modified": validators[1],
            "failure": None,
            "waiting": _rest(page, ended),
        }
    )
    return Step(known, (carried, *(_sighting(article.article_id, entry) for entry in others)))


def not_modified(page: Page, ended: Sequence[Entry], now: datetime) -> Step:
    """End a fetch that found nothing changed."""
    known = page.model_copy(update={"fetched_at": now, "waiting": _rest(page, ended)})
    return Step(known, tuple(_sighting(page.article_id or "", entry) for entry in ended))


def failed(page: Page, ended: Sequence[Entry], reason: Reason, why: str, now: datetime) -> Step:
    """End a fetch that failed for good: with the feed's own text if there is some, else discard."""
    left = given_up(page, ended, reason, why, now)
    return _without_page(left, ended, FetchFailure(reason=reason, message=why, at=now), now)


def given_up(page: Page, ended: Sequence[Entry], reason: Reason, why: str, now: datetime) -> Page:
    """Return the record after a fetch that failed for good, whatever becomes of the entries it ended."""
    failure = FetchFailure(reason=reason, message=why, at=now)
    return page.model_copy(update={"failure": failure, "waiting": _rest(page, ended)})


def try_again(page: Page, started: Sequence[WaitingEntry], at: datetime) -> Step:
    """Let the entries of a fetch wait for another attempt."""
    ids = {waiting.entry.entry_id for waiting in started}
    waiting = tuple(
        w.model_copy(update={"attempt": w.attempt + 1, "not_before": at}) if w.entry.entry_id in ids else w
        for w in page.waiting
    )
    return Step(page.model_copy(update={"waiting": waiting}), ())


def moved_on(page: Page, ended: Sequence[Entry], target: str, now: datetime) -> Step:
    """Send entries whose page is at another domain to the owner of that domain."""
    died = {waiting.entry.entry_id: waiting.dead_attempts for waiting in page.waiting}
    tired = [entry for entry in ended if entry.hops >= MAX_HOPS]
    sent = [
        entry_message(
            entry.model_copy(
                update={"url": target, "origin_url": entry.origin_url or entry.url, "hops": entry.hops + 1}
            ),
            died.get(entry.entry_id, 0),
        )
        for entry in ended
        if entry.hops < MAX_HOPS
    ]
    left = page.model_copy(update={"waiting": _rest(page, ended)})
    if not tired:
        return Step(left, tuple(sent))
    step = failed(left, tired, Reason.REDIRECT_LOOP, f"more than {MAX_HOPS} redirects between domains", now)
    return Step(step.page, (*sent, *step.messages))


def discarded(entry: Entry, reason: Reason | str, why: str, now: datetime) -> Message:
    """Return the outcome of an entry that is never published."""
    outcome = Outcome(
        entry_id=entry.entry_id, feed_id=entry.feed_id, kind=OutcomeKind.DISCARDED, reason=reason,
        stage=SOURCE, at=now, url=entry.url, message=why,
    )  # fmt: skip
    return outcome_message(outcome)


def _without_page(page: Page, ended: Sequence[Entry], failure: FetchFailure, now: datetime) -> Step:
    """End entries whose page cannot be had; a feed's text never replaces a page's."""
    articles = [] if page.article_id else [from_feed(entry, None, failure.reason, now) for entry in ended]
    lead = next((number for number, article in enumerate(articles) if article), None)
    if lead is None:
        return Step(page, tuple(discarded(e, failure.reason, failure.message, now) for e in ended))
    article = articles[lead]
    assert article is not None  # noqa: S101  for the type checker: chosen so
    in_order = [ended[lead], *(entry for number, entry in enumerate(ended) if number != lead)]
    step = with_article(page, in_order, article, (None, None))
    return Step(step.page.model_copy(update={"failure": failure}), step.messages)


def _rest(page: Page, ended: Sequence[Entry]) -> tuple[WaitingEntry, ...]:
    ids = {entry.entry_id for entry in ended}
    return tuple(waiting for waiting in page.waiting if waiting.entry.entry_id not in ids)


def _sighting(article_id: str, entry: Entry) -> Message:
    sighting = Sighting(
        article_id=article_id,
        entry_id=entry.entry_id,
        feed_id=entry.feed_id,
        url=entry.url,
        seen_at=entry.seen_at,
    )
    return message(sighting, article_id, source=SOURCE, entry_id=entry.entry_id, feed_id=entry.feed_id)
