"""Worlds of tests in a real Elasticsearch: templates are made once a module, indices go after each test."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from contract.store_contract import NOW
from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.elastic.client import client_for
from newswire_index.elastic.names import ElasticNames, month_of_index
from newswire_index.elastic.setup import Setup
from newswire_index.elastic.store import ElasticStore
from newswire_index.settings import IndexSettings
from newswire_index.store import RETENTION


@dataclass(frozen=True)
class Worlds:
    """Worlds whose prefixes begin alike.

    Attributes:
        url: of the server.
        settings: how it is reached.
        base: what all prefixes begin with.
        made: prefixes that are set up.
    """

    url: str
    settings: ElasticsearchSettings
    base: str
    made: set[str] = field(default_factory=set)

    def names(self, prefix: str = "") -> ElasticNames:
        """Return the names of a world."""
        return ElasticNames(self.base + prefix)

    def store(self, prefix: str = "", retention: timedelta = RETENTION, **own: object) -> ElasticStore:
        """Return a store, still to be opened, that takes ``NOW`` for the time."""
        return ElasticStore(
            self.url, prefix=self.base + prefix, retention=retention, clock=lambda: NOW,
            settings=self.settings, own=IndexSettings.model_validate(own),
        )  # fmt: skip

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncElasticsearch]:
        """Connect."""
        client = client_for(self.url, self.settings)
        try:
            yield client
        finally:
            await client.close()

    async def settle(self) -> None:
        """Make all that was written findable."""
        async with self.client() as client:
            await client.indices.refresh(index=f"{self.base}*")

    async def clear(self) -> None:
        """Remove the indices of all months."""
        await self._remove(lambda name: month_of_index(name) is not None)

    async def _remove(self, unwanted: Callable[[str], bool]) -> None:
        async with self.client() as client:
            found = await client.indices.get_alias(index=f"{self.base}*")
            names = [name for name in found.body if unwanted(name)]
            if names:
                await client.indices.delete(index=names)

    async def set_up(self, prefix: str = "") -> None:
        """Make the templates of a world, once."""
        if prefix not in self.made:
            async with self.client() as client:
                await Setup(client, self.names(prefix), self.settings, RETENTION).run()
            self.made.add(prefix)

    async def tear_down(self) -> None:
        """Remove everything."""
        await self._remove(lambda _: True)
        async with self.client() as client:
            await client.indices.delete_index_template(name=f"{self.base}*")
            await client.cluster.delete_component_template(name=f"{self.base}*")


def settings_for(server: ElasticsearchServer) -> ElasticsearchSettings:
    """Return how a server is reached by its superuser."""
    password = None if server.password is None else SecretStr(server.password)
    return ElasticsearchSettings(username=server.username, password=password, wait_seconds=20, replicas=0)


@contextmanager
def worlds_on(server: ElasticsearchServer) -> Iterator[Worlds]:
    """Set up a world, and remove it, and those that were set up beside it, in the end."""
    worlds = Worlds(server.url, settings_for(server), f"t{uuid.uuid4().hex[:8]}.")
    asyncio.run(worlds.set_up())
    try:
        yield worlds
    finally:
        asyncio.run(worlds.tear_down())
