"""How long a search takes: two words with facets and passages, on 20,000 articles in three months.

    python benchmarks/search.py                          SQLite
    python benchmarks/search.py http://127.0.0.1:9200    Elasticsearch as well; what is made there is removed

Words are as frequent as in real texts (Zipf), and so are entities; each query is asked for the first time.
"""

import asyncio
import contextlib
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.events import Enriched, Entity, EntityType, TopicTag
from newswire_index.document import Document, document_from
from newswire_index.elastic.client import client_for
from newswire_index.elastic.names import ElasticNames
from newswire_index.elastic.setup import Setup
from newswire_index.query import parse_query
from newswire_index.store import RETENTION, Store, open_store

ARTICLES, BATCH, WORDS = 20_000, 500, 300
QUERIES = 200
LANGUAGES = ("en", "en", "en", "de", "fr", "uk")
NOW = datetime.now(UTC)
SPAN = timedelta(days=70)
_SYLLABLES = ("ba", "den", "kor", "li", "mar", "no", "pel", "ri", "sta", "tu", "ver", "zo")
VOCABULARY = ["".join(word) for word in itertools.islice(itertools.product(_SYLLABLES, repeat=4), 20_000)]
_ZIPF = list(itertools.accumulate(1 / (rank + 1) for rank in range(len(VOCABULARY))))
NAMES = [f"{first} {last}".title() for first in VOCABULARY[100:130] for last in VOCABULARY[200:240]]
KINDS = (EntityType.PERSON, EntityType.PLACE, EntityType.ORGANISATION)


def words(chance: random.Random, count: int) -> str:
    """Return words of a text."""
    return " ".join(chance.choices(VOCABULARY, cum_weights=_ZIPF, k=count))


def articles() -> Iterator[Document]:
    """Go through the articles, the same each time."""
    chance = random.Random(1)
    for number in range(ARTICLES):
        seen = NOW - SPAN * chance.random()
        places = {min(int(chance.paretovariate(0.6)), len(NAMES) - 1) for _ in range(6)}
        named = {(place, NAMES[place]) for place in places}
        yield document_from(
            Enriched(
                article_id=f"{number:032x}", version=1, revision=1, first_seen_at=seen, fetched_at=seen,
                enriched_at=seen, published_at=seen, url=f"https://courier.example/{number}",
                canonical_url=f"https://courier.example/{number}", title=words(chance, 8),
                text=words(chance, WORDS), content_hash=str(number), language=chance.choice(LANGUAGES),
                outlet=f"outlet{number % 40}.example",
                entities=tuple(
                    Entity(name=name, type=KINDS[len(name) % 3], salience=0.5, wikidata=f"Q{number}")
                    for number, name in sorted(named)
                ),
                topics=(TopicTag(id=f"topic-{number % 12}", score=1, by="rules 1"),),
            )
        )  # fmt: skip


async def filled(store: Store) -> float:
    """Write all articles; return how many a second."""
    start, batch = time.perf_counter(), []
    for document in articles():
        batch.append(document)
        if len(batch) == BATCH:
            await store.write(batch)
            batch = []
    while await store.count() < ARTICLES:  # noqa: ASYNC110  of what another process makes findable
        await asyncio.sleep(0.2)
    return ARTICLES / (time.perf_counter() - start)


async def asked(store: Store, *, facets: bool, filters: str = "") -> tuple[Sequence[float], int]:
    """Return the milliseconds of each query, sorted, and how many articles were found in all."""
    chance = random.Random(2)
    took, found = [], 0
    for number in range(QUERIES + 20):
        pair = " ".join(chance.sample(VOCABULARY[:3000], 2))
        start = time.perf_counter()
        results = await store.search(parse_query(f"{pair} {filters}", facets=facets))
        if number >= 20:  # the first ones warm it up
            took.append(1000 * (time.perf_counter() - start))
            found += results.total
    return sorted(took), found


async def measured(name: str, store: Store) -> None:
    """Fill a store, ask it and print its lines."""
    await store.open()
    try:
        print(f"{name}: {await filled(store):,.0f} articles written a second")
        for facets, filters in ((True, ""), (False, ""), (True, "language:en"), (True, "date:>2000-01-01")):
            took, found = await asked(store, facets=facets, filters=filters)
            assert found, "the queries find nothing"
            print(
                f"  two words{' ' + filters if filters else ''}, facets {'on ' if facets else 'off'}: "
                f"p50 {statistics.median(took):6.1f} ms   p99 {took[int(0.99 * len(took))]:6.1f} ms"
                f"   {found // QUERIES} found on average"
            )
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def elastic(address: str) -> AsyncIterator[str]:
    """Set a world of its own up in Elasticsearch, yield its prefix, and remove it."""
    prefix = f"bench-{os.urandom(4).hex()}."
    client, names = client_for(address), ElasticNames(prefix)
    try:
        await Setup(client, names, ElasticsearchSettings(), RETENTION).run()
        yield prefix
    finally:
        found = await client.indices.get(index=f"{prefix}*", features=["settings"])
        await client.indices.delete(index=list(found.body))
        await client.indices.delete_index_template(name=f"{prefix}*")
        await client.cluster.delete_component_template(name=f"{prefix}*")
        await client.close()


async def main(address: str | None) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        await measured("SQLite", open_store(f"sqlite:///{folder}/store.db"))
    if address:
        async with elastic(address) as prefix:
            await measured("Elasticsearch", open_store(address, prefix=prefix))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
