"""Wires what ``newswire index rebuild`` and ``newswire index verify`` need, and runs it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from elasticsearch import AsyncElasticsearch

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire.events import Enriched
from newswire.log.port import Log
from newswire.progress import bar
from newswire.run import opened
from newswire.settings import Settings, load
from newswire_index.elastic.bulk import Bulk
from newswire_index.elastic.client import client_for, unavailable, wait_for
from newswire_index.elastic.names import ElasticNames
from newswire_index.elastic.setup import check_setup
from newswire_index.rebuild import rebuilding
from newswire_index.rebuild.filling import RebuildRefusedError
from newswire_index.rebuild.indices import NewIndices
from newswire_index.rebuild.months import unserved
from newswire_index.rebuild.rebuilding import Options, Rebuild, Say
from newswire_index.rebuild.state import RebuildState
from newswire_index.settings import IndexSettings
from newswire_index.store import Store, open_store
from newswire_index.verify.elastic import elastic_items
from newswire_index.verify.verifying import SETTLE_SECONDS, Difference, Keeping, Report, items_of, verify

FOLDER = "verify"  # within the folder of caches
SQLITE = (
    "an SQLite index is not rebuilt in place: fill a new file with `NEWSWIRE_STORE=sqlite:///new.db newswire "
    "replay --stage index --restart`, then set NEWSWIRE_STORE to it"
)


@dataclass(frozen=True)
class Site:
    """Where a rebuild takes place.

    Attributes:
        settings: where log and store are.
        own: how articles are written.
        indices: what is asked of Elasticsearch.
        state: of the rebuild.
    """

    settings: Settings
    own: IndexSettings
    indices: NewIndices
    state: RebuildState


@contextlib.asynccontextmanager
async def site(settings: Settings, own: IndexSettings) -> AsyncIterator[Site]:
    """Connect to Elasticsearch; raises SettingsError where the store is none."""
    if settings.store.startswith("sqlite:"):
        raise SettingsError(SQLITE)
    elastic, names = load(ElasticsearchSettings), ElasticNames(settings.prefix)
    async with _client(settings, elastic) as client:
        with unavailable():
            lifecycle = await check_setup(client, names)
        indices = NewIndices(client, names, elastic, lifecycle=lifecycle)
        yield Site(settings, own, indices, RebuildState(client, names))


@contextlib.asynccontextmanager
async def _client(settings: Settings, elastic: ElasticsearchSettings) -> AsyncIterator[AsyncElasticsearch]:
    client = client_for(settings.store, elastic)
    try:
        await wait_for(client, elastic.wait_seconds)
        yield client
    finally:
        await client.close()


async def rebuild(settings: Settings, own: IndexSettings, options: Options, say: Say) -> dict[str, Any]:
    """Begin a rebuild, or go on with one, and bring it to its end; returns what is to be told.

    Args:
        settings: where log and store are, and how long the log keeps what.
        own: how articles are written, and how long they are kept.
        options: what the rebuild may do; how long what is kept is taken from the settings.
        say: tells a person what goes on.
    """
    options = replace(
        options,
        retention=timedelta(days=own.retention_days),
        topic_retention=timedelta(days=settings.enriched_retention_days),
    )
    async with site(settings, own) as at, opened(settings) as log:
        return await rebuilt(at, log, options, say)


async def rebuilt(at: Site, log: Log, options: Options, say: Say, **more: Any) -> dict[str, Any]:
    """Rebuild at a site; see ``Rebuild`` for what more can be given."""
    state = at.state
    store = open_store(at.settings.store, prefix=at.settings.prefix, retention=options.retention, own=at.own)
    await store.open()
    try:
        resumed = await _taken(state, log, say)
        with bar("rebuild", sum((await log.end_offsets(Enriched.topic)).values())) as moved:
            bulk = Bulk(at.indices.client, max_bytes=at.own.bulk_bytes)
            work = Rebuild(log, store, at.indices, bulk, state, options, say, moved=moved, **more)
            result = await work.run()
    except RebuildRefusedError as error:
        return {"done": "refused", "why": str(error), "rejected": rebuilding.rejected(state.progress)}
    finally:
        await state.release()
        await store.close()
    old = unserved(at.indices.names, await at.indices.found())
    return {"done": "rebuilt", "resumed": resumed, **result.row(), "old": old}


async def _taken(state: RebuildState, log: Log, say: Say) -> bool:
    resumed = await state.take(log.identity, say)
    if state.progress.identity != log.identity:
        raise SettingsError("the unfinished rebuild is of another log: --abandon removes it")
    if resumed:
        say("going on with the rebuild that was begun; --abandon removes it")
    return resumed


async def remove(settings: Settings, own: IndexSettings, say: Say, *, abandon: bool) -> list[str]:
    """Remove the indices that a rebuild replaced, or what an unfinished one has made; returns their names."""
    async with site(settings, own) as at:
        if not abandon:
            return await rebuilding.drop_old(at.indices, at.state)
        if await at.state.look() is None:
            return []
        await at.state.take("", say)
        try:
            return await rebuilding.abandon(at.indices, at.state)
        finally:
            await at.state.release()


async def verified(settings: Settings, own: IndexSettings, named: int) -> Report:
    """Compare topic and index.

    Args:
        settings: where log and store are, and how long the log keeps what.
        own: how long the index keeps what.
        named: how many differences are named.
    """
    keeping = Keeping(timedelta(days=own.retention_days), timedelta(days=settings.enriched_retention_days))
    folder = settings.cache / f"{settings.prefix}{FOLDER}"
    elastic = load(ElasticsearchSettings)
    store = open_store(settings.store, prefix=settings.prefix, create=False)
    async with opened(settings) as log, contextlib.AsyncExitStack() as stack:
        await store.open()
        stack.push_async_callback(store.close)
        items = items_of(store)
        if not settings.store.startswith("sqlite:"):
            client = await stack.enter_async_context(_client(settings, elastic))
            items = _items(client, ElasticNames(settings.prefix))
        report = await verify(log, items, folder, keeping, settle_seconds=SETTLE_SECONDS, named=named)
        report.first = [await _located(store, each) for each in report.first]
        return report


def _items(client: AsyncElasticsearch, names: ElasticNames) -> Callable[[], AsyncIterator[Any]]:
    return lambda: elastic_items(client, names)


async def _located(store: Store, difference: Difference) -> Difference:
    """Return a difference with its address: what the topic does not know the index may."""
    if difference.url is not None:
        return difference
    hit = await store.get(difference.article_id)
    return replace(difference, url=hit.url if hit else None)
