"""``newswire index rebuild``: new indices of all months, filled from the topic while the old ones serve.

    plan ──► fill ──► compare ──► swap ──► read on ──► done
             topic     every       all     the topic, to the end that it had after the swap:
             to new    article     aliases what went to the old indices meanwhile
             indices   that serves at once

No entry gets an outcome and no group's offset moves. Killed at any moment it goes on where it was. To write
something twice harms nobody: an older version never wins. The old indices stay until somebody drops them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from newswire.backoff import Backoff
from newswire.errors import UnavailableError
from newswire.events import Enriched, Withdrawal
from newswire.following import Latest
from newswire.log.port import Log, Record
from newswire.log.reading import records_from
from newswire.waiting import first
from newswire_index.document import Document, Removal, document_from
from newswire_index.elastic.bulk import Bulk
from newswire_index.rebuild import state as rebuild_state
from newswire_index.rebuild.comparing import Comparison
from newswire_index.rebuild.filling import Filling, RebuildRefusedError
from newswire_index.rebuild.indices import NewIndices
from newswire_index.rebuild.months import is_swapped, serving, unserved
from newswire_index.rebuild.state import Progress, RebuildState
from newswire_index.stage import removal_from
from newswire_index.store import RETENTION, Store, VerdictKind

PORTION = 500  # records written together
PORTION_BYTES = 8_000_000
NAMED = 20  # rejected articles that are named
BACKOFF = Backoff(0.2, 10.0)

Say = Callable[[str], None]
Take = Callable[[Sequence[Record], dict[str, bytes]], Awaitable[None]]
T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What a rebuild may do, and how long what is kept.

    Attributes:
        allow_rejected: swap although the store rejects articles.
        allow_missing: swap although articles that serve are on the topic no more.
        retention: how long after its end a month is kept.
        topic_retention: how long an article stays on the topic.
    """

    allow_rejected: bool = False
    allow_missing: bool = False
    retention: timedelta = RETENTION
    topic_retention: timedelta = RETENTION


@dataclass
class Result:
    """What a rebuild did.

    Attributes:
        months: month, new index, its articles, and those of the old one at the swap; none if the swap was
            before a death.
        counts: what became of the records that were read.
        rejected: articles that the store refuses.
    """

    months: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


