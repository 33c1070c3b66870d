"""All articles that can be found in Elasticsearch, by id, each with the index that it is in."""

from collections.abc import AsyncIterator

from elasticsearch import AsyncElasticsearch

from newswire_index.elastic.client import unavailable
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.reading import by_id
from newswire_index.verify.verifying import Item


async def elastic_items(client: AsyncElasticsearch, names: ElasticNames) -> AsyncIterator[Item]:
    """Go through the read alias: an article that is in two indices comes twice.

    What was written before is among them; what is written meanwhile may be or not.
    """
    with unavailable():
        await client.indices.refresh(index=names.of(ARTICLES), ignore_unavailable=True)
    async for hit in by_id(client, names):
        source = hit["_source"]
        yield Item(hit["_id"], hit["_version"], source["title"], source["content_hash"], hit["_index"])
