"""Roles and users on an Elasticsearch with authentication on: what each may do, and what not."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from contract.store_contract import NOW, article
from elasticsearch import AsyncElasticsearch, AuthenticationException, AuthorizationException
from integration.elastic_scene import Scene, client_of, prefix_on, scene_in
from pydantic import SecretStr
from servers.elasticsearch import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire_index.elastic.mapping import VERSION
from newswire_index.elastic.names import ARTICLES, OUTCOMES
from newswire_index.elastic.security import KIBANA, OFF, Passwords, Users
from newswire_index.elastic.setup import check_setup
from newswire_index.elastic.steps import End
from newswire_index.elastic.store import ElasticStore
from newswire_index.elastic.templates import month_settings
from newswire_index.query import parse_query
from newswire_index.settings import IndexSettings
from newswire_index.store import STORED

pytestmark = pytest.mark.integration

MONTH = "2026-11"
PASSWORDS = Passwords(index="index-secret", reader="reader-secret")
OTHERS = "somebody-elses"


@pytest.fixture(scope="module")
def prefix(secured_elasticsearch: ElasticsearchServer) -> Iterator[str]:
    """A world that is set up."""
    with prefix_on(secured_elasticsearch) as prefix:
        yield prefix


@pytest.fixture
async def scene(secured_elasticsearch: ElasticsearchServer, prefix: str) -> AsyncIterator[Scene]:
    """That world without users, beside an index of somebody else's."""
    async with scene_in(secured_elasticsearch, prefix) as scene:
        others = f"{prefix}{OTHERS}"
        await scene.client.index(index=others, id="1", document={"a": 1}, refresh=True)
        yield scene
        anyway = scene.client.options(ignore_status=404)
        months = [scene.names.index(scene.names.month(ARTICLES, MONTH), generation) for generation in (1, 2)]
        await anyway.indices.delete(index=[others, *months], ignore_unavailable=True)
        for who in ("newswire_index", "newswire_reader"):
            await anyway.security.delete_user(username=f"{prefix}{who}")
            await anyway.security.delete_role(name=f"{prefix}{who}")


@asynccontextmanager
async def as_user(
    scene: Scene, server: ElasticsearchServer, who: str, password: str
) -> AsyncIterator[AsyncElasticsearch]:
    """Yield a client of a user of this world."""
    async with client_of(server, basic_auth=(f"{scene.names.prefix}{who}", password)) as client:
        yield client


async def make_users(scene: Scene, passwords: Passwords = PASSWORDS, **how: Any) -> dict[str, End]:
    """Make roles and users, and return how each was left."""
    steps = await Users(scene.client, scene.names).run(passwords, **how)
    return {f"{step.what} {step.name.removeprefix(scene.names.prefix)}": step.end for step in steps}


async def use_as_the_index_service(scene: Scene, client: AsyncElasticsearch) -> None:
    """Do everything that the index service, a rebuild and a search do."""
    names, alias = scene.names, scene.names.month(ARTICLES, MONTH)
    first, second = names.index(alias), names.index(alias, 2)
    assert await check_setup(client, names)
    settings = month_settings(MONTH, scene.settings)
    await client.indices.create(index=first, aliases={names.of(ARTICLES): {}, alias: {}}, settings=settings)
    written = await client.bulk(
        index=alias, require_alias=True,
        operations=[{"index": {"_id": "a", "version": 2, "version_type": "external"}},
                                                     {"article_id": "a", "title": "t", "text": "t"}],
    )  # fmt: skip
    assert not written["errors"]
    await client.indices.refresh(index=alias)
    assert (await client.mget(index=alias, ids=["a"]))["docs"][0]["found"]
    point = await client.open_point_in_time(index=names.of(ARTICLES), keep_alive="1m")
    assert (await client.search(pit={"id": point["id"]}))["hits"]["hits"]
    await client.close_point_in_time(id=point["id"])
    await client.indices.create(index=second, settings=settings)
    await client.indices.put_settings(index=second, settings={"index.refresh_interval": "-1"})
    actions = [{"remove": {"index": first, "alias": alias}}, {"add": {"index": second, "alias": alias}}]
    await client.indices.update_aliases(actions=actions)
    await client.delete(index=first, id="a", version=3, version_type="external_gte")
    await client.delete_by_query(index=names.of(OUTCOMES), query={"match_all": {}})
    assert set((await client.indices.get_alias(index=names.pattern(ARTICLES))).body) == {first, second}
    await client.indices.delete(index=[first, second])


