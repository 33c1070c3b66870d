"""What a feed says, whatever its format; and the error of a document that is no feed."""

from dataclasses import dataclass
from typing import Literal

from newswire.events import Moment

Format = Literal["rss", "atom", "rdf", "json"]
ErrorCode = Literal["empty-body", "html", "not-a-feed", "too-large"]


class FeedError(ValueError):
    """A document that cannot be read as a feed: a code for machines, a line for people."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(code, message)  # both, as it travels between processes
        self.code: ErrorCode = code
        self.message = message

    def __str__(self) -> str:
        """Return the line for people."""
        return self.message


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """One entry as its feed shows it; summary and content are HTML as given, the title is plain text."""

    id: str | None = None
    url: str | None = None
    title: str | None = None
    published_at: Moment | None = None
    updated_at: Moment | None = None
    authors: tuple[str, ...] = ()
    summary: str | None = None
    content: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed document; ``ttl_seconds`` is how long the feed asks to be left alone."""

    format: Format
    title: str | None = None
    entries: tuple[ParsedEntry, ...] = ()
    ttl_seconds: float | None = None
    language: str | None = None
    home_url: str | None = None
