"""Searches of the SQLite store."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from contract.search_contract import DAY, SearchContract, some
from contract.store_contract import NOW, World, article

from newswire_index.query import parse_query
from newswire_index.sqlite.store import SqliteStore
from newswire_index.store import RETENTION, Store

pytestmark = pytest.mark.contract


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Open stores in one file."""
    opened: list[Store] = []

    async def open_one(prefix: str = "", retention: timedelta = RETENTION) -> Store:
        url = f"sqlite:///{tmp_path}/newswire.db"
        store = SqliteStore(url, prefix=prefix, retention=retention, clock=lambda: NOW)
        opened.append(store)
        await store.open()
        return store

    yield open_one
    for store in opened:
        await store.close()


class TestSqliteSearch(SearchContract):
    """The suite on SQLite."""


async def test_the_clock_of_a_paged_query_stands_still(tmp_path: Path) -> None:
    """Scores of later pages are those of the first one's moment, however late it has become."""
    now = [NOW]
    store = SqliteStore(f"sqlite:///{tmp_path}/newswire.db", clock=lambda: now[0])
    await store.open()
    await store.write([article(each.article_id, title=each.title) for each in some(6)])
    whole = await store.search(parse_query("talks", recency=2))
    first = await store.search(parse_query("talks", recency=2, limit=2))
    now[0] = NOW + 30 * DAY
    rest = await store.search(parse_query("talks", recency=2, cursor=first.next_cursor))
    later = await store.search(parse_query("talks", recency=2))
    await store.close()

    assert [hit.score for hit in (*first.hits, *rest.hits)] == [hit.score for hit in whole.hits]
    assert later.hits[0].score < whole.hits[0].score
