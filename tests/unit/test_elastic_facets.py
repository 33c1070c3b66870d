"""Facets from the answers of Elasticsearch."""

from typing import Any

import pytest

from newswire.events import EntityType
from newswire_index.elastic.facets import aggregations, facets_of, known_type
from newswire_index.store import DAYS, FACET_SIZE, Bucket, EntityBucket, Facets

pytestmark = pytest.mark.unit


def counted(*buckets: tuple[Any, int]) -> dict[str, Any]:
    """Return an answer of terms."""
    return {"buckets": [{"key": key, "doc_count": count} for key, count in buckets]}


def named(name: str, *ids: tuple[str, int]) -> dict[str, Any]:
    """Return an answer about one name of entities."""
    return {"key": name, "doc_count": sum(count for _, count in ids), "wikidata": counted(*ids)}


def answer(**changes: Any) -> dict[str, Any]:
    """Return an answer in which nothing was counted, but for these."""
    empty: dict[str, Any] = {"buckets": []}
    nothing = dict.fromkeys(("topics", "outlets", "languages", "days"), empty)
    return {**nothing, "entities": {"types": empty}, **changes}


def of_types(**names: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an answer about entities by type."""
    return {
        "types": {"buckets": [{"key": kind, "names": {"buckets": found}} for kind, found in names.items()]}
    }


def test_no_index_at_all_has_no_facets() -> None:
    """Elasticsearch then leaves them out of its answer."""
    assert facets_of({}) == Facets()
    assert facets_of(answer()) == Facets()


def test_days_are_told_by_their_name_and_cut() -> None:
    """Elasticsearch gives all of them, newest first."""
    days = [{"key": 1, "key_as_string": f"day-{number}", "doc_count": 1} for number in range(DAYS + 5)]
    found = facets_of(answer(days={"buckets": days})).days

    assert found[0] == Bucket("day-0", 1)
    assert len(found) == DAYS


def test_namesakes_are_sorted_among_all_entities_of_a_type() -> None:
    """By count, name and Wikidata id, one without an id first; types by name."""
    found = facets_of(
        answer(
            entities=of_types(
                place=[named("Paris", ("Q90", 3), ("", 1), ("Q8", 1)), named("Bonn", ("Q2", 2))],
                person=[named("Paris", ("", 1))],
            )
        )
    ).entities

    assert list(found) == [EntityType.PERSON, EntityType.PLACE]
    assert found[EntityType.PLACE] == (
        EntityBucket("Paris", EntityType.PLACE, "Q90", 3),
        EntityBucket("Bonn", EntityType.PLACE, "Q2", 2),
        EntityBucket("Paris", EntityType.PLACE, None, 1),
        EntityBucket("Paris", EntityType.PLACE, "Q8", 1),
    )


def test_no_more_entities_of_a_type_are_shown_than_of_others() -> None:
    """More names are asked for than shown, as a name may have several ids."""
    many = [named(f"n{number:02}", ("", 1)) for number in range(30)]
    found = facets_of(answer(entities=of_types(group=many))).entities[EntityType.GROUP]

    assert [each.name for each in found] == [f"n{number:02}" for number in range(FACET_SIZE)]


def test_a_type_that_came_later_is_text() -> None:
    """Types may grow."""
    assert known_type("person") is EntityType.PERSON
    assert known_type("of-tomorrow") == "of-tomorrow"


def test_ties_are_asked_for_in_the_order_of_letters() -> None:
    """As SQLite sorts them."""
    asked = aggregations()

    for name in ("topics", "outlets", "languages"):
        assert asked[name]["terms"]["order"] == [{"_count": "desc"}, {"_key": "asc"}]
