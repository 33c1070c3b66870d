"""A log, an Elasticsearch that is set up, and what a rebuild needs, all in a world of its own."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.elastic_scene import Scene, scene_in
from integration.ingest_world import running, until
from servers.elasticsearch import ElasticsearchServer
from unit.scenes import enriched, wrapped

from newswire.backoff import Backoff
from newswire.envelope import FIRST_SEEN, VERSION, tombstone
from newswire.events import Enriched, Withdrawal
from newswire.log import Log, Message, open_log
from newswire.partition_loop import WorkerOptions
from newswire.settings import Settings
from newswire.topics import TOPICS
from newswire.worker import Worker
from newswire_index.elastic.months import MonthIndex
from newswire_index.elastic.names import ARTICLES, REVISIONS
from newswire_index.elastic.store import ElasticStore
from newswire_index.rebuild.bootstrap import Site, rebuilt
from newswire_index.rebuild.indices import NewIndices
from newswire_index.rebuild.rebuilding import Options, Rebuild
from newswire_index.rebuild.state import RebuildState
from newswire_index.settings import IndexSettings
from newswire_index.stage import IndexStage
from newswire_index.verify.elastic import elastic_items
from newswire_index.verify.verifying import Keeping, Report, verify

CHILD = Path(__file__).with_name("rebuild_child.py")
PARTITIONS = 3
NOVEMBER = datetime(2026, 11, 10, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 9, tzinfo=UTC)
NOW = datetime(2026, 12, 2, tzinfo=UTC)


def version_at(moment: datetime, more: int = 0) -> int:
    """Return a version of that moment."""
    return int(moment.timestamp() * 1000) + more


def article(key: str, more: int = 0, seen: datetime = NOVEMBER, **fields: Any) -> Message:
    """Return an enriched article's message; with ``more`` a newer version of it."""
    title = fields.pop("title", f"Talks {key} {more}")
    version = fields.pop("version", version_at(seen, more))
    event = enriched(
        article_id=key, version=version, first_seen_at=seen, title=title,
        canonical_url=f"https://courier.example/{key}", content_hash=f"{key}-{fields.get('revision', 1)}",
        fetched_at=seen, enriched_at=seen, **fields,
    )  # fmt: skip
    return wrapped(event)


def gone(key: str, more: int, seen: datetime = NOVEMBER) -> Message:
    """Return the tombstone of an article."""
    headers = {VERSION: str(version_at(seen, more)), FIRST_SEEN: seen.isoformat()}
    return tombstone(Enriched.topic, key, headers)


def withdrawal(key: str) -> Message:
    """Return a withdrawal."""
    return wrapped(Withdrawal(article_id=key, withdrawn_at=NOW, withdrawn_by="desk", reason="wrong"))


