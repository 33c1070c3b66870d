"""Alive or not, ready or not, and why."""

import pytest

from newswire.health import HUNG_SECONDS, OLD_SECONDS, Health, Report

pytestmark = pytest.mark.unit


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at some time."""
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """The health of a process whose event loop has just turned."""
    return Health(120, clock)


def test_a_process_that_starts_is_alive_and_not_ready(health: Health) -> None:
    """Nobody should start it again, or send it anything."""
    assert health.not_alive() == []
    assert health.not_ready() == ["it is starting"]


def test_with_nothing_wrong_it_is_ready(health: Health, clock: Clock) -> None:
    """The usual case."""
    health.looked(Report(clock.now))

    assert health.not_ready() == []


def test_an_event_loop_that_does_not_turn_is_not_alive(health: Health, clock: Clock) -> None:
    """Waiting will not help; a turn does."""
    health.looked(Report(clock.now))
    clock.now += HUNG_SECONDS - 1
    before = health.not_alive()
    clock.now += 1
    after = health.not_alive()
    health.beat()

    assert before == []
    assert after == ["the event loop has not turned for 30 s"]
    assert health.not_alive() == []


def test_whoever_calls_a_partition_stuck_sooner_calls_the_loop_hung_as_soon(clock: Clock) -> None:
    """One setting for those who are impatient."""
    health = Health(5, clock)
    clock.now += 5

    assert health.not_alive() == ["the event loop has not turned for 5 s"]


def test_a_stuck_partition_is_not_alive(health: Health, clock: Clock) -> None:
    """And so not ready either."""
    health.looked(Report(clock.now, stuck=("index has not moved",)))

    assert health.not_alive() == health.not_ready() == ["index has not moved"]


def test_a_dependency_that_is_down_is_no_reason_to_start_again(health: Health, clock: Clock) -> None:
    """Ready is all that the process is not."""
    health.looked(Report(clock.now, waiting=("index waits in partition 0: the store is down",)))

    assert health.not_alive() == []
    assert health.not_ready() == ["index waits in partition 0: the store is down"]


def test_an_old_report_counts_for_nothing(health: Health, clock: Clock) -> None:
    """Who does not look any more knows nothing."""
    health.looked(Report(clock.now))
    clock.now += OLD_SECONDS
    health.beat()

    assert health.not_ready() == ["nobody has looked at the partitions for 60 s"]


def test_a_process_that_stops_is_not_ready(health: Health, clock: Clock) -> None:
    """Whatever it said before."""
    health.looked(Report(clock.now))
    health.stopping()

    assert health.not_ready() == ["it is stopping"]
    assert health.not_alive() == []
