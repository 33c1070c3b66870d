"""The whole pipeline in one process: a small web, ingest, enrich, index and a store, all of them real.

Only the children of enrich are not: whatever they are asked, they find English and a topic.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from integration.ingest_world import World, running, until, world_in

from newswire.backoff import Backoff
from newswire.children import Children
from newswire.events import DEAD_LETTERS, Article, Entry, Outcome, Sighting, Withdrawal
from newswire.ledger import Ledger
from newswire.log.port import Record
from newswire.partition_loop import WorkerOptions
from newswire.worker import Worker
from newswire_enrich.stage import EnrichStage
from newswire_index.sqlite.store import SqliteStore
from newswire_index.stage import IndexStage
from newswire_index.store import Store

CONSUMERS = {
    "ingest": (Entry.topic,),
    "enrich": (Withdrawal.topic, Article.topic, Sighting.topic),
    "index": (Withdrawal.topic, "newswire.enriched.v1"),
}


class Tagger:
    """Stands for enrich's children: tags everything with a topic that can be changed, or fails."""

    def __init__(self) -> None:
        self.topic = "talks"
        self.items: list[dict[str, Any]] = []
        self.error: Exception | None = None

    async def run(self, item: dict[str, Any]) -> dict[str, Any]:
        """Tag a text."""
        self.items.append(item)
        if self.error:
            raise self.error
        return {"language": "en", "topics": [{"id": self.topic, "score": 1.0, "by": "rules 1"}]}


class Pipeline:
    """Runs the stages over one log, and shows what came of it."""

    def __init__(self, world: World, store: Store) -> None:
        self.world = world
        self.log = world.log
        self.site = world.site
        self.store = store
        self.tagger = Tagger()

    @contextlib.asynccontextmanager
    async def at_work(self, children: Any = None) -> AsyncIterator[None]:
        """Run all stages; their children may be others than the usual ones."""
        options = WorkerOptions(backoff=Backoff(0.02, 0.1))
        enrich: Any = EnrichStage(self.tagger)  # type: ignore[arg-type]  # what it needs of children
        async with (
            self.world.ingest(children),
            running(Worker(self.log, enrich, options)),
            running(Worker(self.log, IndexStage(self.store), options)),
        ):
            yield

    async def settle(self, *ends: tuple[str, str], children: Any = None) -> None:
        """Run until entries have ended so, and nothing is unread."""
        async with self.at_work(children):
            await until(lambda: self._ended(ends), lambda: f"{ends}")

    async def outcomes(self) -> list[tuple[str, str]]:
        """Return kind and reason of all outcomes."""
        return [(each.kind, each.reason) for each in await self.world.all(Outcome)]

    async def letters(self) -> list[Record]:
        """Return what lies on the topic of dead letters."""
        found: list[Record] = []
        for number in range(self.log.partitions):
            found += await self.log.read(DEAD_LETTERS, number, 0)
        return found

    async def titles(self) -> list[str]:
        """Return the titles that can be found."""
        return sorted([title async for _, _, title, _ in self.store.items()])

    async def balanced(self) -> bool:
        """Tell whether nothing is lost or in flight."""
        balance = await Ledger(self.log).balance()
        return (balance.in_flight, balance.lost) == (0, ())

    async def read(self) -> bool:
        """Tell whether each stage has read all that there is for it."""
        for group, topics in CONSUMERS.items():
            for topic in topics:
                for number, position in (await self.log.committed(group, topic)).items():
                    if await self.log.read(topic, number, position, max_records=1):
                        return False
        return True

    async def _ended(self, ends: tuple[tuple[str, str], ...]) -> bool:
        there = await self.outcomes()
        enough = all(there.count(end) >= ends.count(end) for end in ends)
        return enough and await self.balanced() and await self.read()


@contextlib.asynccontextmanager
async def pipeline_in(folder: Path, children: Children) -> AsyncIterator[Pipeline]:
    """Yield a pipeline whose log and store lie in a folder."""
    async with world_in(folder, children) as world:
        store = SqliteStore(f"sqlite:///{folder / 'store.db'}")
        await store.open()
        try:
            yield Pipeline(world, store)
        finally:
            await store.close()
