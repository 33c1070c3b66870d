"""The index stage between a real Kafka and a real Elasticsearch, and what a test may ask about both.

articles ──publish──► enriched.v1 (Kafka) ──index stage──► Elasticsearch ──report──► is it equal?
                                                └──► outcomes, dead letters
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from elasticsearch import AsyncElasticsearch
from integration.ingest_world import running
from integration.kafka_world import KafkaWorld
from integration.stage_world import sent
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer

from newswire.backoff import Backoff
from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.events import DEAD_LETTERS, Enriched, Outcome, Withdrawal
from newswire.log.kafka import KafkaLog
from newswire.log.port import Message, Record
from newswire.partition_loop import WorkerOptions
from newswire.topics import TOPICS
from newswire.worker import Worker
from newswire_index.elastic.client import client_for
from newswire_index.elastic.names import ARTICLES, REVISIONS, ElasticNames
from newswire_index.elastic.setup import Setup
from newswire_index.elastic.store import ElasticStore
from newswire_index.settings import IndexSettings
from newswire_index.stage import IndexStage
from newswire_index.store import RETENTION
from newswire_index.verify.elastic import elastic_items
from newswire_index.verify.verifying import Keeping, Report, verify

SEEN = datetime.now(UTC).replace(microsecond=0)
FIRST_VERSION = int(SEEN.timestamp() * 1000)
SECONDS = 60.0  # for what is not promised in seconds, on a busy machine
OPTIONS = WorkerOptions(backoff=Backoff(0.05, 0.3))

Condition = Callable[[], Awaitable[bool]]


@dataclass
class IndexWorld:
    """A prefix of its own on both servers.

    Attributes:
        log: an open log.
        address: of that.
        server: the Elasticsearch.
        names: how everything is called in it.
        settings: how it is reached.
        folder: for files.
    """

    log: KafkaLog
    address: str
    server: ElasticsearchServer
    names: ElasticNames
    settings: ElasticsearchSettings
    folder: Path

    def store(self, settings: ElasticsearchSettings | None = None) -> ElasticStore:
        """Return a store, still to be opened."""
        own = IndexSettings()
        settings = settings or self.settings
        return ElasticStore(self.server.url, prefix=self.names.prefix, settings=settings, own=own)

    @contextlib.asynccontextmanager
    async def indexing(
        self, options: WorkerOptions = OPTIONS, settings: ElasticsearchSettings | None = None
    ) -> AsyncIterator[None]:
        """Run the stage."""
        store = self.store(settings)
        await store.open()
        try:
            async with running(Worker(self.log, IndexStage(store), options)):
                yield
        finally:
            await store.close()

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncElasticsearch]:
        """Connect as somebody who may do everything."""
        client = client_for(self.server.url, self.settings)
        try:
            yield client
        finally:
            await client.close()

    async def publish(self, *messages: Message) -> None:
        """Put messages on the log."""
        await self.log.publish(messages)

    async def is_read(self) -> bool:
        """Tell whether the stage has dealt with all that there is."""
        for topic in (Withdrawal.topic, Enriched.topic):
            for number, position in (await self.log.committed("index", topic)).items():
                if await self.log.read(topic, number, position, max_records=1):
                    return False
        return True

    async def index_all(self, *messages: Message, options: WorkerOptions = OPTIONS) -> None:
        """Publish, and run the stage until it has dealt with all that there is."""
        await self.publish(*messages)
        async with self.indexing(options):
            await until(self.is_read)

    async def report(self) -> Report:
        """Compare what the topic says with what is in the index."""
        async with self.client() as client:
            await client.indices.refresh(index=self.names.of(ARTICLES), ignore_unavailable=True)
            items = partial(elastic_items, client, self.names)
            return await verify(self.log, items, self.folder, Keeping(), settle_seconds=0.2)

    async def indexed(self) -> int:
        """Return how many articles can be found, doubles included."""
        async with self.client() as client:
            await client.indices.refresh(index=self.names.of(ARTICLES), ignore_unavailable=True)
            return int((await client.count(index=self.names.of(ARTICLES), ignore_unavailable=True))["count"])

    async def titles(self, kind: str = ARTICLES) -> dict[str, list[str]]:
        """Return the titles in each index of a kind."""
        async with self.client() as client:
            await client.indices.refresh(index=self.names.of(kind), ignore_unavailable=True)
            page = await client.search(
                index=self.names.of(kind), size=1000, source_includes=["title"], ignore_unavailable=True
            )
        found: dict[str, list[str]] = {}
        for hit in page["hits"]["hits"]:
            found.setdefault(hit["_index"], []).append(hit["_source"]["title"])
        return {index: sorted(titles) for index, titles in found.items()}

    async def records(self, topic: str) -> list[Record]:
        """Return what lies on a topic."""
        found: list[Record] = []
        for number in range(self.log.partitions):
            offset = 0
            while records := await self.log.read(topic, number, offset, max_records=1000):
                found += records
                offset = records[-1].offset + 1
        return found

    async def letters(self) -> list[Record]:
        """Return all dead letters."""
        return await self.records(DEAD_LETTERS)

    async def ends(self) -> Counter[str]:
        """Return how often each entry ended as indexed; no entry may end in another way."""
        outcomes = [Outcome.from_bytes(each.value or b"") for each in await self.records(Outcome.topic)]
        assert {each.kind for each in outcomes} <= {"indexed"}, {each.kind for each in outcomes}
        return Counter(each.entry_id for each in outcomes)

    async def assert_equal(self, count: int) -> None:
        """Fail unless so many articles are in the index, each once and as the topic says, and none died."""
        report = await self.report()
        assert report.is_equal, report
        assert (report.indexed, report.equal, report.in_flight) == (count, count, 0), report
        assert await self.letters() == []

    def environment(self) -> Mapping[str, str]:
        """Return the settings of a command that works in this world."""
        secured = {
            "NEWSWIRE_ELASTICSEARCH_USERNAME": self.server.username,
            "NEWSWIRE_ELASTICSEARCH_PASSWORD": self.server.password,
        }
        return {
            "NEWSWIRE_LOG": self.address,
            "NEWSWIRE_STORE": self.server.url,
            "NEWSWIRE_PREFIX": self.names.prefix,
            "NEWSWIRE_PARTITIONS": str(self.log.partitions),
            "NEWSWIRE_ELASTICSEARCH_REPLICAS": "0",
            **{name: value for name, value in secured.items() if value is not None},
        }

    async def remove(self) -> None:
        """Remove what is in Elasticsearch."""
        async with self.client() as client:
            for kind in (ARTICLES, REVISIONS):
                found = await client.indices.get_alias(index=self.names.pattern(kind))
                if found.body:
                    await client.indices.delete(index=list(found.body))


@contextlib.asynccontextmanager
async def index_world(
    world: KafkaWorld, server: ElasticsearchServer, folder: Path, partitions: int = 3
) -> AsyncIterator[IndexWorld]:
    """Yield a world with topics and templates, and remove what is in Elasticsearch afterwards."""
    password = None if server.password is None else SecretStr(server.password)
    settings = ElasticsearchSettings(
        username=server.username, password=password, replicas=0, wait_seconds=20, timeout_seconds=10
    )
    log = await world.log(TOPICS, partitions=partitions)
    made = IndexWorld(log, world.address, server, ElasticNames(world.prefix), settings, folder)
    async with made.client() as client:
        await Setup(client, made.names, settings, RETENTION).run()
    yield made
    await made.remove()


class Load:
    """Publishes new articles, a few at a time, as long as it runs.

    Args:
        world: that they are published in.
        pause: seconds between two publications.
    """

    def __init__(self, world: IndexWorld, pause: float = 0.02) -> None:
        self.published = 0
        self._world = world
        self._pause = pause

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish meanwhile; what is published at the end is acknowledged."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            count = 5
            await self._world.publish(*(article(self.published + number) for number in range(count)))
            self.published += count
            await asyncio.sleep(self._pause)


def article(number: int, *, later: int | None = None, **changes: Any) -> Message:
    """Return an enriched article as enrich sends it, with an entry of its own.

    Args:
        number: what its id, its URL and its title are made of.
        later: how much its version is above the lowest; the number if none is given.
        changes: other values of fields.
    """
    version = FIRST_VERSION + (number if later is None else later)
    key, url = f"{number:032x}", f"https://courier.example/{number}"
    entry = f"{number:016x}{version:016x}"
    fields = {
        "article_id": key, "version": version, "revision": 1, "entry_id": entry, "first_seen_at": SEEN,
        "enriched_at": SEEN, "url": url, "canonical_url": url, "title": f"Article {number}",
        "text": "Talks about the bridge went on.", "content_hash": f"h{version}", "fetched_at": SEEN,
        "language": "en",
    }  # fmt: skip
    return sent(Enriched.model_validate(fields | changes), key, entry, "f1")


def articles(numbers: Sequence[int] | range, **changes: Any) -> list[Message]:
    """Return several."""
    return [article(number, **changes) for number in numbers]


async def until(condition: Condition, seconds: float = SECONDS, what: Callable[[], object] = str) -> None:
    """Poll a condition until it holds; fail after the time."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"it did not come true in time {what()}"
        await asyncio.sleep(0.05)
