"""How much more a recent article counts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_index.recency import MICROSECONDS_A_DAY, factor, microseconds

pytestmark = pytest.mark.unit

NOW = microseconds(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("days_old", "half_life", "expected"),
    [(0, 7, 2.0), (7, 7, 1.5), (14, 7, 1.25), (-3, 7, 2.0), (10_000, 7, 1.0), (1, 0, 1.0), (0, 1e-300, 2.0)],
)
def test_a_score_counts_twice_at_first_and_once_in_the_end(
    days_old: float, half_life: float, expected: float
) -> None:
    """The half more is halved with each half-life; no half-life is no boost; the future is now."""
    assert factor(NOW - int(days_old * MICROSECONDS_A_DAY), NOW, half_life) == pytest.approx(expected)


@given(st.integers(-(2**63), 2**63), st.integers(-(2**63), 2**63), st.floats(0, 36_500))
def test_no_date_and_no_half_life_is_an_error(dated_at: int, clock: int, half_life: float) -> None:
    """A factor is between one and two, whatever a cursor made by hand says of the time."""
    assert 1.0 <= factor(dated_at, clock, half_life) <= 2.0
