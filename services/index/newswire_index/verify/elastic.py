"""All articles that can be found in Elasticsearch, by id, each with the index that it is in."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from elasticsearch import AsyncElasticsearch

from newswire_index.elastic.client import unavailable
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.reading import WHOLE, once_started
from newswire_index.verify.verifying import Item

PAGE = 1000


async def elastic_items(client: AsyncElasticsearch, names: ElasticNames) -> AsyncIterator[Item]:
    """Go through the read alias: an article that is in two indices comes twice.

    What was written before is among them; what is written meanwhile may be or not.
    """
    with unavailable():
        await client.indices.refresh(index=names.of(ARTICLES), ignore_unavailable=True)
    after: list[Any] | None = None
    while True:
        hits = await once_started(partial(_page, client, names, after))
        for hit in hits:
            source = hit["_source"]
            yield Item(hit["_id"], hit["_version"], source["title"], source["content_hash"], hit["_index"])
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
