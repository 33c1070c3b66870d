"""Elasticsearch that is killed, full, busy or closed to us: what is to be indexed waits, and nothing dies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from integration.index_world import IndexWorld, Load, article, articles, index_world, until
from integration.kafka_world import KafkaWorld
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer
from structlog.testing import capture_logs

from newswire_index.elastic.bulk import BUSY, Action, Answer, Bulk
from newswire_index.elastic.names import ARTICLES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Lines = list[MutableMapping[str, Any]]
FULL = "index.blocks.read_only_allow_delete"  # what Elasticsearch sets when a disk is full
CLOSED = "index.blocks.write"  # what a person sets
TURNED_AWAY = 100  # at the least, many of them more than once


def said(lines: Lines, event: str) -> list[str]:
    """Return what was said with an event."""
    return [str(line.get("error")) for line in lines if line["event"] == event]


@pytest.fixture
async def own(
    world: KafkaWorld, own_elasticsearch: ElasticsearchServer, tmp_path: Path
) -> AsyncIterator[IndexWorld]:
    """A world whose Elasticsearch may be killed."""
    async with index_world(world, own_elasticsearch, tmp_path) as made:
        yield made
        await asyncio.to_thread(own_elasticsearch.start)


async def test_an_elasticsearch_killed_under_load_is_waited_for(own: IndexWorld) -> None:
    """When it is back everything goes on by itself: nothing is lost, doubled, or taken for a dead letter."""
    load = Load(own)
    with capture_logs() as lines:
        async with own.indexing():
            async with load.running():
                await until(lambda: grows(own, 0))
                await asyncio.to_thread(own.server.kill)
                await until(lambda: is_said(lines, "dependency.down"))
                at_its_death = load.published
                await asyncio.to_thread(own.server.start)
                await until(lambda: grows(own, at_its_death))
            await until(own.is_read)
    published = load.published

    await own.assert_equal(published)
    assert set((await own.ends()).values()) == {1}
    assert len(await own.ends()) == published
    assert len(said(lines, "dependency.down")) == len(said(lines, "dependency.back")) == 1


async def grows(world: IndexWorld, before: int) -> bool:
    """Tell whether more is in the index than before."""
    return await world.indexed() > before


async def is_said(lines: Lines, event: str) -> bool:
    """Tell whether something was said."""
    return bool(said(lines, event))


async def test_429s_of_a_tiny_queue_lose_and_kill_nothing(
    own: IndexWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One writes, one waits, and all others are turned away, again and again."""
    turned_away = spy_on_answers(monkeypatch)
    own.server.configure({"thread_pool.write.size": "1", "thread_pool.write.queue_size": "1"})
    await asyncio.to_thread(own.server.start)
    load = Load(own)

    async def is_enough() -> bool:
        return sum(turned_away) >= TURNED_AWAY

    async with own.indexing():
        async with noise_on(own), load.running():
            await until(is_enough)
        await until(own.is_read)

    await own.assert_equal(load.published)


def spy_on_answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that fills with how many items each request of ours was turned away for."""
    request, counts = Bulk._request, list[int]()

    async def spied(bulk: Bulk, actions: Sequence[Action]) -> list[Answer]:
        answers = await request(bulk, actions)
        counts.append(sum(answer.status in BUSY for answer in answers))
        return answers

    monkeypatch.setattr(Bulk, "_request", spied)
    return counts


@contextlib.asynccontextmanager
async def noise_on(world: IndexWorld) -> AsyncIterator[None]:
    """Write to an index of somebody else as fast as that can be done."""
    index = f"{world.names.prefix}noise"
    operations: list[dict[str, Any]] = [{"index": {}}, {"text": "noise " * 50}] * 100
    stop = asyncio.Event()

    async def write() -> None:
        async with world.client() as client:
            while not stop.is_set():
                await client.options(ignore_status=429).bulk(index=index, operations=operations)

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(write())
        try:
            yield
        finally:
            stop.set()
    async with world.client() as client:
        await client.indices.delete(index=index)


@pytest.mark.parametrize("block", [FULL, CLOSED], ids=["full", "closed"])  # 429, 403
async def test_a_block_on_the_index_is_waited_for(
    world: KafkaWorld, elasticsearch: ElasticsearchServer, tmp_path: Path, block: str
) -> None:
    """A full disk is one: when somebody has made room, what waited is indexed."""
    async with index_world(world, elasticsearch, tmp_path) as made:
        await made.index_all(*articles(range(10)))
        await set_block(made, block, on=True)
        with capture_logs() as lines:
            async with made.indexing():
                await made.publish(article(0, later=2_000_000, title="Newer"), *articles(range(10, 30)))
                await until(lambda: is_said(lines, "dependency.down"))
                during = await made.indexed()
                await set_block(made, block, on=False)
                await until(made.is_read)

        assert during == 10
        assert "blocked by" in said(lines, "dependency.down")[0]
        await made.assert_equal(30)
        assert "Newer" in [title for titles in (await made.titles()).values() for title in titles]


async def set_block(world: IndexWorld, block: str, *, on: bool) -> None:
    """Set or remove a block on all months."""
    async with world.client() as client:
        await client.indices.put_settings(index=world.names.of(ARTICLES), settings={block: on or None})


async def test_a_changed_password_is_waited_for(
    world: KafkaWorld, secured_elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Somebody turned the password, and then the service's settings, or the password back."""
    async with index_world(world, secured_elasticsearch, tmp_path) as made:
        user = f"{world.prefix}index"
        await set_password(made, user, "of-the-service")
        mine = {"username": user, "password": SecretStr("of-the-service")}
        with capture_logs() as lines:
            async with made.indexing(settings=made.settings.model_copy(update=mine)):
                await made.publish(*articles(range(10)))
                await until(made.is_read)
                await set_password(made, user, "of-somebody-else")
                await made.publish(*articles(range(10, 30)))
                await until(lambda: is_said(lines, "dependency.down"))
                during = await made.indexed()
                await set_password(made, user, "of-the-service")
                await until(made.is_read)

        assert during == 10
        assert "401" in said(lines, "dependency.down")[0]
        assert "of-the-service" not in str(lines)
        await made.assert_equal(30)
        async with made.client() as client:
            await client.security.delete_user(username=user)


async def set_password(world: IndexWorld, user: str, password: str) -> None:
    """Make a user, or give it another password."""
    async with world.client() as client:
        await client.security.put_user(username=user, password=password, roles=["superuser"])
