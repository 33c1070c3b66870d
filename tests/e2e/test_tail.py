"""``newswire tail`` and a program that subscribes, as people start them."""

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest
from e2e.conftest import Demo
from e2e.harness import NEWSWIRE, environment, newswire, on_log, rows, started, until
from unit.scenes import enriched, outcome, publish, removed

from newswire.events import Enriched
from newswire.log import Log

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ALL = ("--from", "beginning", "--no-follow")
HOSTILE = "Title\x1b]0;owned\x07\x9b2J\u202e"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose log holds three articles, a withdrawal and an outcome."""

    async def fill(log: Log) -> None:
        kyiv = {"name": "Kyiv", "type": "place", "wikidata": "Q1899", "salience": 1}
        await publish(log, enriched(article_id="a", title="Talks", outlet="The Courier"))
        await publish(log, enriched(article_id="b", title="Gespräche", language="de", topics=[]))
        await publish(log, enriched(article_id="c", title=HOSTILE, topics=[], entities=[kyiv]))
        await publish(log, removed(Enriched, "w"), outcome("e1"))

    (tmp_path / "var").mkdir()
    on_log(tmp_path / "var" / "newswire.db", fill)
    return tmp_path


def shown(folder: Path, *arguments: str) -> list[str]:
    """Return the keys that are shown."""
    done = newswire(folder, "tail", *arguments, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    return sorted(row["key"] for row in rows(done.stdout))


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ((), ["a", "b", "c", "w"]),
        (("--topic", "nato-bid"), ["a", "w"]),
        (("--entity", "kyiv"), ["c", "w"]),
        (("--entity", "Q1899", "--language", "de"), ["w"]),
        (("--language", "de", "--language", "fr"), ["b", "w"]),
        (("--from", "1h"), ["a", "b", "c", "w"]),
        (("--from", "2100-01-01"), []),
        (("--from", "end"), []),
    ],
)
def test_filters_and_starts(folder: Path, arguments: tuple[str, ...], keys: list[str]) -> None:
    """Any of one kind, all kinds; a withdrawal passes all."""
    assert shown(folder, "enriched", *ALL, *arguments) == keys


def test_json_lines_have_all_of_a_record(folder: Path) -> None:
    """With the value as JSON, null where there is none."""
    found = {row["key"]: row for row in rows(newswire(folder, "tail", "enriched", *ALL, "--json").stdout)}

    assert set(found["a"]) == {"topic", "partition", "offset", "key", "timestamp", "headers", "value"}
    assert found["a"]["value"]["title"] == "Talks"
    assert found["a"]["headers"]["ce_type"] == found["a"]["topic"] == "newswire.enriched.v1"
    assert found["w"]["value"] is None
    assert found["c"]["value"]["title"] == HOSTILE


def test_people_get_two_lines_without_colour_or_control_characters(folder: Path) -> None:
    """Into a file or a pipe."""
    done = newswire(folder, "tail", "newswire.enriched.v1", *ALL)

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 8
    assert "  The Courier · en · #nato-bid · https://courier.example" in done.stdout
    assert all(character.isprintable() or character == "\n" for character in done.stdout)


def test_on_a_terminal_only_our_own_colours_are_sent(folder: Path) -> None:
    """The title's escapes are dead, and each line stays within the width."""
    ours, theirs = pty.openpty()
    command = [str(NEWSWIRE), "tail", "enriched", *ALL]
    env = environment(TERM="xterm", COLUMNS="40")
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    output = b""
    try:
        while part := os.read(ours, 4096):
            output += part
    except OSError:  # how Linux says that the other end is closed
        pass
    process.wait(timeout=20)
    os.close(ours)

    assert process.returncode == 0
    assert b"\x1b[1m" in output
    assert b"\x1b]" not in output
    assert b"\xc2\x9b" not in output
    assert len(output.splitlines()) == 8


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_follows_until_it_is_stopped(folder: Path, number: signal.Signals) -> None:
    """What comes after the start is shown at once; a signal ends it with 0 and no noise."""
    log = folder / "var" / "newswire.db"
    with started(folder, "tail", "outcomes", "--from", "beginning", "--json") as process:
        until(lambda: len(rows((folder / "tail.log").read_text())) == 1)
        on_log(log, lambda log: publish(log, outcome("e2")))
        until(lambda: len(rows((folder / "tail.log").read_text())) == 2)
        process.send_signal(number)
        process.wait(timeout=20)

    assert process.returncode == 0
    assert [row["key"] for row in rows((folder / "tail.log").read_text())] == ["e1", "e2"]


def test_count_stops_after_so_many(folder: Path) -> None:
    """Also while it would follow."""
    assert len(shown(folder, "enriched", "--from", "beginning", "--count", "2")) == 2


def test_a_reader_that_goes_away_ends_it_quietly(folder: Path) -> None:
    """As in ``newswire tail … | head -1``."""
    line = (
        f"{NEWSWIRE} tail enriched --from beginning --no-follow --json | head -c 1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(), capture_output=True, check=True
    )

    assert done.stdout == b"{0\n"
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("enrichd",), "no topic is named 'enrichd'; did you mean enriched"),
        (("enriched", "--from", "soon"), "--from 'soon': beginning, end, a time"),
        (("outcomes", "--topic", "x"), "newswire.outcomes.v1 cannot be filtered by topic"),
    ],
)
def test_a_wrong_question_is_answered_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """With exit code 2."""
    done = newswire(tmp_path, "tail", *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(f"newswire: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_the_articles_of_the_demo_can_be_followed(demo: Demo) -> None:
    """Those about the talks in Berlin, as the README shows."""
    env = {"NEWSWIRE_LOG": demo.address}
    done = newswire(demo.folder, "tail", "enriched", "--topic", "berlin-talks", *ALL, "--json", env=env)
    found = rows(done.stdout)

    assert found
    for row in found:
        assert row["value"] is None or "berlin-talks" in {tag["id"] for tag in row["value"]["topics"]}