async def test_users_are_made_once_and_brought_up_to_date(scene: Scene) -> None:
    """It says of each what became of it; a user whose password is not given is left out."""
    made = ("role newswire_index", "role newswire_reader", "user newswire_index", "user newswire_reader")
    first, second = await make_users(scene), await make_users(scene)
    third = await make_users(scene, Passwords(index="another-secret"))

    assert first == dict.fromkeys(made, End.CREATED) | {f"user {KIBANA}": End.LEFT_OUT}
    assert second == dict.fromkeys(made, End.UNCHANGED) | {f"user {KIBANA}": End.LEFT_OUT}
    assert (third["user newswire_index"], third["user newswire_reader"]) == (End.UPDATED, End.LEFT_OUT)


async def test_a_dry_run_makes_nobody(scene: Scene) -> None:
    """It only says whom."""
    assert (
        await make_users(scene, dry_run=True)
        == await make_users(scene, dry_run=True)
        == await make_users(scene)
    )


async def test_the_index_user_can_do_all_that_the_service_does(
    scene: Scene, secured_elasticsearch: ElasticsearchServer
) -> None:
    """From making a month to dropping it."""
    await make_users(scene)
    async with as_user(scene, secured_elasticsearch, "newswire_index", "index-secret") as client:
        await use_as_the_index_service(scene, client)


async def test_the_store_works_as_the_index_user(
    scene: Scene, secured_elasticsearch: ElasticsearchServer
) -> None:
    """The port itself, with nobody more powerful behind it."""
    await make_users(scene)
    settings = ElasticsearchSettings(
        username=f"{scene.names.prefix}newswire_index", password=SecretStr("index-secret"), replicas=0
    )
    store = ElasticStore(
        secured_elasticsearch.url, prefix=scene.names.prefix, settings=settings, clock=lambda: NOW,
        own=IndexSettings(),
    )  # fmt: skip
    await store.open()
    try:
        first, second = article("a", version=1, revision=1), article("a", version=2, revision=2)
        assert await store.write([first]) == [STORED]
        assert await store.write([second]) == [STORED]
        assert await store.write([article("b")]) == [STORED]
        await store.withdraw("b")
        await scene.client.indices.refresh(index=scene.names.of(ARTICLES))
        found = await store.search(parse_query("", facets=True))
        assert [(hit.article_id, hit.version) for hit in found.hits] == [("a", 2)]
        assert await store.drop_expired(NOW + timedelta(days=4000)) == 1
    finally:
        await store.close()


async def test_the_index_user_cannot_touch_what_is_not_newswires(
    scene: Scene, secured_elasticsearch: ElasticsearchServer
) -> None:
    """Neither read nor delete, nor make, nor more than its work asks for."""
    await make_users(scene)
    others = f"{scene.names.prefix}{OTHERS}"
    async with as_user(scene, secured_elasticsearch, "newswire_index", "index-secret") as client:
        refused = [
            client.get(index=others, id="1"),
            client.search(index=others),
            client.index(index=others, document={}),
            client.indices.delete(index=others),
            client.indices.get_mapping(index=others),
            client.indices.create(index=f"{scene.names.prefix}newswire-other"),
            client.indices.update_aliases(
                actions=[{"add": {"index": others, "alias": scene.names.of(ARTICLES)}}]
            ),
            client.cluster.put_component_template(name=scene.names.of(ARTICLES), template={}),
            client.cluster.put_settings(persistent={"action.destructive_requires_name": False}),
            client.security.get_user(),
            Scene(client, scene.names, scene.url).set_up(),
        ]
        for asked in refused:
            with pytest.raises((AuthorizationException, SettingsError)):
                await asked
        everything = await client.search(index="*")

    assert (await scene.client.get(index=others, id="1"))["found"]
    assert others not in {hit["_index"] for hit in everything["hits"]["hits"]}


async def test_a_reader_reads_what_the_aliases_show_and_changes_nothing(
    scene: Scene, secured_elasticsearch: ElasticsearchServer
) -> None:
    """Not the index behind the alias either: a rebuild's unfinished one is nobody's business."""
    await make_users(scene)
    alias = scene.names.of(ARTICLES)
    index = scene.names.index(scene.names.month(ARTICLES, MONTH))
    await scene.client.indices.create(index=index, aliases={alias: {}})
    await scene.client.index(index=index, id="a", document={"title": "NATO", "text": "t"}, refresh=True)
    async with as_user(scene, secured_elasticsearch, "newswire_reader", "reader-secret") as client:
        hits = (await client.search(index=alias, query={"match": {"title": "nato"}}))["hits"]["hits"]
        fields = (await client.field_caps(index=alias, fields="*"))["fields"]
        refused = [
            client.index(index=alias, document={"title": "x"}),
            client.delete(index=alias, id="a"),
            client.indices.delete(index=index),
            client.search(index=index),
            client.search(index=f"{scene.names.prefix}{OTHERS}"),
            client.indices.put_alias(index=index, name=f"{alias}-mine"),
            client.indices.put_mapping(index=alias, properties={"x": {"type": "long"}}),
            client.info(),
        ]
        for asked in refused:
            with pytest.raises(AuthorizationException):
                await asked

    assert [hit["_id"] for hit in hits] == ["a"]
    assert {"title", "entities.person", "in.de.text"} <= set(fields)


