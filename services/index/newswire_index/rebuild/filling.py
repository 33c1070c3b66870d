"""Filling new indices: portions of the topic become what the index service would have made of them.

    records ──latest of each──► documents ──► when they arrived: as the index that serves has it
                                    └────────► new index of their month, which is made when first needed

An article keeps the time at which it could first be found: otherwise a rebuild would look like a delay of
months in every statistic.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from newswire.errors import NewswireError
from newswire.events import Enriched
from newswire.log.port import Record
from newswire_index.document import Document, Removal, document_from, is_expired, month_of
from newswire_index.elastic.bulk import Action, Answer, Bulk, deleting, putting
from newswire_index.elastic.source import source_of
from newswire_index.rebuild.indices import NewIndices
from newswire_index.rebuild.months import filling, next_index, serving
from newswire_index.rebuild.state import Progress
from newswire_index.stage import removal_from
from newswire_index.store import StoreUnavailableError

MOST_REJECTED = 1000  # beyond these something is wrong with all of them
_ARRIVAL = ("enriched_to_indexed", "published_to_indexed")  # lags that end with it


class RebuildRefusedError(NewswireError):
    """The new indices are not put in service; the old ones serve on."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done about an article, and what of it is to be said."""

    item: Document | Removal
    action: Action


class Filling:
    """Fills the new indices.

    Args:
        indices: what is asked of Elasticsearch.
        bulk: sends to it.
        progress: how far the rebuild is; months and counts are changed.
        save: makes that last.
        retention: how long after its end a month is kept.
        clock: the current time, with a zone.
    """

    def __init__(
        self,
        indices: NewIndices,
        bulk: Bulk,
        progress: Progress,
        save: Callable[[], Awaitable[None]],
        retention: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._indices = indices
        self._names = indices.names
        self._bulk = bulk
        self._progress = progress
        self._save = save
        self._retention = retention
        self._clock = clock
        self._old: dict[str, str] = {}

    async def need(self, month: str) -> None:
        """See that a month has a new index.

        Its name is saved before it is made, so that after a death no index is without an owner. The month
        also gets an index that serves, if it has none: then the index service makes none in between.
        """
        if self._is_expired(month) or (month in self._progress.months and month in self._old):
            return
        await self._indices.serve(month)
        found = await self._indices.found()
        self._old[month] = serving(self._names, found)[month]
        if month not in self._progress.months:
            self._progress.months[month] = next_index(self._names, month, found)
            await self._save()
        await self._indices.make(month, self._progress.months[month])

    async def drop_expired(self) -> None:
        """Give up the new indices of months that nobody keeps any more."""
        for month in [m for m in self._progress.months if self._is_expired(m)]:
            await self._indices.remove([self._progress.months.pop(month)])
            self._old.pop(month, None)
            await self._save()

    async def take(self, records: Sequence[Record], withdrawn: Container[str]) -> None:
        """Write a portion."""
        counts: Counter[str] = Counter()
        items = [
            item
            for record in {record.key: record for record in records}.values()
            if (item := self._item(record, withdrawn, counts)) is not None
        ]
        for month in sorted({month_of(each.first_seen_at) for each in items if isinstance(each, Document)}):
            await self.need(month)
        planned = await self._planned(items)
        answers = await self._bulk.send([each.action for each in planned])
        for each, answer in zip(planned, answers, strict=True):
            counts[await self._outcome(each, answer)] += 1
        self._progress.counts += counts
        if len(self._progress.rejected) > MOST_REJECTED:
            raise RebuildRefusedError(f"more than {MOST_REJECTED:,} articles are rejected: {self._example()}")

    def _item(
        self, record: Record, withdrawn: Container[str], counts: Counter[str]
    ) -> Document | Removal | None:
        if record.value is None:
            return removal_from(record)
        if record.key in withdrawn:
            counts["withdrawn"] += 1
            return None
        try:
            document = document_from(Enriched.from_bytes(record.value))
        except ValidationError:  # its dead letter tells the rest
            counts["unreadable"] += 1
            return None
        if self._is_expired(month_of(document.first_seen_at)):
            counts["expired"] += 1
            return None
        return document

    async def _planned(self, items: Sequence[Document | Removal]) -> list[Planned]:
        documents = [each for each in items if isinstance(each, Document)]
        arrived = await self._indices.indexed(
            {
                each.article_id: self._old[month]
                for each in documents
                if (month := month_of(each.first_seen_at)) in self._old
            }
        )
        planned = []
        for item in items:
            month = month_of(item.first_seen_at)
            if isinstance(item, Removal):
                self._progress.rejected.pop(item.article_id, None)
                if month in self._progress.months:  # else nothing is there to be removed
                    planned.append(Planned(item, deleting(filling(self._names, month), item.article_id)))
                continue
            source = arriving(source_of(item, self._clock()), item.version, arrived.get(item.article_id))
            alias = filling(self._names, month)
            try:
                action = putting(alias, item.article_id, source, item.version, "external")
            except ValueError as error:
                self._reject(item, f"cannot be written as JSON: {error}")
                self._progress.counts["rejected"] += 1
            else:
                planned.append(Planned(item, action))
        return planned

    async def _outcome(self, planned: Planned, answer: Answer) -> str:
        """Return, in words, what became of an article."""
        item = planned.item
        if answer.no_index:
            return self._without_index(month_of(item.first_seen_at))
        if answer.done or answer.older:
            self._progress.rejected.pop(item.article_id, None)
            stored = "removed" if isinstance(item, Removal) else "stored"
            return stored if answer.done else "there already"
        if answer.waits:
            raise StoreUnavailableError(f"Elasticsearch cannot do it now: {answer.reason}")
        self._reject(item, answer.reason)
        return "rejected"

    def _without_index(self, month: str) -> str:
        if not self._is_expired(month):
            raise RebuildRefusedError(f"the new index of {month} was removed by somebody: begin again")
        return "expired"  # while it was being written

    def _reject(self, item: Document | Removal, reason: str) -> None:
        url = item.canonical_url if isinstance(item, Document) else None
        row = {"version": item.version, "reason": reason, "url": url}
        self._progress.rejected[item.article_id] = row

    def _example(self) -> str:
        article_id, row = next(iter(self._progress.rejected.items()))
        return f"{article_id}: {row['reason']}"

    def _is_expired(self, month: str) -> bool:
        return is_expired(month, self._retention, self._clock())


def arriving(source: dict[str, Any], version: int, arrived: tuple[int, Any] | None) -> dict[str, Any]:
    """Return a document that arrived when the same version of it did, if that is known."""
    if arrived is not None and arrived[0] == version:
        return {**source, **arrived[1]}
    lags = {name: lag for name, lag in source.get("lag_ms", {}).items() if name not in _ARRIVAL}
    return {**source, "lag_ms": lags}
