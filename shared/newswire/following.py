"""Following a topic in all its partitions, without a group: what is new since the last look."""

from collections import defaultdict
from collections.abc import AsyncIterator

from newswire.log.port import Log, Record
from newswire.log.reading import records_from


class Follower:
    """Remembers how far a topic was read.

    Args:
        log: an open log.
        topic: its name.
        start: where to begin in each partition; default at the beginning.
    """

    def __init__(self, log: Log, topic: str, start: dict[int, int] | None = None) -> None:
        self._log = log
        self._topic = topic
        self._next: dict[int, int] = defaultdict(int, start or {})

    @property
    def read(self) -> int:
        """How far was read, all partitions together: it grows when there was something."""
        return sum(self._next.values())

    async def records(self) -> AsyncIterator[Record]:
        """Yield what lies between the last look and the ends that the partitions have now.

        One question for all ends: a partition in which nothing is new is not read.
        """
        for partition, end in sorted((await self._log.end_offsets(self._topic)).items()):
            if self._next[partition] >= end:
                continue
            async for record in records_from(self._log, self._topic, partition, self._next[partition]):
                self._next[partition] = record.offset + 1
                yield record
            self._next[partition] = max(end, self._next[partition])


class Latest:
    """The latest value of each key of a compacted topic, over all partitions.

    Args:
        log: an open log.
        topic: its name.
    """

    def __init__(self, log: Log, topic: str) -> None:
        self._follower = Follower(log, topic)
        self.values: dict[str, bytes] = {}

    async def catch_up(self) -> None:
        """Read on to the end."""
        async for record in self._follower.records():
            if record.value is None:
                self.values.pop(record.key, None)
            else:
                self.values[record.key] = record.value
