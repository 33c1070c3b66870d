"""Records, offsets and topics in a SQLite file: plain functions over a connection."""

import json
import sqlite3
import uuid
from collections.abc import Sequence
from pathlib import Path

from newswire.log.port import Message, Position, Record, TopicSpec

BUSY_SECONDS = 30.0  # how long a writer waits for another process's commit

SCHEMA = """
CREATE TABLE IF NOT EXISTS log_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS log_topics (
    name TEXT PRIMARY KEY, compacted INTEGER NOT NULL, retention_ms INTEGER, waits_for TEXT);
CREATE TABLE IF NOT EXISTS log_records (
    topic TEXT NOT NULL, part INTEGER NOT NULL, pos INTEGER NOT NULL, key TEXT NOT NULL,
    value BLOB, headers TEXT NOT NULL, at INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS log_records_pos ON log_records (topic, part, pos);
CREATE TABLE IF NOT EXISTS log_heads (
    topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (topic, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_offsets (
    grp TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (grp, topic, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_members (
    id TEXT PRIMARY KEY, grp TEXT NOT NULL, port INTEGER NOT NULL, beat INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS log_leases (
    grp TEXT NOT NULL, part INTEGER NOT NULL, epoch INTEGER NOT NULL, member TEXT,
    PRIMARY KEY (grp, part)) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that commits durably and never starts a transaction by itself."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def create(connection: sqlite3.Connection, partitions: int) -> tuple[str, int]:
    """Make the tables if need be; return the log's identity and how many partitions its topics have."""
    connection.executescript("BEGIN IMMEDIATE;" + SCHEMA + "COMMIT;")
    for name, value in (("identity", uuid.uuid4().hex), ("partitions", str(partitions))):
        connection.execute("INSERT OR IGNORE INTO log_meta VALUES (?, ?)", (name, value))
    meta = dict(connection.execute("SELECT name, value FROM log_meta"))
    return meta["identity"], int(meta["partitions"])


def create_topic(connection: sqlite3.Connection, spec: TopicSpec, waits_for: str | None) -> None:
    """Make a topic, or change how it is kept; ``spec`` and the group come with their prefix."""
    retention_ms = None if spec.retention_days is None else int(spec.retention_days * 86_400_000)
    connection.execute(
        "INSERT OR REPLACE INTO log_topics VALUES (?, ?, ?, ?)",
        (spec.name, spec.compacted, retention_ms, waits_for),
    )


def topic_exists(connection: sqlite3.Connection, topic: str) -> bool:
    """Tell whether a topic was made."""
    return connection.execute("SELECT 1 FROM log_topics WHERE name=?", (topic,)).fetchone() is not None


def end_offset(connection: sqlite3.Connection, topic: str, partition: int) -> int:
    """Return the offset that the next record of a partition gets."""
    row = connection.execute(
        "SELECT next FROM log_heads WHERE topic=? AND part=?", (topic, partition)
    ).fetchone()
    return int(row[0]) if row else 0


def offset_at(connection: sqlite3.Connection, topic: str, partition: int, at_ms: int) -> int:
    """Return from where on the records of a partition are not older than a time.

    Halving, as a scan would read every value: that is right as long as the clock was not set back.
    """
    low, high = 0, end_offset(connection, topic, partition)
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT pos, at FROM log_records WHERE topic=? AND part=? AND pos>=? ORDER BY pos LIMIT 1",
            (topic, partition, middle),
        ).fetchone()
        if row is None or row[0] >= high or row[1] >= at_ms:
            high = middle
        else:
            low = int(row[0]) + 1
    return low


def append(
    connection: sqlite3.Connection, messages: Sequence[tuple[str, int, Message]], now_ms: int
) -> list[Position]:
    """Write messages, given with full topic name and partition, inside the caller's transaction."""
    heads: dict[tuple[str, int], int] = {}
    rows, positions = [], []
    for topic, partition, message in messages:
        at = (topic, partition)
        offset = heads[at] if at in heads else end_offset(connection, topic, partition)
        heads[at] = offset + 1
        headers = json.dumps(dict(message.headers), ensure_ascii=False)
        rows.append((topic, partition, offset, message.key, message.value, headers, now_ms))
        positions.append(Position(partition, offset))
    connection.executemany("INSERT INTO log_records VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.executemany(
        "INSERT OR REPLACE INTO log_heads VALUES (?, ?, ?)", [(*at, offset) for at, offset in heads.items()]
    )
    return positions


def read(
    connection: sqlite3.Connection, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
) -> list[Record]:
    """Return records at or beyond an offset; the first one whatever its size."""
    cursor = connection.execute(
        "SELECT pos, key, value, headers, at FROM log_records"
        " WHERE topic=? AND part=? AND pos>=? ORDER BY pos",
        (topic, partition, offset),
    )
    records: list[Record] = []
    size = 0
    for pos, key, value, headers, at in cursor:
        size += len(value or b"") + len(key)
        if records and size > max_bytes:
            break
        records.append(Record(topic, partition, pos, key, value, json.loads(headers), at))
        if len(records) >= max_records:
            break
    cursor.close()
    return records


def committed(connection: sqlite3.Connection, group: str, topic: str, partition: int) -> int:
    """Return the offset that a group reads next."""
    row = connection.execute(
        "SELECT next FROM log_offsets WHERE grp=? AND topic=? AND part=?", (group, topic, partition)
    ).fetchone()
    return int(row[0]) if row else 0


def begun(connection: sqlite3.Connection, group: str, topic: str) -> set[int]:
    """Return the partitions in which a group has committed something."""
    rows = connection.execute("SELECT part FROM log_offsets WHERE grp=? AND topic=?", (group, topic))
    return {int(row[0]) for row in rows}


def move_offset(connection: sqlite3.Connection, group: str, topic: str, partition: int, offset: int) -> None:
    """Set the offset that a group reads next."""
    connection.execute(
        "INSERT OR REPLACE INTO log_offsets VALUES (?, ?, ?, ?)", (group, topic, partition, offset)
    )


def compact(connection: sqlite3.Connection, topic: str, partition: int, below: int) -> int:
    """Delete records below an offset that a later one of the same key replaces; return how many."""
    cursor = connection.execute(
        "DELETE FROM log_records WHERE rowid IN (SELECT id FROM ("
        " SELECT rowid AS id, pos, max(pos) OVER (PARTITION BY key) AS latest FROM log_records"
        " WHERE topic=? AND part=?) WHERE pos < latest AND pos < ?)",
        (topic, partition, below),
    )
    return cursor.rowcount


def expire(connection: sqlite3.Connection, topic: str, partition: int, *, below: int, before_ms: int) -> int:
    """Delete records below an offset that are older than a time; return how many."""
    cursor = connection.execute(
        "DELETE FROM log_records WHERE topic=? AND part=? AND pos<? AND at<?",
        (topic, partition, below, before_ms),
    )
    return cursor.rowcount


def unread_from(connection: sqlite3.Connection, topic: str, partition: int, waits_for: str | None) -> int:
    """Return the offset at and above which somebody still has to read."""
    offsets = [
        int(row[0])
        for row in connection.execute(
            "SELECT next FROM log_offsets WHERE topic=? AND part=?", (topic, partition)
        )
    ]
    if waits_for is not None:
        offsets.append(committed(connection, waits_for, topic, partition))
    return min(offsets, default=end_offset(connection, topic, partition))
