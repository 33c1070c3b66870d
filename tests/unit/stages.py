"""Small stages for the tests of the worker, named by how they behave."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from newswire.errors import UnavailableError
from newswire.events import Event, Outcome, OutcomeKind, Reason
from newswire.log import Message, TopicPartition
from newswire.ownership import Ownership
from newswire.stage import Delivery, Done, End, Retry

Behaviour = Callable[[Sequence[Delivery]], Awaitable[Sequence[End]]]


def outcome(number: int, key: str = "k") -> Outcome:
    """Return an event to carry a number through a stage."""
    return Outcome.model_validate(
        {
            "entry_id": str(number), "feed_id": key, "kind": OutcomeKind.INDEXED, "reason": Reason.NEW,
            "stage": "test", "at": "2026-11-23T00:00:00Z",
        }
    )  # fmt: skip


def echo(delivery: Delivery) -> Done:
    """Return the end of a message that is published again on out."""
    return Done((Message("out", delivery.record.key, delivery.record.value),))


class EchoStage:
    """Publishes what it reads; a behaviour may do something first."""

    group = "echo"

    def __init__(self, inputs: Sequence[str] = ("in",)) -> None:
        self.inputs: Mapping[str, type[Event]] = dict.fromkeys(inputs, Outcome)
        self.batches: list[list[str]] = []
        self.opened: list[int] = []
        self.closed: list[int] = []
        self.ends: Mapping[TopicPartition, int] = {}

    async def open(self, ownership: Ownership) -> "EchoHandler":
        """See Stage."""
        self.opened.append(ownership.number)
        return EchoHandler(self, ownership)

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Handle a batch."""
        return [echo(delivery) for delivery in batch]

    async def background(self, ownership: Ownership) -> None:
        """Do nothing for ever."""
        del ownership
        await asyncio.Event().wait()


class EchoHandler:
    """A stage's handler, which leaves everything to the stage."""

    def __init__(self, stage: EchoStage, ownership: Ownership) -> None:
        self._stage = stage
        self._ownership = ownership

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """See Handler."""
        self._stage.batches.append([entry_of(delivery) for delivery in batch])
        return await self._stage.act(batch)

    def preconditions(self) -> Mapping[TopicPartition, int]:
        """See Handler."""
        return self._stage.ends

    async def run(self) -> None:
        """See Handler."""
        await self._stage.background(self._ownership)

    async def close(self) -> None:
        """See Handler."""
        self._stage.closed.append(self._ownership.number)


def entry_of(delivery: Delivery) -> str:
    """Return the number that a message carries."""
    return delivery.event.entry_id if isinstance(delivery.event, Outcome) else "null"


class PoisonStage(EchoStage):
    """Raises on some messages, always."""

    def __init__(self, *poison: str, error: Exception | None = None) -> None:
        super().__init__()
        self.poison = set(poison)
        self.error = error or ValueError("poison")

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Raise if the batch holds poison."""
        if self.poison & {entry_of(delivery) for delivery in batch}:
            raise self.error
        return [echo(delivery) for delivery in batch]


class OutageStage(EchoStage):
    """A dependency is down for the first calls."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Fail as long as the outage lasts."""
        if self.calls > 0:
            self.calls -= 1
            raise UnavailableError("the store is down")
        return [echo(delivery) for delivery in batch]


class PatientStage(EchoStage):
    """Lets one message wait until it is told that the time has come."""

    def __init__(self, waits: str, inputs: Sequence[str] = ("in",)) -> None:
        super().__init__(inputs)
        self.waits = waits
        self.ready = False

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Retry the one, echo the others."""
        return [Retry("not yet") if entry_of(d) == self.waits and not self.ready else echo(d) for d in batch]


class BlockingStage(EchoStage):
    """Holds a batch in hand until released."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Wait."""
        self.entered.set()
        await self.release.wait()
        return [echo(delivery) for delivery in batch]
