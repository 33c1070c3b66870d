"""The enrich stage: owns the articles of a partition, and tags what is new."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from newswire import metrics
from newswire.children import Children
from newswire.envelope import (
    FIRST_SEEN,
    REENRICH,
    REINDEX,
    REPLAY,
    REPLAY_VERSION,
    VERSION,
    message,
    outcome_message,
    tombstone,
)
from newswire.errors import ItemError
from newswire.events import (
    Article,
    Enriched,
    Event,
    Outcome,
    OutcomeKind,
    Reason,
    Sighting,
    Withdrawal,
)
from newswire.fitting import fit_enriched
from newswire.log.port import Message, TopicPartition
from newswire.ownership import Ownership
from newswire.stage import Dead, Delivery, Done, End, Retry
from newswire.table import Table
from newswire.waiting import together
from newswire_enrich.owner import (
    Grown,
    Revised,
    Unchanged,
    fetched,
    next_version,
    reissued,
    replayed,
    sighted,
)

SOURCE = "enrich"


@dataclass(frozen=True)
class EnrichStage:
    """Reads articles, sightings and withdrawals; the only writer of enriched articles."""

    children: Children
    group: str = "enrich"

    @property
    def inputs(self) -> Mapping[str, type[Event]]:
        """See Stage: articles before the sightings that may lead to them."""
        return {Withdrawal.topic: Withdrawal, Article.topic: Article, Sighting.topic: Sighting}

    async def open(self, ownership: Ownership) -> "EnrichHandler":
        """See Stage."""
        articles = await ownership.table(Enriched, large=True)
        withdrawals = await ownership.table(Withdrawal)
        return EnrichHandler(ownership, self.children, articles, withdrawals)


@dataclass
class _Known:
    """An article as it is in the middle of a batch."""

    enriched: Enriched | None
    removed_at: int = 0


class EnrichHandler:
    """Enrich at work on one partition."""

    def __init__(
        self,
        ownership: Ownership,
        children: Children,
        articles: Table[Enriched],
        withdrawals: Table[Withdrawal],
    ) -> None:
        self._ownership = ownership
        self._children = children
        self._articles = articles
        self._withdrawals = withdrawals

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Handle a batch: articles side by side, what concerns one of them in its order."""
        await self._withdrawals.catch_up()
        unread = await self._unread_articles(batch)
        groups: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in batch:
            groups[delivery.record.key].append(delivery)
        ends: dict[int, End] = {}
        done = await together(*(self._one_article(key, group, unread) for key, group in groups.items()))
        for group, results in zip(groups.values(), done, strict=True):
            ends.update({id(delivery): end for delivery, end in zip(group, results, strict=True)})
        return [ends[id(delivery)] for delivery in batch]

    def preconditions(self) -> Mapping[TopicPartition, int]:
        """See Handler: whether an article is withdrawn is checked again inside the commit."""
        number = self._ownership.number
        return {TopicPartition(Withdrawal.topic, number): self._withdrawals.next_offset}

    async def run(self) -> None:
        """See Handler: everything comes by message."""

    async def close(self) -> None:
        """See Handler."""

    async def _unread_articles(self, batch: Sequence[Delivery]) -> bool:
        """Tell whether articles lie on the log beyond this batch, which a sighting may be waiting for."""
        if not any(delivery.record.topic == Sighting.topic for delivery in batch):
            return False
        read = [d.record.offset + 1 for d in batch if d.record.topic == Article.topic]
        beyond = max([await self._ownership.claim.position(Article.topic), *read])
        number = self._ownership.number
        return bool(await self._ownership.log.read(Article.topic, number, beyond, max_records=1))

    async def _one_article(self, article_id: str, group: Sequence[Delivery], unread: bool) -> list[End]:
        known = _Known(self._articles.get(article_id), self._articles.removed_at(article_id))
        return [await self._one(article_id, delivery, known, unread) for delivery in group]

    async def _one(self, article_id: str, delivery: Delivery, known: _Known, unread: bool) -> End:
        event = delivery.event
        if delivery.record.topic == Withdrawal.topic:
            return _withdrawal(article_id, delivery, known)
        if not isinstance(event, Article | Sighting):
            return Done()
        if self._withdrawals.get(article_id) is not None:
            return _ended(event, delivery, OutcomeKind.DISCARDED, Reason.WITHDRAWN)
        if isinstance(event, Article):
            return await self._replay_or_article(event, delivery, known)
        return _sighting(event, delivery, known, unread=unread)

    async def _replay_or_article(self, article: Article, delivery: Delivery, known: _Known) -> End:
        """Handle an article by what its header asks; a fetch, also one sent back, asks nothing special."""
        asked = delivery.record.headers.get(REPLAY)
        if asked == REINDEX:
            return _reissue(article, delivery, known)
        if asked != REENRICH:
            return await self._article(article, delivery, known)
        version = delivery.record.headers.get(REPLAY_VERSION, "")
        decision = replayed(known.enriched, int(version) if version.isdigit() else 0, datetime.now(UTC))
        return Done() if decision is None else await self._revised(decision, delivery, known)

    async def _article(self, article: Article, delivery: Delivery, known: _Known) -> End:
        decision = fetched(known.enriched, article, datetime.now(UTC), known.removed_at)
        if isinstance(decision, Unchanged):
            return _ended(article, delivery, OutcomeKind.UNCHANGED, decision.reason)
        if isinstance(decision, Grown):
            return _grown(article, delivery, known, decision)
        return await self._revised(decision, delivery, known)

    async def _revised(self, decision: Revised, delivery: Delivery, known: _Known) -> End:
        """Tag and publish; the entry is the one that the decision names, if it does."""
        try:
            enriched = await self._tag(decision)
        except ItemError as error:
            return Dead(error.reason, str(error))
        known.enriched = enriched
        return Done((_enriched_message(enriched, delivery),))

    async def _tag(self, decision: Revised) -> Enriched:
        """Have a child find language, entities and topics."""
        article = decision.enriched
        declared = None if article.language == "und" else article.language
        item = {"title": article.title, "text": article.text, "language": declared}
        with metrics.ENRICH_SECONDS.time():
            found = await self._children.run(item)
        return fit_enriched(Enriched.model_validate({**article.model_dump(), **found}))


