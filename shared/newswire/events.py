"""The events on Newswire's topics: immutable models, one class per version.

Readers ignore unknown fields. A change that old readers or old messages would not survive is a new class
and a new topic. The JSON Schema of each class is checked in under ``shared/schemas``.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

DATE_LENGTH = len("2026-01-31")


def _moment(value: Any) -> Any:
    """Read an ISO 8601 string as a date where it says no more, else as a date and time."""
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value) if len(value) == DATE_LENGTH else datetime.fromisoformat(value)


Moment = Annotated[AwareDatetime | date, BeforeValidator(_moment)]
"""A date and time with the offset that the page gave, or a date where it says no more."""


class Event(BaseModel):
    """A value on a topic."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]

    def to_bytes(self) -> bytes:
        """Return the event as UTF-8 JSON, without fields that hold nothing."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> Self:
        """Read an event; raises ``pydantic.ValidationError`` on bytes that are none."""
        return cls.model_validate_json(value)


class Part(BaseModel):
    """A value inside an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class OutcomeKind(StrEnum):
    """The five ends of an entry."""

    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    DISCARDED = "discarded"
    DEAD_LETTERED = "dead-lettered"


class Reason(StrEnum):
    """Why an entry ended as it did, or a message was dead-lettered."""

    # indexed
    NEW = "new"
    UPDATED = "updated"
    # unchanged
    SAME_CONTENT = "same-content"
    KNOWN_SOURCE = "known-source"
    OLDER_FETCH = "older-fetch"
    FEED_TEXT = "feed-text"
    # duplicate
    OTHER_SOURCE = "other-source"
    # discarded: the address
    NO_LINK = "no-link"
    BAD_URL = "bad-url"
    EXCLUDED = "excluded"
    PRIVATE_ADDRESS = "private-address"
    # discarded: the connection
    DNS_FAILURE = "dns-failure"
    CONNECTION_FAILED = "connection-failed"
    TIME_OUT = "time-out"
    TOO_LARGE = "too-large"
    REDIRECT_LOOP = "redirect-loop"
    BAD_ENCODING = "bad-encoding"
    # discarded: the answer
    NOT_FOUND = "not-found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    CLIENT_ERROR = "client-error"
    SERVER_ERROR = "server-error"
    # discarded: the page
    NOT_HTML = "not-html"
    CONSENT_WALL = "consent-wall"
    BOT_CHECK = "bot-check"
    LOGIN_WALL = "login-wall"
    NOT_AN_ARTICLE = "not-an-article"
    NO_TEXT = "no-text"
    # discarded: the house
    WITHDRAWN = "withdrawn"
    ARTICLE_UNAVAILABLE = "article-unavailable"
    # dead-lettered
    UNREADABLE = "unreadable"
    CHILD_KILLED = "child-killed"
    CPU_LIMIT = "cpu-limit"
    WALL_LIMIT = "wall-limit"
    MEMORY_LIMIT = "memory-limit"
    HANDLER_FAILED = "handler-failed"
    STORE_REJECTED = "store-rejected"


class PollResult(StrEnum):
    """What a poll of a feed met."""

    NEW = "new"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    INVALID = "invalid"
    BLOCKED = "blocked"
    THROTTLED = "throttled"
    GONE = "gone"
    UNREACHABLE = "unreachable"


