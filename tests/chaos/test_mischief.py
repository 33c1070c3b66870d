"""The tools of chaos themselves: the schedule, the monkey, and who polls what."""

from collections.abc import Callable
from typing import Any

import pytest
from chaos.monkey import SEED, Mischief, Monkey, chosen_seed
from chaos.schedule import Schedule
from chaos.sharing import Window, askers_of, shared_badly

pytestmark = pytest.mark.unit

FEEDS = ["https://a.example/feed", "https://b.example/feed"]
WINDOW = Window(100.0, 110.0)


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Diary(list[str]):
    """What was done, with the moments beside it."""

    def __init__(self, clock: Clock, moments: list[float]) -> None:
        super().__init__()
        self._clock, self._moments = clock, moments

    def append(self, what: str) -> None:
        """Write down what is done now."""
        super().append(what)
        self._moments.append(self._clock.now)


class DiaryReplica:
    """A replica without a process, which writes down what is done to it."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.state = "up"
        self.unasked: list[int] = []
        self._diary = diary

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self.state == "up"

    @property
    def is_down(self) -> bool:
        """Whether it is dead."""
        return self.state == "down"

    def _become(self, state: str, what: str) -> None:
        self.state = state
        self._diary.append(f"{self.name} {what}")

    def start(self) -> None:
        """Come up."""
        if self.is_down:
            self._become("up", "starts")

    def kill(self) -> None:
        """Go down."""
        self._become("down", "dies")

    def freeze(self) -> None:
        """Stand still."""
        self._become("frozen", "freezes")

    def thaw(self) -> None:
        """Go on."""
        if self.state == "frozen":
            self._become("up", "thaws")


class DiaryServer:
    """A server without a process."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self._name = name
        self._diary = diary

    def kill(self) -> None:
        """Go down."""
        self._diary.append(f"{self._name} dies")

    def start(self) -> None:
        """Come up."""
        self._diary.append(f"{self._name} starts")


def diary_of(seed: int, mischief: Mischief) -> tuple[list[str], list[DiaryReplica], Monkey]:
    """Let the monkey loose on three replicas and two servers, on a clock that does not wait."""
    clock, diary = Clock(), list[str]()
    made = [DiaryReplica(f"enrich-{number}", diary) for number in (1, 2, 3)]
    monkey, schedule = Monkey(seed, mischief, lambda _: None), Schedule(clock, clock.sleep)
    servers = {name: DiaryServer(name, diary) for name in ("broker", "elasticsearch")}
    monkey.plan(schedule, made, servers)
    schedule.run()
    return diary, made, monkey


def test_actions_happen_in_the_order_of_their_moments() -> None:
    """Also those that an action adds; equal moments in the order in which they were entered."""
    clock, done = Clock(), list[tuple[float, str]]()
    schedule = Schedule(clock, clock.sleep)

    def note(what: str) -> Callable[[], None]:
        return lambda: done.append((schedule.now, what))

    schedule.at(3.0, note("late"))
    schedule.at(1.0, lambda: schedule.after(1.0, note("added")))
    schedule.at(1.0, note("early"))
    schedule.run()

    assert done == [(1.0, "early"), (2.0, "added"), (3.0, "late")]


def test_the_same_seed_does_the_same() -> None:
    """A failure can be repeated, as far as processes allow; another seed does something else."""
    mischief = Mischief(60.0)

    assert diary_of(1, mischief)[0] == diary_of(1, mischief)[0]
    assert diary_of(1, mischief)[0] != diary_of(2, mischief)[0]


@pytest.mark.parametrize("seed", range(5))
def test_in_the_end_everybody_runs(seed: int) -> None:
    """Who was killed was started, who was frozen was thawed, the broker came back each time."""
    diary, made, monkey = diary_of(seed, Mischief(120.0, server_deaths=3))

    assert [replica.state for replica in made] == ["up"] * 3
    for server in ("broker", "elasticsearch"):
        assert (diary.count(f"{server} dies"), diary.count(f"{server} starts")) == (3, 3)
    assert monkey.done["killed"] > 3
    assert monkey.done["frozen"] > 3


def test_servers_die_one_by_one_and_at_last_together() -> None:
    """Each outage must be survived, and that of everything too."""
    diary = [each for each in diary_of(1, Mischief(120.0, server_deaths=3))[0] if "enrich" not in each]
    alone = ["elasticsearch dies", "elasticsearch starts", "broker dies", "broker starts"]

    assert diary[:8] == [*alone, *alone]
    assert set(diary[8:10]) == {"elasticsearch dies", "broker dies"}


def test_a_frozen_replica_stands_still_past_its_session() -> None:
    """A freeze that ends before would prove nothing."""
    clock, moments = Clock(), list[float]()
    diary = Diary(clock, moments)
    replica = DiaryReplica("index-1", diary)
    schedule = Schedule(clock, clock.sleep)
    monkey = Monkey(1, Mischief(20.0, gap=(3.0, 3.5), freeze_seconds=10.0, freezes=1.0), lambda _: None)
    monkey.plan(schedule, [replica], {})
    schedule.run()

    assert diary[:2] == ["index-1 freezes", "index-1 thaws"]
    assert moments[1] - moments[0] > 10.0
    assert "index-1 dies" in diary[2:]  # near the end there is no time left for a freeze


def test_the_seed_is_printed_and_can_be_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever sees a run fail can have the same one again."""
    monkeypatch.setenv(SEED, "42")
    given = chosen_seed()
    monkeypatch.delenv(SEED)
    chosen = chosen_seed()

    assert given == 42
    assert capsys.readouterr().out == f"{SEED}=42\n{SEED}={chosen}\n"


def polls(*entries: tuple[float, int, str]) -> list[dict[str, Any]]:
    """Return polls: when, which feed, who."""
    return [{"at": at, "feed": FEEDS[number], "user_agent": who} for at, number, who in entries]


EVERY_TWO_SECONDS = [(100.5 + 2 * n, number, f"ingest-{number}") for n in range(5) for number in (0, 1)]


def test_feeds_with_one_replica_each_are_shared_well() -> None:
    """What happened outside the window does not count."""
    before = (99.0, 0, "ingest-1")

    assert shared_badly(polls(before, *EVERY_TWO_SECONDS), FEEDS, WINDOW, 2.0, 0.5) == []
    assert askers_of(polls(before, *EVERY_TWO_SECONDS), WINDOW) == {"ingest-0", "ingest-1"}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([*EVERY_TWO_SECONDS, (101.6, 0, "ingest-1")], "was polled by ingest-0, ingest-1"),
        ([each for each in EVERY_TWO_SECONDS if each[1] == 1], "was polled by nobody"),
        ([each for each in EVERY_TWO_SECONDS if not 103 < each[0] < 106 or each[1]], "was not polled for"),
        ([each for each in EVERY_TWO_SECONDS if each[0] < 106 or each[1]], "was not polled for"),
        ([*EVERY_TWO_SECONDS, (101.0, 0, "ingest-0")], "was polled again after 0.5 s"),
    ],
)
def test_a_feed_with_two_replicas_or_none_is_seen(found: list[tuple[float, int, str]], said: str) -> None:
    """Also where one replica polls twice as often as it should, or stops in the middle."""
    complaints = shared_badly(polls(*found), FEEDS, WINDOW, 2.0, 0.5)

    assert complaints
    assert said in complaints[0]
    assert FEEDS[0] in complaints[0]
