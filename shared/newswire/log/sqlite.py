"""The log in one SQLite file: the embedded default, for one machine.

Everything that belongs together is one transaction, synchronous to the disk. Several processes may share
the file; a process that waits is woken by a datagram of the one that wrote.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from newswire.errors import FencedError, MovedError, SettingsError, UnavailableError
from newswire.log import lease, sqlite_records
from newswire.log.bell import Bells, ring_others
from newswire.log.murmur2 import partition_for
from newswire.log.port import (
    Handover,
    Member,
    Message,
    Position,
    Record,
    TopicPartition,
    TopicSpec,
    TopicState,
)
from newswire.log.sqlite_member import SqliteMember
from newswire.log.writer import Writer

T = TypeVar("T")

OTHER_PORTS = "SELECT DISTINCT port FROM log_members WHERE port NOT IN (0, ?)"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _now_ms() -> int:
    return int(time.time() * 1000)


class SqliteLog:
    """A log in a SQLite file.

    Args:
        path: the file; its folder is made.
        prefix: stands before the names of topics and groups.
        partitions: of each topic, when the file is new; later the file's own number holds.
    """

    def __init__(self, path: Path, *, prefix: str = "", partitions: int = 12) -> None:
        self.path = path
        self.partitions = partitions
        self.identity = ""
        self.bells = Bells()
        self._prefix = prefix
        self._reader: sqlite3.Connection | None = None
        self._cleaned: dict[tuple[str, int], int] = {}
        self._writer: Writer | None = None
        self._topics: set[str] = set()

    @property
    def life_folder(self) -> Path:
        """Where the members' life files lie."""
        return self.path.with_name(self.path.name + ".members")

    async def open(self, topics: Sequence[TopicSpec] = ()) -> None:
        """See the port."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            writing = await asyncio.to_thread(sqlite_records.connect, self.path)
            self.identity, self.partitions = await asyncio.to_thread(
                sqlite_records.create, writing, self.partitions
            )
            self._reader = await asyncio.to_thread(sqlite_records.connect, self.path)
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(f"the log {self.path} cannot be opened: {error}") from error
        self.bells.open()
        self._writer = Writer(writing, lambda: self._tell_others(writing))
        await self.write(lambda connection: self._create_topics(connection, topics))

    async def close(self) -> None:
        """See the port."""
        self.bells.close()
        if self._writer:
            await asyncio.to_thread(self._writer.close)
        if self._reader:
            self._reader.close()
        self._writer = self._reader = None

    async def create_topics(self, topics: Sequence[TopicSpec]) -> list[str]:
        """See the port."""
        missing = [spec for spec in topics if not self._known(self._prefix + spec.name)]
        await self.write(lambda connection: self._create_topics(connection, missing))
        return [spec.name for spec in missing]

    async def topic_states(self, topics: Sequence[TopicSpec]) -> list[TopicState]:
        """See the port; how a topic is kept is set anew at each opening."""
        found = [(spec.name, self._known(self._prefix + spec.name)) for spec in topics]
        return [
            TopicState(n, self.partitions if there else None, () if there else ("missing",))
            for n, there in found
        ]

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a piece of work in a transaction."""
        if self._writer is None:
            raise UnavailableError("the log is not open")
        return await self._writer.run(work)

    async def query(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a piece of work that only reads.

        Not in a thread: a reader of a WAL file never waits for a writer, and the way to another thread and
        back costs more than the few rows that are read at a time.
        """
        if self._reader is None:
            raise UnavailableError("the log is not open")
        try:
            return work(self._reader)
        except sqlite3.Error as error:
            raise UnavailableError(f"the log cannot be read: {error}") from error

    async def publish(self, messages: Sequence[Message]) -> list[Position]:
        """See the port."""
        placed = [self.place(message) for message in messages]
        positions = await self.write(lambda connection: sqlite_records.append(connection, placed, _now_ms()))
        self.bells.ring((topic, partition) for topic, partition, _ in placed)
        return positions

    async def read(
        self, topic: str, partition: int, offset: int, *, max_records: int = 1000, max_bytes: int = 8_000_000
    ) -> list[Record]:
        """See the port."""
        name = self.full(topic)
        records = await self.query(
            lambda connection: sqlite_records.read(
                connection, name, partition, offset, max_records, max_bytes
            )
        )
        return self.plain(records)

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """See the port."""
        name = self.full(topic)
        return await self.query(
            lambda connection: {
                n: sqlite_records.end_offset(connection, name, n) for n in range(self.partitions)
            }
        )

    async def offsets_at(self, topic: str, moment: datetime) -> dict[int, int]:
        """See the port; between records whose clock was set back the answer may be either side of them."""
        name, at_ms = self.full(topic), (moment - EPOCH) // timedelta(milliseconds=1)
        return await self.query(
            lambda c: {n: sqlite_records.offset_at(c, name, n, at_ms) for n in range(self.partitions)}
        )

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """See the port."""
        full_group, name = self._prefix + group, self.full(topic)
        return await self.query(
            lambda connection: {
                n: sqlite_records.committed(connection, full_group, name, n) for n in range(self.partitions)
            }
        )

    async def begun(self, group: str, topic: str) -> set[int]:
        """See the port."""
        full_group, name = self._prefix + group, self.full(topic)
        return await self.query(lambda c: sqlite_records.begun(c, full_group, name))

    def partition_of(self, key: str) -> int:
        """See the port."""
        return partition_for(key, self.partitions)

    async def wait(self, topic: str, partition: int, end: int, timeout_seconds: float) -> None:
        """See the port; another process rings the members of groups only."""
        name = self.full(topic)
        with self.bells.listening([(name, partition)]) as event, contextlib.suppress(TimeoutError):
            # What came before the bell was hung up is not announced any more.
            if await self.query(lambda c: sqlite_records.end_offset(c, name, partition)) <= end:
                await asyncio.wait_for(event.wait(), timeout_seconds)

    def member(
        self, group: str, topics: Sequence[str], gained: Handover, lost: Handover, *, publishes: bool = True
    ) -> Member:
        """See the port; here a member that only reads is as cheap as one that publishes."""
        del publishes
        for topic in topics:
            self.full(topic)
        name = self._prefix + group
        return SqliteMember(self, name, gained, lost, lambda *given: SqliteClaim(self, name, *given))

    async def maintain(self) -> None:
        """See the port."""
        topics = await self.query(lambda c: c.execute("SELECT * FROM log_topics").fetchall())
        now_ms = _now_ms()
        for name, compacted, retention_ms, waits_for in topics:
            for partition in range(self.partitions):
                if retention_ms is not None:
                    await self.write(_expiring(name, partition, waits_for, now_ms - retention_ms))
                if compacted:
                    await self._compact(name, partition, waits_for)

    async def _compact(self, name: str, partition: int, waits_for: str | None) -> None:
        """Compact what has been read since the last time; a partition that stands still costs nothing."""
        below = await self.query(lambda c: sqlite_records.unread_from(c, name, partition, waits_for))
        if self._cleaned.get((name, partition)) != below:
            await self.write(lambda c: sqlite_records.compact(c, name, partition, below))
            self._cleaned[name, partition] = below

    def full(self, topic: str) -> str:
        """Return a topic's name with the prefix; raises SettingsError for one that was never made."""
        name = self._prefix + topic
        if name not in self._topics:
            if not self._known(name):
                raise SettingsError(f"the topic {name} does not exist in {self.path}")
            self._topics.add(name)
        return name

    def plain(self, records: list[Record]) -> list[Record]:
        """Return records under their topic's name without the prefix."""
        if not self._prefix:
            return records
        cut = len(self._prefix)
        return [
            Record(r.topic[cut:], r.partition, r.offset, r.key, r.value, r.headers, r.timestamp_ms)
            for r in records
        ]

    def place(self, message: Message) -> tuple[str, int, Message]:
        """Return where a message goes: full topic name and partition."""
        return self.full(message.topic), self.partition_of(message.partition_key or message.key), message

    def _known(self, name: str) -> bool:
        with contextlib.closing(sqlite_records.connect(self.path)) as connection:
            return sqlite_records.topic_exists(connection, name)

    def _create_topics(self, connection: sqlite3.Connection, topics: Sequence[TopicSpec]) -> None:
        for spec in topics:
            waits_for = (
                None if spec.compaction_waits_for is None else self._prefix + spec.compaction_waits_for
            )
            named = TopicSpec(self._prefix + spec.name, spec.compacted, spec.retention_days, waits_for)
            sqlite_records.create_topic(connection, named, waits_for)
            self._topics.add(named.name)

    def _tell_others(self, connection: sqlite3.Connection) -> None:
        own = self.bells.port
        ring_others([int(row[0]) for row in connection.execute(OTHER_PORTS, (own,))])


def _expiring(
    topic: str, partition: int, waits_for: str | None, before_ms: int
) -> Callable[[sqlite3.Connection], int]:
    def expire(connection: sqlite3.Connection) -> int:
        below = sqlite_records.unread_from(connection, topic, partition, waits_for)
        return sqlite_records.expire(connection, topic, partition, below=below, before_ms=before_ms)

    return expire


class SqliteClaim:
    """A lease on one partition number of a group."""

    def __init__(self, log: SqliteLog, group: str, member: str, number: int, epoch: int) -> None:
        self.number = number
        self.group = group
        self._log = log
        self._member = member
        self._epoch = epoch
        self._heard: dict[tuple[str, ...], tuple[int, ...]] = {}

    @property
    def is_held(self) -> bool:
        """See the port: only the lease in the file knows, and every commit asks it."""
        return True

    async def position(self, topic: str) -> int:
        """See the port."""
        name = self._log.full(topic)
        return await self._log.query(lambda c: sqlite_records.committed(c, self.group, name, self.number))

    async def fetch(self, topics: Sequence[str], *, max_records: int, max_bytes: int) -> list[Record]:
        """See the port."""
        names = [self._log.full(topic) for topic in topics]
        self._heard[tuple(topics)] = self._log.bells.heard((name, self.number) for name in names)

        def read(connection: sqlite3.Connection) -> list[Record]:
            records: list[Record] = []
            left = max_bytes
            for name in names:
                if len(records) >= max_records or left <= 0:
                    break
                offset = sqlite_records.committed(connection, self.group, name, self.number)
                found = sqlite_records.read(
                    connection, name, self.number, offset, max_records - len(records), left
                )
                records += found
                left -= sum(len(record.value or b"") for record in found)
            return records

        return self._log.plain(await self._log.query(read))

    async def wait(self, topics: Sequence[str], timeout_seconds: float) -> None:
        """See the port."""
        lines = [(self._log.full(topic), self.number) for topic in topics]
        if self._log.bells.heard(lines) != self._heard.get(tuple(topics)):
            return  # something came since the last look, or there was none
        with self._log.bells.listening(lines) as event, contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout_seconds)

    async def commit(
        self,
        messages: Sequence[Message],
        offsets: Mapping[str, int] | None = None,
        *,
        unless_moved: Mapping[TopicPartition, int] | None = None,
    ) -> list[Position]:
        """See the port."""
        placed = [self._log.place(message) for message in messages]
        moves = {self._log.full(topic): offset for topic, offset in (offsets or {}).items()}
        ends = {(self._log.full(at.topic), at.partition): end for at, end in (unless_moved or {}).items()}
        positions = await self._log.write(lambda connection: self._step(connection, placed, moves, ends))
        self._log.bells.ring((topic, partition) for topic, partition, _ in placed)
        return positions

    def _step(
        self,
        connection: sqlite3.Connection,
        placed: Sequence[tuple[str, int, Message]],
        moves: Mapping[str, int],
        ends: Mapping[tuple[str, int], int],
    ) -> list[Position]:
        if not lease.is_held(connection, self.group, self.number, self._epoch, self._member):
            raise FencedError(f"{self.group} lost partition {self.number} to another process")
        for (topic, partition), end in ends.items():
            if sqlite_records.end_offset(connection, topic, partition) != end:
                raise MovedError(f"{topic} partition {partition} has grown")
        for topic, offset in moves.items():
            sqlite_records.move_offset(connection, self.group, topic, self.number, offset)
        return sqlite_records.append(connection, placed, _now_ms())
