"""What the store holds of an article: an enriched event, field by field.

Nothing passes that is not named here, so that a field which a later producer adds never reaches a store.
Strings lose control characters on the way: a hostile title must not steer the terminal it is shown on.
"""

import re
import unicodedata
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

from pydantic import AwareDatetime, BaseModel, ConfigDict

from newswire.events import Enriched, EntityType, Moment, Open, TextFrom

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MONTHS_A_YEAR = 12
_NAME_LENGTH = 200  # of what is remembered


class _Part(BaseModel):
    """A frozen value that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DocumentEntity(_Part):
    """An entity of the document; ``mentions`` counts where the article names it."""

    name: str
    type: Open[EntityType]
    wikidata: str | None = None
    aliases: tuple[str, ...] = ()
    salience: float = 0.0
    score: float = 1.0
    mentions: int = 0
    by: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None


class DocumentTopic(_Part):
    """A topic of the document, with the words of the article that gave it."""

    id: str
    score: float = 1.0
    by: str = ""
    evidence: tuple[str, ...] = ()


class DocumentSource(_Part):
    """A feed that showed the article."""

    feed_id: str
    seen_at: AwareDatetime
    url: str


class Document(_Part):
    """An article as a store holds it; ``version`` is the external version, in ms since 1970."""

    article_id: str
    version: int
    revision: int = 1
    first_seen_at: AwareDatetime
    fetched_at: AwareDatetime
    enriched_at: AwareDatetime
    dated_at: AwareDatetime
    published_at: Moment | None = None
    published_from: str | None = None
    published_plausible: bool | None = None
    url: str
    canonical_url: str
    title: str
    text: str
    text_from: Open[TextFrom] = "page"
    content_hash: str
    language: str
    outlet: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    paywalled: bool = False
    notes: tuple[str, ...] = ()
    entities: tuple[DocumentEntity, ...] = ()
    topics: tuple[DocumentTopic, ...] = ()
    sources: tuple[DocumentSource, ...] = ()


class Removal(_Part):
    """An article that is no more: what a null on the enriched topic says in its headers."""

    article_id: str
    version: int
    first_seen_at: AwareDatetime


def document_from(event: Enriched) -> Document:
    """Return what the store holds of an enriched article."""
    return Document(
        article_id=event.article_id,
        version=event.version,
        revision=event.revision,
        first_seen_at=event.first_seen_at,
        fetched_at=event.fetched_at,
        enriched_at=event.enriched_at,
        dated_at=dated_at(event),
        published_at=event.published_at,
        published_from=event.published_from,
        published_plausible=event.published_plausible,
        url=clean(event.url),
        canonical_url=clean(event.canonical_url),
        title=clean(event.title),
        text=clean(event.text),
        text_from=event.text_from,
        content_hash=event.content_hash,
        language=event.language,
        outlet=clean(event.outlet) if event.outlet else None,
        authors=_cleaned(event.authors),
        tags=_cleaned(event.tags),
        paywalled=event.paywalled,
        notes=_cleaned(event.notes),
        entities=_entities(event),
        topics=_topics(event),
        sources=_sources(event),
    )


def dated_at(event: Enriched) -> datetime:
    """Return the instant by which an article is filtered and sorted, in UTC.

    That is its publication, a bare date being midnight UTC; where it has none, or an implausible one, the
    instant at which it was first seen.
    """
    published = event.published_at
    if published is None or event.published_plausible is False:
        return event.first_seen_at.astimezone(UTC)
    if isinstance(published, datetime):
        return _in_utc(published, event.first_seen_at)
    return datetime.combine(published, time.min, UTC)


def clean(text: str) -> str:
    """Return the text in Unicode NFC without control characters; tabs and line ends stay."""
    return unicodedata.normalize("NFC", _CONTROL.sub("", text))


def fold(text: str) -> str:
    """Return a name as filters compare it: blind to case, accents and white space."""
    return _remembered(text) if len(text) <= _NAME_LENGTH else _fold(text)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", clean(text)).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join(bare.split())


_remembered = lru_cache(maxsize=20_000)(_fold)  # the same names and aliases come with article after article


def month_of(first_seen_at: datetime) -> str:
    """Return the month that holds an article, as ``2026-11``."""
    return first_seen_at.astimezone(UTC).strftime("%Y-%m")


def month_end(month: str) -> datetime:
    """Return the first instant after a month such as ``2026-11``."""
    year, number = (int(part) for part in month.split("-"))
    return datetime(year + number // _MONTHS_A_YEAR, number % _MONTHS_A_YEAR + 1, 1, tzinfo=UTC)


def is_expired(month: str, retention: timedelta, now: datetime) -> bool:
    """Say whether a month's end is older than the retention."""
    return now - month_end(month) > retention


def _in_utc(published: datetime, otherwise: datetime) -> datetime:
    try:
        return published.astimezone(UTC)
    except OverflowError:  # the first or the last day that there is, in an offset that leads beyond
        return otherwise.astimezone(UTC)


def _cleaned(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean(value) for value in values)


def _entities(event: Enriched) -> tuple[DocumentEntity, ...]:
    return tuple(
        DocumentEntity(
            name=clean(entity.name),
            type=entity.type,
            wikidata=entity.wikidata,
            aliases=_cleaned(entity.aliases),
            salience=entity.salience,
            score=entity.score,
            mentions=len(entity.mentions),
            by=entity.by,
            latitude=entity.latitude,
            longitude=entity.longitude,
        )
        for entity in event.entities
    )


def _topics(event: Enriched) -> tuple[DocumentTopic, ...]:
    return tuple(
        DocumentTopic(
            id=clean(tag.id),
            score=tag.score,
            by=tag.by,
            evidence=tuple(dict.fromkeys(clean(mention.text) for mention in tag.evidence)),
        )
        for tag in event.topics
    )


def _sources(event: Enriched) -> tuple[DocumentSource, ...]:
    return tuple(
        DocumentSource(feed_id=source.feed_id, seen_at=source.seen_at, url=clean(source.url))
        for source in event.sources
    )