async def test_a_reader_may_open_what_was_imported_into_one_space_of_kibana(scene: Scene) -> None:
    """The names are those of Kibana 9's features; which exist, only a Kibana can say."""
    await Users(scene.client, scene.names, "newsroom").run(PASSWORDS)
    role = f"{scene.names.prefix}newswire_reader"
    stored = (await scene.client.security.get_role(name=role)).body[role]["applications"]

    assert stored == [
        {
            "application": "kibana-.kibana",
            "privileges": [
                f"feature_{name}_v2.read" for name in ("discover", "dashboard", "visualize", "maps")
            ],
            "resources": ["space:newsroom"],
        }
    ]


async def test_kibana_itself_gets_its_password(
    scene: Scene, secured_elasticsearch: ElasticsearchServer
) -> None:
    """A user that Elasticsearch brings along; it is not made."""
    password = f"kibana-{scene.names.prefix}"
    first = await make_users(scene, Passwords(kibana=password))
    second = await make_users(scene, Passwords(kibana=password))
    async with client_of(secured_elasticsearch, basic_auth=(KIBANA, password)) as client:
        who = await client.security.authenticate()

    assert (first[f"user {KIBANA}"], second[f"user {KIBANA}"]) == (End.UPDATED, End.UNCHANGED)
    assert who["username"] == KIBANA


async def test_a_password_that_elasticsearch_refuses_is_told_without_it(scene: Scene) -> None:
    """Too short, for one."""
    steps = await Users(scene.client, scene.names).run(Passwords(index="abcd"))
    refused = [step for step in steps if step.end is End.REFUSED]

    assert [step.name for step in refused] == [f"{scene.names.prefix}newswire_index"]
    assert "at least" in refused[0].why
    assert "abcd" not in repr(steps)


@pytest.mark.parametrize("meta", [{}, {"newswire": True, "version": VERSION + 1}])
async def test_a_role_that_is_not_ours_to_change_stops_everything(scene: Scene, meta: dict[str, Any]) -> None:
    """Nobody is made beside it."""
    role = f"{scene.names.prefix}newswire_reader"
    await scene.client.security.put_role(name=role, cluster=["monitor"], metadata=meta)

    assert await make_users(scene) == {"role newswire_reader": End.REFUSED}
    assert await make_users(scene) == {"role newswire_reader": End.REFUSED}


async def test_a_role_that_somebody_widened_is_narrowed_again(scene: Scene) -> None:
    """A least-privilege role stays one."""
    await make_users(scene)
    name = f"{scene.names.prefix}newswire_index"
    role = (await scene.client.security.get_role(name=name)).body[name]
    await scene.client.security.put_role(name=name, cluster=["all"], metadata=role["metadata"])
    again = await make_users(scene)

    assert again["role newswire_index"] is End.UPDATED
    assert (await scene.client.security.get_role(name=name)).body[name]["cluster"] == ["monitor"]


async def test_without_credentials_nothing_is_answered(
    scene: Scene, secured_elasticsearch: ElasticsearchServer
) -> None:
    """401, for whatever is asked."""
    async with AsyncElasticsearch(secured_elasticsearch.url) as client:
        for asked in (client.info(), client.search(index=scene.names.of(ARTICLES)), client.cluster.health()):
            with pytest.raises(AuthenticationException):
                await asked


async def test_whoever_may_make_no_users_is_told_so(
    scene: Scene, secured_elasticsearch: ElasticsearchServer
) -> None:
    """In one line, with what is missing."""
    await make_users(scene)
    async with as_user(scene, secured_elasticsearch, "newswire_index", "index-secret") as client:
        with pytest.raises(SettingsError, match=r"may make no users: 403 .*manage_security"):
            await Users(client, scene.names).run(PASSWORDS)
        with pytest.raises(SettingsError, match="may not set Elasticsearch up: 403"):
            await Scene(client, scene.names, scene.url).set_up()


async def test_where_authentication_is_off_it_is_said(elasticsearch: ElasticsearchServer) -> None:
    """Users would be of no use, and their lack no surprise."""
    async with scene_in(elasticsearch) as scene:
        with pytest.raises(SettingsError) as told:
            await Users(scene.client, scene.names).run(PASSWORDS)

        assert str(told.value) == OFF
