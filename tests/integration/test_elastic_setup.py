"""Elasticsearch is set up, brought up to date, and nothing in it is broken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from elasticsearch import AsyncElasticsearch
from integration.elastic_scene import Scene, ends, scene_in
from servers.elasticsearch import ElasticsearchServer

from newswire.errors import SettingsError
from newswire_index.elastic.mapping import VERSION, analysis, article_mappings, mark
from newswire_index.elastic.names import ARTICLES, OUTCOMES
from newswire_index.elastic.setup import check_setup, kept
from newswire_index.elastic.steps import End
from newswire_index.elastic.templates import PRIORITY, component_template, index_template, month_settings
from newswire_index.store import StoreMissingError

pytestmark = pytest.mark.integration

MONTH = "2026-11"
NEWER = {"newswire": True, "version": VERSION + 1}
PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


@pytest.fixture
async def scene(elasticsearch: ElasticsearchServer) -> AsyncIterator[Scene]:
    """A world in which nothing is set up."""
    async with scene_in(elasticsearch) as scene:
        yield scene


async def make_month(scene: Scene, mappings: dict[str, Any] | None = None, **settings: Any) -> str:
    """Make the index of a month; with other mappings than ours it has no template."""
    index = scene.names.index(scene.names.month(ARTICLES, MONTH))
    if mappings is None:
        settings |= month_settings(MONTH, scene.settings)
    await scene.client.indices.create(index=index, mappings=mappings, settings=settings)
    return index


def of_articles(scene: Scene) -> dict[str, Any]:
    """Return today's component template of articles."""
    return component_template(scene.names, kept()[0])


async def test_all_is_made_at_first_and_nothing_a_second_time(scene: Scene) -> None:
    """Whoever deploys runs it each time."""
    first, second = await scene.set_up(), await scene.set_up()

    assert ends(first) == {End.CREATED}
    assert ends(second) == {End.UNCHANGED}
    assert [(step.what, step.name) for step in first] == [(step.what, step.name) for step in second]
    assert await check_setup(scene.client, scene.names)


async def test_a_month_is_made_of_what_was_set_up(scene: Scene) -> None:
    """With its policy, its age, its analysis, and without any alias."""
    await scene.set_up()
    index = await make_month(scene)
    made = (await scene.client.indices.get(index=index, flat_settings=True)).body[index]

    assert made["settings"]["index.lifecycle.name"] == scene.names.of(ARTICLES)
    assert made["settings"]["index.lifecycle.origination_date"] == "1796083200000"
    assert made["settings"]["index.gc_deletes"] == "1h"
    assert made["settings"]["index.number_of_replicas"] == "0"
    assert made["mappings"] == article_mappings()
    assert made["aliases"] == {}
    assert ends(await scene.set_up()) == {End.UNCHANGED}


async def test_what_is_not_monthly_has_its_index_and_alias(scene: Scene) -> None:
    """Feed status, outcomes and dead letters are one index each."""
    await scene.set_up()
    alias = scene.names.of(OUTCOMES)
    found = (await scene.client.indices.get_alias(name=alias)).body

    assert found == {f"{alias}-000001": {"aliases": {alias: {"is_write_index": True}}}}


async def test_a_dry_run_says_the_same_and_does_nothing(scene: Scene) -> None:
    """Somebody wants to see first."""
    said, said_again = await scene.set_up(dry_run=True), await scene.set_up(dry_run=True)

    assert ends(said) == ends(said_again) == {End.CREATED}
    with pytest.raises(StoreMissingError, match="newswire index setup"):
        await check_setup(scene.client, scene.names)
    assert said == await scene.set_up()


async def test_another_retention_changes_the_policy_and_nothing_else(scene: Scene) -> None:
    """It holds for the months that are there as well."""
    await scene.set_up()
    changed = await replace(scene, retention=timedelta(days=30)).set_up()
    policy = (await scene.client.ilm.get_lifecycle(name=scene.names.of(ARTICLES))).body

    assert [step.what for step in changed if step.end is End.UPDATED] == ["policy"]
    assert policy[scene.names.of(ARTICLES)]["policy"]["phases"]["delete"]["min_age"] == "30d"


