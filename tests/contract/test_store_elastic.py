"""The Elasticsearch store fulfils the contract, and what only that adapter has."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract.elastic_worlds import Worlds, settings_for
from contract.store_contract import NOW, SEEN, StoreContract, World, article, removal
from elasticsearch import AsyncElasticsearch
from servers.elasticsearch import ElasticsearchServer
from servers.ports import free_ports

from newswire.errors import SettingsError
from newswire_index.elastic import reading
from newswire_index.elastic.bulk import Bulk
from newswire_index.elastic.names import ARTICLES, REVISIONS, month_of_index
from newswire_index.elastic.reading import read
from newswire_index.elastic.source import source_of
from newswire_index.elastic.store import ElasticStore
from newswire_index.settings import IndexSettings
from newswire_index.store import (
    EXPIRED,
    OLDER,
    STORED,
    Store,
    StoreMissingError,
    StoreUnavailableError,
    VerdictKind,
    open_store,
)

pytestmark = [pytest.mark.contract, pytest.mark.timeout(60)]


class TestElasticStore(StoreContract):
    """The contract on Elasticsearch."""

    @pytest.fixture(autouse=True)
    def _know_the_worlds(self, worlds: Worlds) -> None:
        self._worlds = worlds

    async def settle(self, store: Store) -> None:
        """Refresh: the interval would do so too, but later."""
        del store
        await self._worlds.settle()


async def aliases(client: AsyncElasticsearch, worlds: Worlds) -> dict[str, set[str]]:
    """Return the indices of months with their aliases, without what all names begin with."""
    found = await client.indices.get_alias(index=f"{worlds.base}newswire-*")
    return {
        name.removeprefix(worlds.base): {alias.removeprefix(worlds.base) for alias in index["aliases"]}
        for name, index in found.body.items()
        if month_of_index(name)
    }


NOVEMBER = "newswire-articles-2026.11"
LED_TO = {"newswire-articles", NOVEMBER}


# Months


async def test_a_month_is_made_on_demand_with_both_aliases_and_its_end(
    worlds: Worlds, world: World, client: AsyncElasticsearch
) -> None:
    """Nothing is made before there is something to write; what is made is whole at once."""
    store = await world()
    assert await aliases(client, worlds) == {}
    await store.write([article()])
    settings = await client.indices.get_settings(index=f"{worlds.base}{NOVEMBER}", flat_settings=True)
    ((_, made),) = settings.body.items()

    assert await aliases(client, worlds) == {f"{NOVEMBER}-000001": LED_TO}
    assert made["settings"]["index.gc_deletes"] == "1h"
    if "index.lifecycle.name" in made["settings"]:
        ends_ms = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp()) * 1000
        assert made["settings"]["index.lifecycle.origination_date"] == str(ends_ms)


async def test_many_may_make_a_month_at_once(
    worlds: Worlds, world: World, client: AsyncElasticsearch
) -> None:
    """One of them makes it, and all write to it."""
    stores = [await world() for _ in range(6)]
    verdicts = await asyncio.gather(*(store.write([article(f"a{n}")]) for n, store in enumerate(stores)))
    await worlds.settle()

    assert [list(each) for each in verdicts] == [[STORED]] * 6
    assert await aliases(client, worlds) == {f"{NOVEMBER}-000001": LED_TO}
    assert await stores[0].count() == 6


async def test_an_index_without_aliases_is_a_rebuilds_and_let_alone(
    worlds: Worlds, world: World, client: AsyncElasticsearch
) -> None:
    """The month goes into the next generation."""
    await client.indices.create(index=f"{worlds.base}{NOVEMBER}-000004")
    store = await world()
    await store.write([article()])
    await worlds.settle()

    assert await aliases(client, worlds) == {f"{NOVEMBER}-000004": set(), f"{NOVEMBER}-000005": LED_TO}
    assert await store.count() == 1


async def test_a_month_that_is_gone_is_made_anew(
    worlds: Worlds, world: World, client: AsyncElasticsearch
) -> None:
    """Somebody deleted it while the store was open: articles and removals find their way again."""
    store = await world()
    for item in (article(), removal("b")):
        await store.write([article("z")])
        await client.indices.delete(index=f"{worlds.base}{NOVEMBER}-000001")

        assert list(await store.write([item])) == [STORED]
        assert await aliases(client, worlds) == {f"{NOVEMBER}-000001": LED_TO}


async def test_a_removal_alone_makes_no_index_in_the_place_of_an_alias(
    worlds: Worlds, world: World, client: AsyncElasticsearch
) -> None:
    """Elasticsearch would, to remember the version."""
    store = await world()

    assert list(await store.write([removal(version=3)])) == [STORED]
    assert await aliases(client, worlds) == {f"{NOVEMBER}-000001": LED_TO}
    assert list(await store.write([article(version=3)])) == [OLDER]


async def test_all_generations_of_an_expired_month_are_dropped(
    worlds: Worlds, world: World, client: AsyncElasticsearch
) -> None:
    """Also those that a rebuild left or has begun, of articles and revisions; two may be at it."""
    stores = [await world(retention=timedelta(days=60)) for _ in range(2)]
    october = datetime(2026, 10, 5, tzinfo=UTC)
    await stores[0].write([article("n")])
    await stores[0].write([article("o", v, revision=v, first_seen_at=october) for v in (1, 2)])
    await client.indices.create(index=f"{worlds.base}newswire-articles-2026.10-000002")
    await worlds.settle()
    later = datetime(2026, 12, 31, 1, tzinfo=UTC)
    dropped = await asyncio.gather(*(store.drop_expired(later) for store in stores))

    assert max(dropped) == 1
    assert set(await aliases(client, worlds)) == {f"{NOVEMBER}-000001"}


async def test_a_removal_in_an_expired_month_still_removes(worlds: Worlds, world: World) -> None:
    """The month may not have been dropped yet."""
    september = datetime(2026, 9, 30, tzinfo=UTC)
    await (await world()).write([article("s", first_seen_at=september)])
    store = await world(retention=timedelta(days=30))

    assert list(await store.write([removal("s", 2, september)])) == [EXPIRED]
    await worlds.settle()
    assert await store.count() == 0


async def test_items_go_through_all_months_by_id(
    worlds: Worlds, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, whatever index they lie in."""
    monkeypatch.setattr(reading, "PAGE", 3)
    store = await world()
    when = (SEEN, datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC))
    await store.write([article(f"a{n:02}", first_seen_at=when[n % 3]) for n in range(12)])
    await worlds.settle()

    assert [item[0] async for item in store.items()] == [f"a{n:02}" for n in range(12)]


