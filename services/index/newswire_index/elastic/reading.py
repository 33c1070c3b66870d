"""Reading for ourselves: by index and id what was written, refreshed or not; or all, and nothing less.

A month that was made this moment is in the read alias before its shards have started; a search of them fails
until they have, which takes a fraction of a second. So whoever reads asks again for a while.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from elasticsearch import ApiError, AsyncElasticsearch

from newswire_index.elastic.client import unavailable
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.store import StoreUnavailableError

AT_ONCE = 1000  # documents in one request
PAGE = 1000  # articles that are gone through at once
STARTING_SECONDS = 3.0  # for a new month's shards
PAUSE_SECONDS = 0.05
WHOLE: Mapping[str, Any] = {"ignore_unavailable": True, "allow_partial_search_results": False}
"""Options of a search that leaves nothing out; where there is no index yet, there is nothing."""

T = TypeVar("T")


async def read(
    client: AsyncElasticsearch, places: Sequence[tuple[str, str]], fields: str
) -> AsyncIterator[Mapping[str, Any]]:
    """Go through the documents that are there; raises StoreUnavailableError if that cannot be told.

    Args:
        client: an open client.
        places: index, or alias of one index, and id of each.
        fields: to be read, with commas.
    """
    for start in range(0, len(places), AT_ONCE):
        docs = [{"_index": index, "_id": article_id} for index, article_id in places[start : start + AT_ONCE]]
        for found in (await client.mget(docs=docs, source_includes=fields))["docs"]:
            error = found.get("error")
            if error is not None and error["type"] != "index_not_found_exception":
                raise StoreUnavailableError(f"Elasticsearch cannot read {found['_index']}: {error['reason']}")
            if found.get("found"):
                yield found


async def once_started(ask: Callable[[], Awaitable[T]]) -> T:
    """Return what is asked for, asked again for a while if shards have yet to start."""
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            return await ask()
        except StoreUnavailableError as error:
            if not _are_starting(error) or time.monotonic() > deadline:
                raise
        await asyncio.sleep(PAUSE_SECONDS)


async def by_id(client: AsyncElasticsearch, names: ElasticNames) -> AsyncIterator[Mapping[str, Any]]:
    """Go through all articles that can be found, by id; one that is in two indices comes twice.

    Each is a hit with its version, and of its source title and content hash. What is written meanwhile may
    be among them or not.
    """
    after: list[Any] | None = None
    while True:
        hits = await once_started(partial(_page, client, names, after))
        for hit in hits:
            yield hit
        if len(hits) < PAGE:
            return
        after = hits[-1]["sort"]


async def _page(
    client: AsyncElasticsearch, names: ElasticNames, after: list[Any] | None
) -> list[dict[str, Any]]:
    with unavailable():
        page = await client.search(
            index=names.of(ARTICLES), size=PAGE, sort=["article_id", "_index"], search_after=after,
            source_includes=["title", "content_hash"], version=True, track_total_hits=False, **WHOLE,
        )  # fmt: skip
    return list(page["hits"]["hits"])


def _are_starting(error: StoreUnavailableError) -> bool:
    cause = error.__cause__
    said = cause.body.get("error") if isinstance(cause, ApiError) and isinstance(cause.body, dict) else None
    return (
        isinstance(cause, ApiError)
        and cause.meta.status == HTTPStatus.SERVICE_UNAVAILABLE
        and isinstance(said, dict)
        and said.get("type") == "search_phase_execution_exception"
    )
