"""The SQLite store: the laptop's index, in one file that the event log may share.

All calls run in one thread of their own, in order, so that the event loop never waits for a disk. A batch is
one transaction. Other processes read while one writes (WAL).
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from newswire_index.document import Document, Removal
from newswire_index.sqlite.revisions import revisions
from newswire_index.sqlite.schema import Names, connect, path_of, unavailable
from newswire_index.sqlite.search import Searcher
from newswire_index.sqlite.write import Writer
from newswire_index.store import (
    RETENTION,
    Hit,
    Query,
    Results,
    Revision,
    StoreUnavailableError,
    Verdict,
    VerdictKind,
)

CHUNK = 1000  # rows that ``items`` reads at once, so that writers come between
_REJECTING = (sqlite3.DataError, sqlite3.IntegrityError, OverflowError, ValueError)  # the item's own fault

T = TypeVar("T")


class SqliteStore:
    """A store in an SQLite file.

    Args:
        url: ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.
        prefix: stands before every table's name.
        retention: how long after its end a month is kept.
        create: whether ``open`` may make what is missing.
        clock: the current time, with a zone.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        retention: timedelta = RETENTION,
        create: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path_of(url)
        self._names = Names(prefix)
        self._retention = retention
        self._create = create
        self._clock = clock
        self._thread: ThreadPoolExecutor | None = None
        self._opened: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Connect, and make what is missing; raises StoreMissingError where nothing may be made."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
            try:
                await self._call(self._connect)
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """Let go of the file and the thread; harmless a second time."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._disconnect)
            thread.shutdown()

    async def write(self, documents: Sequence[Document | Removal]) -> Sequence[Verdict]:
        """Store or remove articles in one transaction and return a verdict for each, in order."""
        return await self._call(lambda: self._write(documents))

    async def withdraw(self, *article_ids: str) -> None:
        """Delete articles whatever their version, with their revisions, and refuse them until ``lift``."""
        await self._call(lambda: self._change(lambda writer: writer.withdraw(*article_ids)))

    async def lift(self, *article_ids: str) -> None:
        """Accept withdrawn articles again, from the version on that was withdrawn."""
        await self._call(lambda: self._change(lambda writer: writer.lift(*article_ids)))

    async def drop_expired(self, now: datetime) -> int:
        """Delete the months whose end is older than the retention; returns how many articles went."""
        return await self._call(lambda: self._change(lambda writer: writer.drop_expired(now)))

    async def search(self, query: Query) -> Results:
        """Return one page of the articles that a query finds; raises QueryError on a foreign cursor."""
        return await self._call(lambda: self._read(lambda searcher: searcher.search(query)))

    async def get(self, article_id: str) -> Hit | None:
        """Return one article, or None if it is not there."""
        return await self._call(lambda: self._read(lambda searcher: searcher.get(article_id)))

    async def revisions(self, article_id: str) -> Sequence[Revision]:
        """Return the superseded revisions of an article, oldest first."""
        return await self._call(
            lambda: self._transact("BEGIN", lambda: revisions(self._connection, self._names, article_id))
        )

    async def count(self) -> int:
        """Return how many articles can be found."""
        rows = await self._call(
            lambda: self._rows("SELECT count(*) FROM {article} WHERE document IS NOT NULL")
        )
        return int(rows[0][0])

    async def items(self) -> AsyncIterator[tuple[str, int, str, str]]:
        """Go through article id, version, title and content hash of all, by id."""
        last = ""
        while True:
            rows = await self._call(partial(self._items_after, last))
            for article_id, version, title, content_hash in rows:
                yield article_id, version, title, content_hash
            if len(rows) < CHUNK:
                return
            last = rows[-1][0]

    def _items_after(self, article_id: str) -> list[tuple[str, int, str, str]]:
        return self._rows(
            "SELECT article_id, version, title, content_hash FROM {article}"
            " WHERE document IS NOT NULL AND article_id > ? ORDER BY article_id LIMIT ?",
            article_id,
            CHUNK,
        )

    async def _call(self, function: Callable[[], T]) -> T:
        """Run a function in the store's thread; SQLite's errors become the port's."""
        if self._thread is None:
            raise StoreUnavailableError(f"the index at {self._path} is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function)
        except (sqlite3.Error, OSError) as error:
            raise unavailable(self._path, error) from error

    def _connect(self) -> None:
        self._opened = connect(self._path, self._names, create=self._create)

    def _disconnect(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            raise StoreUnavailableError(f"the index at {self._path} is not open")
        return self._opened

    def _rows(self, template: str, *values: object) -> list[tuple[str, int, str, str]]:
        return self._connection.execute(self._names.sql(template), values).fetchall()

    def _write(self, documents: Sequence[Document | Removal]) -> list[Verdict]:
        now = self._clock()
        try:
            return self._change(lambda writer: [writer.write(item, now) for item in documents])
        except _REJECTING:
            # a savepoint makes FTS5 write a segment: one for each item only now that one is known to be bad
            return self._change(lambda writer: [self._write_alone(writer, item, now) for item in documents])

    def _write_alone(self, writer: Writer, item: Document | Removal, now: datetime) -> Verdict:
        self._connection.execute("SAVEPOINT item")
        try:
            return writer.write(item, now)
        except _REJECTING as error:
            self._connection.execute("ROLLBACK TO item")
            return Verdict(VerdictKind.REJECTED, f"{type(error).__name__}: {error}")
        finally:
            self._connection.execute("RELEASE item")

    def _change(self, function: Callable[[Writer], T]) -> T:
        return self._transact("BEGIN IMMEDIATE", lambda: function(self._writer()))

    def _read(self, function: Callable[[Searcher], T]) -> T:
        return self._transact("BEGIN", lambda: function(Searcher(self._connection, self._names, self._clock)))

    def _writer(self) -> Writer:
        return Writer(self._connection, self._names, self._retention)

    def _transact(self, begin: str, function: Callable[[], T]) -> T:
        self._connection.execute(begin)
        try:
            result = function()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has rolled back already
                self._connection.execute("ROLLBACK")
            raise
        return result
