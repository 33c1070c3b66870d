"""A document becomes what is sent to Elasticsearch, field by field, and nothing else."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_index.document import Document, DocumentEntity, DocumentSource, DocumentTopic
from newswire_index.elastic.mapping import article_mappings, revision_mappings
from newswire_index.elastic.source import lags_of, revision_of, revision_source, source_of

pytestmark = pytest.mark.unit

SEEN = datetime(2026, 11, 20, 9, tzinfo=UTC)
INDEXED = SEEN + timedelta(seconds=9)
KYIV = DocumentEntity(
    name="Kyiv",
    type="place",
    wikidata="Q1899",
    aliases=("Kiev",),
    salience=0.2,
    latitude=50.45,
    longitude=30.52,
)
NATO = DocumentEntity(name="NATO", type="organisation", wikidata="Q7184", aliases=("OTAN",), salience=0.7)


def document(**changes: Any) -> Document:
    """Return a document with these fields."""
    fields: dict[str, Any] = {
        "article_id": "a",
        "version": 3,
        "first_seen_at": SEEN,
        "fetched_at": SEEN + timedelta(seconds=2),
        "enriched_at": SEEN + timedelta(seconds=5),
        "dated_at": SEEN,
        "url": "https://courier.example/a?x=1",
        "canonical_url": "https://courier.example/a",
        "title": "Title",
        "text": "Some text",
        "content_hash": "h",
        "language": "en",
    }
    return Document(**(fields | changes))


def full() -> Document:
    """Return a document with every field."""
    return document(
        revision=2, published_at=SEEN - timedelta(hours=1), published_from="json-ld",
        published_plausible=True,
        text_from="page", outlet="The Courier", authors=("Ann",), tags=("world",), paywalled=True,
        notes=("consent-wall",), entities=(KYIV, NATO),
        topics=(DocumentTopic(id="nato-bid", score=0.8, by="rules 1", evidence=("NATO",)),),
        sources=(DocumentSource(feed_id="f", seen_at=SEEN, url="https://courier.example/a"),),
    )  # fmt: skip


def unmapped(source: dict[str, Any], mappings: dict[str, Any], path: str = "") -> list[str]:
    """Return the fields of a source that a strict mapping would refuse."""
    if mappings.get("type") == "geo_point":
        return []
    known = mappings.get("properties", {})
    found = [f"{path}{name}" for name in source if name not in known]
    for name, value in source.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and name in known:
                found += unmapped(part, known[name], f"{path}{name}.")
    return found


def test_every_field_of_a_document_is_sent_and_has_a_mapping() -> None:
    """The mapping is strict: what it lacks would be refused."""
    source = source_of(full(), INDEXED)
    renamed = {"entities": "entity", "topics": "topic", "sources": "source"}

    assert unmapped(source, article_mappings()) == []
    assert {renamed.get(name, name) for name in Document.model_fields} <= source.keys()
    assert {*article_mappings()["properties"]} - source.keys() == {"labels"}


def test_an_entity_is_sent_whole_flat_and_as_words() -> None:
    """Most salient first in what Kibana counts; folded in what a filter compares."""
    source = source_of(full(), INDEXED)

    assert source["entity"][0] == {
        "name": "Kyiv", "type": "place", "wikidata": "Q1899", "aliases": ["Kiev"], "salience": 0.2,
        "score": 1.0, "mentions": 0, "location": {"lat": 50.45, "lon": 30.52},
    }  # fmt: skip
    assert source["entities"] == {
        "organisation": ["NATO"],
        "place": ["Kyiv"],
        "name": ["NATO", "Kyiv"],
        "wikidata": ["Q7184", "Q1899"],
        "key": ["nato", "otan", "q7184", "kyiv", "kiev", "q1899"],
        "location": [{"lat": 50.45, "lon": 30.52}],
    }
    assert source["names"] == ["Kyiv", "Kiev", "NATO", "OTAN"]


def test_an_entity_of_a_type_that_came_later_is_other() -> None:
    """A new type needs no new mapping, and is kept where entities stand whole."""
    source = source_of(document(entities=(DocumentEntity(name="Ever Given", type="vessel"),)), INDEXED)

    assert source["entities"]["other"] == ["Ever Given"]
    assert source["entity"][0]["type"] == "vessel"


def test_topics_are_sent_with_their_evidence_and_as_words() -> None:
    """So that "nato bid" finds nato-bid."""
    source = source_of(full(), INDEXED)

    assert source["topic"] == [{"id": "nato-bid", "score": 0.8, "by": "rules 1", "evidence": ["NATO"]}]
    assert (source["topics"], source["topic_words"]) == (["nato-bid"], ["nato bid"])


@pytest.mark.parametrize(("language", "key"), [("de", "de"), ("nb", "no"), ("uk", None)])
def test_words_stand_once_more_under_their_language(language: str, key: str | None) -> None:
    """Where Elasticsearch has an analyzer for it."""
    source = source_of(document(language=language), INDEXED)

    assert source.get("in") == ({key: {"title": "Title", "text": "Some text"}} if key else None)
    assert source["words"] == 2


def test_what_holds_nothing_is_left_out() -> None:
    """But title and text, which everybody expects, and what counts or says no."""
    source = source_of(document(title="", text=""), INDEXED)

    assert (source["title"], source["text"], source["words"], source["sources"]) == ("", "", 0, 0)
    assert source["paywalled"] is False
    assert not {"outlet", "published_at", "entity", "entities", "topics", "names", "source"} & source.keys()


@pytest.mark.parametrize(
    ("published", "plausible", "since_publication"),
    [
        (SEEN - timedelta(minutes=1), True, {"published_to_seen": 60_000, "published_to_indexed": 69_000}),
        (SEEN + timedelta(hours=1), True, {"published_to_seen": 0, "published_to_indexed": 0}),
        (SEEN - timedelta(minutes=1), False, {}),
        (SEEN - timedelta(minutes=1), None, {}),
        (date(2026, 11, 20), True, {}),
        (None, None, {}),
    ],
)
def test_lags_count_from_publication_only_if_it_is_an_instant_that_can_be_true(
    published: datetime | date | None, plausible: bool | None, since_publication: dict[str, int]
) -> None:
    """Never negative: clocks differ."""
    lags = lags_of(document(published_at=published, published_plausible=plausible), INDEXED)
    rest = {"seen_to_fetched": 2000, "fetched_to_enriched": 3000, "enriched_to_indexed": 4000}

    assert lags == rest | since_publication


@pytest.mark.parametrize(
    ("published", "sent"),
    [
        (date(2026, 11, 19), "2026-11-19"),
        (
            datetime(2026, 11, 19, 8, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            "2026-11-19T08:00:00+05:30",
        ),
        (
            datetime(1890, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28))),
            "1889-12-31T23:06:32+00:00",
        ),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=20))), "2025-12-31T04:00:00+00:00"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=20))), "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_publication_is_sent_as_it_was_written_if_elasticsearch_can_read_it(
    published: datetime | date, sent: str
) -> None:
    """Java knows no seconds in an offset that it reads, and none beyond 18 hours."""
    assert source_of(document(published_at=published), INDEXED)["published_at"] == sent


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(90.1, 0.0), (0.0, -180.5), (float("nan"), 0.0), (float("inf"), 0.0), (1.0, None), (None, 1.0)],
)
def test_a_place_that_is_on_no_map_has_no_location(latitude: float | None, longitude: float | None) -> None:
    """One wrong number would have the whole article refused."""
    nowhere = DocumentEntity(name="X", type="place", latitude=latitude, longitude=longitude)
    source = source_of(document(entities=(nowhere,)), INDEXED)

    assert "location" not in source["entities"]
    assert "location" not in source["entity"][0]


def test_only_places_are_on_the_flat_map() -> None:
    """An organisation's seat would be a point where nothing happened."""
    seated = NATO.model_copy(update={"latitude": 50.88, "longitude": 4.43})
    source = source_of(document(entities=(seated,)), INDEXED)

    assert "location" not in source["entities"]
    assert source["entity"][0]["location"] == {"lat": 50.88, "lon": 4.43}


@given(st.text(), st.lists(st.text(), max_size=3), st.sampled_from(["en", "ja", "xx", ""]))
def test_whatever_the_page_says_fits_the_mapping(title: str, names: list[str], language: str) -> None:
    """No text makes a field."""
    entities = tuple(DocumentEntity(name=name, type=name) for name in names)
    source = source_of(
        document(title=title, tags=tuple(names), language=language, entities=entities), INDEXED
    )

    assert unmapped(source, article_mappings()) == []


def test_a_superseded_revision_keeps_its_words_and_where_they_came_from() -> None:
    """Made of the document or of what Elasticsearch has: the same."""
    superseded = SEEN + timedelta(days=1)
    source = revision_source(full(), superseded)

    assert source == revision_of(source_of(full(), INDEXED), superseded)
    assert {*revision_mappings()["properties"]} == source.keys()
    assert (source["text"], source["superseded_at"]) == ("Some text", "2026-11-21T09:00:00+00:00")


def test_a_revision_of_an_article_without_outlet_has_none() -> None:
    """What the article lacked is not made up."""
    assert "outlet" not in revision_of(source_of(document(), INDEXED), INDEXED)
