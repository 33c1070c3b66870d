"""Passwords and keys: from a variable or a file, never half of a log-in, and shown nowhere."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from newswire.credentials import secret_from
from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire.kibana_settings import KibanaSettings
from newswire.settings import load

pytestmark = pytest.mark.unit

SECRET = "hunter2-secret"  # noqa: S105 - to look for it where it must not be
VARIABLE = "NEWSWIRE_ELASTICSEARCH_PASSWORD"
both = pytest.mark.parametrize("settings", [ElasticsearchSettings, KibanaSettings])


def prefix_of(settings: type[BaseSettings]) -> str:
    """Return what the variables of a class begin with."""
    return str(settings.model_config.get("env_prefix"))


@both
@pytest.mark.parametrize(
    "given",
    [
        {"USERNAME": "desk"},
        {"PASSWORD": SECRET},
        {"PASSWORD_FILE": "/run/secrets/x"},
        {"USERNAME": "desk", "PASSWORD": SECRET, "PASSWORD_FILE": "/run/secrets/x"},
    ],
)
def test_half_a_log_in_is_refused_without_saying_it(
    monkeypatch: pytest.MonkeyPatch, settings: type[BaseSettings], given: dict[str, str]
) -> None:
    """The variables are named, what they hold is not."""
    for name, value in given.items():
        monkeypatch.setenv(prefix_of(settings) + name, value)
    with pytest.raises(SettingsError) as caught:
        load(settings)

    assert prefix_of(settings) in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@both
def test_a_whole_log_in_is_taken_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, settings: type[BaseSettings]
) -> None:
    """A password stands in no representation of the settings."""
    monkeypatch.setenv(prefix_of(settings) + "USERNAME", "desk")
    monkeypatch.setenv(prefix_of(settings) + "PASSWORD", SECRET)

    assert SECRET not in repr(load(settings))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"api_key": SECRET, "api_key_file": Path("key")}, "API_KEY_FILE"),
        ({"api_key": SECRET, "username": "desk", "password": SECRET}, "USERNAME"),
        ({"api_key_file": Path("key"), "username": "desk", "password": SECRET}, "USERNAME"),
    ],
)
def test_a_user_and_a_key_exclude_each_other(given: dict[str, Any], named: str) -> None:
    """Elasticsearch is asked as one of them."""
    with pytest.raises(ValueError, match=f"NEWSWIRE_ELASTICSEARCH_{named}") as caught:
        ElasticsearchSettings(**given)

    assert SECRET not in str(caught.value)


def test_a_file_holds_the_secret_up_to_its_line_end(tmp_path: Path) -> None:
    """White space inside belongs to it; the editor's line end does not."""
    file = tmp_path / "secret"
    file.write_text(f" {SECRET} \r\n", encoding="utf-8")

    assert secret_from(VARIABLE, None, file) == f" {SECRET} "
    assert secret_from(VARIABLE, SecretStr(SECRET), None) == SECRET
    assert secret_from(VARIABLE, None, None) is None


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_secret_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty or unreadable: the error names the variable."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"{VARIABLE}_FILE"):
        secret_from(VARIABLE, None, file)
