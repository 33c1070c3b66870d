"""An outage is said once, whoever waits, and so is its end."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from newswire.errors import LogUnavailableError, UnavailableError
from newswire.outages import Outages

pytestmark = pytest.mark.unit

DOWN = UnavailableError("the store is down")


def said(lines: list[MutableMapping[str, Any]]) -> list[tuple[str, str]]:
    """Return events with their levels."""
    return [(line["event"], line["log_level"]) for line in lines]


def test_many_partitions_that_wait_are_one_line() -> None:
    """The first says what is down, the last that works again says how long it was."""
    outages = Outages("index")
    with capture_logs() as lines:
        for number in (0, 1, 0, 2, 1):
            outages.down(number, DOWN)
        for number in (1, 0, 2, 0):
            outages.back(number)

    assert said(lines) == [("dependency.down", "warning"), ("dependency.back", "warning")]
    assert lines[0]["error"] == "the store is down"
    assert lines[0]["group"] == lines[1]["group"] == "index"
    assert lines[1]["seconds"] >= 0


def test_it_is_not_back_while_one_still_waits() -> None:
    """Who says so would be wrong for that one."""
    outages = Outages("index")
    with capture_logs() as lines:
        outages.down(0, DOWN)
        outages.down(1, DOWN)
        outages.back(0)

    assert said(lines) == [("dependency.down", "warning")]


def test_the_next_outage_is_said_again() -> None:
    """Once each."""
    outages = Outages("index")
    with capture_logs() as lines:
        for _ in range(2):
            outages.down(0, DOWN)
            outages.back(0)

    assert [event for event, _ in said(lines)] == ["dependency.down", "dependency.back"] * 2


def test_who_waits_and_for_what_can_be_asked() -> None:
    """As long as it does."""
    outages = Outages("index")
    outages.down(0, DOWN)
    outages.down(3, UnavailableError("no space"))
    during = outages.reasons
    outages.back(0)
    outages.forget(3)

    assert during == {0: "the store is down", 3: "no space"}
    assert outages.reasons == {}


def test_outages_are_measured_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first that waits to the last that does, the present one included."""
    now = [100.0]
    monkeypatch.setattr("newswire.outages.time.monotonic", lambda: now[0])
    outages = Outages("index")
    measured = [outages.seconds]
    outages.down(0, DOWN)
    now[0] += 2
    outages.down(1, DOWN)
    outages.back(0)
    now[0] += 3
    measured.append(outages.seconds)
    outages.forget(1)
    now[0] += 10
    measured.append(outages.seconds)
    outages.down(0, DOWN)
    now[0] += 1
    outages.back(0)
    measured.append(outages.seconds)

    assert measured == [0, 5, 5, 6]


def test_the_logs_own_outage_is_left_to_the_log() -> None:
    """It says so itself, once for all stages."""
    with capture_logs() as lines:
        Outages("index").down(0, LogUnavailableError("Kafka is away"))

    assert said(lines) == [("dependency.down", "debug")]


def test_a_partition_that_was_let_go_says_nothing() -> None:
    """Neither that it is back nor, later, that somebody else is."""
    outages = Outages("index")
    with capture_logs() as lines:
        outages.down(0, DOWN)
        outages.forget(0)
        outages.forget(7)
        outages.back(0)

    assert said(lines) == [("dependency.down", "warning")]


def test_work_without_an_outage_says_nothing() -> None:
    """It is called after every batch."""
    with capture_logs() as lines:
        Outages("index").back(0)

    assert lines == []
