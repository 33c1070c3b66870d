"""The demo newsroom's coverage in a real Elasticsearch, with what operations look at beside it.

All of it is written by the stores that write it in earnest.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from e2e.harness import all_of, articles, on_log
from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr
from servers.elasticsearch_server import ElasticsearchServer

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.envelope import ENTRY, FEED, HANDLED, dead_letter
from newswire.events import DEAD_LETTERS, Enriched, Feed, FeedStatus, Outcome, Reason
from newswire.ledger import latest
from newswire.log.port import Record
from newswire_index.document import document_from
from newswire_index.elastic.client import client_for
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.setup import Setup
from newswire_index.elastic.store import ElasticStore
from newswire_index.operations.documents import Known, Step, feed_step, letter_step, outcome_step
from newswire_index.operations.store import OperationsStore
from newswire_index.store import VerdictKind

RETENTION = timedelta(days=400)
SILENT = timedelta(days=3)


def fill(server: ElasticsearchServer, log: Path, prefix: str) -> None:
    """Put what a demo left on its log into Elasticsearch."""
    secret = SecretStr(server.password) if server.password else None
    settings = ElasticsearchSettings(username=server.username, password=secret)
    found = list(articles(log).values())
    asyncio.run(_fill(server.url, settings, ElasticNames(prefix), found, list(_operations(log))))
    server.ask(f"/{prefix}*/_refresh", "POST")


def clear(server: ElasticsearchServer, prefix: str) -> None:
    """Take everything away again that stands behind a prefix."""
    for index in server.ask(f"/_resolve/index/{prefix}*").body["indices"]:
        server.ask(f"/{index['name']}", "DELETE")
    for kind in ("_index_template", "_component_template"):
        server.ask(f"/{kind}/{prefix}*", "DELETE")
    server.ask(f"/_ilm/policy/{ElasticNames(prefix).of(ARTICLES)}", "DELETE")


async def _fill(
    url: str, settings: ElasticsearchSettings, names: ElasticNames, found: list[Enriched], steps: list[Step]
) -> None:
    async with client_for(url, settings) as client:
        await Setup(client, names, settings, RETENTION).run()
        await _operate(client, names, steps)
    store = ElasticStore(url, prefix=names.prefix, settings=settings)
    await store.open()
    try:
        verdicts = await store.write([document_from(each) for each in found])
    finally:
        await store.close()
    assert {each.kind for each in verdicts} == {VerdictKind.STORED}, verdicts


async def _operate(client: AsyncElasticsearch, names: ElasticNames, steps: list[Step]) -> None:
    await OperationsStore(client, names, RETENTION).write(steps)


def _operations(log: Path) -> Iterator[Step]:
    """Yield feeds, one of which has been silent for days, outcomes and dead letters."""
    feeds: dict[str, Feed] = {each.feed_id: each for each in on_log(log, lambda it: latest(it, Feed))}
    statuses: list[FeedStatus] = list(on_log(log, lambda it: latest(it, FeedStatus)))
    for number, status in enumerate(sorted(statuses, key=lambda each: each.feed_id)):
        since = status.polled_at - (timedelta() if number else SILENT)
        yield feed_step(feeds[status.feed_id], status, Known(1, since, since))
    outcomes: list[Outcome] = on_log(log, lambda it: all_of(it, Outcome))
    for outcome in outcomes:
        yield outcome_step(outcome, feeds.get(outcome.feed_id))
    for record in _letters(outcomes[0]):
        yield letter_step(record)


def _letters(about: Outcome) -> Iterator[Record]:
    """Yield dead letters, which a demo has none of: one that waits for somebody, one that was dropped."""
    headers = {ENTRY: about.entry_id, FEED: about.feed_id}
    value = b'{"url": "https://courier.example/world/too-long", "title": "Too long"}'
    failed = Record(Enriched.topic, 0, 7, "a", value, headers, 0)
    message, *_ = dead_letter(failed, "index", Reason.STORE_REJECTED, "a field is too long", 1)
    for offset in (0, 1):
        yield Record(DEAD_LETTERS, 0, offset, message.key, message.value, message.headers, 0)
    dropped = {HANDLED: "0-1", "dl_how": "dropped", "dl_by": "editor", "dl_at": about.at.isoformat()}
    yield Record(DEAD_LETTERS, 0, 2, message.key, None, dropped, 0)
