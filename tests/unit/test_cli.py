"""The command line as a whole: help, errors in one line, and what starting it costs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from newswire import cli
from newswire.errors import SettingsError, UnavailableError

pytestmark = pytest.mark.unit

HEAVY = {"pydantic", "spacy", "trafilatura", "aiohttp", "rich.progress", "lxml", "sqlite3"}
WHAT_HELP_IMPORTS = """
import json, sys
from newswire import cli
sys.argv = ["newswire", "--help"]
try:
    cli.main()
finally:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def newswire(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = "from newswire.cli import main; main()"
    environment = {**os.environ, "COLUMNS": "200", **variables}
    return subprocess.run(
        [sys.executable, "-c", command, *arguments],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip


def test_help_lists_the_commands_of_all_distributions() -> None:
    """Those of the pipeline and those of each service."""
    said = newswire("--help")

    assert said.returncode == 0
    for name in ("run", "ledger", "trace", "feeds", "extract", "enrich", "search", "demo"):
        assert f" {name} " in said.stdout


def test_help_imports_nothing_heavy() -> None:
    """It answers at once, whatever is installed."""
    said = subprocess.run(
        [sys.executable, "-c", WHAT_HELP_IMPORTS], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(said.stderr))

    assert "newswire.cli" in loaded
    assert HEAVY & loaded == set()


def test_an_error_of_ours_is_one_line(tmp_path: Path) -> None:
    """On standard error, with exit code 2 and no traceback."""
    said = newswire("ledger", NEWSWIRE_LOG="ftp://x", NEWSWIRE_CACHE=str(tmp_path))

    assert said.returncode == cli.WRONG
    assert said.stdout == ""
    assert said.stderr == "newswire: NEWSWIRE_LOG: expected sqlite:///… or kafka://…, not ftp:…\n"


def test_an_unknown_option_is_the_users_to_mend() -> None:
    """Exit code 2, as for any wrong question."""
    assert newswire("ledger", "--jsn").returncode == cli.WRONG


def test_the_answer_no_is_exit_code_1(tmp_path: Path) -> None:
    """An article that nobody knows."""
    said = newswire("trace", "nothing", NEWSWIRE_LOG=f"sqlite:///{tmp_path / 'log.db'}")

    assert said.returncode == cli.FAILED
    assert said.stdout == "nothing is known of nothing\n"


def test_a_balanced_ledger_is_exit_code_0(tmp_path: Path) -> None:
    """As one row for machines."""
    said = newswire("ledger", "--json", NEWSWIRE_LOG=f"sqlite:///{tmp_path / 'log.db'}")

    assert said.returncode == cli.OK
    assert json.loads(said.stdout)["seen"] == 0


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("bad"),
        ExceptionGroup("two", [ValueError("x"), ExceptionGroup("one", [UnavailableError("bad")])]),
    ],
)
def test_errors_of_ours_are_found_in_groups(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A task group wraps what it raises."""

    def failing() -> None:
        raise error

    monkeypatch.setattr(cli, "register_all", lambda _: None)
    monkeypatch.setattr(cli, "app", failing)
    with pytest.raises(SystemExit) as caught:
        cli.main()

    assert caught.value.code == cli.WRONG
    assert capsys.readouterr().err == "newswire: bad\n"


@pytest.mark.parametrize("error", [ValueError("a mistake"), ExceptionGroup("one", [ValueError("x")])])
def test_mistakes_of_ours_are_not_hidden(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """They keep their traceback."""

    def failing() -> None:
        raise error

    monkeypatch.setattr(cli, "register_all", lambda _: None)
    monkeypatch.setattr(cli, "app", failing)
    with pytest.raises(type(error)):
        cli.main()
