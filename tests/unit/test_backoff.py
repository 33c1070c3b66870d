"""Waits between tries: doubling, bounded, with jitter."""

import random

import pytest

from newswire.backoff import Backoff

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("failures", "full"), [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 50.0), (10**9, 50.0)]
)
def test_waits_double_up_to_the_ceiling(failures: int, full: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many failures there were."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)

    assert Backoff(1.0, 50.0).seconds(failures) == full


def test_a_wait_is_half_to_all_of_its_time() -> None:
    """So that those who failed together do not come back together."""
    waits = [Backoff(1.0, 50.0).seconds(3) for _ in range(200)]

    assert all(2.0 <= wait <= 4.0 for wait in waits)
    assert len(set(waits)) > 100
