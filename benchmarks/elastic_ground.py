"""What the Elasticsearch benchmarks share: articles, worlds of their own, the service as a process."""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from elasticsearch import AsyncElasticsearch
from kafka_ground import prose, remove_topics
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.envelope import message
from newswire.events import Enriched, Entity, EntityType, Mention, Source, TopicTag
from newswire.ids import content_hash
from newswire.kafka_settings import KafkaSettings
from newswire.log import Log, Message, open_log
from newswire.topics import topic_specs
from newswire_index.elastic.client import client_for
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.setup import Setup
from newswire_index.store import RETENTION

NEWSWIRE = Path(sys.executable).with_name("newswire")
TEXT = 3000  # characters, as most news has
ENTITIES, TOPICS, ALIASES = 10, 3, 4
PEOPLE = [(f"{first} {last}", f"Q{number}") for number, (first, last) in enumerate(
    (first, last) for first in ("Ada", "Béla", "Cem", "Dana", "Eva", "Finn") for last in (
        "Abel", "Brandt", "Costa", "Dietz", "Eriksson", "Fischer", "Gruber", "Horvat", "Ivanov", "Jansen",
    )
)]  # fmt: skip


@dataclass(frozen=True)
class Servers:
    """The servers that a benchmark works on."""

    kafka: str
    elasticsearch: ElasticsearchServer


@dataclass(frozen=True)
class Ground:
    """A world of a benchmark on these servers."""

    servers: Servers
    prefix: str

    @property
    def names(self) -> ElasticNames:
        """The names of its indices."""
        return ElasticNames(self.prefix)

    @property
    def settings(self) -> ElasticsearchSettings:
        """How Elasticsearch is reached, with the refresh interval that we ship."""
        server = self.servers.elasticsearch
        password = None if server.password is None else SecretStr(server.password)
        return ElasticsearchSettings(username=server.username, password=password, replicas=0)

    def environment(self, folder: str) -> dict[str, str]:
        """Return that of a service."""
        env = {
            **os.environ, "NEWSWIRE_LOG": f"kafka://{self.servers.kafka}", "NEWSWIRE_PREFIX": self.prefix,
            "NEWSWIRE_STORE": self.servers.elasticsearch.url, "NEWSWIRE_CACHE": f"{folder}/cache",
            "NEWSWIRE_LOG_LEVEL": "error", "NEWSWIRE_ELASTICSEARCH_REPLICAS": "0",
        }  # fmt: skip
        server = self.servers.elasticsearch
        if server.username is not None and server.password is not None:
            env["NEWSWIRE_ELASTICSEARCH_USERNAME"] = server.username
            env["NEWSWIRE_ELASTICSEARCH_PASSWORD"] = server.password
        return env

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncElasticsearch]:
        """Connect to Elasticsearch."""
        client = client_for(self.servers.elasticsearch.url, self.settings)
        try:
            yield client
        finally:
            await client.close()

    @contextlib.contextmanager
    def service(self) -> Iterator[None]:
        """Run the index service as a process of its own."""
        with TemporaryDirectory() as folder:
            process = subprocess.Popen(
                [NEWSWIRE, "run", "--only", "index"], env=self.environment(folder), cwd=folder
            )
            try:
                yield
            finally:
                process.terminate()
                process.wait(60)


@contextlib.asynccontextmanager
async def fresh(servers: Servers) -> AsyncIterator[tuple[Ground, Log]]:
    """Yield a world with topics and templates, and its log; remove all of it in the end."""
    ground = Ground(servers, f"bench-{uuid.uuid4().hex[:8]}-")
    log = open_log(f"kafka://{servers.kafka}", prefix=ground.prefix, kafka=KafkaSettings())
    specs = topic_specs(30, 400)
    try:
        await log.open()
        await log.create_topics(specs)
        async with ground.client() as client:
            await Setup(client, ground.names, ground.settings, RETENTION).run()
        yield ground, log
    finally:
        await log.close()
        await remove_topics(servers.kafka, ground.prefix, specs)
        async with ground.client() as client:
            await remove(client, ground.prefix)


async def remove(client: AsyncElasticsearch, prefix: str) -> None:
    """Remove all indices and templates with a prefix."""
    found = await client.indices.get_alias(index=f"{prefix}*")
    if found.body:
        await client.indices.delete(index=list(found.body))
    await client.indices.delete_index_template(name=f"{prefix}*")
    await client.cluster.delete_component_template(name=f"{prefix}*")


def enriched_of(number: int) -> Enriched:
    """Return an article as enrich gives it."""
    now, text = datetime.now(UTC), prose(TEXT)
    url = f"https://news.example/{number}-{os.urandom(4).hex()}"
    entities = tuple(
        Entity(
            name=name, type=EntityType.PERSON, wikidata=wikidata, salience=0.5,
            aliases=tuple(f"{name} {alias}" for alias in range(ALIASES)),
            mentions=(Mention(field="text", start=0, end=5, text=text[:5]),),
        )
        for name, wikidata in random.sample(PEOPLE, ENTITIES)
    )  # fmt: skip
    return Enriched(
        article_id=os.urandom(16).hex(), version=int(now.timestamp() * 1000), revision=1,
        entry_id=os.urandom(16).hex(), first_seen_at=now, enriched_at=now, fetched_at=now, url=url,
        canonical_url=url, title=text[:80], text=text, content_hash=content_hash(text[:80], text),
        language="en", outlet=f"outlet-{number % 40}.example", published_at=now, published_plausible=True,
        entities=entities,
        topics=tuple(
            TopicTag(id=f"topic-{(number + n) % 30}", score=1.0, by="rules@1") for n in range(TOPICS)
        ),
        sources=(Source(feed_id="f", seen_at=now, url=url),),
    )  # fmt: skip


def messages_of(events: Sequence[Enriched]) -> list[Message]:
    """Return them as enrich publishes them."""
    return [
        message(event, event.article_id, source="bench", entry_id=event.entry_id, feed_id="f")
        for event in events
    ]


async def until_stored(client: AsyncElasticsearch, ground: Ground, count: int, seconds: float) -> int:
    """Wait until so many documents were written, refreshed or not; return how many were."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        stored = await stored_in(client, ground)
        if stored >= count:
            return stored
        assert asyncio.get_running_loop().time() < deadline, f"only {stored} of {count} were written in time"
        await asyncio.sleep(0.02)


async def stored_in(client: AsyncElasticsearch, ground: Ground) -> int:
    """Return how many documents were written to the articles' indices."""
    stats = await client.indices.stats(index=ground.names.pattern(ARTICLES), metric="indexing")
    return int(stats["_all"]["primaries"].get("indexing", {}).get("index_total", 0))
