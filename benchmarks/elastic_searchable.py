"""How long it takes from the publication of an enriched article on Kafka until a search finds it.

The index service runs as a process of its own. Most of the time is the refresh interval of Elasticsearch.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from elastic_ground import Ground, Servers, enriched_of, fresh, messages_of
from elastic_transport import ObjectApiResponse
from elasticsearch import AsyncElasticsearch
from kafka_ground import Row, against

from newswire.log import Log
from newswire_index.elastic.client import unavailable
from newswire_index.elastic.names import ARTICLES
from newswire_index.elastic.reading import once_started

RATE = 10.0  # articles a second
SECONDS = 40.0
WARM = 60  # articles that only wake everything up
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 60.0


class Watch:
    """When each article was published and found."""

    def __init__(self, client: AsyncElasticsearch, ground: Ground) -> None:
        self._client = client
        self._alias = ground.names.of(ARTICLES)
        self.published: dict[str, float] = {}
        self.found: dict[str, float] = {}

    async def until_found(self, count: int) -> None:
        """Look for what is missing until so many were found."""
        deadline = time.monotonic() + PATIENCE_SECONDS + SECONDS
        while len(self.found) < count:
            missing = [each for each in self.published if each not in self.found]
            if missing:
                answer = await once_started(partial(self._look, missing))
                now = time.monotonic()
                self.found |= {hit["_id"]: now for hit in answer["hits"]["hits"]}
            assert time.monotonic() < deadline, f"{len(missing)} articles were not found in time"
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, missing: Sequence[str]) -> ObjectApiResponse[Any]:
        with unavailable():
            return await self._client.search(
                index=self._alias, query={"terms": {"article_id": missing}}, source=False, size=len(missing),
                ignore_unavailable=True,
            )  # fmt: skip

    async def publish(self, log: Log, count: int) -> None:
        """Publish articles at the rate, each on its own."""
        begun = time.monotonic()
        for number in range(count):
            (message,) = messages_of([enriched_of(number)])
            await asyncio.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            self.published[message.key] = time.monotonic()
            await log.publish([message])


async def searchable_rows(servers: Servers) -> list[Row]:
    """Measure and return lines of the table."""
    count = int(RATE * SECONDS)
    async with fresh(servers) as (ground, log), ground.client() as client:
        refresh = ground.settings.refresh_seconds
        with ground.service():
            warming, watch = Watch(client, ground), Watch(client, ground)
            await asyncio.gather(warming.publish(log, WARM), warming.until_found(WARM))
            await asyncio.gather(watch.publish(log, count), watch.until_found(count))
    times = sorted(1000 * (watch.found[each] - watch.published[each]) for each in watch.found)
    what = f"published to searchable, {count} articles at {RATE:g}/s, refresh every {refresh:g} s"
    return [
        against(f"{what}, p50", times[int(len(times) * 0.5)], "ms"),
        against("the same, p99", times[int(len(times) * 0.99)], "ms"),
    ]
