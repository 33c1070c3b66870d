"""Events about feeds, and the entries found in them."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from newswire.events.base import (
    EntityTag,
    EntryId,
    Event,
    FeedId,
    LastModified,
    Moment,
    Open,
    OutletName,
    Part,
)
from newswire.events.enums import PollResult


class Feed(Event):
    """A feed to poll."""

    topic: ClassVar[str] = "newswire.feeds.v1"

    feed_id: FeedId
    url: str = Field(description="Where the feed is polled")
    title: str | None = Field(default=None, description="What we call it")
    outlet: OutletName = None
    language: str | None = Field(default=None, description="ISO 639-1, where the feed's is known beforehand")
    interval_seconds: float | None = Field(
        default=None, gt=0, description="Time between polls, where it is not to be learnt from the feed"
    )
    tags: tuple[str, ...] = Field(default=(), description="Labels that its owner gave it")
    enabled: bool = Field(default=True, description="Whether it is polled")


class FeedStatus(Event):
    """How the last poll of a feed went, and when the next one is due."""

    topic: ClassVar[str] = "newswire.feed-status.v1"

    feed_id: FeedId
    url: str = Field(description="Where it was polled")
    polled_at: AwareDatetime = Field(description="When this poll began")
    next_poll_at: AwareDatetime = Field(description="When the next one is due")
    polls: int = Field(ge=1, description="Polls so far, this one included")
    result: Open[PollResult] = Field(description="What the poll met")
    message: str | None = Field(default=None, description="The same for people")
    http_status: int | None = Field(default=None, description="The server's answer, if there was one")
    etag: EntityTag = None
    last_modified: LastModified = None
    failures: int = Field(default=0, description="Polls that failed since the last that did not")
    entries: int = Field(default=0, description="Entries in the document of this poll")
    new_entries: int = Field(default=0, description="Entries published by this poll")
    title: str | None = Field(default=None, description="What the feed calls itself")


class SeenEntry(Part):
    """One entry that a feed has shown."""

    hash: str = Field(description="64 bits of an entry id, in hex")
    last_seen: AwareDatetime = Field(description="The last poll that showed it")


class FeedSeen(Event):
    """What a feed has shown: 64-bit hashes, of the last document and of 30 days."""

    topic: ClassVar[str] = "newswire.feed-seen.v1"

    feed_id: FeedId
    seen: tuple[SeenEntry, ...] = Field(default=(), description="Entries seen, at most 5,000")
    evicted: int = Field(default=0, description="Hashes dropped so far because there were too many")


class Entry(Event):
    """An entry found in a feed, to be fetched."""

    topic: ClassVar[str] = "newswire.entries.v1"

    entry_id: EntryId
    feed_id: FeedId
    url: str = Field(description="What is to be fetched, normalised")
    origin_url: str | None = Field(
        default=None, description="What the feed said, if a redirect led elsewhere"
    )
    native_id: str | None = Field(default=None, description="The id that the feed gave it")
    trigger: str = Field(
        default="new",
        description="Why it is fetched: `new`, the hash of an update, or `recheck-` and a number",
    )
    hops: int = Field(default=0, description="Redirects to other domains so far")
    seen_at: AwareDatetime = Field(description="The poll that found it")
    title: str | None = Field(default=None, description="As the feed has it")
    published_at: Moment | None = Field(default=None, description="As the feed has it")
    updated_at: Moment | None = Field(default=None, description="As the feed has it")
    authors: tuple[str, ...] = Field(default=(), description="As the feed has them")
    summary: str | None = Field(default=None, description="HTML")
    content: str | None = Field(default=None, description="HTML")
    tags: tuple[str, ...] = Field(default=(), description="As the feed has them")
    outlet: OutletName = None
    language: str | None = Field(default=None, description="ISO 639-1, as the feed has it")
