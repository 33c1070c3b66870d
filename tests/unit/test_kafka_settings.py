"""Settings of Kafka: what belongs together, and that passwords are shown nowhere."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from newswire.errors import SettingsError
from newswire.kafka_settings import KafkaSettings
from newswire.settings import load

pytestmark = pytest.mark.unit

SECRET = "hunter2-secret"  # noqa: S105 - to look for it where it must not be
USER = {"NEWSWIRE_KAFKA_USERNAME": "desk"}
PASSWORD = {"NEWSWIRE_KAFKA_PASSWORD": SECRET}
FILE = {"NEWSWIRE_KAFKA_PASSWORD_FILE": "/run/secrets/kafka"}
TLS = {"NEWSWIRE_KAFKA_TLS": "true"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**USER, **PASSWORD, **FILE}, ["NEWSWIRE_KAFKA_PASSWORD", "NEWSWIRE_KAFKA_PASSWORD_FILE"]),
        (USER, ["NEWSWIRE_KAFKA_USERNAME", "password"]),
        (PASSWORD, ["NEWSWIRE_KAFKA_USERNAME", "password"]),
        (FILE, ["NEWSWIRE_KAFKA_USERNAME", "password"]),
        ({"NEWSWIRE_KAFKA_CA_FILE": "ca.pem"}, ["certificates", "NEWSWIRE_KAFKA_TLS"]),
        ({"NEWSWIRE_KAFKA_CERTIFICATE_FILE": "c.pem"}, ["certificates", "NEWSWIRE_KAFKA_TLS"]),
        (
            {**TLS, "NEWSWIRE_KAFKA_KEY_FILE": "k.pem"},
            ["NEWSWIRE_KAFKA_KEY_FILE", "NEWSWIRE_KAFKA_CERTIFICATE_FILE"],
        ),
        (
            {"NEWSWIRE_KAFKA_REPLICATION": "1", "NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS": "2"},
            ["NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS", "NEWSWIRE_KAFKA_REPLICATION"],
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: list[str]
) -> None:
    """Both of them, and nothing of what they hold."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load(KafkaSettings)

    assert all(each in str(caught.value) for each in named)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "given",
    [
        {},
        {**USER, **PASSWORD},
        {**USER, **FILE},
        {**TLS, "NEWSWIRE_KAFKA_CA_FILE": "ca.pem", "NEWSWIRE_KAFKA_CERTIFICATE_FILE": "c.pem"},
        {"NEWSWIRE_KAFKA_REPLICATION": "3", "NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS": "2"},
        {"NEWSWIRE_KAFKA_REPLICATION": "1", "NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS": "1"},
        {"NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS": "2"},
        {"NEWSWIRE_KAFKA_REPLICATION": "2"},
    ],
)
def test_settings_that_fit_together_are_taken(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    """As they are."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert load(KafkaSettings).username == given.get("NEWSWIRE_KAFKA_USERNAME")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("username", ""), ("mechanism", "GSSAPI"), ("wait_seconds", -1), ("session_seconds", 0.5),
        ("hand_over_seconds", 26), ("step_seconds", 0), ("compression", "gzip"), ("replication", 0),
        ("min_insync_replicas", 0), ("max_message_bytes", 99_999),
    ],
)  # fmt: skip
def test_values_out_of_bounds_are_refused(name: str, value: Any) -> None:
    """Each setting has bounds."""
    with pytest.raises(ValidationError, match=name):
        KafkaSettings(**{name: value})


def test_the_password_is_shown_nowhere() -> None:
    """Neither in texts of the settings nor in what they are turned into."""
    settings = KafkaSettings(username="desk", password=SECRET)

    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings.model_dump()}"):
        assert SECRET not in shown
    assert settings.password is not None
    assert settings.password.get_secret_value() == SECRET


def test_settings_do_not_change() -> None:
    """Who holds them may rely on them."""
    with pytest.raises(ValidationError, match="frozen"):
        KafkaSettings().password_file = Path("x")  # type: ignore[misc]  # that is what is tried
