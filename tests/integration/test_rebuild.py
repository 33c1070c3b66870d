"""A rebuild puts new indices in the place of the old ones, and nobody notices but whoever asked for it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.rebuild_world import (
    DECEMBER,
    NOVEMBER,
    Between,
    RebuildWorld,
    article,
    gone,
    rebuild_world,
    version_at,
    withdrawal,
)
from servers.elasticsearch import ElasticsearchServer
from unit.scenes import unreadable

from newswire.events import Enriched, Outcome
from newswire_index.document import document_from
from newswire_index.elastic.steps import End
from newswire_index.rebuild import filling as rebuild_filling
from newswire_index.rebuild import rebuilding

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


@pytest.fixture
async def world(elasticsearch: ElasticsearchServer, tmp_path: Path) -> AsyncIterator[RebuildWorld]:
    """A world with a topic and an index, both empty."""
    async with rebuild_world(elasticsearch, tmp_path) as made:
        yield made


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """A way to get between two steps."""
    return Between(monkeypatch)


async def test_all_months_are_made_anew_and_the_old_ones_kept(world: RebuildWorld, tmp_path: Path) -> None:
    """Their articles, aliases and settings are those of any other month; nothing else was touched."""
    await world.index(article("a"), article("b"), article("a", 1), article("c", seen=DECEMBER))
    before, offsets = await world.found(), await world.log.committed("index", Enriched.topic)
    outcomes = await world.log.end_offsets(Outcome.topic)
    done = await world.rebuild()
    index = (await world.months())["2026.11-000002"].name
    settings = await world.scene.client.indices.get_settings(index=index, flat_settings=True)

    assert await world.serving() == ["2026.11-000002", "2026.12-000002"]
    assert await world.found() == before == {"a": "Talks a 1", "b": "Talks b 0", "c": "Talks c 0"}
    assert [(m["month"], m["articles"], m["before"]) for m in done["months"]] == [
        ("2026-11", 2, 2),
        ("2026-12", 1, 1),
    ]
    assert (done["done"], done["resumed"], done["counts"]) == ("rebuilt", False, {"stored": 3})
    assert [name.rpartition("articles-")[2] for name in done["old"]] == ["2026.11-000001", "2026.12-000001"]
    assert {aliases.aliases for name, aliases in (await world.months()).items() if "000001" in name} == {
        frozenset()
    }
    assert settings[index]["settings"]["index.refresh_interval"] == "1s"
    assert (
        await world.log.committed("index", Enriched.topic),
        await world.log.end_offsets(Outcome.topic),
    ) == (
        offsets,
        outcomes,
    )
    assert (await world.verified(tmp_path)).is_equal


async def test_an_article_keeps_the_time_at_which_it_arrived(world: RebuildWorld) -> None:
    """Else a rebuild would look like a delay of months; what is not known of another version is left out."""
    await world.index(article("a"))
    before = await world.source("a")
    await world.log.publish([article("b")])
    await world.rebuild()
    after, other = await world.source("a"), await world.source("b")

    assert after == before
    assert "enriched_to_indexed" in after["lag_ms"]
    assert "enriched_to_indexed" not in other["lag_ms"]
    assert "seen_to_fetched" in other["lag_ms"]


async def test_an_empty_topic_is_rebuilt_to_nothing(world: RebuildWorld) -> None:
    """As before the first article."""
    done = await world.rebuild()

    assert (done["months"], done["counts"], done["old"]) == ([], {}, [])


async def test_what_is_lost_in_elasticsearch_comes_back(world: RebuildWorld, tmp_path: Path) -> None:
    """Months without any index get one, and the topic says what is in them."""
    await world.index(article("a"), article("c", seen=DECEMBER))
    await world.site().indices.remove([(await world.months())["2026.11-000001"].name])
    await world.rebuild()

    assert await world.serving() == ["2026.11-000002", "2026.12-000002"]
    assert (await world.verified(tmp_path)).is_equal


async def test_removed_withdrawn_expired_and_unreadable_are_not_taken_over(world: RebuildWorld) -> None:
    """Each is counted; a tombstone of a month that has nothing makes none."""
    old = NOVEMBER - timedelta(days=800)
    await world.index(article("a"), article("b"), article("d"), withdrawal("d"))
    await world.index(gone("b", 1))
    await world.log.publish([article("e", seen=old), gone("f", 1, seen=old), gone("x", 1, seen=DECEMBER)])
    await world.log.publish([unreadable(Enriched.topic, "g", None)])
    done = await world.rebuild()

    assert await world.found() == {"a": "Talks a 0"}
    assert done["counts"] == {"expired": 1, "removed": 1, "stored": 1, "unreadable": 1, "withdrawn": 1}
    assert await world.serving() == ["2026.11-000002"]


async def test_what_the_store_rejects_is_named_and_nothing_swapped_unless_allowed(
    world: RebuildWorld, tmp_path: Path
) -> None:
    """Such an article is a dead letter anyway; what was rejected once and is right by now is none."""
    bad = "x" * 600  # bytes that no id of Elasticsearch may have
    await world.index(article("a"))
    await world.log.publish([article(bad), article("b", version=2**70), article("b", 1)])
    refused = await world.rebuild()
    serving = await world.serving()
    allowed = await world.rebuild(allow_rejected=True)

    assert (refused["done"], serving) == ("refused", ["2026.11-000001"])
    assert refused["why"] == "the store rejects 1 articles: --allow-rejected goes on without them"
    assert [each["article_id"] for each in refused["rejected"]] == [bad]
    assert any(line.startswith(f"rejected: {bad} https://courier.example/{bad} ") for line in world.said)
    assert (allowed["done"], allowed["resumed"], len(allowed["rejected"])) == ("rebuilt", True, 1)
    assert await world.serving() == ["2026.11-000002"]
    assert [each.kind for each in (await world.verified(tmp_path)).first] == []  # not read by the service yet


async def test_too_many_rejected_end_it_early(world: RebuildWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then something is wrong with all of them."""
    monkeypatch.setattr(rebuild_filling, "MOST_REJECTED", 1)
    await world.log.publish([article(f"{number}" * 600) for number in range(3)])
    refused = await world.rebuild()

    assert refused["why"].startswith("more than 1 articles are rejected: 000")


