"""``newswire index setup`` and ``users``: lines, exit codes, passwords that are never shown."""

import json
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from newswire.errors import SettingsError
from newswire.settings import load
from newswire.users_settings import UsersSettings
from newswire_index import setup_commands
from newswire_index.elastic.security import passwords_from
from newswire_index.elastic.steps import End, Step, refusal_of, step_for
from newswire_index.setup_commands import tell
from newswire_index.store import StoreUnavailableError

pytestmark = pytest.mark.unit

SECRET = "hunter2-secret"  # noqa: S105 - to look for it where it must not be
STEPS = [
    Step("policy", "newswire-articles", End.LEFT_OUT, "no ILM"),
    Step("index", "newswire-outcomes-000001", End.CREATED),
]
REFUSED = Step("index", "newswire-articles-2026.11-000001", End.REFUSED, "words cannot be changed")


def run(*arguments: str) -> Result:
    """Run a command of the group."""
    app = typer.Typer()
    setup_commands.register(app)
    return CliRunner().invoke(app, arguments)


async def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize("command", ["setup", "users"])
def test_with_a_sqlite_store_there_is_nothing_to_do(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in one line, and no failure: the same script may run at both sizes."""
    monkeypatch.setenv("NEWSWIRE_STORE", "sqlite:///var/x.db")
    result = run(command)

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("sqlite:///var/x.db is no Elasticsearch: no")


@pytest.mark.parametrize("command", ["setup", "users"])
def test_an_elasticsearch_that_is_away_is_an_error_of_ours(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line makes one line and an exit code of it."""
    monkeypatch.setenv("NEWSWIRE_STORE", "http://127.0.0.1:1")
    monkeypatch.setenv("NEWSWIRE_ELASTICSEARCH_WAIT_SECONDS", "0")

    assert isinstance(run(command).exception, StoreUnavailableError)


def test_an_address_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked."""
    monkeypatch.setenv("NEWSWIRE_STORE", "ftp://127.0.0.1:1")

    assert isinstance(run("setup").exception, SettingsError)


def test_each_thing_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """How it was left, what it is, and why."""
    tell(STEPS, as_json=False)

    assert capsys.readouterr().out.splitlines() == [
        "left out\tpolicy newswire-articles: no ILM",
        "created\tindex newswire-outcomes-000001",
    ]


def test_for_machines_each_thing_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    """With the same four things each time."""
    tell(STEPS, as_json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert rows[0] == {"what": "policy", "name": "newswire-articles", "end": "left out", "why": "no ILM"}
    assert [row["end"] for row in rows] == ["left out", "created"]


def test_whatever_is_refused_makes_the_answer_no(capsys: pytest.CaptureFixture[str]) -> None:
    """The other things are told before."""
    with pytest.raises(typer.Exit) as left:
        tell([*STEPS, REFUSED], as_json=False)

    assert left.value.exit_code == 1
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_thing_is_made_changed_or_left_as_it_is() -> None:
    """By what is there."""
    meta = {"_meta": {"newswire": True, "version": 0}}
    ends = [
        step_for("policy", "p", theirs, {**meta, "a": 1}, nothing).end
        for theirs in (None, {**meta, "a": 1}, {**meta, "a": 2}, {"a": 1})
    ]

    assert ends == [End.CREATED, End.UNCHANGED, End.UPDATED, End.REFUSED]


@pytest.mark.parametrize(
    "meta", [None, {}, {"newswire": False, "version": 1}, {"newswire": True, "version": 99}]
)
def test_what_is_not_ours_to_change_says_why(meta: dict[str, object] | None) -> None:
    """Somebody else's, or a newer one's."""
    assert refusal_of(meta)


def test_passwords_come_from_files_and_else_from_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is named on the command line wins."""
    for name in ("index", "reader", "kibana"):
        (tmp_path / name).write_text(f"{name}-of-a-file\n", encoding="utf-8")
    monkeypatch.setenv("NEWSWIRE_USERS_INDEX_PASSWORD", SECRET)
    monkeypatch.setenv("NEWSWIRE_USERS_READER_PASSWORD_FILE", str(tmp_path / "reader"))
    settings = passwords_from(None, None, None)
    named = passwords_from(tmp_path / "index", None, tmp_path / "kibana")

    assert (settings.index, settings.reader, settings.kibana) == (SECRET, "reader-of-a-file", None)
    assert (named.index, named.kibana) == ("index-of-a-file", "kibana-of-a-file")


def test_passwords_are_not_shown() -> None:
    """Not even by accident, in a log line or an error."""
    assert SECRET not in repr(UsersSettings(index_password=SecretStr(SECRET)))
    assert SECRET not in repr(passwords_from(None, None, None).__class__(index=SECRET))


def test_a_password_file_that_cannot_be_read_says_which(tmp_path: Path) -> None:
    """By the setting that would name it."""
    with pytest.raises(SettingsError, match="NEWSWIRE_USERS_INDEX_PASSWORD_FILE cannot be read"):
        passwords_from(tmp_path / "missing", None, None)


def test_a_password_that_is_given_twice_is_refused_without_saying_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could know which one holds."""
    monkeypatch.setenv("NEWSWIRE_USERS_KIBANA_PASSWORD", SECRET)
    monkeypatch.setenv("NEWSWIRE_USERS_KIBANA_PASSWORD_FILE", "/x")

    with pytest.raises(SettingsError, match="not both") as told:
        load(UsersSettings)
    assert SECRET not in str(told.value)
