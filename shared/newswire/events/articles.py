"""Events about articles: as extracted, seen once more, enriched, withdrawn."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field, JsonValue

from newswire.events.base import (
    ArticleId,
    ContentHash,
    EntryId,
    Event,
    FeedId,
    Moment,
    Open,
    OutletName,
    Part,
)
from newswire.events.enums import EntityType

TextFrom = Literal["page", "feed-content", "feed-summary"]


class Article(Event):
    """An extracted article."""

    topic: ClassVar[str] = "newswire.articles.v1"

    article_id: ArticleId
    entry_id: EntryId
    feed_id: FeedId
    seen_at: AwareDatetime = Field(description="The poll that found it")
    url: str = Field(description="Where the page was in the end")
    canonical_url: str = Field(description="What the article is known by, normalised")
    title: str = Field(description="The headline, plain")
    text: str = Field(description="The article's text, plain; an empty line between paragraphs")
    text_from: Open[TextFrom] = Field(default="page", description="Where title and text were taken from")
    content_hash: ContentHash
    fetched_at: AwareDatetime = Field(description="When the page was fetched")
    authors: tuple[str, ...] = Field(default=(), description="Names, in the page's order")
    published_at: Moment | None = Field(
        default=None,
        description="When it says it was published, with the offset that it gave, or a date only",
    )
    published_from: str | None = Field(default=None, description="Which part of the page gave the date")
    published_plausible: bool | None = Field(
        default=None, description="Whether the date can be true, seen from the time of the fetch"
    )
    language: str | None = Field(default=None, description="As the page declares it")
    outlet: OutletName = None
    tags: tuple[str, ...] = Field(default=(), description="Keywords that the outlet gave it")
    paywalled: bool = Field(default=False, description="Whether the text ends at a paywall")
    notes: tuple[str, ...] = Field(default=(), description="What is to be known of how it was extracted")


class Sighting(Event):
    """One more entry that led to an article already fetched."""

    topic: ClassVar[str] = "newswire.sightings.v1"

    article_id: ArticleId
    entry_id: EntryId
    feed_id: FeedId
    url: str = Field(description="What the entry linked to")
    seen_at: AwareDatetime = Field(description="The poll that found it")


class Mention(Part):
    """Where an entity stands; offsets count characters as Python does."""

    field: Literal["title", "text"] = Field(description="The field that the offsets count in")
    start: int = Field(description="Offset of the first character")
    end: int = Field(description="Offset after the last character")
    text: str = Field(description="What stands there")


class Entity(Part):
    """Somebody or something that an article speaks of."""

    name: str = Field(description="The fullest name")
    type: Open[EntityType] = Field(description="What kind of thing it is")
    wikidata: str | None = Field(default=None, description="Its Wikidata id, where it is known for sure")
    aliases: tuple[str, ...] = Field(default=(), description="Other names of it")
    salience: float = Field(ge=0, le=1, description="How much the article is about it")
    score: float = Field(default=1.0, ge=0, le=1, description="How sure it is that this is an entity")
    mentions: tuple[Mention, ...] = Field(default=(), description="Where it stands")
    by: tuple[str, ...] = Field(default=(), description="Model or gazetteer that said so, with version")
    latitude: float | None = Field(default=None, description="Of a place, in degrees")
    longitude: float | None = Field(default=None, description="Of a place, in degrees")


class TopicTag(Part):
    """An editor's topic that an article was given."""

    id: str = Field(description="The rule's id, such as `nato-bid`")
    score: float = Field(ge=0, le=1, description="How much the article is about it")
    by: str = Field(description="The rule with its version")
    evidence: tuple[Mention, ...] = Field(default=(), description="What the rule found")


class Source(Part):
    """A feed that showed an article."""

    feed_id: FeedId
    seen_at: AwareDatetime = Field(description="The first poll that showed it there")
    url: str = Field(description="What the feed linked to")


class Enriched(Event):
    """An article with language, entities, topics and all its sources: what consumers read."""

    topic: ClassVar[str] = "newswire.enriched.v1"

    article_id: ArticleId
    version: int = Field(
        description="Milliseconds since 1970, always growing for one article: the greatest is the newest"
    )
    revision: int = Field(ge=1, description="Grows by one when title or text change")
    entry_id: EntryId | None = Field(
        default=None, description="The entry whose fetch made this version, if one did"
    )
    first_seen_at: AwareDatetime = Field(description="The poll that found it first; never changes")
    enriched_at: AwareDatetime = Field(description="When this version was made")
    url: str = Field(description="Where the page was in the end")
    canonical_url: str = Field(description="What the article is known by, normalised")
    title: str = Field(description="The headline, plain")
    text: str = Field(description="The article's text, plain; an empty line between paragraphs")
    text_from: Open[TextFrom] = Field(default="page", description="Where title and text were taken from")
    content_hash: ContentHash
    fetched_at: AwareDatetime = Field(description="When the page was fetched")
    authors: tuple[str, ...] = Field(default=(), description="Names, in the page's order")
    published_at: Moment | None = Field(
        default=None,
        description="When it says it was published, with the offset that it gave, or a date only",
    )
    published_from: str | None = Field(default=None, description="Which part of the page gave the date")
    published_plausible: bool | None = Field(
        default=None, description="Whether the date can be true, seen from the time of the fetch"
    )
    language: str = Field(description="ISO 639-1, found in the text; `und` if it could not be told")
    outlet: OutletName = None
    tags: tuple[str, ...] = Field(default=(), description="Keywords that the outlet gave it")
    paywalled: bool = Field(default=False, description="Whether the text ends at a paywall")
    notes: tuple[str, ...] = Field(default=(), description="What is to be known of how it was extracted")
    entities: tuple[Entity, ...] = Field(default=(), description="Whom and what it speaks of")
    topics: tuple[TopicTag, ...] = Field(default=(), description="Editors' topics that it was given")
    sources: tuple[Source, ...] = Field(default=(), description="The feeds that showed it")
    subjects: JsonValue = Field(default=None, description="Reserved for subjects (IPTC)")
    key_phrases: JsonValue = Field(default=None, description="Reserved for key phrases")
    embedding: JsonValue = Field(default=None, description="Reserved for an embedding of the text")
    duplicates: JsonValue = Field(
        default=None, description="Reserved for near duplicates and syndicated copies"
    )
    story: JsonValue = Field(default=None, description="Reserved for the story that it is part of")


class Withdrawal(Event):
    """An article that must not be shown."""

    topic: ClassVar[str] = "newswire.withdrawals.v1"

    article_id: ArticleId
    url: str | None = Field(default=None, description="The URL that was asked to be withdrawn")
    withdrawn_at: AwareDatetime = Field(description="When")
    withdrawn_by: str = Field(description="Who asked for it")
    reason: str = Field(description="Why, for people")
