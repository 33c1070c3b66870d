"""A stage: what it reads, how it handles a batch, and the three ends that a message can have.

done ─ its results are published     retry ─ it waits     dead ─ it becomes a dead letter
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from newswire.events import Event, Reason
from newswire.log.port import Message, Record, TopicPartition
from newswire.ownership import Ownership


@dataclass(frozen=True)
class Delivery:
    """A message with its event; a tombstone has none."""

    record: Record
    event: Event | None


@dataclass(frozen=True)
class Done:
    """The message is dealt with; these are to be published."""

    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Retry:
    """The message waits, and with it what lies behind it on its topic."""

    why: str


@dataclass(frozen=True)
class Dead:
    """The message can not be dealt with, ever."""

    reason: Reason
    error: str


End = Done | Retry | Dead


class Handler(Protocol):
    """A stage at work on one partition number."""

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Return the end of each message, in order.

        Raise UnavailableError if a dependency is down. The results of one call are committed together;
        what lies on a topic behind a Retry is not, and comes again.
        """

    def preconditions(self) -> Mapping[TopicPartition, int]:
        """Return the ends of topics on which the last verdicts rested."""

    async def run(self) -> None:
        """Do what does not wait for messages, until cancelled."""

    async def close(self) -> None:
        """Let go; nothing is in flight any more."""


class Stage(Protocol):
    """A step of the pipeline: what it reads, and how it opens a partition."""

    @property
    def group(self) -> str:
        """The group that it reads as."""

    @property
    def inputs(self) -> Mapping[str, type[Event]]:
        """The topics that it reads, in the order in which they are taken, with their events."""

    async def open(self, ownership: Ownership) -> Handler:
        """Load the tables of a partition and return its handler."""


@runtime_checkable
class Dependent(Protocol):
    """A stage that can tell whether what it depends on, other than the log, is there."""

    async def check(self) -> None:
        """Raise UnavailableError if it is not."""
