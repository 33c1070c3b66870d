"""The index stage on a real log and a real store: what becomes searchable, and what is said about it."""

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.stage_world import Bench, bench_in, lift, sent, withdrawal

from newswire.envelope import FIRST_SEEN, VERSION, tombstone
from newswire.events import Enriched, Outcome
from newswire.log.port import Message, Record
from newswire_index.document import Document, Removal
from newswire_index.sqlite.store import SqliteStore
from newswire_index.stage import IndexStage, removal_from
from newswire_index.store import Store, StoreUnavailableError, Verdict

pytestmark = pytest.mark.integration

SEEN = datetime.now(UTC).replace(microsecond=0)
URL = "https://courier.example/a"


class FlakyStore(SqliteStore):
    """Away for the first calls."""

    def __init__(self, url: str, calls: int) -> None:
        super().__init__(url)
        self.calls = calls

    async def write(self, documents: Sequence[Document | Removal]) -> Sequence[Verdict]:
        """Write, or be away."""
        self._away()
        return await super().write(documents)

    async def withdraw(self, *article_ids: str) -> None:
        """Withdraw, or be away."""
        self._away()
        await super().withdraw(*article_ids)

    def _away(self) -> None:
        if self.calls:
            self.calls -= 1
            raise StoreUnavailableError("the store is away")


@contextlib.asynccontextmanager
async def indexing(folder: Path, store: SqliteStore | None = None) -> AsyncIterator[tuple[Bench, Store]]:
    """Yield a bench for the index stage, and its store."""
    store = store or SqliteStore(address(folder))
    await store.open()
    try:
        async with bench_in(folder, IndexStage(store)) as bench:
            yield bench, store
    finally:
        await store.close()


def address(folder: Path) -> str:
    """Return where the store lies."""
    return f"sqlite:///{folder / 'store.db'}"


def enriched(entry: str | None = "e1", *, key: str = "A", version: int = 10, **changes: Any) -> Message:
    """Return an enriched article as enrich sends it."""
    fields = {
        "article_id": key, "version": version, "revision": 1, "entry_id": entry, "first_seen_at": SEEN,
        "enriched_at": SEEN, "url": URL, "canonical_url": URL, "title": f"Version {version}",
        "text": "Talks.", "content_hash": f"h{version}", "fetched_at": SEEN, "language": "en",
    }  # fmt: skip
    return sent(Enriched.model_validate(fields | changes), key, entry, "f1" if entry else None)


def removed(version: int, key: str = "A") -> Message:
    """Return a tombstone as enrich sends it."""
    return tombstone(Enriched.topic, key, {VERSION: str(version), FIRST_SEEN: SEEN.isoformat()})


async def title(store: Store, key: str = "A") -> str | None:
    """Return the title under which an article is found."""
    hit = await store.get(key)
    return hit.title if hit else None


async def test_an_article_that_a_fetch_made_ends_as_indexed(tmp_path: Path) -> None:
    """New or updated by its revision; where, what and whose stand in the outcome."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched(), enriched("e2", version=11, revision=2), enriched("e3", key="B"))
        first = Outcome.from_bytes((await bench.records(Outcome.topic))[0].value or b"")

        assert await bench.outcomes() == [
            ("e1", "indexed", "new"), ("e2", "indexed", "updated"), ("e3", "indexed", "new"),
        ]  # fmt: skip
        assert (await title(store), await store.count()) == ("Version 11", 2)
    assert (first.feed_id, first.url, first.article_id, first.stage) == ("f1", URL, "A", "index")


async def test_a_version_that_no_fetch_made_is_stored_and_ends_nothing(tmp_path: Path) -> None:
    """One more source, or a re-enrichment."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched(None, version=11))

        assert await bench.outcomes() == []
        assert await title(store) == "Version 11"


