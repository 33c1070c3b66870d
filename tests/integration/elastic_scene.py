"""A world of its own in an Elasticsearch that tests share: a client, and a prefix that nobody else has."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from elasticsearch import AsyncElasticsearch
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.setup import Setup
from newswire_index.elastic.steps import End, Step


@dataclass
class Scene:
    """Names, a client of somebody who may do everything, and the set-up."""

    client: AsyncElasticsearch
    names: ElasticNames
    url: str
    retention: timedelta = timedelta(days=400)
    settings: ElasticsearchSettings = field(default_factory=lambda: ElasticsearchSettings(replicas=0))

    async def set_up(self, *, dry_run: bool = False) -> list[Step]:
        """Set Elasticsearch up."""
        return await Setup(self.client, self.names, self.settings, self.retention).run(dry_run=dry_run)

    async def remove(self) -> None:
        """Remove all that bears our prefix."""
        everything = f"{self.names.prefix}*"
        found = await self.client.indices.resolve_index(name=everything)
        if found["indices"]:
            await self.client.indices.delete(index=[index["name"] for index in found["indices"]])
        anyway = self.client.options(ignore_status=404)
        await anyway.indices.delete_index_template(name=everything)
        await anyway.cluster.delete_component_template(name=everything)
        await anyway.ilm.delete_lifecycle(name=self.names.of(ARTICLES))


def client_of(server: ElasticsearchServer, **log_in: Any) -> AsyncElasticsearch:
    """Return a client; without a log-in that of somebody who may do everything."""
    if not log_in and server.username is not None:
        log_in = {"basic_auth": (server.username, server.password or "")}
    return AsyncElasticsearch(server.url, **log_in)


@asynccontextmanager
async def scene_in(server: ElasticsearchServer, prefix: str | None = None) -> AsyncIterator[Scene]:
    """Yield a scene, and remove it afterwards; with a prefix that of somebody else, who removes it."""
    async with client_of(server) as client:
        scene = Scene(client, ElasticNames(prefix or f"t{uuid.uuid4().hex[:8]}."), server.url)
        yield scene
        if prefix is None:
            await scene.remove()


@contextmanager
def prefix_on(server: ElasticsearchServer) -> Iterator[str]:
    """Yield the prefix of a world that is set up, for all tests of a module; remove it afterwards."""
    with asyncio.Runner() as runner:
        around = scene_in(server)
        scene = runner.run(around.__aenter__())
        runner.run(scene.set_up())
        yield scene.names.prefix
        runner.run(around.__aexit__(None, None, None))


def ends(steps: list[Step]) -> set[End]:
    """Return the ends of all steps."""
    return {step.end for step in steps}
