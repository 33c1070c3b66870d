"""One article's life through the whole pipeline, on a real Kafka and with a real Elasticsearch behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.index_world import IndexWorld, index_world, until
from integration.ingest_world import NEWS, atom, page, world_on
from integration.kafka_world import KafkaWorld
from integration.pipeline_world import Pipeline
from servers.elasticsearch import ElasticsearchServer

from newswire.children import Children
from newswire.events import Enriched
from newswire.withdrawing import lift, resolve, withdraw
from newswire_index.document import document_from
from newswire_index.elastic.names import REVISIONS
from newswire_index.store import OLDER, WITHDRAWN
from newswire_ingest.service import CHILD, LIMITS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

FEED, URL = f"{NEWS}/feed.xml", f"{NEWS}/a"
NEW, UPDATED, GONE = ("indexed", "new"), ("indexed", "updated"), ("discarded", "withdrawn")
POLL_SECONDS = 0.3


@pytest.fixture
async def index(
    world: KafkaWorld, elasticsearch: ElasticsearchServer, tmp_path: Path
) -> AsyncIterator[IndexWorld]:
    """A world with one partition."""
    async with index_world(world, elasticsearch, tmp_path, partitions=1) as made:
        yield made


@pytest.fixture
async def line(index: IndexWorld, tmp_path: Path) -> AsyncIterator[Pipeline]:
    """The pipeline in that world; a feed of it is asked again and again."""
    store = index.store()
    async with (
        Children(CHILD, {}, workers=1, limits=LIMITS) as children,
        world_on(index.log, tmp_path, children) as made,
    ):
        await store.open()
        yield Pipeline(made, store)
        await store.close()


async def titles(index: IndexWorld) -> list[str]:
    """Return the titles that can be found."""
    return [title for each in (await index.titles()).values() for title in each]


def show(line: Pipeline, subject: str, updated: str) -> None:
    """Put another state of the article on the web, and say so in its feed."""
    line.site.put(URL, page(subject))
    line.site.put(FEED, atom(URL, updated), Content_Type="application/xml")


async def ended(line: Pipeline, *ends: tuple[str, str]) -> None:
    """Wait until entries have ended so, and no others."""

    async def so() -> bool:
        return sorted(await line.outcomes()) == sorted(ends)

    await until(so, what=lambda: ends)


async def test_the_index_holds_the_right_thing_each_time(line: Pipeline, index: IndexWorld) -> None:
    """An article is new, updated, replayed in its old state, withdrawn, polled again, and lifted."""
    show(line, "the bridge", "2026-11-20T10:00:00Z")
    await line.world.feed(FEED, interval=POLL_SECONDS)
    async with line.at_work():
        await ended(line, NEW)
        assert await titles(index) == ["News about the bridge"]

        show(line, "the tunnel", "2026-11-20T11:00:00Z")
        await ended(line, NEW, UPDATED)
        assert await titles(index) == ["News about the tunnel"]
        assert list((await index.titles(REVISIONS)).values()) == [["News about the bridge"]]

        first = document_from((await line.world.all(Enriched))[0])
        assert await line.store.write([first]) == [OLDER]
        assert await titles(index) == ["News about the tunnel"]

        meant = await resolve(line.log, URL)
        await withdraw(line.log, meant, reason="court order", by="desk")
        await until(lambda: nothing_of(index))
        assert await line.store.write([first]) == [WITHDRAWN]
        show(line, "the ferry", "2026-11-20T12:00:00Z")
        await ended(line, NEW, UPDATED, GONE)
        assert await nothing_of(index)

        await lift(line.log, meant.article_id, URL)
        await ended(line, NEW, UPDATED, GONE, NEW)
        assert await titles(index) == ["News about the ferry"]
    await index.assert_equal(1)


async def nothing_of(index: IndexWorld) -> bool:
    """Tell whether neither the article nor a revision of it is there."""
    return not await titles(index) and not await index.titles(REVISIONS)