async def test_an_older_version_ends_as_indexed_and_changes_nothing(tmp_path: Path) -> None:
    """Its entry did arrive: something newer is there."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched("e2", version=11, revision=2))
        await bench.settle(enriched("e1", version=10))

        assert await bench.outcomes() == [("e2", "indexed", "updated"), ("e1", "indexed", "new")]
        assert await title(store) == "Version 11"


async def test_a_removal_takes_the_article_out_and_ends_nothing(tmp_path: Path) -> None:
    """An older one does not."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched(), removed(9))
        kept = await title(store)
        await bench.settle(removed(11))

        assert (kept, await title(store)) == ("Version 10", None)
        assert len(await bench.outcomes()) == 1
        assert await bench.letters() == []


async def test_a_removal_without_headers_is_as_new_as_its_record(tmp_path: Path) -> None:
    """Somebody else's tool may have written it."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched())
        await bench.settle(tombstone(Enriched.topic, "A"))

        assert await title(store) is None


def test_a_removal_is_looked_for_in_the_month_of_its_first_sight() -> None:
    """As the tombstone says."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    headers = {VERSION: "12", FIRST_SEEN: at.isoformat()}
    record = Record(Enriched.topic, 0, 0, "A", None, headers, 5)

    assert removal_from(record) == Removal(article_id="A", version=12, first_seen_at=at)


async def test_a_withdrawn_article_is_not_found_until_it_is_lifted(tmp_path: Path) -> None:
    """Its entries are discarded meanwhile, also those in the same batch."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched())
        await bench.settle(enriched("e2", version=11), withdrawal())
        gone = await title(store)
        await bench.settle(lift())
        await bench.settle(enriched("e3", version=12))

        assert (gone, await title(store)) == (None, "Version 12")
        assert await bench.outcomes() == [
            ("e1", "indexed", "new"), ("e2", "discarded", "withdrawn"), ("e3", "indexed", "new"),
        ]  # fmt: skip


async def test_an_article_older_than_the_retention_is_discarded(tmp_path: Path) -> None:
    """With a word for a person."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched(first_seen_at=SEEN - timedelta(days=1000)))
        outcome = Outcome.from_bytes((await bench.records(Outcome.topic))[0].value or b"")

        assert await store.count() == 0
    assert (outcome.kind, outcome.reason) == ("discarded", "excluded")
    assert outcome.message == "older than the retention of the index"


async def test_a_document_that_the_store_rejects_is_dead_lettered_alone(tmp_path: Path) -> None:
    """The others of its batch are stored."""
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(enriched("e1", version=2**70), enriched("e2", key="B"))

        assert await bench.letters() == [("A", "store-rejected")]
        assert sorted(await bench.outcomes()) == [
            ("e1", "dead-lettered", "store-rejected"), ("e2", "indexed", "new"),
        ]  # fmt: skip
        assert await store.count() == 1


async def test_a_store_that_is_away_loses_nothing_and_dead_letters_nothing(tmp_path: Path) -> None:
    """However often it is asked in vain; also for withdrawals."""
    async with indexing(tmp_path, FlakyStore(address(tmp_path), 8)) as (bench, store):
        await bench.settle(enriched(), enriched("e2", key="B"), withdrawal("B"))

        assert await bench.letters() == []
        assert sorted(await bench.outcomes()) == [
            ("e1", "indexed", "new"), ("e2", "discarded", "withdrawn"),
        ]  # fmt: skip
        assert (await title(store), await title(store, "B")) == ("Version 10", None)


async def test_an_event_with_unknown_fields_is_indexed(tmp_path: Path) -> None:
    """A later producer may say more."""
    known = enriched()
    body = json.loads(known.value or b"") | {"mood": "calm", "story": {"id": 1}}
    async with indexing(tmp_path) as (bench, store):
        await bench.settle(Message(known.topic, known.key, json.dumps(body).encode(), known.headers))

        assert await bench.outcomes() == [("e1", "indexed", "new")]
        assert await title(store) == "Version 10"


async def test_an_event_that_does_not_parse_is_dead_lettered_with_its_entrys_outcome(tmp_path: Path) -> None:
    """The header says whose it was."""
    known = enriched()
    async with indexing(tmp_path) as (bench, _):
        await bench.settle(Message(known.topic, known.key, b'{"article_id": 1', known.headers))

        assert await bench.letters() == [("A", "unreadable")]
        assert await bench.outcomes() == [("e1", "dead-lettered", "unreadable")]