# Withdrawals and revisions


async def test_what_is_not_refreshed_is_withdrawn_in_every_generation(
    worlds: Worlds, world: World, client: AsyncElasticsearch
) -> None:
    """Also from the index that a rebuild is filling; nothing waits for a refresh."""
    rebuilt = f"{worlds.base}{NOVEMBER}-000002"
    store = await world()
    await store.write([article(), article("b")])
    await store.write([article(version=2, revision=2)])
    await client.indices.create(index=rebuilt)
    source = source_of(article(version=7), NOW)
    await client.index(index=rebuilt, id="a", document=source, version=7, version_type="external")
    await store.withdraw("a")
    await worlds.settle()
    left = await client.search(index=f"{worlds.base}newswire-*")

    assert [hit["_id"] for hit in left["hits"]["hits"]] == ["b"]


async def test_an_article_written_while_it_is_withdrawn_goes_all_the_same(
    worlds: Worlds, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old owner's last write comes between our look and our deletion."""
    looking = "newswire_index.elastic.write.read"
    store, other = await world(), await world()
    await store.write([article()])

    async def read_and_be_overtaken(*given: Any) -> AsyncIterator[Any]:
        found = [each async for each in read(*given)]
        monkeypatch.setattr(looking, read)
        await other.write([article(version=2)])
        for each in found:
            yield each

    monkeypatch.setattr(looking, read_and_be_overtaken)
    await store.withdraw("a")
    await worlds.settle()

    assert await store.count() == 0


async def test_a_death_between_revision_and_article_leaves_no_doubt(
    worlds: Worlds, world: World, client: AsyncElasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revision is kept first; while it is the newest it is not shown, and the batch comes again."""
    store = await world()
    await store.write([article(title="First")])
    batch = [article(version=2, revision=2, title="Second")]
    send = Bulk.send

    async def die(self: Bulk, actions: Any) -> Any:
        if actions and actions[0].index.endswith(NOVEMBER):
            raise StoreUnavailableError("killed")
        return await send(self, actions)

    monkeypatch.setattr(Bulk, "send", die)
    with pytest.raises(StoreUnavailableError):
        await store.write(batch)
    monkeypatch.setattr(Bulk, "send", send)
    await worlds.settle()
    kept = await client.count(index=worlds.names().of(REVISIONS))
    before = await store.revisions("a")
    verdicts = await store.write(batch)
    await worlds.settle()

    assert (kept["count"], list(before)) == (1, [])
    assert list(verdicts) == [STORED]
    assert [each.title for each in await store.revisions("a")] == ["First"]


async def test_many_revisions_are_read_page_by_page(
    worlds: Worlds, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live blog has hundreds."""
    monkeypatch.setattr("newswire_index.elastic.revisions.PAGE", 2)
    store = await world()
    await store.write([article(version=v, revision=v) for v in range(1, 8)])
    await worlds.settle()

    assert [each.revision for each in await store.revisions("a")] == [1, 2, 3, 4, 5, 6]


# What Elasticsearch refuses


async def test_an_item_that_elasticsearch_refuses_is_rejected_alone(world: World) -> None:
    """With its reason in a line, whether the item fails or the whole request because of it."""
    store = await world()
    bad = article("bad", revision=2**40)
    verdicts = await store.write([article("a"), bad, article("b" * 600), article("c")])

    assert [verdict.kind for verdict in verdicts] == [
        VerdictKind.STORED, VerdictKind.REJECTED, VerdictKind.REJECTED, VerdictKind.STORED,
    ]  # fmt: skip
    assert "out of range" in verdicts[1].reason
    assert verdicts[2].reason.startswith("400 Validation Failed: 1: id [bbb")
    assert all("\n" not in verdict.reason for verdict in verdicts)


@pytest.mark.parametrize("block", ["read_only_allow_delete", "write"])
async def test_an_index_that_may_not_be_written_to_is_an_outage(
    worlds: Worlds, world: World, client: AsyncElasticsearch, monkeypatch: pytest.MonkeyPatch, block: str
) -> None:
    """As on a full disk: what is written waits, and is written when the block is gone."""
    store = await world()
    await store.write([article()])
    assert isinstance(store, ElasticStore)
    assert store._opened is not None
    for bulk in store._opened.writer._bulks.values():
        monkeypatch.setattr(bulk, "_patience", 0.2)
    await client.indices.put_settings(
        index=f"{worlds.base}{NOVEMBER}", settings={f"index.blocks.{block}": True}
    )

    with pytest.raises(StoreUnavailableError, match="blocked"):
        await store.write([article("b")])
    await client.indices.put_settings(
        index=f"{worlds.base}{NOVEMBER}", settings={f"index.blocks.{block}": None}
    )
    assert list(await store.write([article("b")])) == [STORED]


async def test_a_closed_index_is_an_outage(worlds: Worlds, world: World, client: AsyncElasticsearch) -> None:
    """Somebody closed it, and can open it again; no article is at fault."""
    store = await world()
    await store.write([article()])
    await client.indices.close(index=f"{worlds.base}{NOVEMBER}-000001")

    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.write([article("b")])
    await client.indices.open(index=f"{worlds.base}{NOVEMBER}-000001")
    assert list(await store.write([article("b")])) == [STORED]


async def test_the_users_pipeline_sees_every_article(worlds: Worlds, client: AsyncElasticsearch) -> None:
    """It may fill the labels, and refuse an article; one that is missing is waited for."""
    name = f"{worlds.base}pipeline"
    store = worlds.store(pipeline=name)
    await store.open()
    with pytest.raises(StoreUnavailableError, match="does not exist"):
        await store.write([article()])
    label = {"set": {"field": "labels.desk", "value": "world"}}
    refuse = {"fail": {"if": "ctx.title == 'bad'", "message": "not this one"}}
    await client.ingest.put_pipeline(id=name, processors=[label, refuse])
    verdicts = await store.write([article(), article("b", title="bad"), article(version=2, revision=2)])
    await worlds.settle()
    found = await client.get(index=worlds.names().month(ARTICLES, "2026-11"), id="a")
    await client.ingest.delete_pipeline(id=name)
    await store.close()

    assert [verdict.kind for verdict in verdicts] == [
        VerdictKind.STORED, VerdictKind.REJECTED, VerdictKind.STORED
    ]  # fmt: skip
    assert verdicts[1].reason == "not this one"
    assert found["_source"]["labels"] == {"desk": "world"}


# Opening


async def test_what_is_not_set_up_is_not_written_to(elasticsearch: ElasticsearchServer) -> None:
    """Without our mapping, Elasticsearch would guess one."""
    store = ElasticStore(elasticsearch.url, prefix="never-set-up.", settings=settings_for(elasticsearch))

    with pytest.raises(StoreMissingError, match="newswire index setup"):
        await store.open()


async def test_a_search_before_anything_was_written_says_so(worlds: Worlds, world: World) -> None:
    """In one line, and once something was written it is found."""
    reader = ElasticStore(
        worlds.url, prefix=worlds.base, create=False, settings=worlds.settings, own=IndexSettings()
    )
    with pytest.raises(StoreMissingError, match="no index yet at http"):
        await reader.open()
    await (await world()).write([article()])
    await worlds.settle()
    await reader.open()

    assert await reader.count() == 1
    await reader.close()


async def test_nobody_at_the_address_is_an_outage() -> None:
    """A search says so at once, a service waits a while first."""
    store = open_store(f"http://127.0.0.1:{free_ports(1)[0]}", create=False)

    with pytest.raises(StoreUnavailableError, match="away"):
        await store.open()
    with pytest.raises(StoreUnavailableError, match="not open"):
        await store.count()


@pytest.mark.parametrize("prefix", ["A", "-x", "_x", "x y", "x*"])
def test_a_prefix_can_begin_the_name_of_an_index(prefix: str) -> None:
    """Elasticsearch takes small letters only."""
    with pytest.raises(SettingsError, match="NEWSWIRE_PREFIX"):
        open_store("http://127.0.0.1:9200", prefix=prefix)
