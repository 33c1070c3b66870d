"""Whether the new indices hold every article that the old ones serve, before they take their place.

An article may have outlived the topic: its month is kept in the index until its end is too old, its record
only until it is itself. Such articles are taken over from the old index. Any other one that is missing is a
reason not to swap: maybe the topic was cut short.
"""

from collections.abc import Callable, Container, Mapping
from datetime import datetime, timedelta

from newswire_index.elastic.bulk import Bulk, putting
from newswire_index.rebuild.indices import NewIndices
from newswire_index.rebuild.months import filling
from newswire_index.store import StoreUnavailableError

MOST_MISSING = 10_000  # articles that are remembered; with more, there is no need to know all of them
COPIED = 200  # whole articles at once


class Comparison:
    """Looks for articles that would be gone.

    Args:
        indices: what is asked of Elasticsearch.
        bulk: sends to it.
        topic_retention: how long an article stays on the topic.
        clock: the current time, with a zone.
    """

    def __init__(
        self, indices: NewIndices, bulk: Bulk, topic_retention: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._indices = indices
        self._bulk = bulk
        self._topic_retention = topic_retention
        self._clock = clock
        self.kept = 0

    async def missing(
        self, old: Mapping[str, str], new: Mapping[str, str], withdrawn: Container[str]
    ) -> dict[str, str]:
        """Return the month of each article that is missing, about ``MOST_MISSING`` at most.

        What is too old for the topic is copied instead.

        Args:
            old: the index that serves, of each month.
            new: the one that shall.
            withdrawn: articles that must be missing.
        """
        missing: dict[str, str] = {}
        oldest = int((self._clock() - self._topic_retention).timestamp() * 1000)
        for month in sorted(old.keys() & new.keys()):
            async for versions in self._indices.lacking(old[month], new[month]):
                lacking = {key: version for key, version in versions.items() if key not in withdrawn}
                outlived = [key for key, version in lacking.items() if version < oldest]
                copied = await self._copy(month, old[month], outlived)
                missing |= {key: month for key in lacking if key not in copied}
                if len(missing) >= MOST_MISSING:
                    return missing
        return missing

    async def still(
        self,
        missing: Mapping[str, str],
        old: Mapping[str, str],
        new: Mapping[str, str],
        withdrawn: Container[str],
    ) -> dict[str, str]:
        """Return what is missing still, now that all that the topic has was read."""
        ids = [key for key in missing if key not in withdrawn]
        there = await self._indices.indexed({key: new[missing[key]] for key in ids})
        served = await self._indices.indexed({key: old[missing[key]] for key in ids})
        return {key: missing[key] for key in ids if key in served and key not in there}

    async def _copy(self, month: str, index: str, ids: list[str]) -> set[str]:
        """Take articles over as they are; returns those of which that could be done."""
        alias, copied = filling(self._indices.names, month), set[str]()
        for start in range(0, len(ids), COPIED):
            found = await self._indices.sources(index, ids[start : start + COPIED])
            actions = [
                putting(alias, key, source, version, "external") for key, (version, source) in found.items()
            ]
            for key, answer in zip(found, await self._bulk.send(actions), strict=True):
                if answer.waits:
                    raise StoreUnavailableError(f"Elasticsearch cannot do it now: {answer.reason}")
                self.kept += answer.done
                copied |= {key} if answer.done or answer.older else set()
        return copied