def _withdrawal(article_id: str, delivery: Delivery, known: _Known) -> End:
    """Remove the article from the enriched topic, if it is there."""
    before = known.enriched
    if delivery.event is None or before is None:
        return Done()
    known.enriched, known.removed_at = None, next_version(before, datetime.now(UTC))
    headers = {
        VERSION: str(known.removed_at),
        FIRST_SEEN: before.first_seen_at.isoformat(),
    }
    return Done((tombstone(Enriched.topic, article_id, headers),))


def _enriched_message(enriched: Enriched, delivery: Delivery) -> Message:
    """Wrap a version; its entry, if it has one, is the one that the delivery is about."""
    feed = delivery.event.feed_id if enriched.entry_id and isinstance(delivery.event, Article) else None
    return message(
        enriched, enriched.article_id, source=SOURCE, cause=delivery.record.headers,
        entry_id=enriched.entry_id, feed_id=feed,
    )  # fmt: skip


def _reissue(event: Article, delivery: Delivery, known: _Known) -> Done:
    """Give the newest a new version, so that its entry ends in the index, which did not take the last one."""
    if known.enriched is None:
        return _ended(event, delivery, OutcomeKind.DISCARDED, Reason.ARTICLE_UNAVAILABLE)
    known.enriched = reissued(known.enriched, event.entry_id or None, datetime.now(UTC))
    return Done((_enriched_message(known.enriched, delivery),))


def _sighting(event: Sighting, delivery: Delivery, known: _Known, *, unread: bool) -> End:
    """End a sighting, or let it wait as long as its article may lie unread on the log."""
    if known.enriched is None:
        if unread:
            return Retry("its article may be on the way")
        return _ended(event, delivery, OutcomeKind.DISCARDED, Reason.ARTICLE_UNAVAILABLE)
    decision = sighted(known.enriched, event, datetime.now(UTC))
    if isinstance(decision, Unchanged):
        return _ended(event, delivery, OutcomeKind.UNCHANGED, decision.reason)
    return _grown(event, delivery, known, decision)


def _grown(event: Article | Sighting, delivery: Delivery, known: _Known, decision: Grown) -> Done:
    known.enriched = decision.enriched
    grown = message(decision.enriched, event.article_id, source=SOURCE, cause=delivery.record.headers)
    ended = _ended(event, delivery, OutcomeKind.DUPLICATE, Reason.OTHER_SOURCE)
    return Done((grown, *ended.messages))


def _ended(event: Article | Sighting, delivery: Delivery, kind: OutcomeKind, reason: Reason) -> Done:
    """End the entry of a message; a replayed article has none."""
    if not event.entry_id:
        return Done()
    outcome = Outcome(
        entry_id=event.entry_id, feed_id=event.feed_id, kind=kind, reason=reason, stage=SOURCE,
        at=datetime.now(UTC), url=event.url, article_id=event.article_id,
    )  # fmt: skip
    return Done((outcome_message(outcome, delivery.record.headers),))
