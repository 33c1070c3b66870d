"""Log lines: on standard error as it is at the time, filtered by level, JSON where nobody watches."""

import io
import json
import sys

import pytest
import structlog

from newswire.cli import prepare
from newswire.telemetry import configure

pytestmark = pytest.mark.unit


def test_lines_are_json_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with event, level and time; nothing on standard output."""
    configure()
    structlog.get_logger().warning("log.away", log="kafka://x")
    said = capsys.readouterr()
    line = json.loads(said.err)

    assert said.out == ""
    assert (line["event"], line["level"], line["log"]) == ("log.away", "warning", "kafka://x")
    assert line["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    """As the setting says."""
    configure("warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().error("loud")

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_a_command_keeps_lines_off_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """What waits for a broker says so while somebody reads JSON from standard output."""
    prepare()
    structlog.get_logger().warning("log.waiting")
    said = capsys.readouterr()

    assert said.out == ""
    assert "log.waiting" in said.err


def test_lines_follow_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is put elsewhere later, as tests do."""
    configure()
    elsewhere = io.StringIO()
    monkeypatch.setattr(sys, "stderr", elsewhere)
    structlog.get_logger().warning("there")

    assert "there" in elsewhere.getvalue()
