"""One thread that writes to a SQLite file; commits that meet share one transaction and one fsync."""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from newswire.errors import NewswireError, UnavailableError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]


class Writer:
    """Runs pieces of work in transactions, each atomic by itself.

    Args:
        connection: used by this writer's thread only, from now on.
        committed: called in the thread after each transaction.
    """

    def __init__(self, connection: sqlite3.Connection, committed: Callable[[], None]) -> None:
        self._connection = connection
        self._committed = committed
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run the work in a transaction and return what it returned, once that is on the disk.

        A NewswireError raised by the work undoes it alone; UnavailableError stands for SQLite's own errors.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append((work, future))
            first = len(self._waiting) == 1
        if first:  # who comes while others wait goes with them
            self._thread.submit(self._drain)
        return await future

    def close(self) -> None:
        """Finish what waits, then close the connection."""
        self._thread.submit(self._connection.close)
        self._thread.shutdown(wait=True)

    def _drain(self) -> None:
        with self._lock:
            batch = list(self._waiting)
            self._waiting.clear()
        if not batch:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [self._one(work) for work, _ in batch]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            results = [UnavailableError(f"the log cannot be written: {error}")] * len(batch)
        else:
            self._committed()
        for (_, future), result in zip(batch, results, strict=True):
            future.get_loop().call_soon_threadsafe(_settle, future, result)

    def _one(self, work: Work) -> Any:
        self._connection.execute("SAVEPOINT piece")
        try:
            result = work(self._connection)
        except NewswireError as error:
            self._connection.execute("ROLLBACK TO piece")
            result = error
        self._connection.execute("RELEASE piece")
        return result


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    """Hand a result over, unless whoever asked is gone."""
    if future.done():
        return
    if isinstance(result, NewswireError):
        future.set_exception(result)
    else:
        future.set_result(result)
