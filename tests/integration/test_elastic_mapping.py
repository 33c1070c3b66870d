"""Templates, mappings and documents on a real Elasticsearch."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import BadRequestError
from integration.elastic_scene import Scene, prefix_on, scene_in
from servers.elasticsearch import ElasticsearchServer

from newswire.events import Enriched
from newswire_index.document import Document, document_from
from newswire_index.elastic.mapping import FOLDED, LANGUAGES, article_mappings, revision_mappings
from newswire_index.elastic.names import ARTICLES, REVISIONS
from newswire_index.elastic.source import revision_source, source_of
from newswire_index.elastic.templates import month_settings

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 22, 18, 6, tzinfo=UTC)
MONTH = "2026-11"
GOLDEN = Path(__file__).parents[1] / "golden" / "newswire.enriched.v1.json"
WORDS = {  # a word, and another form of it that the language's analyzer knows
    "ar": ("الكتب", "كتب"), "bg": ("градове", "град"), "bn": ("বইগুলো", "বই"), "ca": ("governs", "govern"),
    "cs": ("vlády", "vláda"), "da": ("regeringer", "regeringen"), "de": ("Städte", "Stadt"),
    "el": ("κυβερνήσεις", "κυβερνήσεων"), "en": ("negotiations", "negotiation"),
    "es": ("gobiernos", "gobierno"), "et": ("raamatud", "raamat"), "eu": ("etxeak", "etxe"),
    "fa": ("كتاب", "کتاب"), "fi": ("talot", "talo"), "fr": ("négociations", "négociation"),
    "ga": ("siopadóireacht", "siopadóir"), "gl": ("gobernos", "goberno"), "hi": ("किताबें", "किताब"),
    "hu": ("kormányok", "kormány"), "hy": ("քաղաքներ", "քաղաք"), "id": ("bukunya", "buku"),
    "it": ("governi", "governo"), "ja": ("東京都知事", "東京"), "ko": ("대한민국", "대한"),
    "ku": ("پیاوەکان", "پیاو"), "lt": ("vyriausybės", "vyriausybė"), "lv": ("valdības", "valdība"),
    "nl": ("regeringen", "regering"), "no": ("regjeringer", "regjering"), "pt": ("governos", "governo"),
    "ro": ("guverne", "guvern"), "ru": ("переговоры", "переговоров"), "sr": ("владе", "влада"),
    "sv": ("regeringar", "regering"), "th": ("การแสดงภาพ", "แสดง"), "tr": ("hükümetler", "hükümet"),
    "zh": ("北京市长", "北京"),
}  # fmt: skip


@pytest.fixture(scope="module")
def prefix(elasticsearch: ElasticsearchServer) -> Iterator[str]:
    """A world that is set up."""
    with prefix_on(elasticsearch) as prefix:
        yield prefix


@pytest.fixture
async def scene(elasticsearch: ElasticsearchServer, prefix: str) -> AsyncIterator[Scene]:
    """That world, with a month's index of articles and one of revisions."""
    async with scene_in(elasticsearch, prefix) as scene:
        indices = [month(scene, kind) for kind in (ARTICLES, REVISIONS)]
        for index in indices:
            await scene.client.indices.create(index=index, settings=month_settings(MONTH, scene.settings))
        yield scene
        await scene.client.indices.delete(index=indices)


def month(scene: Scene, kind: str = ARTICLES) -> str:
    """Return the index of the month."""
    return scene.names.index(scene.names.month(kind, MONTH))


def golden(**changes: Any) -> Document:
    """Return the document of the golden event, from its bytes, with these fields changed."""
    event = json.loads(GOLDEN.read_text(encoding="utf-8"))["full"]
    return document_from(Enriched.from_bytes(json.dumps(event | changes).encode()))


async def put(scene: Scene, document: Document) -> None:
    """Index a document, to be found at once."""
    await scene.client.index(
        index=month(scene), id=document.article_id, document=source_of(document, NOW),
        version=document.version, version_type="external", refresh=True,
    )  # fmt: skip


async def found(scene: Scene, query: dict[str, Any]) -> list[str]:
    """Return the ids that a query finds."""
    results = await scene.client.search(index=month(scene), query=query, source=False)
    return [hit["_id"] for hit in results["hits"]["hits"]]


async def test_indices_have_the_mappings_of_the_code(scene: Scene) -> None:
    """As they stand there, to the letter: so a difference is always one that somebody made."""
    articles = (await scene.client.indices.get_mapping(index=month(scene))).body
    revisions = (await scene.client.indices.get_mapping(index=month(scene, REVISIONS))).body

    assert articles[month(scene)]["mappings"] == article_mappings()
    assert revisions[month(scene, REVISIONS)]["mappings"] == revision_mappings()


async def test_an_event_with_fields_that_nobody_knows_is_indexed_without_them(scene: Scene) -> None:
    """A later producer adds fields at will, in the article and in its parts."""
    event = json.loads(GOLDEN.read_text(encoding="utf-8"))["full"]
    later = {"sentiment": {"score": 1}, "story": {"id": "s"}, "embedding": [0.1, 0.2]}
    parts = {name: [{**part, "later": {"x": 1}} for part in event[name]]
             for name in ("entities", "topics", "sources")}  # fmt: skip
    await put(scene, golden(**later, **parts))
    source = (await scene.client.get(index=month(scene), id=event["article_id"]))["_source"]

    assert source == {name: value for name, value in source_of(golden(), NOW).items() if name != "in"}


