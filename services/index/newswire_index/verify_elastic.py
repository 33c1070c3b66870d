"""All articles that can be found in Elasticsearch, by id, each with the index that it is in."""

from collections.abc import AsyncIterator
from typing import Any

from elasticsearch import AsyncElasticsearch

from newswire_index.elastic_client import unavailable
from newswire_index.elastic_names import ARTICLES, ElasticNames
from newswire_index.verifying import Item

PAGE = 1000


async def elastic_items(client: AsyncElasticsearch, names: ElasticNames) -> AsyncIterator[Item]:
    """Go through the read alias: an article that is in two indices comes twice.

    What is written meanwhile may or may not be among them.
    """
    after: list[Any] | None = None
    while True:
        with unavailable():
            page = await client.search(
                index=names.of(ARTICLES), size=PAGE, sort=["article_id", "_index"], search_after=after,
                source_includes=["title", "content_hash"], version=True, track_total_hits=False,
                ignore_unavailable=True,
            )  # fmt: skip
        hits = page["hits"]["hits"]
        for hit in hits:
            source = hit["_source"]
            yield Item(hit["_id"], hit["_version"], source["title"], source["content_hash"], hit["_index"])
        if len(hits) < PAGE:
            return
        after = hits[-1]["sort"]
