"""Index's part in a replay: history is written to the store directly, beside what is new.

The store keeps the newest version of each article, so what is older never wins. Entries get no outcome.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from newswire.events import Enriched, Withdrawal
from newswire.following import Latest
from newswire.log.port import Log, Record
from newswire.replaying import Replayer, Say
from newswire.settings import Settings
from newswire_index.document import Document, Removal, document_from
from newswire_index.settings import IndexSettings
from newswire_index.stage import removal_from
from newswire_index.store import Store, VerdictKind, open_store

WORDS = {VerdictKind.OLDER: "there already"}


class IndexReplay:
    """Writes enriched articles and removals to the store.

    Args:
        log: an open log.
        store: an open store.
        say: tells a person what the store rejects.
    """

    wants_removals = True

    def __init__(self, log: Log, store: Store, say: Say) -> None:
        self._store = store
        self._say = say
        self._withdrawals = Latest(log, Withdrawal.topic)

    async def take(self, records: Sequence[Record]) -> Counter[str]:
        """Write what is not withdrawn.

        The store is not told of withdrawals: that is the stage's, which also knows when one is lifted.
        """
        await self._withdrawals.catch_up()
        kept = [r for r in records if r.value is None or r.key not in self._withdrawals.values]
        counts = Counter({"withdrawn": len(records) - len(kept)})
        verdicts = await self._store.write([_item(record) for record in kept])
        for record, verdict in zip(kept, verdicts, strict=True):
            counts[WORDS.get(verdict.kind, str(verdict.kind))] += 1
            if verdict.kind is VerdictKind.REJECTED:
                self._say(f"the store rejects {record.key}: {verdict.reason}")
        return +counts


def _item(record: Record) -> Document | Removal:
    return removal_from(record) if record.value is None else document_from(Enriched.from_bytes(record.value))


@contextlib.asynccontextmanager
async def replaying(settings: Settings, own: IndexSettings, log: Log, say: Say) -> AsyncIterator[Replayer]:
    """Open the store and yield the replayer."""
    retention = timedelta(days=own.retention_days)
    store = open_store(settings.store, prefix=settings.prefix, retention=retention, own=own)
    await store.open()
    try:
        yield IndexReplay(log, store, say)
    finally:
        await store.close()
