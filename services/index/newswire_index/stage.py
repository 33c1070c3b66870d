"""The index stage: writes what enrich decided to the store, and says which entries are searchable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from newswire.envelope import FIRST_SEEN, VERSION, outcome_message
from newswire.events import Enriched, Event, Outcome, OutcomeKind, Reason, Withdrawal
from newswire.log.port import Message, Record, TopicPartition
from newswire.ownership import Ownership
from newswire.stage import Dead, Delivery, Done, End
from newswire_index.document import Document, Removal, document_from
from newswire_index.store import Store, Verdict, VerdictKind

SOURCE = "index"


@dataclass(frozen=True)
class IndexStage:
    """Reads enriched articles and withdrawals."""

    store: Store
    group: str = "index"

    @property
    def inputs(self) -> Mapping[str, type[Event]]:
        """See Stage: withdrawals first, so that what they forbid is not shown in between."""
        return {Withdrawal.topic: Withdrawal, Enriched.topic: Enriched}

    async def open(self, ownership: Ownership) -> "IndexHandler":
        """See Stage; the store needs nothing of a partition."""
        del ownership
        return IndexHandler(self.store)


class IndexHandler:
    """Index at work on one partition."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Write a batch; the store gives a verdict on each article."""
        for delivery in batch:
            if delivery.record.topic == Withdrawal.topic:
                await self._withdrawal(delivery)
        articles = [delivery for delivery in batch if delivery.record.topic == Enriched.topic]
        verdicts = await self._store.write([_item(delivery) for delivery in articles])
        ends = {
            id(delivery): _end(delivery, verdict)
            for delivery, verdict in zip(articles, verdicts, strict=True)
        }
        return [ends.get(id(delivery), Done()) for delivery in batch]

    async def _withdrawal(self, delivery: Delivery) -> None:
        if delivery.event is None:
            await self._store.lift(delivery.record.key)
        else:
            await self._store.withdraw(delivery.record.key)

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
