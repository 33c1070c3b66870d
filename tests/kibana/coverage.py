"""The demo newsroom's coverage in a real Elasticsearch, with what operations look at beside it."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from e2e.harness import all_of, articles, on_log
from elasticsearch import AsyncElasticsearch

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.events import Feed, FeedStatus, Outcome
from newswire.ledger import latest
from newswire_index.document import document_from
from newswire_index.elastic_names import ARTICLES, DEAD_LETTERS, FEED_STATUS, OUTCOMES, ElasticNames
from newswire_index.elastic_setup import Setup
from newswire_index.elastic_source import source_of
from newswire_index.operations_mapping import OPERATIONS_MAPPINGS

Json = dict[str, Any]


class Server(Protocol):
    """What is asked of the Elasticsearch of the tests."""

    url: str

    def ask(self, path: str, method: str = ..., body: object = ...) -> Any:
        """Ask it."""


def fill(server: Server, log: Path, prefix: str) -> None:
    """Put what a demo left on its log into Elasticsearch."""
    names = ElasticNames(prefix)
    asyncio.run(_templates(server.url, names))
    _index(server, names, ARTICLES, {}, names.month(ARTICLES, "2026-11"))
    for kind, mapping in OPERATIONS_MAPPINGS.items():
        _index(server, names, kind, mapping, names.of(kind))
    kept = {
        ARTICLES: _articles(log),
        FEED_STATUS: _feeds(log),
        OUTCOMES: _outcomes(log),
        DEAD_LETTERS: _letters(),
    }
    for kind, documents in kept.items():
        for id_, document in documents:
            done = server.ask(f"/{names.of(kind)}/_doc/{id_}", "PUT", document)
            assert done.status == 201, done.body
    server.ask(f"/{prefix}*/_refresh", "POST")


async def _templates(url: str, names: ElasticNames) -> None:
    async with AsyncElasticsearch(url) as client:
        await Setup(client, names, ElasticsearchSettings(), timedelta(days=400)).run()


def _index(server: Server, names: ElasticNames, kind: str, mapping: Json, alias: str) -> None:
    body: Json = {"aliases": {names.of(kind): {"is_write_index": True}}} | (
        {"mappings": mapping} if mapping else {}
    )
    done = server.ask(f"/{names.index(alias)}", "PUT", body)
    assert done.status == 200, done.body


def _articles(log: Path) -> Iterator[tuple[str, Json]]:
    now = datetime.now(UTC)
    for id_, article in articles(log).items():
        yield id_, source_of(document_from(article), now)


def _feeds(log: Path) -> Iterator[tuple[str, Json]]:
    feeds: dict[str, Feed] = {each.feed_id: each for each in on_log(log, lambda it: latest(it, Feed))}
    now = datetime.now(UTC)
    for number, status in enumerate(on_log(log, lambda it: latest(it, FeedStatus))):
        feed = feeds[status.feed_id]
        told = status.model_dump(mode="json", include=set(OPERATIONS_MAPPINGS[FEED_STATUS]["properties"]))
        since = status.polled_at if number else now - timedelta(days=3)  # one feed is silent
        yield status.feed_id, told | {
            "outlet": feed.outlet, "enabled": True, "failing": status.failures > 0, "title": feed.title,
            "last_new_at": since.isoformat(), "silent_since": since.isoformat(),
        }  # fmt: skip


def _outcomes(log: Path) -> Iterator[tuple[str, Json]]:
    known = set(OPERATIONS_MAPPINGS[OUTCOMES]["properties"])
    outcomes: list[Outcome] = on_log(log, lambda it: all_of(it, Outcome))
    for number, outcome in enumerate(outcomes):
        yield str(number), outcome.model_dump(mode="json", include=known) | {"outlet": "courier.example"}


def _letters() -> Iterator[tuple[str, Mapping[str, Any]]]:
    letter = {
        "stage": "index", "topic": "newswire.enriched.v1", "reason": "store-rejected", "error": "a field is too long",
        "at": datetime.now(UTC).isoformat(), "attempts": 1, "url": "https://courier.example/a", "entry_id": "e",
    }  # fmt: skip
    yield "0-0", letter | {"open": True}
    yield "0-1", letter | {"open": False, "handled": "dropped"}
