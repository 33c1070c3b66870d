"""How fast articles get into Elasticsearch: our store and our service, against the client's bare bulk helper.

The bare helper sends the documents ready made, which is not held against it; the store makes them and gives
a verdict on each, and the service reads them from Kafka and publishes an outcome for each besides.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from elastic_ground import Ground, Servers, enriched_of, fresh, messages_of, stored_in, until_stored
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk
from kafka_ground import Row, against, middle

from newswire.events import Enriched
from newswire_index.document import document_from, month_of
from newswire_index.elastic.months import Months
from newswire_index.elastic.names import ARTICLES
from newswire_index.elastic.source import source_of
from newswire_index.elastic.store import ElasticStore
from newswire_index.settings import IndexSettings
from newswire_index.store import STORED

COUNT = 6000  # articles
ROUNDS = 3  # each way in turn
WARM = 500  # articles before the clock starts
PATIENCE_SECONDS = 600.0  # also on a busy machine
GOAL = 0.75
WRITERS = 4  # partitions that write at once, in our store alone


async def bulk_rows(servers: Servers) -> list[Row]:
    """Measure and return lines of the table."""
    rates: dict[str, list[float]] = {"bare": [], "store": [], "service": []}
    for _ in range(ROUNDS):
        events = [enriched_of(number) for number in range(COUNT + WARM)]
        rates["bare"].append(await bare(servers, events))
        rates["store"].append(await store(servers, events))
        rates["service"].append(await service(servers, events))
    bare_rate = middle(rates["bare"])
    return [
        against(f"bare helpers.async_bulk, {COUNT:,} articles of 3,000 characters", bare_rate, "articles/s"),
        against(f"ElasticStore.write by {WRITERS} at once", middle(rates["store"]), "articles/s"),
        against("ElasticStore.write ÷ bare", middle(rates["store"]) / bare_rate, "", GOAL),
        against("index service from Kafka", middle(rates["service"]), "articles/s"),
        against("index service from Kafka ÷ bare", middle(rates["service"]) / bare_rate, "", GOAL),
    ]


async def bare(servers: Servers, events: Sequence[Enriched]) -> float:
    """Return articles a second of the client's own helper, with its defaults."""
    async with fresh(servers) as (ground, _), ground.client() as client:
        documents = [document_from(event) for event in events]
        month = month_of(documents[0].first_seen_at)
        await Months(client, ground.names, ground.settings, lifecycle=False).make(ARTICLES, month)
        actions: list[dict[str, Any]] = [
            {
                "_index": ground.names.month(ARTICLES, month), "_id": each.article_id,
                "_version": each.version, "_version_type": "external",
                "_source": source_of(each, each.enriched_at),
            }
            for each in documents
        ]  # fmt: skip
        await async_bulk(client, actions[:WARM])
        started = time.monotonic()
        done, _ = await async_bulk(client, actions[WARM:])
        assert done == COUNT
        return COUNT / (time.monotonic() - started)


async def store(servers: Servers, events: Sequence[Enriched]) -> float:
    """Return articles a second of our store."""
    async with fresh(servers) as (ground, _):
        own = IndexSettings()
        opened = ElasticStore(
            servers.elasticsearch.url, prefix=ground.prefix, settings=ground.settings, own=own
        )
        await opened.open()
        await opened.write([document_from(event) for event in events[:WARM]])
        rest = events[WARM:]
        batches = [rest[start : start + own.batch] for start in range(0, len(rest), own.batch)]

        async def write(mine: Sequence[Sequence[Enriched]]) -> None:
            for batch in mine:
                verdicts = await opened.write([document_from(event) for event in batch])
                assert list(verdicts) == [STORED] * len(batch)

        started = time.monotonic()
        await asyncio.gather(*(write(batches[number::WRITERS]) for number in range(WRITERS)))
        seconds = time.monotonic() - started
        await opened.close()
        return COUNT / seconds


async def service(servers: Servers, events: Sequence[Enriched]) -> float:
    """Return articles a second of the service, once it runs, on a topic that holds them all."""
    async with fresh(servers) as (ground, log), ground.client() as client:
        messages = messages_of(events)
        for start in range(0, len(messages), 1000):
            await log.publish(messages[start : start + 1000])
        with ground.service():
            return await rate_of(client, ground)


async def rate_of(client: AsyncElasticsearch, ground: Ground) -> float:
    """Return articles a second from the moment on that the warm ones are written."""
    first = await until_stored(client, ground, WARM, PATIENCE_SECONDS)
    started = time.monotonic()
    await until_stored(client, ground, COUNT + WARM, PATIENCE_SECONDS)
    seconds = time.monotonic() - started
    assert await stored_in(client, ground) == COUNT + WARM
    return (COUNT + WARM - first) / seconds
