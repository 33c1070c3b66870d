"""The demo newsroom's coverage in a real Elasticsearch, with what operations look at beside it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from e2e.harness import all_of, articles, on_log
from pydantic import SecretStr
from servers.elasticsearch_server import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.events import Feed, FeedStatus, Outcome
from newswire.ledger import latest
from newswire_index.document import document_from
from newswire_index.elastic import ElasticStore
from newswire_index.elastic_client import client_for
from newswire_index.elastic_names import ARTICLES, DEAD_LETTERS, FEED_STATUS, OUTCOMES, ElasticNames
from newswire_index.elastic_setup import Setup
from newswire_index.operations_mapping import FEED_STATUS_FIELDS, OUTCOME_FIELDS
from newswire_index.store import VerdictKind

Json = dict[str, Any]


def fill(server: ElasticsearchServer, log: Path, prefix: str) -> None:
    """Put what a demo left on its log into Elasticsearch."""
    names = ElasticNames(prefix)
    asyncio.run(_articles(server, log, names))
    kept = {FEED_STATUS: _feeds(log), OUTCOMES: _outcomes(log), DEAD_LETTERS: _letters()}
    for kind, documents in kept.items():
        for id_, document in documents:
            done = server.ask(f"/{names.of(kind)}/_doc/{id_}", "PUT", document)
            assert done.status == 201, done.body
    server.ask(f"/{prefix}*/_refresh", "POST")


def clear(server: ElasticsearchServer, prefix: str) -> None:
    """Take everything away again that stands behind a prefix."""
    for index in server.ask(f"/_resolve/index/{prefix}*").body["indices"]:
        server.ask(f"/{index['name']}", "DELETE")
    for kind in ("_index_template", "_component_template"):
        server.ask(f"/{kind}/{prefix}*", "DELETE")
    server.ask(f"/_ilm/policy/{ElasticNames(prefix).of(ARTICLES)}", "DELETE")


async def _articles(server: ElasticsearchServer, log: Path, names: ElasticNames) -> None:
    """Set Elasticsearch up, and write all articles to the store."""
    secret = SecretStr(server.password) if server.password else None
    settings = ElasticsearchSettings(username=server.username, password=secret)
    async with client_for(server.url, settings) as client:
        await Setup(client, names, settings, timedelta(days=400)).run()
    store = ElasticStore(server.url, prefix=names.prefix, settings=settings)
    await store.open()
    try:
        found = await asyncio.to_thread(articles, log)
        verdicts = await store.write([document_from(each) for each in found.values()])
    finally:
        await store.close()
    assert {each.kind for each in verdicts} == {VerdictKind.STORED}, verdicts


def _feeds(log: Path) -> Iterator[tuple[str, Json]]:
    """Yield the status of each feed; the first is made one that has been silent for days."""
    feeds: dict[str, Feed] = {each.feed_id: each for each in on_log(log, lambda it: latest(it, Feed))}
    for number, status in enumerate(on_log(log, lambda it: latest(it, FeedStatus))):
        feed = feeds[status.feed_id]
        since = (status.polled_at - timedelta(days=0 if number else 3)).isoformat()
        yield (
            status.feed_id,
            {
                **status.model_dump(mode="json", include=set(FEED_STATUS_FIELDS)),
                "title": feed.title,
                "outlet": feed.outlet,
                "enabled": True,
                "failing": status.failures > 0,
                "last_new_at": since,
                "silent_since": since,
            },
        )


def _outcomes(log: Path) -> Iterator[tuple[str, Json]]:
    outcomes: list[Outcome] = on_log(log, lambda it: all_of(it, Outcome))
    feeds: dict[str, Feed] = {each.feed_id: each for each in on_log(log, lambda it: latest(it, Feed))}
    for number, outcome in enumerate(outcomes):
        outlet = feeds[outcome.feed_id].outlet if outcome.feed_id in feeds else None
        told = outcome.model_dump(mode="json", include=set(OUTCOME_FIELDS))
        yield str(number), {**told, "outlet": outlet}


def _letters() -> Iterator[tuple[str, Json]]:
    """Yield dead letters, which a demo has none of: one that waits for somebody, one that was dropped."""
    letter = {
        "stage": "index",
        "topic": "newswire.enriched.v1",
        "reason": "store-rejected",
        "error": "a field is too long",
        "at": datetime.now(UTC).isoformat(),
        "attempts": 1,
        "url": "https://courier.example/world/too-long",
        "entry_id": "5f0c2a1b9d3e4f60718293a4b5c6d7e8",
    }
    yield "0-0", letter | {"open": True}
    yield "0-1", letter | {"open": False, "handled": "dropped"}
