"""Who disturbs: kills and freezes random replicas, and kills the servers, all from one seed."""

import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chaos.schedule import Schedule

SEED = "NEWSWIRE_TEST_CHAOS_SEED"


class Victim(Protocol):
    """A process that may be killed and frozen: a replica."""

    name: str
    unasked: list[int]

    @property
    def is_up(self) -> bool:
        """Whether it runs, and is not frozen."""

    @property
    def is_down(self) -> bool:
        """Whether there is no process."""

    def start(self) -> None:
        """Start it, if it is down."""

    def kill(self) -> None:
        """Kill it."""

    def freeze(self) -> None:
        """Let it stand still."""

    def thaw(self) -> None:
        """Let it go on."""


class Server(Protocol):
    """A broker, or an Elasticsearch, that may be killed."""

    def kill(self) -> None:
        """Kill it as ``kill -9`` does; the data stays."""

    def start(self) -> None:
        """Start it, and return when it answers."""


@dataclass(frozen=True)
class Mischief:
    """How bad it gets.

    Attributes:
        seconds: how long it lasts.
        gap: seconds between two moves, from and to.
        freeze_seconds: how long a frozen replica stands still; past its session.
        freezes: how many of the moves freeze instead of killing, as a share.
        server_deaths: of each server, spread over the time; the last at the same moment for all.
        server_away_seconds: from a death to a start.
    """

    seconds: float
    gap: tuple[float, float] = (3.0, 7.0)
    freeze_seconds: float = 10.0
    freezes: float = 0.4
    server_deaths: int = 3
    server_away_seconds: float = 5.0


class Monkey:
    """Plans mischief on a schedule, and counts what it did.

    Args:
        seed: the same seed gives the same moves, as far as the replicas are in the same state.
        mischief: how bad it gets.
        say: called with a line for each move.
    """

    def __init__(self, seed: int, mischief: Mischief, say: Callable[[str], None] = print) -> None:
        self.done: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._mischief = mischief
        self._say = say

    def plan(self, schedule: Schedule, replicas: Sequence[Victim], servers: Mapping[str, Server]) -> None:
        """Put all moves on the schedule; in the end everything runs again."""
        end = schedule.now + self._mischief.seconds
        moment = schedule.now
        while (moment := moment + self._random.uniform(*self._mischief.gap)) < end:
            schedule.at(moment, lambda: self._move(schedule, replicas, end))
        for place, (name, server) in enumerate(servers.items()):
            self._plan_server(schedule, name, server, place / len(servers))
        for replica in replicas:
            schedule.at(end, replica.start)

    def _plan_server(self, schedule: Schedule, name: str, server: Server, earlier: float) -> None:
        """Plan deaths, all but the last a part of the time between two of them earlier."""
        mischief = self._mischief
        for number in range(1, mischief.server_deaths + 1):
            share = number - (earlier if number < mischief.server_deaths else 0)
            moment = schedule.now + mischief.seconds * share / (mischief.server_deaths + 1)
            schedule.at(moment, lambda: self._did(f"{name} killed", server.kill))
            schedule.at(
                moment + mischief.server_away_seconds, lambda: self._did(f"{name} started", server.start)
            )

    def _move(self, schedule: Schedule, replicas: Sequence[Victim], end: float) -> None:
        """Kill or freeze one that is up, freeze at first; whoever ended by itself is started again."""
        freezes = self._random.random() < self._mischief.freezes or not self.done["frozen"]
        pause = self._random.uniform(0.5, 3.0)
        freeze = self._mischief.freeze_seconds + pause
        up = [replica for replica in replicas if replica.is_up]
        for replica in replicas:
            if replica.unasked and replica.is_down:
                schedule.after(1.0, replica.start)
        if not up:
            return
        victim = self._random.choice(up)
        if freezes and schedule.now + freeze < end:
            self._did(f"{victim.name} frozen", victim.freeze)
            schedule.after(freeze, victim.thaw)
        else:
            self._did(f"{victim.name} killed", victim.kill)
            schedule.after(pause, victim.start)

    def _did(self, what: str, action: Callable[[], None]) -> None:
        self._say(f"monkey: {what}")
        self.done[what.rpartition(" ")[2]] += 1
        action()


def chosen_seed() -> int:
    """Return the seed that the environment gives, or a new one; print it, so that a run can be repeated."""
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))
    print(f"{SEED}={seed}")  # noqa: T201  a failure must be repeatable
    return seed
