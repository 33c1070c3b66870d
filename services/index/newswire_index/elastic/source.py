"""From a document to what is sent to Elasticsearch, field by field.

Every value fits its mapping: a place that is on no map has no location, and a moment in an offset that
Elasticsearch cannot read is told in UTC. A field without a value is left out; title and text always stand.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from newswire.events import EntityType, Moment
from newswire_index.document import Document, DocumentEntity, DocumentSource, DocumentTopic, fold
from newswire_index.elastic.mapping import entity_field, language_key

Json = dict[str, Any]

_MINUTE = timedelta(minutes=1)
_OFFSET = timedelta(hours=18)  # the farthest from UTC that Java knows
_MILLISECOND = timedelta(milliseconds=1)
_LATITUDE, _LONGITUDE = 90.0, 180.0


def source_of(document: Document, indexed_at: datetime) -> Json:
    """Return an article as it is sent.

    Args:
        document: what the store holds of it.
        indexed_at: when it is sent.
    """
    rest = {
        **_told(document),
        **_words(document),
        **_spoken_of(document),
        "indexed_at": _stamp(indexed_at),
        "source": [_source(each) for each in document.sources],
        "sources": len(document.sources),
        "lag_ms": lags_of(document, indexed_at),
    }
    return {"title": document.title, "text": document.text, **_filled(rest)}


def revision_source(document: Document, superseded_at: datetime) -> Json:
    """Return a revision that another one took the place of, as it is kept."""
    return revision_of(source_of(document, superseded_at), superseded_at)


def revision_of(source: Json, superseded_at: datetime) -> Json:
    """Return the same from the article as Elasticsearch has it.

    Args:
        source: the ``_source`` of the superseded article.
        superseded_at: when the newer one came.
    """
    kept = {name: source[name] for name in _OF_A_REVISION if name in source}
    return {**kept, "superseded_at": _stamp(superseded_at)}


_OF_A_REVISION = (
    "article_id", "revision", "version", "first_seen_at", "fetched_at", "url", "canonical_url", "title",
    "text", "content_hash", "outlet", "language",
)  # fmt: skip


def lags_of(document: Document, indexed_at: datetime) -> Json:
    """Return how long the article took from moment to moment, in ms.

    From its publication only where that is an instant which can be true.
    """
    seen, fetched, enriched = document.first_seen_at, document.fetched_at, document.enriched_at
    lags = {
        "seen_to_fetched": _ms(seen, fetched),
        "fetched_to_enriched": _ms(fetched, enriched),
        "enriched_to_indexed": _ms(enriched, indexed_at),
    }
    published = document.published_at
    if isinstance(published, datetime) and document.published_plausible:
        lags["published_to_seen"] = _ms(published, seen)
        lags["published_to_indexed"] = _ms(published, indexed_at)
    return lags


def _ms(start: datetime, end: datetime) -> int:
    """Return the time between, never negative: clocks differ."""
    return max(0, (end - start) // _MILLISECOND)


def _told(document: Document) -> Json:
    """Return what the article says of itself, and what is known of its way here."""
    return {
        "article_id": document.article_id,
        "version": document.version,
        "revision": document.revision,
        "first_seen_at": _stamp(document.first_seen_at),
        "fetched_at": _stamp(document.fetched_at),
        "enriched_at": _stamp(document.enriched_at),
        "dated_at": _stamp(document.dated_at),
        "published_at": _moment(document.published_at),
        "published_from": document.published_from,
        "published_plausible": document.published_plausible,
        "url": document.url,
        "canonical_url": document.canonical_url,
        "text_from": document.text_from,
        "content_hash": document.content_hash,
        "language": document.language,
        "outlet": document.outlet,
        "authors": list(document.authors),
        "tags": list(document.tags),
        "paywalled": document.paywalled,
        "notes": list(document.notes),
    }


def _words(document: Document) -> Json:
    """Return title and text once more, under the analyzer of their language, and how long the text is."""
    key = language_key(document.language)
    return {
        "in": {key: {"title": document.title, "text": document.text}} if key else None,
        "words": len(document.text.split()),
    }


def _spoken_of(document: Document) -> Json:
    """Return entities and topics: as they belong together, flat, and as words."""
    ids = _once(topic.id for topic in document.topics)
    return {
        "entity": [_entity(entity) for entity in document.entities],
        "entities": _entities(document.entities),
        "topic": [_topic(topic) for topic in document.topics],
        "topics": ids,
        "names": _once(name for entity in document.entities for name in (entity.name, *entity.aliases)),
        "topic_words": [topic.replace("-", " ") for topic in ids],
    }


def _entity(entity: DocumentEntity) -> Json:
    return _filled(
        {
            "name": entity.name,
            "type": str(entity.type),
            "wikidata": entity.wikidata,
            "aliases": list(entity.aliases),
            "salience": entity.salience,
            "score": entity.score,
            "mentions": entity.mentions,
            "by": list(entity.by),
            "location": _location(entity),
        }
    )


def _entities(entities: Iterable[DocumentEntity]) -> Json:
    """Return the names by type, most salient first, and all that an entity can be asked for by."""
    flat: dict[str, list[Any]] = {}
    for entity in sorted(entities, key=lambda each: -each.salience):
        ids = [entity.wikidata] if entity.wikidata else []
        flat.setdefault(entity_field(str(entity.type)), []).append(entity.name)
        flat.setdefault("name", []).append(entity.name)
        flat.setdefault("wikidata", []).extend(ids)
        flat.setdefault("key", []).extend(fold(name) for name in (entity.name, *entity.aliases, *ids))
        location = _location(entity)
        if location and entity.type == EntityType.PLACE:
            flat.setdefault("location", []).append(location)
    return {name: values if name == "location" else _once(values) for name, values in flat.items()}


def _location(entity: DocumentEntity) -> Json | None:
    latitude, longitude = entity.latitude, entity.longitude
    if latitude is None or longitude is None:
        return None
    on_the_map = abs(latitude) <= _LATITUDE and abs(longitude) <= _LONGITUDE  # not so is NaN, too
    return {"lat": latitude, "lon": longitude} if on_the_map else None


def _topic(topic: DocumentTopic) -> Json:
    return _filled({"id": topic.id, "score": topic.score, "by": topic.by, "evidence": list(topic.evidence)})


def _source(source: DocumentSource) -> Json:
    return {"feed_id": source.feed_id, "seen_at": _stamp(source.seen_at), "url": source.url}


def _moment(moment: Moment | None) -> str | None:
    if moment is None or not isinstance(moment, datetime):
        return moment.isoformat() if moment else None
    offset = moment.utcoffset() or timedelta()
    if abs(offset) <= _OFFSET and not offset % _MINUTE:  # seconds: local mean time, as before 1900
        return moment.isoformat()
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:  # the first or the last day that there is
        return moment.replace(tzinfo=UTC).isoformat()


def _stamp(moment: datetime) -> str:
    """Return one of our own times, in UTC."""
    return moment.astimezone(UTC).isoformat()


def _once(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]


def _filled(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}
