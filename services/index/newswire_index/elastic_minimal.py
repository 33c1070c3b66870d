"""A search that finds words and ids, until the real one is there."""

from typing import Any

from elasticsearch import AsyncElasticsearch

from newswire_index.elastic_names import ARTICLES, ElasticNames
from newswire_index.store import Hit, Query, Results


class ElasticSearcher:
    """Searches.

    Args:
        client: an open client.
        names: of all indices and aliases.
    """

    def __init__(self, client: AsyncElasticsearch, names: ElasticNames) -> None:
        self._client = client
        self._alias = names.of(ARTICLES)

    async def search(self, query: Query) -> Results:
        """Return what has all the words."""
        words = " ".join(term.text for term in query.terms)
        fields = ["title", "text", "names", "topic_words"]
        asked = {"multi_match": {"query": words, "fields": fields, "type": "cross_fields", "operator": "and"}}
        found = await self._client.search(
            index=self._alias,
            query=asked if words else {"match_all": {}},
            size=query.limit,
            ignore_unavailable=True,
        )
        hits = found["hits"]
        return Results(tuple(_hit(hit) for hit in hits["hits"]), hits["total"]["value"])

    async def get(self, article_id: str) -> Hit | None:
        """Return one article, or None."""
        found = await self._client.search(
            index=self._alias, query={"ids": {"values": [article_id]}}, ignore_unavailable=True
        )
        hits = found["hits"]["hits"]
        return _hit(hits[0]) if hits else None


def _hit(found: Any) -> Hit:
    from datetime import datetime  # noqa: PLC0415

    source = found["_source"]
    return Hit(
        article_id=found["_id"],
        version=source["version"],
        url=source["canonical_url"],
        title=source["title"],
        published_at=datetime.fromisoformat(source["published_at"]) if "published_at" in source else None,
        first_seen_at=datetime.fromisoformat(source["first_seen_at"]),
        outlet=source.get("outlet"),
        language=source["language"],
        score=found["_score"] or 0.0,
        highlights=(),
        entities=(),
        topics=(),
    )