class EntityType(StrEnum):
    """What kind of thing an entity is."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    EVENT = "event"
    WORK = "work"
    GROUP = "group"


class Feed(Event):
    """A feed to poll."""

    topic: ClassVar[str] = "newswire.feeds.v1"

    feed_id: str
    url: str
    title: str | None = None
    outlet: str | None = None
    language: str | None = None
    interval_seconds: float | None = Field(default=None, gt=0)
    tags: tuple[str, ...] = ()
    enabled: bool = True


class FeedStatus(Event):
    """How the last poll of a feed went, and when the next one is due."""

    topic: ClassVar[str] = "newswire.feed-status.v1"

    feed_id: str
    url: str
    polled_at: AwareDatetime
    next_poll_at: AwareDatetime
    polls: int = Field(ge=1)
    result: PollResult
    message: str | None = None
    http_status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    failures: int = Field(default=0, description="Polls that failed since the last that did not")
    entries: int = Field(default=0, description="Entries in the document of this poll")
    new_entries: int = Field(default=0, description="Entries published by this poll")
    title: str | None = None


class SeenEntry(Part):
    """One entry that a feed has shown."""

    hash: str
    last_seen: AwareDatetime


class FeedSeen(Event):
    """What a feed has shown: 64-bit hashes, of the last document and of 30 days."""

    topic: ClassVar[str] = "newswire.feed-seen.v1"

    feed_id: str
    seen: tuple[SeenEntry, ...] = ()
    evicted: int = 0


class Entry(Event):
    """An entry found in a feed, to be fetched."""

    topic: ClassVar[str] = "newswire.entries.v1"

    entry_id: str
    feed_id: str
    url: str
    origin_url: str | None = Field(
        default=None, description="What the feed said, if a redirect led elsewhere"
    )
    native_id: str | None = None
    trigger: str = "new"
    hops: int = 0
    seen_at: AwareDatetime
    title: str | None = None
    published_at: Moment | None = None
    updated_at: Moment | None = None
    authors: tuple[str, ...] = ()
    summary: str | None = Field(default=None, description="HTML")
    content: str | None = Field(default=None, description="HTML")
    tags: tuple[str, ...] = ()
    outlet: str | None = None
    language: str | None = None


class WaitingEntry(Part):
    """An entry that waits for its URL to be fetched."""

    entry: Entry
    attempt: int = 0
    not_before: AwareDatetime
    dead_attempts: int = Field(default=0, description="Before it was sent back as a dead letter")


class FetchFailure(Part):
    """Why a URL could not be had, remembered for an hour."""

    reason: Reason
    message: str
    at: AwareDatetime


class Page(Event):
    """What is remembered of a URL."""

    topic: ClassVar[str] = "newswire.pages.v1"

    url: str
    article_id: str | None = None
    content_hash: str | None = None
    fetched_at: AwareDatetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    failure: FetchFailure | None = None
    waiting: tuple[WaitingEntry, ...] = ()


class Article(Event):
    """An extracted article."""

    topic: ClassVar[str] = "newswire.articles.v1"

    article_id: str
    entry_id: str
    feed_id: str
    seen_at: AwareDatetime
    url: str = Field(description="Where the page was in the end")
    canonical_url: str
    title: str
    text: str
    text_from: Literal["page", "feed-content", "feed-summary"] = "page"
    content_hash: str
    fetched_at: AwareDatetime
    authors: tuple[str, ...] = ()
    published_at: Moment | None = None
    published_from: str | None = Field(default=None, description="Which witness gave the date")
    published_plausible: bool | None = None
    language: str | None = Field(default=None, description="As the page declares it")
    outlet: str | None = None
    tags: tuple[str, ...] = ()
    paywalled: bool = False
    notes: tuple[str, ...] = ()


class Sighting(Event):
    """One more entry that led to an article already fetched."""

    topic: ClassVar[str] = "newswire.sightings.v1"

    article_id: str
    entry_id: str
    feed_id: str
    url: str
    seen_at: AwareDatetime


class Mention(Part):
    """Where an entity stands; offsets count characters as Python does."""

    field: Literal["title", "text"]
    start: int
    end: int
    text: str


class Entity(Part):
    """Somebody or something that an article speaks of."""

    name: str
    type: EntityType
    wikidata: str | None = None
    aliases: tuple[str, ...] = ()
    salience: float = Field(ge=0, le=1)
    score: float = Field(default=1.0, ge=0, le=1)
    mentions: tuple[Mention, ...] = ()
    by: tuple[str, ...] = Field(default=(), description="Model or gazetteer that said so, with version")
    latitude: float | None = None
    longitude: float | None = None


class TopicTag(Part):
    """An editor's topic that an article was given."""

    id: str
    score: float = Field(ge=0, le=1)
    by: str = Field(description="The rule with its version")
    evidence: tuple[Mention, ...] = ()


class Source(Part):
    """A feed that showed an article."""

    feed_id: str
    seen_at: AwareDatetime
    url: str


class Enriched(Event):
    """An article with language, entities, topics and all its sources: what consumers read."""

    topic: ClassVar[str] = "newswire.enriched.v1"

    article_id: str
    version: int = Field(
        description="Milliseconds since 1970, always growing: the external version everywhere"
    )
    revision: int = Field(ge=1)
    entry_id: str | None = Field(default=None, description="Only if a fetch made this version")
    first_seen_at: AwareDatetime
    enriched_at: AwareDatetime
    url: str
    canonical_url: str
    title: str
    text: str
    text_from: Literal["page", "feed-content", "feed-summary"] = "page"
    content_hash: str
    fetched_at: AwareDatetime
    authors: tuple[str, ...] = ()
    published_at: Moment | None = None
    published_from: str | None = None
    published_plausible: bool | None = None
    language: str
    outlet: str | None = None
    tags: tuple[str, ...] = ()
    paywalled: bool = False
    notes: tuple[str, ...] = ()
    entities: tuple[Entity, ...] = ()
    topics: tuple[TopicTag, ...] = ()
    sources: tuple[Source, ...] = ()
    # Reserved for later versions of this event; consumers may meet them.
    subjects: JsonValue = None
    key_phrases: JsonValue = None
    embedding: JsonValue = None
    duplicates: JsonValue = None
    story: JsonValue = None


class Withdrawal(Event):
    """An article that must not be shown."""

    topic: ClassVar[str] = "newswire.withdrawals.v1"

    article_id: str
    url: str | None = None
    withdrawn_at: AwareDatetime
    withdrawn_by: str
    reason: str


class Outcome(Event):
    """Where an entry ended."""

    topic: ClassVar[str] = "newswire.outcomes.v1"

    entry_id: str
    feed_id: str
    kind: OutcomeKind
    reason: Reason
    stage: str
    at: AwareDatetime
    url: str | None = None
    article_id: str | None = None
    message: str | None = None


DEAD_LETTERS = "newswire.dead-letters.v1"
"""Topic of original bytes that could not be handled; who, when, where and why stand in headers."""

EVENTS: tuple[type[Event], ...] = (
    Feed, FeedStatus, FeedSeen, Entry, Page, Article, Sighting, Enriched, Withdrawal, Outcome,
)  # fmt: skip
