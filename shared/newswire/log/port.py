"""What a log does, whatever carries it.

A topic has numbered partitions; all topics of one log have equally many, so that the records of one key
lie under the same number everywhere. A group shares the numbers among its members; whoever holds the
claim on a number is the only one who may commit for it. ``Claim.commit`` is the atomic step: results to
any topics and the offsets of what they were made from, all of it or nothing.

Offsets grow, but not always by one: a log may put marks of its own between the records, also behind the last
one. So an end offset says where the next record can lie at the earliest, and no more.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish; a value of None is a tombstone."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers = field(default_factory=dict)
    partition_key: str | None = None
    """What decides the partition, where that is not the key."""


@dataclass(frozen=True, slots=True)
class Record:
    """Something published."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Position(NamedTuple):
    """Where a message came to lie."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic is kept.

    Attributes:
        name: the topic, without the prefix of the log.
        compacted: only the latest record of a key is kept.
        retention_days: records older than this go; None keeps them.
        compaction_waits_for: a group; what it has not read yet is not compacted.
    """

    name: str
    compacted: bool = False
    retention_days: float | None = None
    compaction_waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it was found.

    Attributes:
        name: without the prefix of the log.
        partitions: None if it does not exist.
        differences: in words, how it differs from what it should be.
    """

    name: str
    partitions: int | None
    differences: tuple[str, ...] = ()


class Claim(Protocol):
    """The right to work on one partition number for a group."""

    @property
    def group(self) -> str:
        """The group."""

    @property
    def number(self) -> int:
        """The partition number."""

    @property
    def is_held(self) -> bool:
        """Whether the claim is still ours as far as can be told from here; a commit decides."""

    async def position(self, topic: str) -> int:
        """Return the committed offset of a topic: what lies below has been dealt with."""

    async def fetch(self, topics: Sequence[str], *, max_records: int, max_bytes: int) -> list[Record]:
        """Return what has come beyond the committed offsets, in order of topics, maybe nothing.

        A record larger than ``max_bytes`` is returned alone. What is not committed comes again.
        """

    async def wait(self, topics: Sequence[str], timeout_seconds: float) -> None:
        """Return when there may be something new on the topics, or after the time."""

    async def commit(
        self,
        messages: Sequence[Message],
        offsets: Mapping[str, int] | None = None,
        *,
        unless_moved: Mapping[TopicPartition, int] | None = None,
    ) -> list[Position]:
        """Publish the messages and move the offsets (topic to next offset) in one atomic step.

        Returns where the messages came to lie. Raises FencedError when the claim is lost, MovedError when
        a topic's end differs from the one given in ``unless_moved``, MessageTooLargeError for a message that
        the log does not take, UnavailableError when the log is away.
        """


Handover = Callable[[Claim], Awaitable[None]]


class Member(Protocol):
    """One process's part in a group."""

    @property
    def is_settled(self) -> bool:
        """Whether the group has said what is ours, be it nothing, and all of it is held."""

    async def run(self) -> None:
        """Hold a fair share of the claims until cancelled; lets go of all of them at the end."""


class Log(Protocol):
    """Topics, groups and the atomic step."""

    @property
    def partitions(self) -> int:
        """How many partitions each topic has."""

    @property
    def identity(self) -> str:
        """What tells this log from another one at the same address."""

    async def open(self, topics: Sequence[TopicSpec] = ()) -> None:
        """Connect, and see that the topics are there; raises UnavailableError.

        A log in a file makes what is missing; a shared one raises SettingsError, as its topics are made with
        care, by ``newswire topics create``.
        """

    async def close(self) -> None:
        """Let go of everything; may be called twice."""

    async def create_topics(self, topics: Sequence[TopicSpec]) -> list[str]:
        """Make the topics that are missing, and return their names; nothing that is there is changed."""

    async def topic_states(self, topics: Sequence[TopicSpec]) -> list[TopicState]:
        """Return how each topic is kept, and what differs from how it should be."""

    async def publish(self, messages: Sequence[Message]) -> list[Position]:
        """Publish without a claim, all of it or nothing."""

    async def read(
        self, topic: str, partition: int, offset: int, *, max_records: int = 1000, max_bytes: int = 8_000_000
    ) -> list[Record]:
        """Return records at or beyond an offset, without a group; none only if none is there now."""

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return the end of each partition: what is published later lies there or beyond."""

    async def offsets_at(self, topic: str, moment: datetime) -> dict[int, int]:
        """Return, for each partition, from where on its records are as young as the moment or younger.

        Times are those at which records were published; where none is so young, nothing lies there yet.
        """

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the committed offset of each partition, 0 where nothing was committed."""

    async def begun(self, group: str, topic: str) -> set[int]:
        """Return the partitions in which a group has committed something, be it 0."""

    def partition_of(self, key: str) -> int:
        """Return the partition number of a key."""

    async def wait(self, topic: str, partition: int, end: int, timeout_seconds: float) -> None:
        """Return when the end of the topic's partition may lie beyond the given one, or after the time."""

    def member(
        self, group: str, topics: Sequence[str], gained: Handover, lost: Handover, *, publishes: bool = True
    ) -> Member:
        """Return a member of a group; one that does not publish commits nothing but offsets.

        ``gained`` is awaited with each claim won; ``lost`` with each claim about to be let go, and by its
        return nothing may be in flight any more.
        """

    async def maintain(self) -> None:
        """Compact topics and drop what is older than its retention."""