async def test_templates_of_an_older_newswire_are_brought_up_to_date(scene: Scene) -> None:
    """And somebody's changes to ours are undone: their place is the @custom template."""
    await scene.set_up()
    name, older = scene.names.of(ARTICLES), of_articles(scene)
    older["_meta"] = {**mark(), "version": 0}
    del older["template"]["mappings"]["properties"]["words"]
    await scene.client.cluster.put_component_template(name=name, body=older)
    with pytest.raises(StoreMissingError, match="newswire index setup"):
        await check_setup(scene.client, scene.names)
    changed = await scene.set_up()

    assert [(step.what, step.name) for step in changed if step.end is End.UPDATED] == [
        ("component template", name)
    ]
    assert await check_setup(scene.client, scene.names)


async def test_new_fields_are_given_to_the_indices_that_are_there(scene: Scene) -> None:
    """Whoever runs a new Newswire goes on with the month that he has."""
    older = article_mappings()
    older["_meta"]["version"] = 0
    del older["properties"]["labels"], older["properties"]["in"]["properties"]["de"]
    index = await make_month(scene, older, analysis=analysis())
    step = next(step for step in await scene.set_up() if step.name == index)
    mappings = (await scene.client.indices.get_mapping(index=index)).body[index]["mappings"]

    assert (step.end, step.why) == (End.UPDATED, "fields: _meta, in.de, labels")
    assert mappings == article_mappings()
    assert ends(await scene.set_up()) == {End.UNCHANGED}


@pytest.mark.parametrize("part", ["mapping", "analysis"])
async def test_an_index_that_cannot_be_changed_is_left_alone_and_a_rebuild_asked_for(
    scene: Scene, part: str
) -> None:
    """The templates are there then, which a rebuild needs."""
    older, how = article_mappings(), analysis()
    if part == "mapping":
        older["properties"]["words"] = {"type": "keyword"}
    else:
        how["analyzer"]["newswire_folded"]["tokenizer"] = "whitespace"
    index = await make_month(scene, older, analysis=how)
    steps = await scene.set_up()
    refused = [step for step in steps if step.end is End.REFUSED]

    assert [step.name for step in refused] == [index]
    assert "newswire index rebuild" in refused[0].why
    assert ("words" if part == "mapping" else "analysis") in refused[0].why
    assert await check_setup(scene.client, scene.names)


@pytest.mark.parametrize("meta", [None, {"who": "else"}, NEWER])
@pytest.mark.parametrize("what", ["component template", "index template", "policy", "index", "alias"])
async def test_what_is_not_ours_to_change_stops_everything(
    scene: Scene, what: str, meta: dict[str, Any] | None
) -> None:
    """Somebody else's, or a newer Newswire's: nothing at all is made beside it."""
    name, client = scene.names.of(ARTICLES), scene.client
    if what == "component template":
        await client.cluster.put_component_template(name=name, template={}, meta=meta)
    elif what == "index template":
        pattern = scene.names.pattern(ARTICLES)
        await client.indices.put_index_template(name=name, index_patterns=[pattern], meta=meta)
    elif what == "policy":
        await client.ilm.put_lifecycle(name=name, policy={"phases": {}, **({"_meta": meta} if meta else {})})
    elif what == "index":
        await make_month(scene, {"_meta": meta} if meta else {})
    else:
        await client.indices.create(index=name, mappings={"_meta": meta} if meta else {})
    steps = await scene.set_up()

    assert [(step.what, step.end) for step in steps] == [(what.replace("alias", "index"), End.REFUSED)]
    assert ("name of our alias" if what == "alias" else "newer" if meta is NEWER else "not made by") in steps[
        0
    ].why
    with pytest.raises(StoreMissingError):
        await check_setup(scene.client, scene.names)


async def test_a_newer_newswire_stops_the_start_of_an_older_one(scene: Scene) -> None:
    """It might write what the newer mappings refuse."""
    await scene.set_up()
    newer = {**of_articles(scene), "_meta": NEWER}
    await scene.client.cluster.put_component_template(name=scene.names.of(ARTICLES), body=newer)

    with pytest.raises(SettingsError, match="newer Newswire"):
        await check_setup(scene.client, scene.names)


async def test_a_template_that_wins_over_ours_is_told(scene: Scene) -> None:
    """Else months would be made with its mappings, and nobody knew why."""
    greedy = f"{scene.names.prefix}greedy"
    await scene.client.indices.put_index_template(
        name=greedy, index_patterns=[f"{scene.names.prefix}newswire-art*"], priority=1000
    )
    try:
        refused = [step for step in await scene.set_up() if step.end is End.REFUSED]
    finally:
        await scene.client.indices.delete_index_template(name=greedy)

    assert [(step.name, step.why) for step in refused] == [
        (scene.names.of(ARTICLES), "another index template for the same names has a higher priority")
    ]


