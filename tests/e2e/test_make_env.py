"""``make env``: passwords for docker-compose.yml, made once and never changed."""

import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PASSWORDS = ("ELASTIC_PASSWORD", "KIBANA_SYSTEM_PASSWORD", "INDEX_PASSWORD", "READER_PASSWORD")
KEYS = ("KIBANA_SESSION_KEY", "KIBANA_OBJECTS_KEY", "KIBANA_REPORTING_KEY")


def make_env(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run what `make env` runs, for another folder."""
    return subprocess.run(
        ["sh", ROOT / "deploy/env.sh", folder], capture_output=True, text=True, check=False, cwd=ROOT
    )


def values(folder: Path) -> dict[str, str]:
    """Return what stands in a folder's .env."""
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def mode(path: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_it_makes_a_password_for_everybody(tmp_path: Path) -> None:
    """Long, random, each another one; it shows none of them."""
    done = make_env(tmp_path)
    made = values(tmp_path)
    secrets = [made[name] for name in (*PASSWORDS, *KEYS)]

    assert done.returncode == 0, done.stderr
    assert all(re.fullmatch("[0-9a-f]{48}", secret) for secret in secrets)
    assert len(set(secrets)) == len(secrets)
    assert not any(secret in done.stdout + done.stderr for secret in secrets)


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    """The files themselves are open, as containers have other users; the folder is not."""
    make_env(tmp_path)

    assert mode(tmp_path / ".env") == 0o600
    assert mode(tmp_path / ".secrets") == 0o700
    assert {mode(path) for path in (tmp_path / ".secrets").iterdir()} == {0o444}


def test_each_file_holds_what_env_says(tmp_path: Path) -> None:
    """One for each secret that docker-compose.yml names."""
    make_env(tmp_path)
    named = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["secrets"].values()
    made = values(tmp_path)

    assert {path.name for path in (tmp_path / ".secrets").iterdir()} == {
        each["file"].rpartition("/")[2] for each in named
    }
    for name in PASSWORDS:
        assert (tmp_path / ".secrets" / name.lower()).read_text() == made[name] + "\n"


def test_kibanas_file_has_its_password_and_keys(tmp_path: Path) -> None:
    """They are in no variable, so no inspection shows them."""
    make_env(tmp_path)
    made = values(tmp_path)
    kibana = yaml.safe_load((tmp_path / ".secrets/kibana.yml").read_text())

    assert kibana["elasticsearch.password"] == made["KIBANA_SYSTEM_PASSWORD"]
    assert kibana["elasticsearch.username"] == "kibana_system"
    assert kibana["xpack.encryptedSavedObjects.encryptionKey"] == made["KIBANA_OBJECTS_KEY"]
    assert not re.search(
        r"^[^#]*(password|encryptionKey)", (ROOT / "deploy/kibana/kibana.yml").read_text(), re.MULTILINE
    )


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """What is running goes on with the passwords that it has."""
    make_env(tmp_path)
    before = {path: path.read_text() for path in [tmp_path / ".env", *(tmp_path / ".secrets").iterdir()]}
    done = make_env(tmp_path)

    assert done.stdout == ".env: nothing to make\n"
    assert {path: path.read_text() for path in before} == before


def test_what_is_there_stays(tmp_path: Path) -> None:
    """Also what is none of ours, and a last line without an end; what is empty is filled."""
    (tmp_path / ".env").write_text("KIBANA_PORT=5602\nREADER_PASSWORD=\nELASTIC_PASSWORD=of-my-own")
    done = make_env(tmp_path)
    made = values(tmp_path)

    assert done.returncode == 0, done.stderr
    assert (made["KIBANA_PORT"], made["ELASTIC_PASSWORD"]) == ("5602", "of-my-own")
    assert len(made["READER_PASSWORD"]) == 48
    assert mode(tmp_path / ".env") == 0o600


def test_a_changed_password_reaches_its_file(tmp_path: Path) -> None:
    """The same file, as a running container holds on to it."""
    make_env(tmp_path)
    file = tmp_path / ".secrets/reader_password"
    inode = file.stat().st_ino
    old = values(tmp_path)["READER_PASSWORD"]
    (tmp_path / ".env").write_text((tmp_path / ".env").read_text().replace(old, "another"))
    make_env(tmp_path)

    assert file.read_text() == "another\n"
    assert file.stat().st_ino == inode
    assert mode(file) == 0o444


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ELASTIC_PASSWORD='quoted'", "letters, digits"),
        ("ELASTIC_PASSWORD=a b", "letters, digits"),
        ("KIBANA_OBJECTS_KEY=short", "32 characters"),
    ],
)
def test_what_could_not_be_used_is_refused(tmp_path: Path, line: str, why: str) -> None:
    """Before a container trips over it, and without saying the value."""
    (tmp_path / ".env").write_text(line + "\n")
    done = make_env(tmp_path)

    assert done.returncode == 1
    assert line.partition("=")[0] in done.stderr
    assert why in done.stderr
    assert line.partition("=")[2] not in done.stderr


def test_git_ignores_what_it_makes() -> None:
    """No password is committed by mistake."""
    ignored = subprocess.run(
        ["git", "check-ignore", ".env", ".secrets/elastic_password"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ignored.stdout.split() == [".env", ".secrets/elastic_password"]
