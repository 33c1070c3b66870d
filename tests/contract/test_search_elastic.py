"""Searches of the Elasticsearch store, and what only that engine can get wrong."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import typer
from contract.elastic_worlds import Worlds
from contract.search_contract import DAY, Engine, SearchContract, some
from contract.store_contract import NOW, World, article, ids
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from newswire_index.elastic.names import ARTICLES
from newswire_index.elastic.search import ElasticSearcher
from newswire_index.elastic.source import source_of
from newswire_index.query import parse_query
from newswire_index.search_commands import register_search
from newswire_index.store import QueryError, Store, StoreUnavailableError

pytestmark = [pytest.mark.contract, pytest.mark.timeout(60)]

HOSTILE = "ab\"'*:-.><=^(){}[]+~!?&|/\\ \x00\ud800\ue000ORNEAT,"


class TestElasticSearch(SearchContract):
    """The suite on Elasticsearch."""

    engine: Engine = "elasticsearch"

    @pytest.fixture(autouse=True)
    def _know_the_worlds(self, worlds: Worlds) -> None:
        self._worlds = worlds

    async def settle(self, store: Store) -> None:
        """Refresh: the interval would do so too, but later."""
        del store
        await self._worlds.settle()


@pytest.fixture
async def store(world: World, worlds: Worlds) -> Store:
    """Return a store with a few articles in it."""
    store = await world()
    await store.write(some(6))
    await worlds.settle()
    return store


async def test_all_of_many_thousand_hits_are_counted(
    world: World, worlds: Worlds, client: AsyncElasticsearch
) -> None:
    """Elasticsearch counts to 10,000 and stops, unless it is told not to."""
    store = await world()
    await store.write([article("a")])
    source = source_of(article(), NOW)
    index = worlds.names().month(ARTICLES, "2026-11")
    await async_bulk(
        client,
        (
            {"_index": index, "_id": f"b{n}", "_source": source | {"article_id": f"b{n}"}}
            for n in range(10_049)
        ),
        chunk_size=500,
    )
    await worlds.settle()

    assert (await store.search(parse_query("talks"))).total == 10_050
    assert await store.count() == 10_050


async def test_nothing_is_left_open_after_a_page(store: Store, client: AsyncElasticsearch) -> None:
    """No scroll and no point in time: whoever reads one page and goes away costs nothing."""
    first = await store.search(parse_query("talks", limit=2, facets=True))
    stats = await client.nodes.stats(metric="indices", index_metric="search")

    assert first.next_cursor
    assert {node["indices"]["search"]["open_contexts"] for node in stats["nodes"].values()} == {0}


async def test_the_clock_of_a_paged_query_stands_still(
    store: Store, worlds: Worlds, client: AsyncElasticsearch
) -> None:
    """Scores of later pages are those of the first one's moment, however late it has become."""
    now = [NOW]
    searcher = ElasticSearcher(client, worlds.names(), lambda: now[0])
    whole = await searcher.search(parse_query("talks", recency=2))
    first = await searcher.search(parse_query("talks", recency=2, limit=2))
    now[0] = NOW + 30 * DAY
    rest = await store.search(parse_query("talks", recency=2, cursor=first.next_cursor))
    later = await searcher.search(parse_query("talks", recency=2))

    assert [hit.score for hit in (*first.hits, *rest.hits)] == [hit.score for hit in whole.hits]
    assert later.hits[0].score < whole.hits[0].score


async def test_scores_are_told_exactly_from_page_to_page(store: Store) -> None:
    """A score that lost a digit on its way into the cursor and back would leave a hit out or double it."""
    whole = await store.search(parse_query("talks open", recency=0.3))
    paged = []
    query = parse_query("talks open", recency=0.3, limit=1)
    while True:
        results = await store.search(query)
        paged += ids(results)
        if results.next_cursor is None:
            break
        query = replace(query, cursor=results.next_cursor)

    assert paged == ids(whole)


async def test_a_month_that_cannot_be_read_is_an_outage_and_no_shorter_answer(
    store: Store, worlds: Worlds, client: AsyncElasticsearch
) -> None:
    """Half of the coverage is not shown as if it were all."""
    october = datetime(2026, 10, 5, tzinfo=UTC)
    await store.write([article("old", first_seen_at=october)])
    await worlds.settle()
    assert (await store.search(parse_query("talks"))).total == 7
    alias = worlds.names().of(ARTICLES)
    nowhere = {"index.routing.allocation.require._name": "no-such-node"}
    await client.indices.create(
        index=f"{alias}-2026.09-000001",
        aliases={alias: {}},
        settings=nowhere,
        wait_for_active_shards="0",
        timeout="100ms",
    )

    with pytest.raises(StoreUnavailableError, match="503"):
        await store.search(parse_query("talks"))


