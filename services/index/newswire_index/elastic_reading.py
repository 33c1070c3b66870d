"""Reading documents in real time, by index and id: what was written counts, refreshed or not."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from elasticsearch import AsyncElasticsearch

from newswire_index.store import StoreUnavailableError

AT_ONCE = 1000  # documents in one request


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