async def test_what_elasticsearch_refuses_is_told_with_its_reason(scene: Scene) -> None:
    """Two templates of one priority for the same names, for one: the rest is set up."""
    rival = f"{scene.names.prefix}rival"
    await scene.client.indices.put_index_template(
        name=rival, index_patterns=[scene.names.pattern(ARTICLES)], priority=PRIORITY
    )
    try:
        refused = [step for step in await scene.set_up() if step.end is End.REFUSED]
    finally:
        await scene.client.indices.delete_index_template(name=rival)

    assert [(step.what, step.name) for step in refused] == [("index template", scene.names.of(ARTICLES))]
    assert refused[0].why.startswith("400 ")
    assert rival in refused[0].why


async def test_the_users_own_settings_and_fields_come_with_a_month(scene: Scene) -> None:
    """Their component template adds to ours, and the next set-up leaves it in peace."""
    custom = f"{scene.names.of(ARTICLES)}@custom"
    own = {
        "settings": {
            "index.codec": "best_compression",
            "analysis": {"analyzer": {"own": {"type": "simple"}}},
        },
        "mappings": {"properties": {"desk": {"type": "keyword"}}},
    }
    await scene.client.cluster.put_component_template(name=custom, template=own)
    await scene.set_up()
    index = await make_month(scene)
    made = (await scene.client.indices.get(index=index, flat_settings=True)).body[index]

    assert made["settings"]["index.codec"] == "best_compression"
    assert made["mappings"]["properties"]["desk"] == {"type": "keyword"}
    assert ends(await scene.set_up()) == {End.UNCHANGED}


@asynccontextmanager
async def without_ilm(url: str) -> AsyncIterator[AsyncElasticsearch]:
    """Yield a client of the server behind it, which knows no ILM."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.startswith("/_ilm"):
            body = {"error": f"no handler found for uri [{request.path}] and method [{request.method}]"}
            return web.json_response(body, status=400, headers=PRODUCT)
        headers = {
            name: request.headers[name] for name in ("Content-Type", "Accept") if name in request.headers
        }
        async with (
            ClientSession(url) as session,
            session.request(
                request.method, request.rel_url, data=await request.read(), headers=headers
            ) as passed,
        ):
            return web.Response(
                body=await passed.read(), status=passed.status,
                headers=PRODUCT | {"Content-Type": passed.headers["Content-Type"]},
            )  # fmt: skip

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, AsyncElasticsearch(str(server.make_url("/"))) as client:
        yield client


async def test_without_ilm_it_is_said_and_the_rest_is_made(scene: Scene) -> None:
    """The index service drops old months itself; the template names no policy that nobody could keep."""
    async with without_ilm(scene.url) as client:
        steps = await replace(scene, client=client).set_up()
    templates = (await scene.client.cluster.get_component_template(name=scene.names.of(ARTICLES))).body

    assert (steps[0].end, ends(steps[1:])) == (End.LEFT_OUT, {End.CREATED})
    assert "no ILM" in steps[0].why
    assert "lifecycle" not in str(templates)
    assert not await check_setup(scene.client, scene.names)


async def test_a_missing_alias_of_operations_is_no_set_up(scene: Scene) -> None:
    """Without it the first outcome would make an index of its own accord."""
    await scene.set_up()
    await scene.client.indices.delete(index=f"{scene.names.of(OUTCOMES)}-000001")

    with pytest.raises(StoreMissingError, match="newswire index setup"):
        await check_setup(scene.client, scene.names)


async def test_two_worlds_share_a_cluster_and_do_not_see_each_other(
    scene: Scene, elasticsearch: ElasticsearchServer
) -> None:
    """Each prefix has its own of everything."""
    await scene.set_up()
    await make_month(scene)
    async with scene_in(elasticsearch) as other:
        assert ends(await other.set_up()) == {End.CREATED}
        patterns = {index_template(world.names, kept()[0])["index_patterns"][0] for world in (scene, other)}

    assert len(patterns) == 2
    assert ends(await scene.set_up()) == {End.UNCHANGED}