async def test_what_the_topic_has_lost_stops_the_swap_unless_allowed(world: RebuildWorld) -> None:
    """Maybe its retention is too short; a rebuild would lose months of coverage."""
    await world.index(article("a"))
    await world.store.write([_document("b")])
    refused = await world.rebuild()
    allowed = await world.rebuild(allow_missing=True)

    assert refused["why"].startswith("1 articles of the index are not on the topic any more")
    assert "not on the topic: b of 2026-11" in world.said
    assert allowed["months"][0]["articles"] == 1
    assert allowed["months"][0]["before"] == 2
    assert await world.found() == {"a": "Talks a 0"}


def _document(key: str) -> Any:
    return document_from(Enriched.from_bytes(article(key).value or b""))


async def test_what_has_outlived_the_topic_is_taken_over_from_the_old_index(
    world: RebuildWorld, tmp_path: Path
) -> None:
    """A month is kept until its end is too old, its first articles are on the topic no more by then."""
    await world.index(article("a", version=version_at(NOVEMBER + timedelta(days=20))))
    await world.store.write([_document("b")])
    before = await world.source("b")
    kept = timedelta(days=15)
    done = await world.rebuild(topic_retention=kept)
    report = await world.verified(tmp_path, topic=kept)
    hits = await world.scene.client.search(
        index=world.scene.names.of("articles"), query={"match": {"in.en.title": "talk"}}
    )

    assert (done["done"], done["counts"]) == ("rebuilt", {"kept": 1, "stored": 1})
    assert (await world.source("b"), sorted(await world.found())) == (before, ["a", "b"])
    assert {hit["_id"] for hit in hits["hits"]["hits"]} == {"a", "b"}  # found in its language, too
    assert (report.is_equal, report.outlived) == (True, 1)