async def test_a_field_without_a_mapping_is_refused(scene: Scene) -> None:
    """Closed also inside objects; only labels take what users like."""
    for wrong in ({"x": 1}, {"entities": {"x": 1}}, {"in": {"xx": {"text": "a"}}}, {"lag_ms": {"x": 1}}):
        with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
            await scene.client.index(index=month(scene), document={**source_of(golden(), NOW), **wrong})

    labels = {"desk": "foreign", "anything": {"deep": ["x", 1]}, "long": "x" * 40_000}
    await scene.client.index(
        index=month(scene), id="l", document={**source_of(golden(), NOW), "labels": labels}, refresh=True
    )
    assert await found(scene, {"term": {"labels.anything.deep": "x"}}) == ["l"]


async def test_every_language_is_searchable_in_its_own_way(scene: Scene) -> None:
    """Another form of a word is found in its language's field; the word as written in `text` always."""
    for code, (word, _) in WORDS.items():
        await put(scene, golden(article_id=code, language=code, title="-", text=word))
    other_forms = {
        code: await found(scene, {"match": {f"in.{code}.text": form}}) for code, (_, form) in WORDS.items()
    }
    as_written = {
        code: await found(scene, {"match_phrase": {"text": word}}) for code, (word, _) in WORDS.items()
    }

    assert WORDS.keys() == LANGUAGES.keys()
    assert {code: ids for code, ids in other_forms.items() if code not in ids} == {}
    assert {code: ids for code, ids in as_written.items() if code not in ids} == {}


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Zelensky’s visit", "zelensky"),
        ("l'OTAN", "OTAN"),
        ("Kovač", "kovac"),
        ("Škoda", "SKODA"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Ελλάδα", "ελλαδα"),
        ("ёлка", "елка"),
        ("courier.example", "courier"),
        ("NATO-Mitglied", "nato"),
        ("أوكرانيا", "اوكرانيا"),
        ("北京", "京"),
    ],
)
async def test_names_are_found_as_they_are_written(scene: Scene, written: str, asked: str) -> None:
    """In any language, blind to case and accents, apostrophes or not, and unstemmed."""
    await put(scene, golden(article_id="n", language="und", text=written))

    assert await found(scene, {"match": {"text": asked}}) == ["n"]
    assert await found(scene, {"match": {"text": "negotiations"}}) == []


async def test_keywords_compare_folded_and_entities_belong_together(scene: Scene) -> None:
    """A nested query finds one entity with both properties, not two with one each."""
    await put(scene, golden(article_id="n", outlet="  Le  Défi "))
    both = {"bool": {"filter": [{"term": {"entity.type": "person"}}, {"term": {"entity.wikidata": "Q64"}}]}}

    assert await found(scene, {"term": {"outlet.folded": "le defi"}}) == ["n"]
    assert await found(scene, {"term": {"entities.key": "zelensky"}}) == ["n"]
    assert await found(scene, {"nested": {"path": "entity", "query": both}}) == []
    assert await found(scene, {"geo_distance": {"distance": "1km", "entities.location": "52.52,13.41"}}) == [
        "n"
    ]


async def test_a_phrase_does_not_reach_from_one_name_into_the_next(scene: Scene) -> None:
    """Names stand apart."""
    await put(scene, golden(article_id="n"))

    assert await found(scene, {"match_phrase": {"names": "Volodymyr Zelenskyy"}}) == ["n"]
    assert await found(scene, {"match_phrase": {"names": "Zelensky Berlin"}}) == []


async def test_a_word_without_end_does_not_stop_an_article(scene: Scene) -> None:
    """Elasticsearch refuses terms of more than 32766 bytes, and with them the document."""
    endless = "ж" * 20_000  # 40 kB
    event = json.loads(GOLDEN.read_text(encoding="utf-8"))["full"]
    place = {**event["entities"][1], "name": endless, "aliases": [endless], "latitude": 300.0}
    await put(scene, golden(
        article_id="n", title=endless, text=endless, outlet=endless, tags=[endless], authors=[endless],
        url=f"https://courier.example/{endless}", entities=[place],
    ))  # fmt: skip

    assert await found(scene, {"term": {"article_id": "n"}}) == ["n"]


@pytest.mark.parametrize(
    "published", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00",
                  "1890-01-01T00:00:00+00:53:28", "2026-11-22T18:00:00+23:59", "2026-02-28"],
)  # fmt: skip
async def test_any_date_that_an_event_can_hold_is_taken(scene: Scene, published: str) -> None:
    """A page may claim anything."""
    await put(scene, golden(article_id="n", published_at=published))

    assert await found(scene, {"exists": {"field": "published_at"}}) == ["n"]


async def test_a_revision_is_kept_and_its_words_are_not_searched(scene: Scene) -> None:
    """It answers what an article once said, not a search."""
    await scene.client.index(
        index=month(scene, REVISIONS), id="a-1", document=revision_source(golden(), NOW), refresh=True
    )
    kept = (await scene.client.get(index=month(scene, REVISIONS), id="a-1"))["_source"]

    assert kept["text"] == golden().text
    with pytest.raises(BadRequestError, match="not indexed"):
        await scene.client.search(index=month(scene, REVISIONS), query={"match": {"text": "NATO"}})


async def test_the_folding_is_that_of_the_code_for_analyzer_and_normalizer(scene: Scene) -> None:
    """Both know all scripts that they promise to."""
    tokens = await scene.client.indices.analyze(index=month(scene), analyzer=FOLDED, text="U.S. l’État ٣٥")
    whole = await scene.client.indices.analyze(index=month(scene), normalizer=FOLDED, text=" L’État \n 7 ")

    assert [token["token"] for token in tokens["tokens"]] == ["u", "s", "l", "etat", "35"]
    assert [token["token"] for token in whole["tokens"]] == ["l'etat 7"]
