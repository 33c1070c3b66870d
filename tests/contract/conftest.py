"""Stores in Elasticsearch for the contracts of store and search; a module on SQLite has its own `world`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from contract.elastic_worlds import Worlds, worlds_on
from contract.store_contract import World
from elasticsearch import AsyncElasticsearch
from servers.elasticsearch import ElasticsearchServer

from newswire_index.store import RETENTION, Store


@pytest.fixture(scope="module")
def all_worlds(elasticsearch: ElasticsearchServer) -> Iterator[Worlds]:
    """A set-up that the tests of the module share."""
    with worlds_on(elasticsearch) as worlds:
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
        await worlds.set_up(prefix)
        store = worlds.store(prefix, retention)
        opened.append(store)
        await store.open()
        return store

    yield open_one
    await asyncio.gather(*(store.close() for store in opened))


@pytest.fixture
async def client(worlds: Worlds) -> AsyncIterator[AsyncElasticsearch]:
    """Connect, as somebody else does."""
    async with worlds.client() as connected:
        yield connected