async def test_an_index_that_was_removed_under_it_is_no_success(
    world: RebuildWorld, between: Between
) -> None:
    """It says so, and the next one begins anew."""
    await world.index(article("a"))

    async def remove() -> None:
        await world.site().indices.remove([(await world.months())["2026.11-000002"].name])

    between.before("_swap", remove)
    refused = await world.rebuild()
    done = await world.rebuild()

    assert refused["why"].endswith("2026.11-000002 was removed by somebody: begin again")
    assert (done["resumed"], await world.found()) == (True, {"a": "Talks a 0"})


async def test_old_indices_go_when_told_and_what_was_made_in_vain_too(world: RebuildWorld) -> None:
    """Neither is done in the middle of a rebuild, and the articles that serve are never among them."""
    await world.index(article("a"))
    await world.store.write([_document("b")])
    assert (await world.rebuild())["done"] == "refused"
    at = world.site()
    with pytest.raises(rebuild_filling.RebuildRefusedError, match="a rebuild is not at its end"):
        await rebuilding.drop_old(at.indices, at.state)
    await at.state.take("", world.said.append)
    abandoned = await rebuilding.abandon(at.indices, at.state)
    left = sorted(await world.months())
    assert (await world.rebuild(allow_missing=True))["resumed"] is False
    dropped = await rebuilding.drop_old(at.indices, world.site().state)

    assert [name.rpartition("articles-")[2] for name in abandoned] == ["2026.11-000002"]
    assert left == ["2026.11-000001"]
    assert [name.rpartition("articles-")[2] for name in dropped] == ["2026.11-000001"]
    assert sorted(await world.months()) == ["2026.11-000002"]
    assert await world.found() == {"a": "Talks a 0"}


async def test_more_than_a_portion_is_read_in_portions(
    world: RebuildWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By count and by bytes; each one may be the last before a death."""
    monkeypatch.setattr(rebuilding, "PORTION", 7)
    monkeypatch.setattr(rebuilding, "PORTION_BYTES", 3000)
    await world.index(*(article(f"a{number}", number % 3) for number in range(50)))
    moments: list[str] = []
    await world.rebuild(moments.append)

    assert moments.count("portion") > 50 // 7
    assert [name for name in moments if name != "portion"] == [
        "planned", "filled", "compared", "swapping", "swapped", "read on", "done",
    ]  # fmt: skip
    assert (await world.verified(tmp_path)).is_equal
    assert (await world.log.end_offsets(Outcome.topic)) == dict.fromkeys(range(3), 0)


async def test_new_indices_are_made_by_todays_templates(world: RebuildWorld) -> None:
    """What cannot be changed in place is right afterwards, and nothing is said of the old indices."""
    names, client = world.scene.names, world.scene.client
    write = names.month("articles", "2026-11")
    old = {"words": {"type": "keyword"}}
    await client.indices.create(
        index=names.index(write), aliases={names.of("articles"): {}, write: {}}, mappings={"properties": old}
    )
    own = {"template": {"mappings": {"properties": {"desk": {"type": "keyword"}}}}}
    await client.cluster.put_component_template(name=f"{names.of('articles')}@custom", body=own)
    await world.index(article("a"))
    before = [step for step in await world.scene.set_up() if step.end is End.REFUSED]
    (month,) = (await world.rebuild())["months"]
    mappings = (await client.indices.get_mapping(index=month["index"])).body[month["index"]]["mappings"]

    assert [step.name for step in before] == [names.index(write)]
    assert before[0].why.startswith("words cannot be changed in place: run `newswire index rebuild`")
    assert mappings["properties"]["words"]["type"] == "integer"
    assert mappings["properties"]["desk"]["type"] == "keyword"
    assert [step for step in await world.scene.set_up() if step.end is End.REFUSED] == []
