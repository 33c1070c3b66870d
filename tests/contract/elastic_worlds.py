"""Worlds of tests in a real Elasticsearch: templates are made once a module, indices go after each test."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from contract.store_contract import NOW
from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.elastic import ElasticStore
from newswire_index.elastic_client import client_for
from newswire_index.elastic_names import ElasticNames
from newswire_index.elastic_setup import Setup
from newswire_index.settings import IndexSettings
from newswire_index.store import RETENTION


@dataclass(frozen=True)
class Worlds:
    """Some prefixes of a module, each set up.

    Attributes:
        url: of the server.
        settings: how it is reached.
        base: what all prefixes begin with.
    """

    url: str
    settings: ElasticsearchSettings
    base: str

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
        """Remove all indices."""
        async with self.client() as client:
            found = await client.indices.get_alias(index=f"{self.base}*")
            if found.body:
                await client.indices.delete(index=list(found.body))

    async def set_up(self, prefixes: Sequence[str]) -> None:
        """Make the templates of these worlds."""
        async with self.client() as client:
            for prefix in prefixes:
                await Setup(client, self.names(prefix), self.settings, RETENTION).run()

    async def tear_down(self) -> None:
        """Remove everything."""
        await self.clear()
        async with self.client() as client:
            await client.indices.delete_index_template(name=f"{self.base}*")
            await client.cluster.delete_component_template(name=f"{self.base}*")


def settings_for(server: ElasticsearchServer) -> ElasticsearchSettings:
    """Return how a server is reached by its superuser."""
    password = None if server.password is None else SecretStr(server.password)
    return ElasticsearchSettings(username=server.username, password=password, wait_seconds=20, replicas=0)


@contextmanager
def worlds_on(server: ElasticsearchServer, *prefixes: str) -> Iterator[Worlds]:
    """Set up worlds with these prefixes, and remove them in the end."""
    worlds = Worlds(server.url, settings_for(server), f"t{uuid.uuid4().hex[:8]}.")
    asyncio.run(worlds.set_up(prefixes))
    try:
        yield worlds
    finally:
        asyncio.run(worlds.tear_down())