class Rebuild:
    """A rebuild.

    Args:
        log: an open log.
        store: an open store, which writes what comes after the swap.
        indices: what else is asked of Elasticsearch.
        bulk: sends to it.
        state: how far the rebuild is; to be taken already.
        options: what it may do.
        say: tells a person what goes on.
        moved: is told how many offsets of the topic are done.
        moment: is told where it is; tests kill it there.
        clock: the current time, with a zone.
    """

    def __init__(
        self,
        log: Log,
        store: Store,
        indices: NewIndices,
        bulk: Bulk,
        state: RebuildState,
        options: Options,
        say: Say,
        *,
        moved: Callable[[int], None] = lambda _: None,
        moment: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._store = store
        self._indices = indices
        self._state = state
        self._options = options
        self._say = say
        self._moved = moved
        self._moment = moment
        self._filling = Filling(indices, bulk, state.progress, state.save, options.retention, clock)
        self._comparison = Comparison(indices, bulk, options.topic_retention, clock)
        self._withdrawals = Latest(log, Withdrawal.topic)
        self._known: set[str] = set()
        self._taken = 0
        self._waiting = 0
        self._result = Result()

    async def run(self) -> Result:
        """Rebuild; raises RebuildRefusedError, and the old indices serve on.

        Raises RebuildTakenError if another process has taken it over.
        """
        await first(self._work(), self._beat())
        return self._result

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(rebuild_state.BEAT_SECONDS)
            await self._patiently(self._state.save)

    async def _work(self) -> None:
        progress = self._state.progress
        await self._patiently(self._withdrawals.catch_up)
        self._known = set(self._withdrawals.values)
        found = await self._patiently(self._indices.found)
        if not is_swapped(self._indices.names, found, progress.months):
            await self._patiently(self._plan)
            await self._fill()
            await self._compare()
            await self._swap()
        await self._read_on()
        self._result.counts = dict(sorted((+progress.counts).items()))
        self._result.rejected = rejected(progress)

    async def _plan(self) -> None:
        """Give each month that serves a new index, and see that those of a rebuild that goes on are there."""
        progress = self._state.progress
        found = await self._indices.found()
        there = {each.name for each in found}
        await self._filling.drop_expired()
        if not set(progress.months.values()) <= there:
            progress.following.clear()  # one is not there, or not any more: all is read again
        for month in sorted({*serving(self._indices.names, found), *progress.months}):
            await self._filling.need(month)
        self._moment("planned")

    async def _fill(self) -> None:
        """Read the topic to its end, until hardly anything has come meanwhile."""
        while await self._follow(self._filling.take) > PORTION:
            await self._patiently(self._state.save)
        self._moment("filled")
        await self._patiently(self._complete)

    async def _complete(self) -> None:
        """Let the new indices be as all others are."""
        await self._indices.finish(await self._new())

    async def _new(self) -> list[str]:
        """Return the new indices; raises RebuildRefusedError if one is gone that should be there."""
        await self._filling.drop_expired()
        new = sorted(self._state.progress.months.values())
        gone = set(new) - {each.name for each in await self._indices.found()}
        if gone:
            raise RebuildRefusedError(f"{min(gone)} was removed by somebody: begin again")
        return new

    async def _compare(self) -> None:
        """See that nothing is rejected, withdrawn or missing; raises RebuildRefusedError."""
        await self._follow(self._filling.take)
        await self._sweep()
        refused = rejected(self._state.progress)
        if refused and not self._options.allow_rejected:
            for row in refused[:NAMED]:
                self._say(f"rejected: {row['article_id']} {row['url'] or ''} {row['reason']}")
            raise RebuildRefusedError(
                f"the store rejects {len(refused):,} articles: --allow-rejected goes on without them"
            )
        self._moment("compared")
        await self._patiently(self._look_for_missing)

    async def _look_for_missing(self) -> None:
        old = serving(self._indices.names, await self._indices.found())
        new = dict(self._state.progress.months)
        missing = await self._comparison.missing(old, new, self._withdrawals.values)
        if missing:  # some of these have only just come
            await self._follow(self._filling.take)
            missing = await self._comparison.still(missing, old, new, self._withdrawals.values)
        self._state.progress.counts["kept"] = self._comparison.kept
        if missing and not self._options.allow_missing:
            for article_id, month in list(missing.items())[:NAMED]:
                self._say(f"not on the topic: {article_id} of {month}")
            raise RebuildRefusedError(
                f"{len(missing):,} articles of the index are not on the topic any more and would be gone: "
                "--allow-missing goes on without them"
            )

    async def _swap(self) -> None:
        """Move the aliases. The rebuild must be ours still."""
        await self._patiently(self._state.save)
        await self._patiently(self._count)
        self._moment("swapping")
        await self._patiently(self._move_aliases)
        self._moment("swapped")
        self._say("the new indices serve; reading what came meanwhile")

    async def _move_aliases(self) -> None:
        """Move them, unless the answer to having done so was lost; a month may have expired meanwhile."""
        new = await self._new()
        if new and not is_swapped(
            self._indices.names, await self._indices.found(), self._state.progress.months
        ):
            await self._indices.swap(self._state.progress.months)

    async def _count(self) -> None:
        await self._new()
        old = serving(self._indices.names, await self._indices.found())
        self._result.months = [
            {
                "month": month, "index": index, "articles": await self._indices.count(index),
                "old": old[month], "before": await self._indices.count(old[month]),
            }
            for month, index in sorted(self._state.progress.months.items())
            if month in old
        ]  # fmt: skip

    async def _read_on(self) -> None:
        """Write what the old indices were given before the swap; what comes now, the service writes too."""
        await self._follow(self._write)
        self._moment("read on")
        await self._sweep()
        await self._patiently(self._state.forget)
        self._moment("done")

    async def _write(self, records: Sequence[Record], withdrawn: dict[str, bytes]) -> None:
        """Write through the store, which keeps superseded revisions and makes months."""
        items = [
            item for record in records if record.value is None or record.key not in withdrawn
            if (item := _item(record)) is not None
        ]  # fmt: skip
        for item, verdict in zip(items, await self._store.write(items), strict=True):
            if verdict.kind is VerdictKind.REJECTED:
                self._say(f"the store rejects {item.article_id}: {verdict.reason}")
                self._state.progress.counts["rejected"] += 1

    async def _follow(self, take: Take) -> int:
        """Take all that the topic has by now; returns how many records that were."""
        self._taken = 0
        await self._patiently(partial(self._take_all, take))
        return self._taken

    async def _take_all(self, take: Take) -> None:
        """Take what there is behind what was taken already, so that this may be done again."""
        following = self._state.progress.following
        async for number, records, position in self._portions():
            await self._patiently(self._withdraw)
            if records:
                await self._patiently(partial(take, records, self._withdrawals.values))
            following[number] = position
            self._taken += len(records)
            self._moved(sum(following.values()))
            self._moment("portion")
        await self._withdraw()

    async def _portions(self) -> AsyncIterator[tuple[int, list[Record], int]]:
        """Go through partition, records and the offset behind them, up to the ends of now."""
        for number, end in sorted((await self._log.end_offsets(Enriched.topic)).items()):
            start = self._state.progress.following.get(number, 0)
            if start >= end:
                continue
            portion: list[Record] = []
            size = 0
            async for record in records_from(self._log, Enriched.topic, number, start):
                if record.offset >= end:
                    break
                portion.append(record)
                size += len(record.value or b"")
                if len(portion) >= PORTION or size >= PORTION_BYTES:
                    yield number, portion, record.offset + 1
                    portion, size = [], 0
            yield number, portion, end

    async def _withdraw(self) -> None:
        """Take out, everywhere, what was withdrawn since the last look.

        The index service does so too, but maybe before we wrote the article.
        """
        await self._withdrawals.catch_up()
        new = self._withdrawals.values.keys() - self._known
        if new:
            await self._store.withdraw(*sorted(new))
        self._known = set(self._withdrawals.values)

    async def _sweep(self) -> None:
        """Take all that is withdrawn out of the new indices, whenever that was, also before a death."""
        new = sorted(self._state.progress.months.values())
        await self._patiently(lambda: self._indices.sweep(self._withdrawals.values, new))

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what a piece of work returns, done again until what it needs is there."""
        failures = 0
        while True:
            try:
                result = await work()
            except UnavailableError as error:
                failures += 1
                self._wait_for(1 if failures == 1 else 0, f"waiting: {error}")
                await asyncio.sleep(BACKOFF.seconds(failures))
            else:
                self._wait_for(-1 if failures else 0, "going on")
                return result

    def _wait_for(self, more: int, line: str) -> None:
        """Say that we wait, or go on: once, however many pieces of work do."""
        before, self._waiting = self._waiting, self._waiting + more
        if bool(before) != bool(self._waiting):
            self._say(line)


def rejected(progress: Progress) -> list[dict[str, Any]]:
    """Return what the store refuses, by article id."""
    return [{"article_id": key, **row} for key, row in sorted(progress.rejected.items())]


def _item(record: Record) -> Document | Removal | None:
    if record.value is None:
        return removal_from(record)
    try:
        return document_from(Enriched.from_bytes(record.value))
    except ValidationError:  # its dead letter tells the rest
        return None


async def abandon(indices: NewIndices, state: RebuildState) -> list[str]:
    """Remove what a rebuild has made, which is to be taken already; returns the indices that went.

    Raises RebuildRefusedError if they serve.
    """
    months = state.progress.months
    if is_swapped(indices.names, await indices.found(), months):
        raise RebuildRefusedError(
            "its new indices serve already: `newswire index rebuild` brings it to its end"
        )
    gone = sorted(months.values())
    await indices.remove(gone)
    await state.forget()
    return gone


async def drop_old(indices: NewIndices, state: RebuildState) -> list[str]:
    """Remove the indices that nobody reads or writes any more; returns their names.

    Raises RebuildRefusedError while a rebuild goes on, or was left in the middle.
    """
    if await state.look() is not None:
        raise RebuildRefusedError(
            "a rebuild is not at its end: `newswire index rebuild` goes on with it, --abandon removes it"
        )
    old = unserved(indices.names, await indices.found())
    await indices.remove(old)
    return old
