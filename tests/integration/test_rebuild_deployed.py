"""A rebuild where it matters: on Kafka while articles come, and by a user who may do no more than he must."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.ingest_world import until
from integration.rebuild_world import DECEMBER, NOVEMBER, RebuildWorld, article, rebuild_world, withdrawal
from servers.elasticsearch import ElasticsearchServer
from servers.kafka import KafkaServer

from newswire_index.elastic.security import Passwords, Users
from newswire_index.rebuild import rebuilding
from newswire_index.rebuild import state as rebuild_state
from newswire_index.rebuild.bootstrap import rebuild, remove, verified
from newswire_index.rebuild.rebuilding import Options
from newswire_index.settings import IndexSettings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
async def on_kafka(
    elasticsearch: ElasticsearchServer, kafka: KafkaServer, tmp_path: Path
) -> AsyncIterator[RebuildWorld]:
    """A world whose log is a Kafka."""
    async with rebuild_world(elasticsearch, tmp_path, f"kafka://{kafka.bootstrap}") as made:
        yield made


async def test_on_kafka_the_pipeline_goes_on_meanwhile(on_kafka: RebuildWorld, tmp_path: Path) -> None:
    """Updates, a new month and a withdrawal; offsets have gaps there, and ends are not records."""
    world = on_kafka
    await world.index(*(article(f"old{number}") for number in range(30)))
    stop = asyncio.Event()

    async def write() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            seen = NOVEMBER if number % 2 else DECEMBER
            update = article(f"old{number % 29}", number, revision=number + 1)
            await world.log.publish([article(f"new{number}", seen=seen), update])
        return number

    async with world.at_work():
        writing = asyncio.create_task(write())
        done = await world.rebuild()
        await world.log.publish([withdrawal("old29")])
        during = await world.verified(tmp_path)
        stop.set()
        written = await writing
        await until(world.is_read)
    after = await world.verified(tmp_path)

    assert (done["done"], during.first, after.first) == ("rebuilt", [], [])
    assert (after.equal, after.withdrawn, len(await world.found())) == (written + 29, 1, written + 29)
    assert "2026.11-000002" in await world.serving()


async def test_the_index_services_user_may_rebuild_and_verify(
    secured_elasticsearch: ElasticsearchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no superuser; what the commands do is done with the settings of the environment."""
    user, password = "NEWSWIRE_ELASTICSEARCH_USERNAME", "NEWSWIRE_ELASTICSEARCH_PASSWORD"
    monkeypatch.setenv(user, secured_elasticsearch.username or "")
    monkeypatch.setenv(password, secured_elasticsearch.password or "")
    monkeypatch.setenv("NEWSWIRE_ELASTICSEARCH_REPLICAS", "0")
    async with rebuild_world(secured_elasticsearch, tmp_path) as world:
        await world.index(article("a"), article("b"), withdrawal("b"))
        users = Users(world.scene.client, world.scene.names)
        await users.run(Passwords(index="index-secret"))
        monkeypatch.setenv(user, f"{world.scene.names.prefix}newswire_index")
        monkeypatch.setenv(password, "index-secret")
        settings, own = world.settings, IndexSettings()
        done = await rebuild(settings, own, Options(), world.said.append)
        removed = await remove(settings, own, world.said.append, abandon=False)
        report = await verified(settings, own, 10)

    assert (done["done"], len(removed), removed) == ("rebuilt", 1, done["old"])
    assert (report.is_equal, report.equal, report.withdrawn) == (True, 1, 1)


@pytest.mark.timeout(300)
async def test_an_elasticsearch_killed_in_the_middle_is_waited_for(
    own_elasticsearch: ElasticsearchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it fills or has just moved the aliases; the same process goes on when it is back."""
    monkeypatch.setattr(rebuilding, "PORTION", 20)
    monkeypatch.setattr(rebuild_state, "BEAT_SECONDS", 0.2)
    returning: list[asyncio.Task[None]] = []
    portions: list[str] = []

    def kill(moment: str) -> None:
        portions.append(moment)
        if moment == "swapped" or (moment == "portion" and portions.count("portion") == 3):
            own_elasticsearch.kill()
            returning.append(asyncio.create_task(asyncio.to_thread(own_elasticsearch.start)))

    async with rebuild_world(own_elasticsearch, tmp_path) as world:
        await world.index(*(article(f"a{number}") for number in range(100)))
        done = await world.rebuild(kill)
        await asyncio.gather(*returning)
        report = await world.verified(tmp_path)

        assert (done["done"], len(returning), report.first) == ("rebuilt", 2, [])
        assert report.equal == 100
        assert world.said[0].startswith("waiting: Elasticsearch ")
        assert "going on" in world.said
        assert await world.serving() == ["2026.11-000002"]
