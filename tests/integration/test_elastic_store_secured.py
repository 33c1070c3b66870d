"""The Elasticsearch store with authentication on: least privilege suffices, and a wrong password is told."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from contract.elastic_worlds import Worlds, worlds_on
from contract.store_contract import NOW, article, removal
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire_index.elastic.security import Passwords, Users
from newswire_index.elastic.store import ElasticStore
from newswire_index.query import parse_query
from newswire_index.settings import IndexSettings
from newswire_index.store import STORED, StoreUnavailableError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

SECRET = "a-secret"  # noqa: S105  of a server that lives as long as the tests


@pytest.fixture(scope="module")
def all_worlds(secured_elasticsearch: ElasticsearchServer) -> Iterator[Worlds]:
    """A set-up that the tests share."""
    with worlds_on(secured_elasticsearch) as worlds:
        yield worlds


@pytest.fixture
async def worlds(all_worlds: Worlds) -> AsyncIterator[Worlds]:
    """The same with its users, without indices."""
    async with all_worlds.client() as client:
        await Users(client, all_worlds.names()).run(Passwords(index=SECRET, reader=SECRET))
    yield all_worlds
    await all_worlds.clear()
    async with all_worlds.client() as client:
        for who in ("newswire_index", "newswire_reader"):
            await client.options(ignore_status=404).security.delete_user(username=f"{all_worlds.base}{who}")
            await client.options(ignore_status=404).security.delete_role(name=f"{all_worlds.base}{who}")


def store_of(worlds: Worlds, who: str, password: str = SECRET, *, create: bool = True) -> ElasticStore:
    """Return the store as a user opens it."""
    settings = ElasticsearchSettings(
        username=f"{worlds.base}{who}", password=SecretStr(password), wait_seconds=5, replicas=0
    )
    return ElasticStore(
        worlds.url, prefix=worlds.base, retention=timedelta(days=60), create=create, clock=lambda: NOW,
        settings=settings, own=IndexSettings(),
    )  # fmt: skip


async def test_the_index_services_user_can_do_all_that_its_store_does(worlds: Worlds) -> None:
    """Months made and dropped, articles, revisions, removals, withdrawals, and all ways of reading."""
    store = store_of(worlds, "newswire_index")
    october = datetime(2026, 10, 1, tzinfo=UTC)
    await store.open()
    for version in (1, 2):
        batch = [article("a", version, revision=version), article("o", version, first_seen_at=october)]
        assert list(await store.write([*batch, removal("gone", version)])) == [STORED] * 3
    await store.write([article("b")])
    await store.withdraw("b")
    await worlds.settle()

    assert [item[0] async for item in store.items()] == ["a", "o"]
    assert [each.revision for each in await store.revisions("a")] == [1]
    assert (await store.search(parse_query("talks"))).total == 2
    assert await store.drop_expired(datetime(2026, 12, 31, 1, tzinfo=UTC)) == 1
    await store.close()


async def test_a_reader_can_search_and_not_write(worlds: Worlds) -> None:
    """Being refused is no article's fault."""
    writer, reader = store_of(worlds, "newswire_index"), store_of(worlds, "newswire_reader", create=False)
    await writer.open()
    await writer.write([article()])
    await worlds.settle()
    await reader.open()

    assert (await reader.search(parse_query("talks"))).total == 1
    with pytest.raises(StoreUnavailableError, match="unauthorized"):
        await reader.write([article("b")])
    for store in (writer, reader):
        await store.close()


@pytest.mark.parametrize("create", [True, False])
async def test_a_wrong_password_stops_the_start(worlds: Worlds, *, create: bool) -> None:
    """At once: waiting does not make it right, and it is not told."""
    store = store_of(worlds, "newswire_index", "another-secret", create=create)

    with pytest.raises(SettingsError, match="refuses the log-in") as told:
        await store.open()
    assert "another-secret" not in str(told.value)


async def test_a_password_that_is_changed_while_the_service_runs_is_an_outage(worlds: Worlds) -> None:
    """Nothing is dead-lettered until somebody puts it right."""
    store = store_of(worlds, "newswire_index")
    await store.open()
    await store.write([article()])
    user = f"{worlds.base}newswire_index"
    async with worlds.client() as client:
        await client.security.change_password(username=user, password="another-secret")  # noqa: S106
        with pytest.raises(StoreUnavailableError, match="401"):
            await store.write([article("b")])
        await client.security.change_password(username=user, password=SECRET)

    assert list(await store.write([article("b")])) == [STORED]
    await store.close()
