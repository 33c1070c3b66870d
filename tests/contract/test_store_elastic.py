"""The Elasticsearch store fulfils the contract, and what only that adapter has."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from contract.elastic_worlds import Worlds, worlds_on
from contract.store_contract import StoreContract, World
from servers.elasticsearch import ElasticsearchServer

from newswire_index.store import RETENTION, Store

pytestmark = [pytest.mark.contract, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def all_worlds(elasticsearch: ElasticsearchServer) -> Iterator[Worlds]:
    """Templates for the prefixes that the contract names."""
    with worlds_on(elasticsearch, "", "one.", "other-2.") as worlds:
        yield worlds


@pytest.fixture
async def worlds(all_worlds: Worlds) -> AsyncIterator[Worlds]:
    """The same, without indices."""
    yield all_worlds
    await all_worlds.clear()


@pytest.fixture
async def world(worlds: Worlds) -> AsyncIterator[World]:
    """Open stores in one place."""
    opened: list[Store] = []

    async def open_one(prefix: str = "", retention: timedelta = RETENTION) -> Store:
        store = worlds.store(prefix, retention)
        opened.append(store)
        await store.open()
        return store

    yield open_one
    await asyncio.gather(*(store.close() for store in opened))


class TestElasticStore(StoreContract):
    """The contract on Elasticsearch."""

    @pytest.fixture(autouse=True)
    def _know_the_worlds(self, worlds: Worlds) -> None:
        self._worlds = worlds

    async def settle(self, store: Store) -> None:
        """Refresh: the interval would do so too, but later."""
        del store
        await self._worlds.settle()
