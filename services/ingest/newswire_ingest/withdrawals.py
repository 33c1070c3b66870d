"""Which articles are withdrawn: one table over all partitions, shared by the whole process.

Withdrawals lie under the article's id and entries under their domain, so that the owner of a domain has to
look at all partitions. It reads on before each fetch; whoever asks while a read is going on shares the next
one, as the one that is going on may have passed what he must not miss.
"""

import asyncio
import contextlib
from collections.abc import Iterable

from newswire.events import Entry, Page, Withdrawal
from newswire.following import Latest
from newswire.log.port import Log
from newswire.urls import BadUrlError, article_id


class Withdrawals:
    """The withdrawn articles.

    Args:
        log: an open log.
    """

    def __init__(self, log: Log) -> None:
        self._withdrawn = Latest(log, Withdrawal.topic)
        self._reading: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def catch_up(self) -> None:
        """Read everything that was written before the call."""
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._reading))
        await asyncio.shield(self._next)

    async def _read_after(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait({before})
        self._reading, self._next = self._next, None
        await self._withdrawn.catch_up()

    async def close(self) -> None:
        """End what is being read."""
        reading = [task for task in (self._reading, self._next) if task is not None]
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    def hold(self, ids: Iterable[str]) -> bool:
        """Tell whether one of the articles is withdrawn, as far as was read."""
        return any(each in self._withdrawn.values for each in ids)

    def of_entry(self, entry: Entry, page: Page | None) -> bool:
        """Tell whether an entry leads to a withdrawn article, as far as can be told before its fetch.

        Args:
            entry: it counts by its address, and by the one that its feed gave.
            page: what is remembered of its address.
        """
        known = [page.article_id] if page and page.article_id else []
        return self.hold([*known, *ids_of(entry.url, entry.origin_url)])


def ids_of(*urls: str | None) -> list[str]:
    """Return the article ids that addresses have by themselves."""
    ids = []
    for url in urls:
        with contextlib.suppress(BadUrlError):
            if url:
                ids.append(article_id(url))
    return ids
