"""Facets: what Elasticsearch is asked to count among all articles found, and what it answered; pure.

Counts come from each month's index. One of a value that is not among the ``_SEEN`` commonest of a month may
be too small, which no facet of ten shows unless there are thousands of values of equal weight.
"""

from typing import Any

from newswire.events import EntityType
from newswire_index.store import DAYS, FACET_SIZE, Bucket, EntityBucket, Facets

Json = dict[str, Any]

_SEEN = 1000  # values looked at in each index
_TYPES = 100  # kinds of entities
_NAMES = 3 * FACET_SIZE  # names of which the commonest are taken, once those of one name are told apart
_NAMESAKES = 10  # Wikidata ids of one name
_ORDER = [{"_count": "desc"}, {"_key": "asc"}]


def aggregations() -> Json:
    """Return what to count."""
    return {
        "topics": _terms("topics", FACET_SIZE),
        "outlets": _terms("outlet", FACET_SIZE),
        "languages": _terms("language.folded", FACET_SIZE),
        "days": {
            "date_histogram": {
                "field": "dated_at",
                "calendar_interval": "day",
                "format": "uuuu-MM-dd",
                "min_doc_count": 1,
                "order": {"_key": "desc"},
            }
        },
        "entities": {"nested": {"path": "entity"}, "aggs": {"types": _entities()}},
    }


def facets_of(answer: Json) -> Facets:
    """Return the facets that an answer holds; one from no index at all has none."""
    types = {each["key"]: each for each in answer["entities"]["types"]["buckets"]} if answer else {}
    return Facets(
        topics=_buckets(answer, "topics"),
        entities={kind: _commonest(types[kind]) for kind in sorted(types)},
        outlets=_buckets(answer, "outlets"),
        languages=_buckets(answer, "languages"),
        days=_buckets(answer, "days")[:DAYS],
    )


def known_type(kind: str) -> EntityType | str:
    """Return the type of an entity, as text if it came later than this program."""
    try:
        return EntityType(kind)
    except ValueError:
        return kind


def _entities() -> Json:
    namesakes = _terms("entity.wikidata", _NAMESAKES)
    namesakes["terms"]["missing"] = ""
    names = _terms("entity.name", _NAMES) | {"aggs": {"wikidata": namesakes}}
    return _terms("entity.type", _TYPES) | {"aggs": {"names": names}}


def _terms(field: str, size: int) -> Json:
    return {"terms": {"field": field, "size": size, "shard_size": _SEEN, "order": _ORDER}}


def _buckets(answer: Json, name: str) -> tuple[Bucket, ...]:
    found = answer.get(name, {}).get("buckets", ())
    return tuple(Bucket(each.get("key_as_string", each["key"]), each["doc_count"]) for each in found)


def _commonest(of_type: Json) -> tuple[EntityBucket, ...]:
    """Return the commonest entities of a type: one is a name and a Wikidata id, or none."""
    counted = [
        (-each["doc_count"], name["key"], each["key"])
        for name in of_type["names"]["buckets"]
        for each in name["wikidata"]["buckets"]
    ]
    return tuple(
        EntityBucket(name, known_type(of_type["key"]), wikidata or None, -count)
        for count, name, wikidata in sorted(counted)[:FACET_SIZE]
    )
