"""A search with the rights of a reader, on an Elasticsearch with authentication on."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from contract.store_contract import NATO, NOW, article, ids, topics
from integration.elastic_scene import Scene, prefix_on, scene_in
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire_index.elastic.names import ARTICLES
from newswire_index.elastic.security import Passwords, Users
from newswire_index.elastic.store import ElasticStore
from newswire_index.query import parse_query
from newswire_index.settings import IndexSettings
from newswire_index.store import STORED, StoreMissingError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

As = Callable[..., AbstractAsyncContextManager[ElasticStore]]


@pytest.fixture(scope="module")
def prefix(secured_elasticsearch: ElasticsearchServer) -> Iterator[str]:
    """A world that is set up."""
    with prefix_on(secured_elasticsearch) as prefix:
        yield prefix


@pytest.fixture
async def scene(secured_elasticsearch: ElasticsearchServer, prefix: str) -> AsyncIterator[Scene]:
    """That world with its users."""
    async with scene_in(secured_elasticsearch, prefix) as scene:
        await Users(scene.client, scene.names).run(Passwords(index="index-secret", reader="reader-secret"))
        yield scene
        anyway = scene.client.options(ignore_status=404)
        month = scene.names.index(scene.names.month(ARTICLES, "2026-11"))
        await anyway.indices.delete(index=month, ignore_unavailable=True)
        for who in ("newswire_index", "newswire_reader"):
            await anyway.security.delete_user(username=f"{prefix}{who}")
            await anyway.security.delete_role(name=f"{prefix}{who}")


@pytest.fixture
def store_as(scene: Scene, secured_elasticsearch: ElasticsearchServer) -> As:
    """Return what opens a store as a user of the world."""

    @asynccontextmanager
    async def opened(who: str, password: str, *, create: bool = False) -> AsyncIterator[ElasticStore]:
        login = ElasticsearchSettings(
            username=f"{scene.names.prefix}{who}", password=SecretStr(password), replicas=0
        )
        store = ElasticStore(
            secured_elasticsearch.url, prefix=scene.names.prefix, create=create, clock=lambda: NOW,
            settings=login, own=IndexSettings(),
        )  # fmt: skip
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    return opened


async def test_a_reader_may_search_and_needs_no_more(scene: Scene, store_as: As) -> None:
    """Words, facets, passages, pages and single articles."""
    async with store_as("newswire_index", "index-secret", create=True) as store:
        documents = [article("a", entities=(NATO,), topics=topics("nato-bid")), article("b")]
        assert list(await store.write(documents)) == [STORED] * 2
    await scene.client.indices.refresh(index=scene.names.of(ARTICLES))

    async with store_as("newswire_reader", "reader-secret") as store:
        results = await store.search(parse_query("talks", limit=1, facets=True, recency=7))
        rest = await store.search(parse_query("talks", cursor=results.next_cursor, recency=7))
        assert (results.total, len(ids(results) + ids(rest))) == (2, 2)
        assert results.hits[0].highlights
        assert results.facets is not None
        assert results.facets.topics[0].value == "nato-bid"
        assert await store.get("a") is not None
        assert await store.count() == 2


async def test_a_reader_before_the_first_article_is_told_that_there_is_no_index(store_as: As) -> None:
    """That is no lack of rights."""
    with pytest.raises(StoreMissingError, match="no index yet"):
        async with store_as("newswire_reader", "reader-secret"):
            pass


async def test_a_wrong_password_is_a_wrong_setting(store_as: As) -> None:
    """In one line with Elasticsearch's reason, and without the password."""
    with pytest.raises(SettingsError, match="refuses the log-in: 401") as caught:
        async with store_as("newswire_reader", "wrong-secret"):
            pass
    assert "wrong-secret" not in str(caught.value)