class RebuildWorld:
    """Publishes, indexes, rebuilds and verifies.

    Args:
        scene: in Elasticsearch.
        log: an open log.
        settings: of both.
    """

    def __init__(self, scene: Scene, log: Log, settings: Settings) -> None:
        self.scene = scene
        self.log = log
        self.settings = settings
        self.now = NOW
        self.said: list[str] = []
        self.store = ElasticStore(
            scene.url, prefix=scene.names.prefix, clock=lambda: self.now, own=IndexSettings()
        )

    @property
    def environment(self) -> dict[str, str]:
        """How another process comes here."""
        return {
            "NEWSWIRE_LOG": self.settings.log, "NEWSWIRE_STORE": self.settings.store,
            "NEWSWIRE_PREFIX": self.settings.prefix, "NEWSWIRE_PARTITIONS": str(PARTITIONS),
        }  # fmt: skip

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Run the index service's stage."""
        options = WorkerOptions(backoff=Backoff(0.02, 0.1))
        async with running(Worker(self.log, IndexStage(self.store), options)):
            yield

    async def index(self, *messages: Message) -> None:
        """Publish, and let the index service deal with it."""
        await self.log.publish(messages)
        async with self.at_work():
            await until(self.is_read)

    async def is_read(self) -> bool:
        """Tell whether the index service has read everything; marks of the log itself are nothing to read."""
        for topic in (Enriched.topic, Withdrawal.topic):
            committed = await self.log.committed("index", topic)
            for number, end in (await self.log.end_offsets(topic)).items():
                if committed[number] < end and await self.log.read(topic, number, committed[number]):
                    return False
        return True

    def site(self, silent_seconds: float = 1.0) -> Site:
        """Return where a rebuild takes place."""
        scene = self.scene
        indices = NewIndices(scene.client, scene.names, scene.settings, lifecycle=True)
        state = RebuildState(scene.client, scene.names, silent_seconds=silent_seconds)
        return Site(self.settings, IndexSettings(), indices, state)

    async def rebuild(self, moment: Callable[[str], None] = lambda _: None, **options: Any) -> dict[str, Any]:
        """Rebuild."""
        at = self.site()
        return await rebuilt(
            at, self.log, Options(**options), self.said.append, moment=moment, clock=lambda: self.now
        )

    async def months(self) -> dict[str, MonthIndex]:
        """Return the indices of all months."""
        return {each.name.rpartition("articles-")[2]: each for each in await self.site().indices.found()}

    async def serving(self) -> list[str]:
        """Return the indices that are both read and written."""
        names = self.scene.names
        return [
            short
            for short, each in (await self.months()).items()
            if {names.of(ARTICLES), names.month(ARTICLES, each.month)} <= each.aliases
        ]

    async def found(self) -> dict[str, str]:
        """Return the titles of all articles that can be found; fails if one is there twice."""
        await self.refresh()
        found: dict[str, str] = {}
        async for item in elastic_items(self.scene.client, self.scene.names):
            assert item.article_id not in found
            found[item.article_id] = item.title
        return found

    async def refresh(self) -> None:
        """Make all that was written findable."""
        names = [self.scene.names.of(kind) for kind in (ARTICLES, REVISIONS)]
        await self.scene.client.indices.refresh(index=names, ignore_unavailable=True)

    async def held(self, index: str) -> set[str]:
        """Return the articles of one index."""
        name = f"{self.scene.names.of(ARTICLES)}-{index}"
        await self.scene.client.indices.refresh(index=name)
        answer = await self.scene.client.search(index=name, size=1000, source=False)
        return {hit["_id"] for hit in answer["hits"]["hits"]}

    async def source(self, article_id: str) -> Mapping[str, Any]:
        """Return an article as it is kept."""
        await self.refresh()
        answer = await self.scene.client.search(
            index=self.scene.names.of(ARTICLES), query={"ids": {"values": [article_id]}}
        )
        (hit,) = answer["hits"]["hits"]
        return dict(hit["_source"])

    async def verified(self, folder: Path, **keeping: timedelta) -> Report:
        """Compare topic and index."""
        await self.refresh()

        def items() -> Any:
            return elastic_items(self.scene.client, self.scene.names)

        return await verify(
            self.log, items, folder, Keeping(**keeping), settle_seconds=1.5, clock=lambda: self.now
        )

    async def child(self, moment: str, what: str = "die") -> "asyncio.subprocess.Process":
        """Start a rebuild in a process of its own, that does something at a moment."""
        return await asyncio.create_subprocess_exec(
            sys.executable, str(CHILD), moment, what, env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def killed_at(self, moment: str) -> None:
        """Rebuild in another process until a moment, in which it is killed."""
        process = await self.child(moment)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == -9, (process.returncode, out, err)


@contextlib.asynccontextmanager
async def rebuild_world(
    server: ElasticsearchServer, folder: Path, log_address: str | None = None
) -> AsyncIterator[RebuildWorld]:
    """Yield a world, and remove it afterwards.

    Args:
        server: an Elasticsearch.
        folder: for what lies on disk.
        log_address: of the log; default a file in the folder.
    """
    async with scene_in(server) as scene:
        await scene.set_up()
        address = log_address or f"sqlite:///{folder / 'log.db'}"
        settings = Settings(
            log=address, store=server.url, prefix=scene.names.prefix, partitions=PARTITIONS,
            cache=folder / "cache",
        )  # fmt: skip
        log = open_log(address, prefix=settings.prefix, partitions=PARTITIONS)
        await log.open()
        await log.create_topics(TOPICS)
        world = RebuildWorld(scene, log, settings)
        await world.store.open()
        try:
            yield world
        finally:
            await world.store.close()
            await log.close()


class Between:
    """Gets between two steps of a rebuild.

    Args:
        monkeypatch: of the test.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def before(self, method: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do something before a step of the rebuild, once."""
        original = getattr(Rebuild, method)
        done: list[bool] = []

        async def stepped(this: Rebuild, *args: Any) -> Any:
            if not done:
                done.append(True)
                await work()
            return await original(this, *args)

        self._monkeypatch.setattr(Rebuild, method, stepped)
