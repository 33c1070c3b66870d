"""Answers queries from Elasticsearch.

    query ──query──► all words, else any ──► hits, total, facets
                                                      └──► passages, by the language of each hit

Nothing is left behind in Elasticsearch: a page begins after the last hit of the one before. Scores are made
of the words of all months together (DFS), and the pages of a query are read from the same copies.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from elasticsearch import (
    AsyncElasticsearch,
    AuthenticationException,
    AuthorizationException,
    BadRequestError,
    NotFoundError,
    UnsupportedProductError,
)

from newswire.errors import SettingsError
from newswire.events import Moment
from newswire_index.elastic.client import reason_of, unavailable
from newswire_index.elastic.facets import aggregations, facets_of, known_type
from newswire_index.elastic.highlights import Marked, highlighting, highlights_of, kinds_of
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.query import (
    SORTED_BY_DATE,
    SORTED_BY_SCORE,
    after,
    marking,
    position_of,
    selecting,
)
from newswire_index.paging import Position, mark_of
from newswire_index.recency import microseconds
from newswire_index.store import (
    Facets,
    Highlight,
    Hit,
    HitEntity,
    Matched,
    Query,
    QueryError,
    Results,
    StoreMissingError,
)

Json = dict[str, Any]

_SHOWN = [
    "article_id", "version", "canonical_url", "title", "published_at", "first_seen_at", "outlet", "language",
    "words", "topics", "entity.name", "entity.type", "entity.wikidata",
]  # fmt: skip


class ElasticSearcher:
    """Answers queries; whatever Elasticsearch cannot do now is a StoreUnavailableError.

    Args:
        client: an open client.
        names: of all indices and aliases.
        clock: the current time, with a zone.
    """

    def __init__(
        self,
        client: AsyncElasticsearch,
        names: ElasticNames,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._alias = names.of(ARTICLES)
        self._clock = clock

    async def search(self, query: Query) -> Results:
        """Return one page of what a query finds; raises QueryError."""
        position = Position.read(query)
        clock = position.clock if position else microseconds(self._clock())
        matched: Matched = position.matched if position else "all"
        found = await self._page(query, matched, position, clock)
        if not found["hits"]["total"]["value"] and position is None and _may_be_loosened(query):
            matched = "any"
            found = await self._page(query, matched, position, clock)
        page = found["hits"]["hits"][: query.limit]
        following = None
        if len(found["hits"]["hits"]) > query.limit:
            following = position_of(matched, page[-1]["sort"], clock).write(query)
        passages = await self._passages(query, page)
        return Results(
            hits=tuple(_hit(each, passages.get(each["_id"], ()), words=bool(query.terms)) for each in page),
            total=found["hits"]["total"]["value"],
            matched=matched,
            facets=_facets(query, found),
            next_cursor=following,
        )

    async def get(self, article_id: str) -> Hit | None:
        """Return one article, or None if it is not there."""
        found = await self._ask(query={"term": {"article_id": article_id}}, source_includes=_SHOWN, size=1)
        return next((_hit(each, (), words=False) for each in found["hits"]["hits"]), None)

    async def _page(self, query: Query, matched: Matched, position: Position | None, clock: int) -> Json:
        """Return the hits of a page and one more if there is one, how many there are in all, and counts."""
        return await self._ask(
            query=selecting(query, matched, clock),
            sort=SORTED_BY_SCORE if query.terms else SORTED_BY_DATE,
            search_after=after(query, position),
            size=query.limit + 1,
            source_includes=_SHOWN,
            track_total_hits=True,
            aggs=aggregations() if query.facets else None,
            search_type="dfs_query_then_fetch" if query.terms else None,
            preference=mark_of(query),
        )

    async def _passages(self, query: Query, page: list[Json]) -> dict[str, tuple[Highlight, ...]]:
        """Return the passages that match, by article; what was removed in the meantime has none."""
        if not query.terms:
            return {}
        asked = [self._mark(query, marked, ids) for marked, ids in kinds_of(page).items()]
        return {id_: found for each in await asyncio.gather(*asked) for id_, found in each.items()}

    async def _mark(self, query: Query, marked: Marked, ids: list[str]) -> dict[str, tuple[Highlight, ...]]:
        found = await self._ask(
            query={"ids": {"values": ids}},
            highlight=highlighting(marked, marking(query, marked.languages)),
            source_includes=["topics"],
            size=len(ids),
            preference=mark_of(query),
        )
        return {
            each["_id"]: highlights_of(each.get("highlight", {}), each["_source"].get("topics", ()))
            for each in found["hits"]["hits"]
        }

    async def _ask(self, **asked: Any) -> Json:
        """Return the whole answer: a part that fails would leave articles out."""
        try:
            with unavailable():
                found = await self._client.search(
                    index=self._alias, ignore_unavailable=True, allow_partial_search_results=False, **asked
                )
        except BadRequestError as error:
            raise QueryError(f"Elasticsearch cannot answer this query: {reason_of(error)}") from error
        return dict(found.body)


async def check_readable(client: AsyncElasticsearch, names: ElasticNames, url: str) -> None:
    """Look whether there is something to search, with no more rights than a search needs.

    Args:
        client: an open client.
        names: of all indices and aliases.
        url: where that is, for a person.

    Raises StoreMissingError before anything was written, SettingsError where a log-in is refused.
    """
    with unavailable():
        try:
            await client.indices.get_alias(name=names.of(ARTICLES))
        except NotFoundError as error:
            raise StoreMissingError(
                f"no index yet at {url}: run `newswire run` or `newswire demo` first"
            ) from error
        except (AuthenticationException, AuthorizationException) as error:
            raise SettingsError(f"Elasticsearch refuses the log-in: {reason_of(error)}") from error
        except UnsupportedProductError as error:
            raise SettingsError(f"what answers at {url} is no Elasticsearch: {error}") from error


def _may_be_loosened(query: Query) -> bool:
    """Say whether any word is less than all: of one word it is not."""
    return sum(not term.phrase for term in query.terms) > 1


def _facets(query: Query, found: Json) -> Facets | None:
    return facets_of(found.get("aggregations", {})) if query.facets else None


def _hit(found: Json, highlights: Iterable[Highlight], *, words: bool) -> Hit:
    source = found["_source"]
    return Hit(
        article_id=source["article_id"],
        version=source["version"],
        url=source["canonical_url"],
        title=source["title"],
        published_at=_moment(source.get("published_at")),
        first_seen_at=datetime.fromisoformat(source["first_seen_at"]),
        outlet=source.get("outlet"),
        language=source["language"],
        score=float(found["sort"][0]) if words else 0.0,
        highlights=tuple(highlights),
        entities=tuple(
            HitEntity(each["name"], known_type(each["type"]), each.get("wikidata"))
            for each in source.get("entity", ())
        ),
        topics=tuple(source.get("topics", ())),
    )


def _moment(written: str | None) -> Moment | None:
    """Return a publication date as it was written: an instant in its own offset, or a bare day."""
    if written is None:
        return None
    return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)
