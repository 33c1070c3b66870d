"""The index stage: writes what enrich decided to the store, and says which entries are searchable."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from newswire import metrics
from newswire.envelope import FIRST_SEEN, VERSION, outcome_message
from newswire.errors import UnavailableError
from newswire.events import Enriched, Event, Outcome, OutcomeKind, Reason, Withdrawal
from newswire.log.port import Message, Record, TopicPartition
from newswire.ownership import Ownership
from newswire.stage import Dead, Delivery, Done, End
from newswire.table import Table
from newswire_index.document import Document, Removal, document_from
from newswire_index.store import WITHDRAWN, Store, Verdict, VerdictKind

SOURCE = "index"
NOBODY = "0" * 32  # the id of no article


@dataclass(frozen=True)
class IndexStage:
    """Reads enriched articles and withdrawals."""

    store: Store
    group: str = "index"

    @property
    def inputs(self) -> Mapping[str, type[Event]]:
        """See Stage: withdrawals first, so that what they forbid is not shown in between."""
        return {Withdrawal.topic: Withdrawal, Enriched.topic: Enriched}

    async def check(self) -> None:
        """See Dependent: ask the store for an article that nobody has."""
        await self.store.get(NOBODY)

    async def open(self, ownership: Ownership) -> "IndexHandler":
        """See Stage."""
        return IndexHandler(self.store, await ownership.table(Withdrawal), self.group)


class IndexHandler:
    """Index at work on one partition."""

    def __init__(self, store: Store, withdrawals: Table[Withdrawal], group: str = SOURCE) -> None:
        self._group = group
        self._store = store
        self._withdrawals = withdrawals
        self._untold: set[str] = set()

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Write a batch; the store gives a verdict on each article."""
        await self._follow(d.record.key for d in batch if d.record.topic == Withdrawal.topic)
        articles = [delivery for delivery in batch if delivery.record.topic == Enriched.topic]
        refused = [
            delivery.event is not None and self._withdrawals.get(delivery.record.key) is not None
            for delivery in articles
        ]
        written = [delivery for delivery, no in zip(articles, refused, strict=True) if not no]
        verdicts = iter(await self._write([_item(delivery) for delivery in written]))
        ends = {
            id(delivery): _end(delivery, WITHDRAWN if no else next(verdicts))
            for delivery, no in zip(articles, refused, strict=True)
        }
        return [ends.get(id(delivery), Done()) for delivery in batch]

    async def _write(self, items: Sequence[Document | Removal]) -> Sequence[Verdict]:
        """Write to the store, and count what came of it."""
        if not items:
            return ()
        try:
            with metrics.BULK_SECONDS.labels(self._group).time():
                verdicts = await self._store.write(items)
        except UnavailableError:
            metrics.BULK_RETRIES.labels(self._group).inc()
            raise
        for verdict in verdicts:
            metrics.VERDICTS.labels(verdict.kind).inc()
        return verdicts

    async def _follow(self, delivered: Iterable[str]) -> None:
        """Tell the store what is withdrawn and lifted, as it is now.

        The table says so as well, before the message has arrived and to a store that was made anew since.
        """
        self._untold |= await self._withdrawals.catch_up()
        self._untold |= set(delivered)
        if not self._untold:
            return
        withdrawn = {
            article_id for article_id in self._untold if self._withdrawals.get(article_id) is not None
        }
        await self._store.lift(*sorted(self._untold - withdrawn))
        await self._store.withdraw(*sorted(withdrawn))
        self._untold.clear()

    def preconditions(self) -> Mapping[TopicPartition, int]:
        """See Handler: the store itself keeps the older from winning."""
        return {}

    async def run(self) -> None:
        """See Handler: everything comes by message."""

    async def close(self) -> None:
        """See Handler."""


def _item(delivery: Delivery) -> Document | Removal:
    if isinstance(delivery.event, Enriched):
        return document_from(delivery.event)
    return removal_from(delivery.record)


def removal_from(record: Record) -> Removal:
    """Return what a tombstone on the enriched topic removes; its version stands in the headers."""
    first_seen = record.headers.get(FIRST_SEEN)
    return Removal(
        article_id=record.key,
        version=int(record.headers.get(VERSION, record.timestamp_ms)),
        first_seen_at=datetime.fromisoformat(first_seen) if first_seen else datetime.now(UTC),
    )


def _end(delivery: Delivery, verdict: Verdict) -> End:
    if verdict.kind is VerdictKind.REJECTED:
        return Dead(Reason.STORE_REJECTED, verdict.reason)
    event = delivery.event
    if not isinstance(event, Enriched) or event.entry_id is None:
        return Done()
    return Done((_outcome(event, verdict.kind, delivery),))


def _outcome(event: Enriched, verdict: VerdictKind, delivery: Delivery) -> Message:
    kind, reason, why = OutcomeKind.INDEXED, Reason.UPDATED if event.revision > 1 else Reason.NEW, None
    if verdict is VerdictKind.WITHDRAWN:
        kind, reason = OutcomeKind.DISCARDED, Reason.WITHDRAWN
    elif verdict is VerdictKind.EXPIRED:
        kind, reason, why = OutcomeKind.DISCARDED, Reason.EXCLUDED, "older than the retention of the index"
    outcome = Outcome(
        entry_id=event.entry_id or "", feed_id=delivery.record.headers.get("ce_feedid", ""), kind=kind,
        reason=reason, stage=SOURCE, at=datetime.now(UTC), url=event.canonical_url,
        article_id=event.article_id, message=why,
    )  # fmt: skip
    return outcome_message(outcome, delivery.record.headers)
