"""The Elasticsearch store: an index a month behind one read alias, for many readers and writers.

    client    how it is reached           write      a batch, and a verdict on each item
    names     how everything is called    bulk       requests, their splitting and repeating
    mapping   fields and analysis         months     indices of months, made and dropped
    source    document → fields           revisions  what was superseded
    setup     templates and policy        search     queries

What Elasticsearch cannot do now is a StoreUnavailableError, whatever the call. It forgets the version of a
deleted document after a while (``index.gc_deletes``), so which articles are withdrawn is kept here, in
memory: whoever opens the store tells it.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from elasticsearch import ApiError, AsyncElasticsearch

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.settings import load
from newswire_index.document import Document, Removal
from newswire_index.elastic.bulk import Bulk
from newswire_index.elastic.client import client_for, reason_of, unavailable, wait_for
from newswire_index.elastic.months import Months
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.reading import WHOLE, by_id, once_started
from newswire_index.elastic.revisions import Revisions
from newswire_index.elastic.search import ElasticSearcher, check_readable
from newswire_index.elastic.setup import check_setup
from newswire_index.elastic.write import ElasticWriter
from newswire_index.settings import IndexSettings
from newswire_index.store import (
    RETENTION,
    Hit,
    Query,
    Results,
    Revision,
    StoreUnavailableError,
    Verdict,
)

T = TypeVar("T")


@dataclass(frozen=True)
class _Opened:
    """What works on an open client."""

    client: AsyncElasticsearch
    months: Months
    writer: ElasticWriter
    searcher: ElasticSearcher
    revisions: Revisions


class ElasticStore:
    """A store in Elasticsearch.

    Args:
        url: ``http(s)://host:port``, several with commas.
        prefix: stands before every name.
        retention: how long after its end a month is kept.
        create: whether it is opened to be written to; else what is missing is only said.
        clock: the current time, with a zone.
        settings: how Elasticsearch is reached; default those of the environment.
        own: how articles are written; default those of the environment.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        retention: timedelta = RETENTION,
        create: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        settings: ElasticsearchSettings | None = None,
        own: IndexSettings | None = None,
    ) -> None:
        self._url = url
        self._names = ElasticNames(prefix)
        self._retention = retention
        self._create = create
        self._clock = clock
        self._settings = settings or load(ElasticsearchSettings)
        self._own = own or load(IndexSettings)
        self._withdrawn: set[str] = set()
        self._opened: _Opened | None = None

    async def open(self) -> None:
        """Connect; raises StoreMissingError where it is not set up, or holds nothing to be read yet."""
        if self._opened is not None:
            return
        client = client_for(self._url, self._settings)
        try:
            if self._create:
                await wait_for(client, self._settings.wait_seconds)
            with _asking():
                self._opened = self._build(client, lifecycle=await self._check(client))
        finally:
            if self._opened is None:
                await client.close()

    async def _check(self, client: AsyncElasticsearch) -> bool:
        """Say whether the cluster knows ILM; raises StoreMissingError."""
        if self._create:
            return await check_setup(client, self._names)
        await check_readable(client, self._names, self._url)
        return False

    def _build(self, client: AsyncElasticsearch, *, lifecycle: bool) -> _Opened:
        months = Months(client, self._names, self._settings, lifecycle=lifecycle)
        size = self._own.bulk_bytes
        articles = Bulk(client, max_bytes=size, pipeline=self._own.pipeline)
        writer = ElasticWriter(
            client, self._names, months, articles, Bulk(client, max_bytes=size), self._retention, self._clock
        )
        searcher = ElasticSearcher(client, self._names, self._clock)
        return _Opened(client, months, writer, searcher, Revisions(client, self._names))

    async def close(self) -> None:
        """Let go of the connections; harmless a second time."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.client.close()

    async def write(self, documents: Sequence[Document | Removal]) -> Sequence[Verdict]:
        """Store or remove articles and return a verdict for each, in order."""
        with self._open() as opened:
            return await opened.writer.write(documents, self._withdrawn)

    async def withdraw(self, *article_ids: str) -> None:
        """Delete articles whatever their version, and refuse them until ``lift``."""
        with self._open() as opened:
            self._withdrawn.update(article_ids)
            await opened.writer.forget(article_ids)

    async def lift(self, *article_ids: str) -> None:
        """Accept withdrawn articles again, from a newer version on."""
        self._withdrawn.difference_update(article_ids)

    async def drop_expired(self, now: datetime) -> int:
        """Delete the months whose end is older than the retention; returns how many articles went."""
        with self._open() as opened:
            return await opened.months.drop_expired(self._retention, now)

    async def search(self, query: Query) -> Results:
        """Return one page of the articles that a query finds; raises QueryError on a foreign cursor."""
        return await self._read(lambda opened: opened.searcher.search(query))

    async def get(self, article_id: str) -> Hit | None:
        """Return one article, or None if it is not there."""
        return await self._read(lambda opened: opened.searcher.get(article_id))

    async def revisions(self, article_id: str) -> Sequence[Revision]:
        """Return the superseded revisions of an article, oldest first."""
        return await self._read(lambda opened: opened.revisions.of(article_id))

    async def count(self) -> int:
        """Return how many articles can be found."""
        index = self._names.of(ARTICLES)
        found = await self._read(
            lambda opened: opened.client.search(index=index, size=0, track_total_hits=True, **WHOLE)
        )
        return int(found["hits"]["total"]["value"])

    async def items(self) -> AsyncIterator[tuple[str, int, str, str]]:
        """Go through article id, version, title and content hash of all, by id."""
        with self._open() as opened:
            async for hit in by_id(opened.client, self._names):
                source = hit["_source"]
                yield hit["_id"], hit["_version"], source["title"], source["content_hash"]

    async def _read(self, ask: Callable[[_Opened], Awaitable[T]]) -> T:
        """Return what is asked for, as soon as the shards of all months have started."""

        async def attempt() -> T:
            with self._open() as opened:
                return await ask(opened)

        return await once_started(attempt)

    @contextlib.contextmanager
    def _open(self) -> Iterator[_Opened]:
        """Give what works on the client; whatever Elasticsearch refuses to do, it may do later."""
        if self._opened is None:
            raise StoreUnavailableError(f"the index at {self._url} is not open")
        with _asking():
            yield self._opened


@contextlib.contextmanager
def _asking() -> Iterator[None]:
    """Turn every error of Elasticsearch into the port's; what is wrong with an item is not among them."""
    try:
        with unavailable():
            yield
    except ApiError as error:
        raise StoreUnavailableError(f"Elasticsearch refuses: {reason_of(error)}") from error
