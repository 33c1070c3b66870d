"""The new indices of a rebuild: made, behind an alias of their own while they are filled, put in service."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import NewswireError
from newswire_index.elastic.client import reason_of, unavailable
from newswire_index.elastic.mapping import language_key
from newswire_index.elastic.months import MonthIndex, Months
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.elastic.reading import read
from newswire_index.elastic.templates import month_settings
from newswire_index.rebuild.months import filling, swap_actions

SWEPT = 1000  # withdrawn articles in one request
PAGE = 1000  # ids, or documents, read at once
READY_SECONDS = 30  # that new shards may take to be there
_UNFILLED = {
    "index.refresh_interval": "-1", "index.auto_expand_replicas": "false", "index.number_of_replicas": 0,
}  # fmt: skip


class NewIndices:
    """What a rebuild asks of Elasticsearch; raises StoreUnavailableError if that is away.

    Args:
        client: an open client.
        names: how our things are called.
        settings: how indices are made.
        months: the indices there are.
        lifecycle: whether months have a life-cycle policy, see ``check_setup``.
    """

    def __init__(
        self,
        client: AsyncElasticsearch,
        names: ElasticNames,
        settings: ElasticsearchSettings,
        *,
        lifecycle: bool,
    ) -> None:
        self.client = client
        self.names = names
        self._settings = settings
        self._lifecycle = lifecycle
        self._months = Months(client, names, settings, lifecycle=lifecycle)

    async def found(self) -> list[MonthIndex]:
        """Return the indices of all months and generations."""
        with unavailable():
            return await self._months.indices(ARTICLES)

    async def serve(self, month: str) -> None:
        """See that a month has an index that serves, as the index service would make one for it."""
        with unavailable():
            await self._months.make(ARTICLES, month)

    async def make(self, month: str, index: str) -> None:
        """Make a new index, unless that was done before a death: quick to fill, and not to be found."""
        settings = month_settings(month, self._settings, lifecycle=self._lifecycle) | _UNFILLED
        try:
            with unavailable():
                await self.client.indices.create(
                    index=index, settings=settings, aliases={filling(self.names, month): {}},
                    wait_for_active_shards="1", timeout="30s",
                )  # fmt: skip
        except ApiError as error:
            if "resource_already_exists_exception" not in str(error.body):
                raise NewswireError(f"{index} cannot be made: {reason_of(error)}") from error

    async def finish(self, indices: Sequence[str]) -> None:
        """Let filled indices be found and copied, as all others are, and wait until they can be searched."""
        settings = month_settings("2000-01", self._settings, lifecycle=False)
        del settings["index.number_of_shards"]  # all but these can be changed
        with unavailable():
            for index in indices:
                await self.client.indices.put_settings(index=index, settings=settings)
                await self.client.indices.refresh(index=index)
                await self.client.cluster.health(
                    index=index, wait_for_status="yellow", timeout=f"{READY_SECONDS}s"
                )

    async def count(self, index: str) -> int:
        """Return how many articles an index has by now."""
        with unavailable():
            await self.client.indices.refresh(index=index)
            answer = await self.client.search(
                index=index, size=0, track_total_hits=True, allow_partial_search_results=False
            )
            return int(answer["hits"]["total"]["value"])

    async def swap(self, new: Mapping[str, str]) -> None:
        """Move the aliases of all months in one request."""
        actions = swap_actions(self.names, await self.found(), new)
        with unavailable():
            await self.client.indices.update_aliases(actions=actions)

    async def remove(self, indices: Iterable[str]) -> None:
        """Delete indices; one that is gone already is none to worry about."""
        with unavailable():
            for index in indices:
                await self.client.indices.delete(index=index, ignore_unavailable=True)

    async def sweep(self, withdrawn: Iterable[str], indices: Sequence[str]) -> int:
        """Delete withdrawn articles from indices; returns how many there were."""
        swept = 0
        if not indices:
            return 0
        with unavailable():
            await self.client.indices.refresh(index=list(indices), ignore_unavailable=True)
            for ids in _portions(withdrawn, SWEPT):
                answer = await self.client.delete_by_query(
                    index=list(indices), query={"ids": {"values": ids}}, conflicts="proceed",
                    refresh=True, ignore_unavailable=True,
                )  # fmt: skip
                swept += int(answer["deleted"])
        return swept

    async def indexed(self, places: Mapping[str, str]) -> dict[str, tuple[int, Mapping[str, Any]]]:
        """Return version, arrival and lags of articles in the indices that serve.

        Args:
            places: the index of each article.
        """
        docs = [(index, article_id) for article_id, index in places.items()]
        with unavailable():
            return {
                each["_id"]: (each["_version"], each["_source"])
                async for each in read(self.client, docs, "indexed_at,lag_ms")
            }

    async def lacking(self, old: str, new: str) -> AsyncIterator[dict[str, int]]:
        """Go through articles, with their versions, that the old index of a month has and the new has not."""
        with unavailable():
            await self.client.indices.refresh(index=old)
        async for hits in self._pages(old):
            versions = {hit["_id"]: int(hit["_version"]) for hit in hits}
            with unavailable():
                answer = await self.client.mget(index=new, ids=list(versions), source=False)
            there = {each["_id"] for each in answer["docs"] if each.get("found")}
            yield {key: version for key, version in versions.items() if key not in there}

    async def _pages(self, index: str) -> AsyncIterator[list[dict[str, Any]]]:
        after: list[Any] | None = None
        while True:
            with unavailable():
                answer = await self.client.search(
                    index=index, size=PAGE, source=False, version=True, sort=["article_id"],
                    search_after=after, track_total_hits=False, allow_partial_search_results=False,
                )  # fmt: skip
            hits = answer["hits"]["hits"]
            if hits:
                yield hits
            if len(hits) < PAGE:
                return
            after = hits[-1]["sort"]

    async def sources(self, index: str, ids: Sequence[str]) -> dict[str, tuple[int, dict[str, Any]]]:
        """Return versions and whole documents of an index, as they would be sent again."""
        if not ids:
            return {}
        with unavailable():
            answer = await self.client.mget(index=index, ids=list(ids))
        return {
            each["_id"]: (each["_version"], with_words(each["_source"]))
            for each in answer["docs"]
            if each.get("found")
        }


def with_words(source: dict[str, Any]) -> dict[str, Any]:
    """Return a document as it was sent: what is searched in its language is not kept in it."""
    key = language_key(source.get("language", ""))
    words = {"title": source.get("title", ""), "text": source.get("text", "")}
    return {**source, "in": {key: words}} if key else source


def _portions(values: Iterable[str], size: int) -> Iterator[list[str]]:
    portion: list[str] = []
    for value in values:
        portion.append(value)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion
