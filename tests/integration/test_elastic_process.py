"""The index service as a process that is killed while it writes to a real Elasticsearch."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from e2e.harness import started
from integration.index_world import IndexWorld, articles, index_world, until
from integration.kafka_world import KafkaWorld
from servers.elasticsearch import ElasticsearchServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

COUNT = 3000
SMALL = {"NEWSWIRE_INDEX_BATCH": "20", "NEWSWIRE_KAFKA_SESSION_SECONDS": "1.5"}
DEATHS = 2


async def test_a_service_killed_amid_its_bulks_loses_and_doubles_nothing(
    world: KafkaWorld, elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """What was written and not committed comes again, as an older version; each entry ends once."""
    async with index_world(world, elasticsearch, tmp_path) as made:
        await made.publish(*articles(range(COUNT)))
        settings = {**made.environment(), **SMALL}
        for _ in range(DEATHS):
            await kill_in_the_middle(made, settings)
        with started(tmp_path, "run", "--only", "index", env=settings):
            await until(made.is_read)

        await made.assert_equal(COUNT)
        ends = await made.ends()
        assert (len(ends), set(ends.values())) == (COUNT, {1})


async def kill_in_the_middle(world: IndexWorld, settings: Mapping[str, str]) -> None:
    """Run the service until there are some articles more in the index, and kill it."""
    before = await world.indexed()

    async def is_at_it() -> bool:
        return await world.indexed() > before

    with started(world.folder, "run", "--only", "index", env=settings) as process:
        await until(is_at_it)
        process.kill()
        await asyncio.to_thread(process.wait)
    assert before < await world.indexed() < COUNT
