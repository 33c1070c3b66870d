"""Moments as people type them."""

from datetime import UTC, datetime

import pytest

from newswire.errors import SettingsError
from newswire.moments import moment

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", "2026-11-23T11:58:30+00:00"),
        ("30m", "2026-11-23T11:30:00+00:00"),
        (" 2 H ", "2026-11-23T10:00:00+00:00"),
        ("3d", "2026-11-20T12:00:00+00:00"),
        ("2w", "2026-11-09T12:00:00+00:00"),
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("2026-11-20T10:00", "2026-11-20T10:00:00+00:00"),
        ("2026-11-20T10:00+01:00", "2026-11-20T10:00:00+01:00"),
    ],
)
def test_an_instant_a_day_or_how_long_ago(text: str, meant: str) -> None:
    """UTC where no zone is given."""
    assert moment(text, NOW).isoformat() == meant


@pytest.mark.parametrize("text", ["", "yesterday", "2y", "-2h", "2026-13-01", "999999w"])
def test_anything_else_is_refused(text: str) -> None:
    """With what may be said instead."""
    with pytest.raises(SettingsError, match="say 2h, 3d, 2026-11-20"):
        moment(text, NOW)
