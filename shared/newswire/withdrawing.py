"""Withdrawing an article, and lifting that again: which article is meant, and what is published.

URL ── withdrawals ── memory of URLs ── enriched articles ── redirected entries ──► article id
 └── never seen: the id that it would have
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import ValidationError

from newswire.envelope import message, tombstone
from newswire.errors import SettingsError, UnavailableError
from newswire.events import Enriched, Entry, Event, Page, Withdrawal
from newswire.ledger import latest
from newswire.log.port import Log, Record
from newswire.log.reading import records_from
from newswire.recheck import recheck
from newswire.urls import BadUrlError, article_id, normalise, registered_domain
from newswire.waiting import poll

SOURCE = "withdraw"
ARTICLE_ID = re.compile(r"[0-9a-f]{32}")
VISIBLE_SECONDS = 30.0  # within which what was published can be read

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Meant:
    """The article that an address or an id stands for.

    Attributes:
        article_id: its id.
        url: where it is fetched, if that is known.
        how: how it was found, for a person.
    """

    article_id: str
    url: str | None
    how: str


@dataclass(frozen=True)
class Standing:
    """What the log says of an article's withdrawal: the one that holds, or whether there ever was one."""

    withdrawal: Withdrawal | None
    known: bool


async def resolve(log: Log, what: str) -> Meant:
    """Return the article that is meant; raises SettingsError for what is neither address nor id."""
    if ARTICLE_ID.fullmatch(what):
        return await _by_id(log, what)
    try:
        url = normalise(what)
    except BadUrlError as error:
        raise SettingsError(f"neither an address nor an article id: {what[:200]} ({error})") from error
    found = await _withdrawn_at(log, url) or await _remembered(log, url)
    found = found or await _enriched_at(log, url) or await _redirected(log, url)
    return found or Meant(article_id(url), url, "an address that was never seen")


async def standing(log: Log, key: str) -> Standing:
    """Return how it stands with an article's withdrawal."""
    withdrawal, known = None, False
    async for record in records_from(log, Withdrawal.topic, log.partition_of(key)):
        if record.key == key:
            withdrawal, known = _read(record, Withdrawal), True
    return Standing(withdrawal, known)


async def withdraw(log: Log, meant: Meant, *, reason: str, by: str) -> Withdrawal:
    """Say that an article must not be shown; a later word on it replaces an earlier one."""
    event = Withdrawal(
        article_id=meant.article_id, url=meant.url, withdrawn_at=datetime.now(UTC), withdrawn_by=by,
        reason=reason,
    )  # fmt: skip
    await log.publish([message(event, meant.article_id, source=SOURCE)])
    return event


async def lift(log: Log, key: str, url: str) -> Entry:
    """End an article's withdrawal, and have its address fetched anew.

    The entry is published when the lift can be read by everybody: whoever reads the entry must not find the
    article withdrawn. To do it again, after a death in between, is harmless.
    """
    await log.publish([tombstone(Withdrawal.topic, key)])

    async def visible() -> bool:
        return (await standing(log, key)).withdrawal is None

    if not await poll(visible, VISIBLE_SECONDS):
        raise UnavailableError(f"the lift of {key} was published but cannot be read yet: try again")
    entry, sent = recheck(normalise(url), datetime.now(UTC), SOURCE)
    await log.publish([sent])
    return entry


async def _by_id(log: Log, key: str) -> Meant:
    """Return an article by its id, with the address under which it is known."""
    async for enriched in _of_partition(log, Enriched, log.partition_of(key)):
        if enriched.article_id == key:
            return Meant(key, enriched.canonical_url, "an article")
    async for page in _of_all(log, Page):
        if page.article_id == key:
            return Meant(key, page.url, "an article in the URL memory")
    withdrawal = (await standing(log, key)).withdrawal
    return Meant(key, withdrawal.url if withdrawal else None, "an article id that was never seen")


async def _withdrawn_at(log: Log, url: str) -> Meant | None:
    """Return the article that was withdrawn by an address; nothing else may be left of it."""
    key = next((each.article_id for each in await latest(log, Withdrawal) if each.url == url), None)
    return Meant(key, url, "an address that is withdrawn") if key else None


async def _remembered(log: Log, url: str) -> Meant | None:
    """Return the article that the URL memory gave an address."""
    found: str | None = None
    async for record in records_from(log, Page.topic, log.partition_of(registered_domain(url))):
        if record.key == url:
            page = _read(record, Page)
            found = page.article_id if page else None
    return Meant(found, url, "an address in the URL memory") if found else None


async def _enriched_at(log: Log, url: str) -> Meant | None:
    """Return the article that is, or was seen, at an address."""
    found: Enriched | None = None
    async for enriched in _of_all(log, Enriched):
        others = {enriched.url, *(source.url for source in enriched.sources)} if found is None else set()
        if url in {enriched.canonical_url, *others}:
            found = enriched
    return Meant(found.article_id, url, f"an address of the article {found.title!r}") if found else None


async def _redirected(log: Log, url: str) -> Meant | None:
    """Return the article to which an address was redirected from one domain to another."""
    target: str | None = None
    async for entry in _of_all(log, Entry):
        if entry.origin_url == url:
            target = entry.url
    found = await _remembered(log, target) if target else None
    return Meant(found.article_id, url, f"an address that leads to {target}") if found else None


async def _of_all(log: Log, event: type[E]) -> AsyncIterator[E]:
    for number in range(log.partitions):
        async for each in _of_partition(log, event, number):
            yield each


async def _of_partition(log: Log, event: type[E], number: int) -> AsyncIterator[E]:
    async for record in records_from(log, event.topic, number):
        read = _read(record, event)
        if read is not None:
            yield read


def _read(record: Record, event: type[E]) -> E | None:
    """Return the event of a record; what is none says nothing here."""
    try:
        return event.from_bytes(record.value) if record.value else None
    except ValidationError:
        return None
