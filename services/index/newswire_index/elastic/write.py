"""What a batch of articles and removals becomes in Elasticsearch, and the verdict on each.

    items ──► refused at once: withdrawn, expired, not to be written as JSON
      └────► superseded revisions kept ──► bulk ──► stored, older, rejected
                                            └ no such month: it is made, and what is for it sent again

Also the deleting of withdrawn articles, which asks every index of every month: a rebuild may hold one twice.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from elasticsearch import AsyncElasticsearch

from newswire_index.document import Document, Removal, is_expired, month_of
from newswire_index.elastic.bulk import Action, Answer, Bulk, deleting, putting
from newswire_index.elastic.months import Months, month_of_alias
from newswire_index.elastic.names import ARTICLES, REVISIONS, ElasticNames, month_of_index
from newswire_index.elastic.reading import read
from newswire_index.elastic.revisions import Revisions, gone
from newswire_index.elastic.source import source_of
from newswire_index.store import (
    EXPIRED,
    OLDER,
    STORED,
    WITHDRAWN,
    StoreUnavailableError,
    Verdict,
    VerdictKind,
)

logger = structlog.get_logger()

TRIES = 3  # of a month that is gone again, or an article that is written again, at the same moment


class ElasticWriter:
    """Writes articles.

    Args:
        client: an open client.
        names: of all indices and aliases.
        months: makes their indices.
        articles: sends articles.
        revisions: sends revisions.
        retention: how long after its end a month is kept.
        clock: the current time, with a zone.
    """

    def __init__(
        self,
        client: AsyncElasticsearch,
        names: ElasticNames,
        months: Months,
        articles: Bulk,
        revisions: Bulk,
        retention: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._names = names
        self._months = months
        self._bulks = {ARTICLES: articles, REVISIONS: revisions}
        self._revisions = Revisions(client, names)
        self._retention = retention
        self._clock = clock
        self._made: set[str] = set()

    async def write(
        self, items: Sequence[Document | Removal], withdrawn: Collection[str]
    ) -> Sequence[Verdict]:
        """Store or remove articles and return a verdict for each, in order."""
        now = self._clock()
        plans = [self._plan(item, withdrawn, now) for item in items]
        pairs = list(zip(items, plans, strict=True))
        expired = {item.article_id for item, plan in pairs if plan is EXPIRED and isinstance(item, Removal)}
        await self.forget(expired)  # its month may not have been dropped yet
        await self._keep([item for item, plan in pairs if isinstance(plan, Action)])
        answers = iter(await self._send(ARTICLES, [plan for plan in plans if isinstance(plan, Action)]))
        return [_verdict(next(answers)) if isinstance(plan, Action) else plan for plan in plans]

    def _plan(self, item: Document | Removal, withdrawn: Collection[str], now: datetime) -> Verdict | Action:
        """Return what is to be done with an item, or the verdict on it if that is nothing."""
        month = month_of(item.first_seen_at)
        if isinstance(item, Document) and item.article_id in withdrawn:
            return WITHDRAWN
        if is_expired(month, self._retention, now):
            return EXPIRED
        alias = self._names.month(ARTICLES, month)
        if isinstance(item, Removal):
            return deleting(alias, item.article_id, item.version)
        try:
            return putting(alias, item.article_id, source_of(item, now), item.version, "external")
        except ValueError as error:  # half a character, such as no UTF-8 can hold
            return Verdict(VerdictKind.REJECTED, f"{type(error).__name__}: {error}")

    async def _keep(self, items: Sequence[Document | Removal]) -> None:
        """Keep the revisions that are about to be superseded, and delete those of articles that go."""
        actions = await self._revisions.actions(items)
        for action, answer in zip(actions, await self._send(REVISIONS, actions), strict=True):
            if not answer.done and not answer.older and action.source is not None:
                logger.error("revision.rejected", index=action.index, error=answer.reason)

    async def _send(self, kind: str, actions: Sequence[Action]) -> list[Answer]:
        """Return an answer for each action; what finds no month is sent again when that has been made."""
        bulk = self._bulks[kind]
        await self._make(kind, (action for action in actions if action.would_make_index))
        answers = await bulk.send(actions)
        for _ in range(TRIES):
            again = [n for n, answer in enumerate(answers) if answer.no_index and not actions[n].may_miss]
            if not again:
                break
            await self._make(kind, (actions[n] for n in again), anew=True)
            for n, answer in zip(again, await bulk.send([actions[n] for n in again]), strict=True):
                answers[n] = answer
        return _settled(actions, answers)

    async def _make(self, kind: str, actions: Iterable[Action], *, anew: bool = False) -> None:
        """Make the months of these actions; anew, if one that was there is gone."""
        for alias in sorted({action.index for action in actions}):
            if anew or alias not in self._made:
                await self._months.make(kind, month_of_alias(alias))
                self._made.add(alias)

    async def forget(self, article_ids: Collection[str]) -> None:
        """Delete articles, whatever their version, and their revisions."""
        for _ in range(TRIES):
            indices = await self._months.indices(ARTICLES) if article_ids else ()
            places = [(index.name, article_id) for article_id in sorted(article_ids) for index in indices]
            found = [each async for each in read(self._client, places, "revision")]
            if not found:
                return
            await self._delete_revisions(found)
            deletes = [deleting(f["_index"], f["_id"], f["_version"], "external_gte") for f in found]
            answers = _settled(deletes, await self._bulks[REVISIONS].send(deletes))
            if not any(answer.older for answer in answers):
                return
        raise StoreUnavailableError("articles that are to be withdrawn are written again and again")

    async def _delete_revisions(self, found: Iterable[Mapping[str, Any]]) -> None:
        indices = await self._months.indices(REVISIONS)
        actions = [
            action
            for article in found
            for index in indices
            if index.month == month_of_index(article["_index"])
            for action in gone(index.name, article["_id"], article["_source"]["revision"])
        ]
        _settled(actions, await self._bulks[REVISIONS].send(actions))


def _settled(actions: Sequence[Action], answers: list[Answer]) -> list[Answer]:
    """Return the answers, unless one of them says that Elasticsearch can do it only later."""
    for action, answer in zip(actions, answers, strict=True):
        if answer.waits and not (answer.no_index and action.may_miss):
            raise StoreUnavailableError(f"Elasticsearch cannot write {action.index} now: {answer.reason}")
    return answers


def _verdict(answer: Answer) -> Verdict:
    if answer.done:
        return STORED
    if answer.older:
        return OLDER
    return Verdict(VerdictKind.REJECTED, answer.reason)
