"""``newswire dead-letters`` as a user types it."""

import json
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import all_of, newswire, on_log, rows
from unit.scenes import article, entry, wrapped

from newswire.envelope import ENTRY, dead_letter
from newswire.events import Article, Entry, Reason
from newswire.log import Log, Message, Record

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

EVIL = "\x1b[2J\u202e[bold]title[/]"


def dead(event: Any, stage: str, reason: Reason) -> list[Message]:
    """Return a dead letter and its outcome."""
    sent = event if isinstance(event, Message) else wrapped(event)
    record = Record(sent.topic, 1, 17, sent.key, sent.value, sent.headers, 0)
    return dead_letter(record, stage, reason, f"died\n{EVIL}", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose log holds dead letters of two stages and one that is no event."""
    (tmp_path / "var").mkdir()

    async def fill(log: Log) -> None:
        await log.publish([wrapped(entry(f"e{n}")) for n in range(4)])
        await log.publish([
            *dead(entry("e0"), "ingest", Reason.CHILD_KILLED),
            *dead(article("e1", title=EVIL), "enrich", Reason.CPU_LIMIT),
            *dead(article("e2"), "enrich", Reason.HANDLER_FAILED),
            *dead(Message(Article.topic, "z", b"\xff\x1b{", {ENTRY: "e3"}), "enrich", Reason.UNREADABLE),
        ])  # fmt: skip

    on_log(tmp_path / "var" / "newswire.db", fill)
    return tmp_path


def listed(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Return the listed letters by their entries."""
    done = newswire(folder, "dead-letters", "list", "--json", *options)
    assert done.returncode == 0, done.stderr
    return {row["entry_id"]: row for row in rows(done.stdout)}


def on_topic(folder: Path, event: Any) -> list[str]:
    """Return the entries of what lies on a topic."""
    found = on_log(folder / "var" / "newswire.db", lambda log: all_of(log, event))
    return [each.entry_id for each in found]


def test_letters_are_listed_and_chosen(folder: Path) -> None:
    """By stage, reason and time; for people without anything that steers the terminal."""
    shown = newswire(folder, "dead-letters", "list")
    everything = listed(folder)

    assert set(everything) == {"e0", "e1", "e2", "e3"}
    assert set(listed(folder, "--stage", "enrich")) == {"e1", "e2", "e3"}
    assert set(listed(folder, "--reason", "cpu-limit", "--reason", "unreadable")) == {"e1", "e3"}
    assert set(listed(folder, "--since", "1h", "--until", "2030-01-01")) == set(everything)
    assert listed(folder, "--until", "1h") == {}
    assert all(row["id"] in shown.stdout for row in everything.values())
    assert "4 dead letters" in shown.stdout
    assert (EVIL in shown.stdout, "\x1b" in shown.stdout, "\u202e" in shown.stdout) == (False, False, False)
    assert "[bold]" in shown.stdout


def test_one_letter_is_shown_in_full(folder: Path) -> None:
    """The original, readable or not, and what happened."""
    letters = listed(folder)
    evil, strange = letters["e1"]["id"], letters["e3"]["id"]
    shown = newswire(folder, "dead-letters", "show", evil)
    unreadable = newswire(folder, "dead-letters", "show", strange)
    (row,) = rows(newswire(folder, "dead-letters", "show", strange, "--json").stdout)
    (whole,) = rows(newswire(folder, "dead-letters", "show", evil, "--json").stdout)
    nobody = newswire(folder, "dead-letters", "show", "0-999")

    assert f"dead letter {evil}" in shown.stdout
    assert "cpu-limit: died\\n" in shown.stdout
    assert '"text": "A text."' in shown.stdout
    assert "not JSON, 3 bytes" in unreadable.stdout
    assert "\x1b" not in shown.stdout + unreadable.stdout
    assert (row["value_base64"], whole["value"]["title"]) == ("/xt7", EVIL)
    assert whole["headers"]["dl_stage"] == "enrich"
    assert (nobody.returncode, nobody.stderr) == (1, "no such dead letter: 0-999\n")


def test_letters_go_back_and_are_not_listed_any_more(folder: Path) -> None:
    """A dry run changes nothing; the ledger counts what was sent back as on its way."""
    some = ("dead-letters", "replay", "--stage", "enrich")
    dry = newswire(folder, *some, "--dry-run")
    untouched = listed(folder)
    unasked = newswire(folder, *some)
    done = newswire(folder, *some, "--yes", "--json")
    left = listed(folder)
    ledger = newswire(folder, "ledger", "--json")

    assert ("3 dead letters" in dry.stdout, len(untouched)) == (True, 4)
    assert (unasked.returncode, "say --yes" in unasked.stderr) == (2, True)
    assert rows(done.stdout) == [{"done": 3, "by_stage": {"enrich": 3}, "refused": []}]
    assert set(left) == {"e0"}
    assert (json.loads(ledger.stdout)["in_flight"], json.loads(ledger.stdout)["lost"]) == (3, 0)
    handled = listed(folder, "--all")
    assert {each["handled"]["how"] for each in handled.values() if each["handled"]} == {"replayed"}
    assert newswire(folder, *some, "--yes").returncode == 1


def test_a_single_letter_needs_no_question(folder: Path) -> None:
    """By its id; a second time it is told that there is nothing to do."""
    name = listed(folder)["e0"]["id"]
    first = newswire(folder, "dead-letters", "replay", name)
    again = newswire(folder, "dead-letters", "replay", name)

    assert (first.returncode, first.stdout) == (0, "sent back: 1 dead letters (ingest 1)\n")
    assert on_topic(folder, Entry).count("e0") == 2
    assert again.returncode == 1
    assert f"no dead letter {name}" in again.stderr


def test_letters_are_dropped(folder: Path) -> None:
    """Nothing is sent; their entries stay dead-lettered."""
    done = newswire(folder, "dead-letters", "drop", "--reason", "handler-failed")
    ledger = json.loads(newswire(folder, "ledger", "--json").stdout)

    assert (done.returncode, done.stdout) == (0, "dropped: 1 dead letters (enrich 1)\n")
    assert set(listed(folder)) == {"e0", "e1", "e3"}
    assert ledger["outcomes"]["dead-lettered"]["handler-failed"] == 1
    trace = newswire(folder, "trace", "e2")
    assert "dropped by" in trace.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay",), "say which to send back"),
        (("drop", "--yes"), "say which to drop"),
        (("replay", "1042"), "not the id of a dead letter: '1042'; it looks like 3-1042"),
        (("list", "--reason", "bad-luck"), "no such reason: bad-luck"),
        (("list", "--since", "yesterday"), "no time: 'yesterday'"),
    ],
)
def test_a_question_that_is_wrong_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2."""
    done = newswire(tmp_path, "dead-letters", *arguments)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr


def test_there_may_be_none(tmp_path: Path) -> None:
    """Which is good."""
    assert newswire(tmp_path, "dead-letters", "list").stdout == "no dead letters\n"
