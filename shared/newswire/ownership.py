"""What the owner of a partition number holds: its claim, its tables, and one commit at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from newswire import metrics
from newswire.errors import ClaimBrokenError
from newswire.events import Event
from newswire.log.port import Claim, Log, Message, TopicPartition
from newswire.table import CachedRows, Table

E = TypeVar("E", bound=Event)


class Ownership:
    """A claim with the tables that its owner decides from.

    Whoever decides from a table and commits what follows holds ``lock`` in between: one writer, one
    decision at a time.

    Args:
        log: the log.
        claim: the claim on the partition number.
        cache: folder for tables with many rows; None keeps all of them in memory.
    """

    def __init__(self, log: Log, claim: Claim, cache: Path | None = None) -> None:
        self.log = log
        self.claim = claim
        self.lock = asyncio.Lock()
        self._cache = cache
        self._tables: list[Table[Event]] = []

    @property
    def number(self) -> int:
        """The partition number."""
        return self.claim.number

    async def table(self, event: type[E], *, large: bool = False) -> Table[E]:
        """Return the table over an event's topic, read to the end; a large one is cached on disk."""
        rows = None
        if large and self._cache is not None:
            rows = CachedRows(self._cache / f"{event.topic}.{self.number}.db", self.log.identity)
        table = Table(self.log, event, self.number, rows)
        self._tables.append(table)  # type: ignore[arg-type]  # tables are only asked to apply and close
        await table.load()
        return table

    async def commit(
        self,
        messages: Sequence[Message],
        offsets: Mapping[str, int] | None = None,
        *,
        unless_moved: Mapping[TopicPartition, int] | None = None,
    ) -> None:
        """Take the atomic step, then let the tables follow; to be called with the lock held."""
        positions = await self.claim.commit(messages, offsets, unless_moved=unless_moved)
        metrics.count_outcomes(messages)
        written = list(zip(messages, positions, strict=True))
        for table in self._tables:
            table.apply(written)

    def check(self) -> None:
        """Raise ClaimBrokenError if others may own the number by now: before what no commit undoes."""
        if not self.claim.is_held:
            raise ClaimBrokenError(f"{self.claim.group} is no longer sure to hold partition {self.number}")

    def close(self) -> None:
        """Close the tables."""
        for table in self._tables:
            table.close()