async def test_a_month_that_somebody_closed_is_left_out(
    store: Store, worlds: Worlds, client: AsyncElasticsearch
) -> None:
    """That is a wish and no failure; opened again it is searched again."""
    await store.write([article("old", first_seen_at=datetime(2026, 10, 5, tzinfo=UTC))])
    await worlds.settle()
    october = f"{worlds.names().month(ARTICLES, '2026-10')}-000001"
    await client.indices.close(index=october)
    without = await store.search(parse_query("talks", facets=True))
    await client.indices.open(index=october, wait_for_active_shards=1)

    assert without.total == 6
    assert (await store.search(parse_query("talks"))).total == 7


async def test_a_search_before_the_first_month_finds_nothing(world: World) -> None:
    """With facets, words or neither."""
    store = await world()

    for text in ("talks", "", "talks zebra"):
        results = await store.search(parse_query(text, facets=True))
        assert (results.hits, results.total) == ((), 0)
        assert results.facets is not None
        assert results.facets.entities == {}
    assert await store.get("a") is None


async def test_words_of_one_language_are_not_found_by_the_stems_of_another(
    world: World, worlds: Worlds
) -> None:
    """An article has the stems of its own language only; the filter for it changes no answer."""
    store = await world()
    await store.write(
        [
            article("de", title="Die Häuser brennen", text="", language="de"),
            article("en", title="Häuser is a German word", text="", language="en"),
        ]
    )
    await worlds.settle()

    assert ids(await store.search(parse_query("haus"))) == ["de"]
    assert ids(await store.search(parse_query("haus language:de"))) == ["de"]
    assert ids(await store.search(parse_query("haus language:en language:de"))) == ["de"]
    assert ids(await store.search(parse_query("haus language:en"))) == []


async def test_other_forms_are_marked_in_their_own_language(world: World, worlds: Worlds) -> None:
    """Stems are not kept, and what they match is marked all the same; a longer text as well."""
    store = await world()
    await store.write(
        [
            article("de", title="Die Häuser brennen", text="Alle Häuser. " * 3000, language="de"),
            article("ru", title="Исход переговоров", text="", language="ru"),
            article("fr", title="Les journaux du matin", text="", language="fr"),
        ]
    )
    await worlds.settle()
    shown = {}
    for word in ("haus", "переговоры", "journal"):
        for hit in (await store.search(parse_query(word))).hits:
            shown[hit.article_id] = [each.text for each in hit.highlights]

    assert shown["de"][0] == "Die <em>Häuser</em> brennen"
    assert "Alle <em>Häuser</em>." in shown["de"][1]
    assert shown["ru"] == ["Исход <em>переговоров</em>"]
    assert shown["fr"] == ["Les <em>journaux</em> du matin"]


async def test_the_longest_query_is_answered(store: Store) -> None:
    """As many words as are allowed, in the stems of all languages, with and without a minus."""
    words = " ".join(f"{'-' if number % 4 == 3 else ''}word{number}" for number in range(31))
    results = await store.search(parse_query(f"talks {words}", facets=True))

    assert (results.total, results.matched) == (6, "any")


async def test_the_command_searches_elasticsearch(
    store: Store, worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same lines as from SQLite; before anything is there it says so in one line."""
    del store
    monkeypatch.setenv("NEWSWIRE_STORE", worlds.url)
    monkeypatch.setenv("NEWSWIRE_PREFIX", worlds.base)
    if worlds.settings.username and worlds.settings.password:
        monkeypatch.setenv("NEWSWIRE_ELASTICSEARCH_USERNAME", worlds.settings.username)
        monkeypatch.setenv("NEWSWIRE_ELASTICSEARCH_PASSWORD", worlds.settings.password.get_secret_value())
    app = typer.Typer()
    app.callback()(lambda: None)
    register_search(app)
    arguments = ["search", "talks", "--json", "--limit", "1", "--recency", "7"]
    found = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    monkeypatch.setenv("NEWSWIRE_PREFIX", f"{worlds.base}nobody.")
    missing = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    line = json.loads(found.stdout)

    assert list(line) == [
        "id", "url", "title", "published_at", "outlet", "language", "score", "highlights", "entities",
        "topics",
    ]  # fmt: skip
    assert line["highlights"][0]["field"] == "title"
    assert (found.exit_code, found.stderr) == (0, "")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr.startswith(f"newswire search: no index yet at {worlds.url}: run")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80) | st.text(alphabet=HOSTILE, max_size=80))
async def test_no_string_of_a_user_breaks_a_search(store: Store, text: str) -> None:
    """Whatever is typed is searched for or refused by a QueryError, with facets and passages."""
    try:
        query = parse_query(text, facets=True, recency=1)
    except QueryError:
        return
    assert (await store.search(query)).total <= 6
