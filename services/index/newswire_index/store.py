"""The store port: where enriched articles are kept, searched and counted.

    enriched event ──document_from──► Document ──write──► store ──search──► Results

One suite, ``tests/contract/store_contract.py``, holds for every adapter.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from newswire.errors import NewswireError, SettingsError, UnavailableError
from newswire.events import EntityType, Moment
from newswire_index.document import Document, Removal

if TYPE_CHECKING:
    from newswire_index.settings import IndexSettings

RETENTION = timedelta(days=400)  # a year, and a month to look back at it
MAX_LIMIT = 1000  # hits on one page
FACET_SIZE = 10  # values of a facet, and for entities of each type
DAYS = 31  # days of the facet of days

Matched = Literal["all", "any"]
"""Whether hits have all the words of a query or, because none has, any of them."""


class StoreUnavailableError(UnavailableError):
    """The whole store failed: locked, full, away or unreadable. What was asked may be asked again."""


class StoreMissingError(NewswireError):
    """There is no index at the address yet."""


class QueryError(NewswireError):
    """A query cannot be understood; the text says in one line why."""


class VerdictKind(StrEnum):
    """What became of one item of a write."""

    STORED = "stored"
    OLDER = "older"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one item of a write; only ``REJECTED`` has a reason, and only it is a failure."""

    kind: VerdictKind
    reason: str = ""


STORED = Verdict(VerdictKind.STORED)
OLDER = Verdict(VerdictKind.OLDER)
EXPIRED = Verdict(VerdictKind.EXPIRED)
WITHDRAWN = Verdict(VerdictKind.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Term:
    """A word, a phrase, or (``prefix``) the beginning of a word to look for."""

    text: str
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """Values to look for: an article has all the topics and entities, one of the outlets and languages.

    An entity is a Wikidata id, a name or an alias. Case and accents do not count.
    """

    topics: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for; ``parse_query`` makes one of a user's words.

    ``since`` is the first instant and ``until`` the first after the last, on the publication or, where
    there is none or an implausible one, on first sight. ``recency`` is the half-life in days with which
    recent articles count more, 0 for not at all. ``cursor`` is the ``next_cursor`` of the page before.
    """

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    having: Filters = Filters()
    lacking: Filters = Filters()
    since: datetime | None = None
    until: datetime | None = None
    recency: float = 0.0
    limit: int = 10
    cursor: str | None = None
    facets: bool = False


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage that matched, as HTML: ``<em>`` stands around what did, all else is escaped.

    ``field`` is title, text, entities (a name or alias) or topics.
    """

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class HitEntity:
    """An entity of a hit."""

    name: str
    type: EntityType | str
    wikidata: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found, by its canonical URL; a score of 0 says that no word was asked for."""

    article_id: str
    version: int
    url: str
    title: str
    published_at: Moment | None
    first_seen_at: datetime
    outlet: str | None
    language: str
    score: float
    highlights: tuple[Highlight, ...]
    entities: tuple[HitEntity, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many of the articles found have a value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class EntityBucket:
    """How many of the articles found have an entity."""

    name: str
    type: EntityType | str
    wikidata: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """The commonest values among all articles found, most first; days (UTC) newest first."""

    topics: tuple[Bucket, ...] = ()
    entities: dict[EntityType | str, tuple[EntityBucket, ...]] = field(default_factory=dict)
    outlets: tuple[Bucket, ...] = ()
    languages: tuple[Bucket, ...] = ()
    days: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found; ``matched`` says ``any`` where no article has all the words."""

    hits: tuple[Hit, ...]
    total: int
    matched: Matched = "all"
    facets: Facets | None = None
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """What an article said until a later revision superseded it, which was fetched at that instant."""

    revision: int
    version: int
    title: str
    text: str
    content_hash: str
    fetched_at: datetime
    superseded_at: datetime


class Store(Protocol):
    """Keeps one version of each article, the newest, and the revisions that it superseded.

    Whatever fails as a whole raises an UnavailableError.
    """

    async def open(self) -> None:
        """Connect, and make what is missing; raises StoreMissingError where nothing may be made."""

    async def close(self) -> None:
        """Let go of everything; harmless a second time."""

    async def write(self, documents: Sequence[Document | Removal]) -> Sequence[Verdict]:
        """Store or remove articles and return a verdict for each, in order; an older version never wins."""

    async def withdraw(self, *article_ids: str) -> None:
        """Delete articles whatever their version, with their revisions, and refuse them until ``lift``."""

    async def lift(self, *article_ids: str) -> None:
        """Accept withdrawn articles again, in a newer version than the one that was withdrawn."""

    async def drop_expired(self, now: datetime) -> int:
        """Delete the months whose end is older than the retention; returns how many articles went."""

    async def search(self, query: Query) -> Results:
        """Return one page of the articles that a query finds, best first, or newest if it has no words."""

    async def get(self, article_id: str) -> Hit | None:
        """Return one article, or None if it is not there."""

    async def revisions(self, article_id: str) -> Sequence[Revision]:
        """Return the superseded revisions of an article, oldest first; none of one that is not there."""

    async def count(self) -> int:
        """Return how many articles can be found."""

    def items(self) -> AsyncIterator[tuple[str, int, str, str]]:
        """Go through article id, version, title and content hash of all, by id, for verification."""


def open_store(
    url: str,
    *,
    prefix: str = "",
    retention: timedelta = RETENTION,
    create: bool = True,
    own: "IndexSettings | None" = None,
) -> Store:
    """Return the store at an address; its ``open`` is still to be awaited.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``http(s)://host:port``.
        prefix: stands before every name.
        retention: how long after its end a month is kept.
        create: whether ``open`` may make what is missing.
        own: how articles are written; default the settings of the environment.
    """
    if url.startswith("sqlite:///"):
        from newswire_index.sqlite.store import SqliteStore  # noqa: PLC0415  an adapter is loaded only if used

        return SqliteStore(url, prefix=prefix, retention=retention, create=create)
    if url.startswith(("http://", "https://")):
        from newswire_index.elastic.store import ElasticStore  # noqa: PLC0415

        return ElasticStore(url, prefix=prefix, retention=retention, create=create, own=own)
    raise SettingsError(
        f"no store can be opened at {url!r}: an address begins with sqlite:///, http:// or https://"
    )
