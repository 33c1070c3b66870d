"""Articles on their way from a real Kafka into a real Elasticsearch, and one that it refuses."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import newswire
from integration.index_world import (
    SEEN,
    IndexWorld,
    article,
    articles,
    index_world,
    until,
)
from integration.ingest_world import running
from integration.kafka_world import KafkaWorld
from integration.pipeline_world import Tagger
from servers.elasticsearch import ElasticsearchServer

from newswire.letters import letters_on
from newswire.partition_loop import WorkerOptions
from newswire.worker import Worker
from newswire_enrich.stage import EnrichStage
from newswire_index.document import month_end, month_of
from newswire_index.elastic.names import ARTICLES, REVISIONS
from newswire_index.elastic.templates import custom

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

MANY = 500
AT_ONCE = WorkerOptions(max_records=MANY, first_records=MANY)
SMALL = {"words": {"type": "byte"}}  # holds at most 127
MENDED = {"words": {"type": "byte", "ignore_malformed": True}}
LONG = "word " * 200


@pytest.fixture
async def made(
    world: KafkaWorld, elasticsearch: ElasticsearchServer, tmp_path: Path
) -> AsyncIterator[IndexWorld]:
    """A world with one partition, so that what is published together is one bulk."""
    async with index_world(world, elasticsearch, tmp_path, partitions=1) as index:
        yield index


async def test_one_bad_document_of_500_dies_alone_and_is_replayed(made: IndexWorld, tmp_path: Path) -> None:
    """Its dead letter has Elasticsearch's reason; when the mapping is mended, a replay indexes it."""
    await own_mapping(made, SMALL)
    bad = article(0, text=LONG, title="The long one")
    await made.index_all(bad, *articles(range(1, MANY)), options=AT_ONCE)
    (letter,) = await letters_on(made.log)
    before = await made.indexed()
    await mend(made)
    replayed = newswire(tmp_path, "dead-letters", "replay", letter.id, "--json", env=made.environment())
    assert (replayed.returncode, replayed.stderr) == (0, "")
    owner: Any = EnrichStage(Tagger())  # type: ignore[arg-type]  # what it needs of children
    async with running(Worker(made.log, owner)), made.indexing():
        await until(lambda: holds(made, MANY))
    report = await made.report()

    assert before == MANY - 1
    assert (letter.topic, letter.reason) == ("newswire.enriched.v1", "store-rejected")
    assert "words" in letter.error
    assert "byte" in letter.error
    assert (report.is_equal, report.indexed) == (True, MANY)
    assert await letters_on(made.log) == []


async def own_mapping(world: IndexWorld, fields: Mapping[str, object]) -> None:
    """Put a mapping of a user's own above ours, for the months to come."""
    name = custom(world.names.of(ARTICLES))
    async with world.client() as client:
        await client.cluster.put_component_template(name=name, template={"mappings": {"properties": fields}})


async def mend(world: IndexWorld) -> None:
    """Let the index take what it did not."""
    async with world.client() as client:
        await client.indices.put_mapping(index=world.names.of(ARTICLES), properties=MENDED)


async def holds(world: IndexWorld, count: int) -> bool:
    """Tell whether so many articles are in the index."""
    return await world.indexed() == count


async def test_both_sides_of_a_months_end_are_indexed_in_their_month(made: IndexWorld) -> None:
    """Those first seen before it stay there, also when they are updated after it; none is there twice."""
    end = month_end(month_of(SEEN - timedelta(days=40)))
    moment = timedelta(milliseconds=1)
    old, new = month_of(end - moment), month_of(end)
    before = [article(n, first_seen_at=end - moment * (n + 1), title=f"Before {n}") for n in range(5)]
    after = [article(n, first_seen_at=end + moment * (n - 10), title=f"After {n}") for n in range(10, 15)]
    update = article(0, later=2_000_000, revision=2, first_seen_at=end - moment, title="Before, updated")
    mixed = [each for pair in zip(before, after, strict=True) for each in pair]
    await made.index_all(*mixed[:7])
    await made.index_all(*mixed[5:], update, *mixed[:3])
    indices = {month: made.names.index(made.names.month(ARTICLES, month)) for month in (old, new)}
    kept = made.names.index(made.names.month(REVISIONS, old))

    assert await made.titles() == {
        indices[old]: sorted(["Before, updated", *(f"Before {n}" for n in range(1, 5))]),
        indices[new]: [f"After {n}" for n in range(10, 15)],
    }
    assert await made.titles(REVISIONS) == {kept: ["Before 0"]}
    await made.assert_equal(10)
