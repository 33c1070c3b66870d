"""Events about URLs and the ends of entries: the memory of URLs, outcomes, dead letters."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from newswire.events.base import (
    ArticleId,
    ContentHash,
    EntityTag,
    EntryId,
    Event,
    FeedId,
    LastModified,
    Open,
    Part,
)
from newswire.events.enums import OutcomeKind, Reason
from newswire.events.feeds import Entry

DEAD_LETTERS = "newswire.dead-letters.v1"
"""Topic of original bytes that could not be handled; who, when, where and why stand in headers."""


class WaitingEntry(Part):
    """An entry that waits for its URL to be fetched."""

    entry: Entry = Field(description="The whole entry")
    attempt: int = Field(default=0, description="Fetches tried so far")
    not_before: AwareDatetime = Field(description="When it may be fetched")
    dead_attempts: int = Field(default=0, description="Before it was sent back as a dead letter")


class FetchFailure(Part):
    """Why a URL could not be had, remembered for an hour."""

    reason: Open[Reason] = Field(description="Why")
    message: str = Field(description="The same for people")
    at: AwareDatetime = Field(description="When it failed for good")


class Page(Event):
    """What is remembered of a URL."""

    topic: ClassVar[str] = "newswire.pages.v1"

    url: str = Field(description="The URL, normalised")
    article_id: ArticleId | None = Field(default=None, description="The article found there")
    content_hash: ContentHash | None = Field(default=None, description="Of the text found there last")
    fetched_at: AwareDatetime | None = Field(default=None, description="When it was fetched last")
    etag: EntityTag = None
    last_modified: LastModified = None
    failure: FetchFailure | None = Field(default=None, description="Why it could not be had, if so")
    waiting: tuple[WaitingEntry, ...] = Field(default=(), description="Entries that wait for its fetch")


class Outcome(Event):
    """Where an entry ended."""

    topic: ClassVar[str] = "newswire.outcomes.v1"

    entry_id: EntryId
    feed_id: FeedId
    kind: OutcomeKind = Field(description="Which of the five ends")
    reason: Open[Reason] = Field(description="Why")
    stage: str = Field(description="The service that says so")
    at: AwareDatetime = Field(description="When")
    url: str | None = Field(default=None, description="What was to be fetched")
    article_id: ArticleId | None = Field(default=None, description="The article it led to, if it did")
    message: str | None = Field(default=None, description="The reason for people")
