"""How far a group is behind on its topics, and since when a partition has not moved.

The end of a partition may lie beyond its last record, as a log puts marks of its own there. So where little
is left, or nothing moves, "is there more" is asked by reading; that is remembered until something moves.
"""

import time
from collections.abc import Sequence

from newswire.log.port import Log, TopicPartition

FEW = 10  # what lies between the committed offset and the end may be marks


class Lag:
    """Looks at one group.

    Args:
        log: an open log.
        group: whose offsets.
        topics: what it reads.
    """

    def __init__(self, log: Log, group: str, topics: Sequence[str]) -> None:
        self.behind: dict[TopicPartition, int] = {}
        """Messages not yet dealt with; partitions with none are not in it."""
        self.since: dict[TopicPartition, float] = {}
        """Since when a partition that is behind has not moved, by the monotonic clock."""
        self._log = log
        self._group = group
        self._topics = topics
        self._seen: dict[TopicPartition, tuple[int, int]] = {}  # committed offset and end
        self._unread: set[TopicPartition] = set()  # where it was not asked by reading

    async def look(self) -> None:
        """Look again; raises UnavailableError."""
        for topic in self._topics:
            ends = await self._log.end_offsets(topic)
            committed = await self._log.committed(self._group, topic)
            for number, end in ends.items():
                await self._one(TopicPartition(topic, number), committed.get(number, 0), end)

    async def _one(self, at: TopicPartition, offset: int, end: int) -> None:
        before, self._seen[at] = self._seen.get(at), (offset, end)
        if before == (offset, end) and at not in self._unread:
            return
        moved = before is None or before[0] != offset
        behind = max(0, end - offset)
        self._unread.discard(at)
        if behind > FEW and moved:
            self._unread.add(at)
        elif behind:
            behind = await self._left(at, offset, end)
        self._enter(at, behind, moved=moved)

    def _enter(self, at: TopicPartition, behind: int, *, moved: bool) -> None:
        if not behind:
            self.behind.pop(at, None)
            self.since.pop(at, None)
            return
        if moved or at not in self.behind:
            self.since[at] = time.monotonic()
        self.behind[at] = behind

    async def _left(self, at: TopicPartition, offset: int, end: int) -> int:
        found = await self._log.read(at.topic, at.partition, offset, max_records=1)
        return max(1, end - found[0].offset) if found else 0

    def of(self, topic: str) -> int:
        """Return how many messages of a topic wait, all partitions together."""
        return sum(behind for at, behind in self.behind.items() if at.topic == topic)
