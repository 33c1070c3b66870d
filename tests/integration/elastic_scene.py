"""A world of its own in an Elasticsearch that tests share: a client, and a prefix that nobody else has."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from elasticsearch import AsyncElasticsearch
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.elastic_names import ElasticNames
from newswire_index.elastic_setup import Setup, kept
from newswire_index.elastic_steps import End, Step


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
        everything = f"{self.names.prefix}newswire*"
        found = await self.client.indices.resolve_index(name=everything)
        for index in found["indices"]:
            await self.client.indices.delete(index=index["name"])
        for each in kept():
            name = self.names.of(each.kind)
            anyway = self.client.options(ignore_status=[400, 404])
            await anyway.indices.delete_index_template(name=name)
            await anyway.cluster.delete_component_template(name=name)
            await anyway.cluster.delete_component_template(name=f"{name}@custom")
            await anyway.ilm.delete_lifecycle(name=name)


def client_of(server: ElasticsearchServer, **log_in: Any) -> AsyncElasticsearch:
    """Return a client; without a log-in that of somebody who may do everything."""
    if not log_in and server.username is not None:
        log_in = {"basic_auth": (server.username, server.password or "")}
    return AsyncElasticsearch(server.url, **log_in)


@asynccontextmanager
async def scene_in(server: ElasticsearchServer) -> AsyncIterator[Scene]:
    """Yield a scene, and remove it afterwards."""
    client = client_of(server)
    scene = Scene(client, ElasticNames(f"t{uuid.uuid4().hex[:8]}."), server.url)
    try:
        yield scene
        await scene.remove()
    finally:
        await client.close()


def ends(steps: list[Step]) -> set[End]:
    """Return the ends of all steps."""
    return {step.end for step in steps}
