"""Tables for people: what the terminal shows."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from newswire.ledger import Balance, FeedBalance
from newswire.reports import outcome_table, print_balance, print_steps
from newswire.tracing import Step

pytestmark = pytest.mark.unit

OUTCOMES = {"indexed": {"new": 3}, "discarded": {"not-found": 1, "no-text": 2}}


def screen() -> Console:
    """Return a console that remembers."""
    return Console(file=io.StringIO(), width=120)


def shown(console: Console) -> str:
    """Return what stands on it."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_outcomes_stand_by_kind_and_reason() -> None:
    """In the order in which they are given."""
    console = screen()
    console.print(outcome_table(OUTCOMES, "Ends"))
    lines = [line.replace("│", " ").split() for line in shown(console).splitlines()]

    assert lines[0] == ["Ends"]
    assert [line for line in lines if line and line[-1].isdigit()] == [
        ["indexed", "new", "3"],
        ["discarded", "not-found", "1"],
        ["discarded", "no-text", "2"],
    ]


def test_a_balance_shows_sums_feeds_and_what_is_lost() -> None:
    """With the command that looks into a loss."""
    feeds = {"https://a.example/[x]": FeedBalance(4, OUTCOMES), "b": FeedBalance(1, {})}
    console = screen()
    print_balance(Balance(8, OUTCOMES, feeds, 1, ("e9",)), console)
    text = shown(console)

    assert "8 entries seen: 6 ended, 1 in flight, 1 lost" in text
    assert "lost: e9  (newswire trace e9)" in text
    assert "https://a.example/[x]" in text
    assert "duplicate" not in text


def test_an_empty_balance_is_shown_too() -> None:
    """Before anything was seen."""
    console = screen()
    print_balance(Balance(0, {}), console)

    assert "0 entries seen: 0 ended, 0 in flight, 0 lost" in shown(console)


def test_steps_stand_line_by_line() -> None:
    """Brackets in titles are text."""
    at = datetime(2026, 11, 22, 18, 5, 9, tzinfo=UTC)
    console = screen()
    print_steps("x", [Step(at, "t.v1", 0, 3, "'Talks [in] Berlin'"), Step(at, "u.v1", 0, 0, "two")], console)

    assert shown(console).splitlines() == [
        "2026-11-22 18:05:09  t.v1  'Talks [in] Berlin'",
        "2026-11-22 18:05:09  u.v1  two",
    ]


def test_no_steps_are_said_in_words() -> None:
    """With what was asked, to the letter."""
    console = screen()
    print_steps("[bold]x", [], console)

    assert shown(console) == "nothing is known of [bold]x\n"
