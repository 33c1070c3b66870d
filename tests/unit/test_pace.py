"""How batches grow while they are quick, and shrink when they are slow."""

import pytest

from newswire.pace import GOOD_SECONDS, Pace

pytestmark = pytest.mark.unit

QUICK, SLOW = GOOD_SECONDS / 10, GOOD_SECONDS * 2


def test_the_first_batch_is_as_large_as_said() -> None:
    """But never larger than the ceiling."""
    assert Pace(64, 1000).size == 64
    assert Pace(64, 10).size == 10


def test_full_batches_that_are_quick_grow_to_the_ceiling() -> None:
    """Doubling each time, and no further."""
    pace, sizes = Pace(10, 70), []
    for _ in range(5):
        pace.took(pace.size, QUICK)
        sizes.append(pace.size)

    assert sizes == [20, 40, 70, 70, 70]


def test_a_batch_that_is_not_full_says_nothing() -> None:
    """There was no more to take."""
    pace = Pace(10, 70)
    pace.took(9, QUICK)
    pace.took(1, GOOD_SECONDS)

    assert pace.size == 10


@pytest.mark.parametrize(("messages", "then"), [(64, 32), (20, 10), (3, 1), (1, 1)])
def test_a_slow_batch_halves_what_was_in_it(messages: int, then: int) -> None:
    """Not the size that it might have had; one message is always taken."""
    pace = Pace(64, 1000)
    pace.took(messages, SLOW)

    assert pace.size == then


def test_larger_than_expected_counts_as_full() -> None:
    """A size that shrank while a batch was on its way."""
    pace = Pace(4, 1000)
    pace.took(50, QUICK)
    assert pace.size == 8
    pace.took(50, SLOW)
    assert pace.size == 4


def test_slow_batches_shrink_to_a_floor() -> None:
    """Where they are slow for other reasons than their size."""
    pace = Pace(first=64, ceiling=100, floor=30)
    for _ in range(5):
        pace.took(pace.size, 10.0)

    assert pace.size == 30
    assert Pace(first=64, ceiling=10, floor=30).size == 10
