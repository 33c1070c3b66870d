"""The indices of the months: made on demand, listed, and dropped when their time is over.

An index is made in one request with its mapping (by the template), the end of its month (for the life-cycle
policy) and both aliases, so nobody ever sees it half made. Several processes may want the same month at the
same moment: one makes it, the others find it. A rebuild's index is without aliases until it is complete;
the month then goes into the next generation, which the rebuild finds when it moves the aliases.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from elasticsearch import ApiError, AsyncElasticsearch

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.document import is_expired
from newswire_index.elastic.client import reason_of
from newswire_index.elastic.names import ARTICLES, REVISIONS, ElasticNames, generation_of, month_of_index
from newswire_index.elastic.templates import month_settings
from newswire_index.store import StoreUnavailableError

logger = structlog.get_logger()

MAKING_TRIES = 5  # each of them lost against somebody who made the index meanwhile
NAMES_AT_ONCE = 50  # in the address of one request


@dataclass(frozen=True, slots=True)
class MonthIndex:
    """An index of a month, with the aliases that lead to it."""

    name: str
    month: str
    aliases: frozenset[str]


class Months:
    """The indices of one kind and its months.

    Args:
        client: an open client.
        names: of all indices and aliases.
        settings: how indices are made.
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
        self._client = client
        self._names = names
        self._settings = settings
        self._lifecycle = lifecycle
        self._making = asyncio.Lock()

    async def make(self, kind: str, month: str) -> None:
        """Make the index of a month unless its write alias is there; raises StoreUnavailableError."""
        async with self._making:
            alias = self._names.month(kind, month)
            for _ in range(MAKING_TRIES):
                if await self._client.indices.exists_alias(name=alias):
                    return
                if await self._make(kind, month, alias):
                    return
        raise StoreUnavailableError(f"no index could be made for {alias}: others are at it")

    async def _make(self, kind: str, month: str, alias: str) -> bool:
        """Make the next generation; False if somebody else was quicker."""
        generation = max((generation_of(each.name) for each in await self._of(kind, month)), default=0) + 1
        index = self._names.index(alias, generation)
        try:
            await self._client.indices.create(
                index=index,
                aliases={self._names.of(kind): {}, alias: {"is_write_index": True}},  # never two of them
                settings=month_settings(month, self._settings, lifecycle=self._lifecycle),
            )
        except ApiError as error:
            return await self._is_there_now(alias, error)
        logger.info("index.made", index=index)
        return True

    async def _is_there_now(self, alias: str, error: ApiError) -> bool:
        """Say whether another process made the month; raise if it cannot be made, such as without room."""
        if await self._client.indices.exists_alias(name=alias):
            return True
        if "resource_already_exists_exception" in str(error.body):
            return False
        raise StoreUnavailableError(f"{alias} cannot be made: {reason_of(error)}") from error

    async def _of(self, kind: str, month: str) -> list[MonthIndex]:
        return [each for each in await self.indices(kind) if each.month == month]

    async def indices(self, kind: str) -> list[MonthIndex]:
        """Return the indices of all months and generations, oldest month first."""
        found: Mapping[str, Mapping[str, Mapping[str, object]]] = (
            await self._client.indices.get_alias(index=self._names.pattern(kind))
        ).body
        months = {name: month_of_index(name) for name in found}
        return [
            MonthIndex(name, month, frozenset(found[name]["aliases"]))
            for name, month in sorted(months.items())
            if month is not None
        ]

    async def drop_expired(self, retention: timedelta, now: datetime) -> int:
        """Delete months whose end is older than the retention; returns how many articles went."""
        articles = [each for each in await self.indices(ARTICLES) if is_expired(each.month, retention, now)]
        revisions = [each for each in await self.indices(REVISIONS) if is_expired(each.month, retention, now)]
        seen = [each.name for each in articles if self._names.of(ARTICLES) in each.aliases]
        dropped = 0
        for names in _portions(seen):
            counted = await self._client.count(index=names, ignore_unavailable=True)
            dropped += int(counted["count"])
        for names in _portions(each.name for each in (*articles, *revisions)):
            # another process of ours, or the life-cycle policy, may be at it too
            await self._client.indices.delete(index=names, ignore_unavailable=True)
            logger.info("index.dropped", indices=names)
        return dropped


def month_of_alias(alias: str) -> str:
    """Return the month, such as ``2026-11``, that a write alias stands for."""
    return alias[-len("2026.11") :].replace(".", "-")


def _portions(names: Iterable[str]) -> Sequence[Sequence[str]]:
    names = list(names)
    return [names[start : start + NAMES_AT_ONCE] for start in range(0, len(names), NAMES_AT_ONCE)]
