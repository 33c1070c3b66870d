"""Tables: the latest value of each key of a compacted topic, one partition at a time.

A table is read to the end before use. It lives in memory, or in a cache file where there may be millions
of rows; the file says which offset it reflects, and one that is lost or strange is made again.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from newswire.cache_file import CacheFile
from newswire.envelope import VERSION
from newswire.errors import CacheBrokenError
from newswire.events import Event
from newswire.log.port import Headers, Log, Message, Position

E = TypeVar("E", bound=Event)

CHUNK = 1000  # records read at a time
REMOVED = b"\x00removed "  # begins a row that remembers a tombstone's version; no JSON begins so


class Rows(Protocol):
    """Where a table keeps its rows."""

    next_offset: int
    written_ms: int
    """When they were set last, by our clock; 0 if never."""

    def get(self, key: str) -> bytes | None:
        """Return the value of a key."""

    def put(self, changes: dict[str, bytes | None], next_offset: int) -> None:
        """Set values (None removes) and the offset that they reflect, together."""

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Return all rows."""

    def clear(self) -> None:
        """Forget everything, the offset too."""

    def close(self) -> None:
        """Let go of what is held."""


class MemoryRows:
    """Rows in memory."""

    def __init__(self) -> None:
        self.next_offset = 0
        self.written_ms = 0
        self._rows: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """See Rows."""
        return self._rows.get(key)

    def put(self, changes: dict[str, bytes | None], next_offset: int) -> None:
        """See Rows."""
        for key, value in changes.items():
            if value is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = value
        self.next_offset, self.written_ms = next_offset, _now_ms()

    def items(self) -> Iterator[tuple[str, bytes]]:
        """See Rows."""
        return iter(list(self._rows.items()))

    def clear(self) -> None:
        """See Rows."""
        self._rows.clear()
        self.next_offset = self.written_ms = 0

    def close(self) -> None:
        """Nothing is held."""


class CachedRows:
    """Rows in a SQLite file that may be lost at any time.

    Args:
        path: the file, or where another process has it a spare one beside it.
        identity: of the log that it was read from; a file of another log is emptied.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._file = CacheFile(path)
        try:
            self._open(self._file.path, identity)
        except sqlite3.DatabaseError:
            self._file.remove()
            self._open(self._file.path, identity)

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        """Remove a file that turns out to be damaged, and end the process: the next one makes it anew."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            self._file.remove()
            raise CacheBrokenError(
                f"the cache {self._file.path} is damaged and was removed: start again"
            ) from error

    def _open(self, path: Path, identity: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            # Not durable on purpose: the topic is, and the offset is written with the rows.
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS state"
            " (identity TEXT NOT NULL, next_offset INTEGER NOT NULL, written_ms INTEGER NOT NULL);"
        )
        row = self._connection.execute("SELECT identity, next_offset, written_ms FROM state").fetchone()
        if row is None or row[0] != identity:
            self._connection.executescript("BEGIN; DELETE FROM rows; DELETE FROM state; COMMIT;")
            self._connection.execute("INSERT INTO state VALUES (?, 0, 0)", (identity,))
            row = (identity, 0, 0)
        self.next_offset, self.written_ms = int(row[1]), int(row[2])

    def get(self, key: str) -> bytes | None:
        """See Rows."""
        with self._checked():
            row = self._connection.execute("SELECT value FROM rows WHERE key=?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, changes: dict[str, bytes | None], next_offset: int) -> None:
        """See Rows."""
        gone = [(key,) for key, value in changes.items() if value is None]
        kept = [(key, value) for key, value in changes.items() if value is not None]
        now = _now_ms()
        with self._checked():
            self._connection.execute("BEGIN")
            self._connection.executemany("DELETE FROM rows WHERE key=?", gone)
            self._connection.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", kept)
            self._connection.execute("UPDATE state SET next_offset=?, written_ms=?", (next_offset, now))
            self._connection.execute("COMMIT")
        self.next_offset, self.written_ms = next_offset, now

    def items(self) -> Iterator[tuple[str, bytes]]:
        """See Rows."""
        with self._checked():
            yield from self._connection.execute("SELECT key, value FROM rows")

    def clear(self) -> None:
        """See Rows."""
        with self._checked():
            self._connection.executescript(
                "BEGIN; DELETE FROM rows; UPDATE state SET next_offset=0, written_ms=0; COMMIT;"
            )
        self.next_offset = self.written_ms = 0

    def close(self) -> None:
        """See Rows."""
        self._connection.close()
        self._file.close()


class Table(Generic[E]):
    """The latest event of each key in one partition of a compacted topic.

    Args:
        log: where the topic is.
        event: the class of its events.
        partition: the number.
        rows: where to keep them.
    """

    def __init__(self, log: Log, event: type[E], partition: int, rows: Rows | None = None) -> None:
        self.topic = event.topic
        self._log = log
        self._event = event
        self._partition = partition
        self._rows = rows or MemoryRows()

    @property
    def next_offset(self) -> int:
        """The first offset that the table does not reflect."""
        return self._rows.next_offset

    async def load(self) -> None:
        """Read the topic to its end; rows of a topic that was made anew since are forgotten."""
        end = (await self._log.end_offsets(self.topic))[self._partition]
        if self.next_offset > end or (self.next_offset and await self._is_younger()):
            self._rows.clear()
        await self.catch_up()

    async def _is_younger(self) -> bool:
        """Tell whether the topic holds nothing from before the rows were set: then they are of no use."""
        oldest = await self._log.read(self.topic, self._partition, 0, max_records=1)
        return not oldest or oldest[0].timestamp_ms > self._rows.written_ms

    async def catch_up(self) -> set[str]:
        """Read the topic to the end that it has now; return the keys that changed."""
        end = (await self._log.end_offsets(self.topic))[self._partition]
        changed: set[str] = set()
        while self.next_offset < end:
            records = await self._log.read(self.topic, self._partition, self.next_offset, max_records=CHUNK)
            changes = {record.key: _row(record.value, record.headers) for record in records}
            # With nothing left, what lies below the end is no record of anybody's.
            self._rows.put(changes, records[-1].offset + 1 if records else end)
            changed |= changes.keys()
        return changed

    def get(self, key: str) -> E | None:
        """Return the latest event of a key, if it has one."""
        value = self._rows.get(key)
        return None if value is None or _is_removal(value) else self._event.from_bytes(value)

    def removed_at(self, key: str) -> int:
        """Return the version with which a key was removed, 0 if it is there or its tombstone told none.

        What comes after it must be newer, also when the clock was set back in between.
        """
        value = self._rows.get(key) or b""
        return int(value.removeprefix(REMOVED)) if _is_removal(value) else 0

    def __iter__(self) -> Iterator[str]:
        """Return all keys."""
        return (key for key, value in self._rows.items() if not _is_removal(value))

    def items(self) -> Iterator[tuple[str, E]]:
        """Return all keys with their events."""
        for key, value in self._rows.items():
            if not _is_removal(value):
                yield key, self._event.from_bytes(value)

    def apply(self, written: list[tuple[Message, Position]]) -> None:
        """Take over what its owner has just published, without reading it back.

        A topic that an owner publishes to has no other writer in the owner's partition, so nothing is passed
        over; and a log may show what was committed only a moment later.
        """
        ours = [(m, at) for m, at in written if m.topic == self.topic and at.partition == self._partition]
        if ours:
            self._rows.put({m.key: _row(m.value, m.headers) for m, _ in ours}, ours[-1][1].offset + 1)

    def close(self) -> None:
        """Let go of the rows."""
        self._rows.close()


def _now_ms() -> int:
    """Return our clock's time."""
    return time.time_ns() // 1_000_000


def _row(value: bytes | None, headers: Headers) -> bytes | None:
    """Return what is kept of a record: its value, or of a tombstone with a version just that."""
    version = headers.get(VERSION, "")
    if value is None and version.isascii() and version.isdigit():
        return REMOVED + version.encode()
    return value


def _is_removal(value: bytes) -> bool:
    return value.startswith(REMOVED)
