"""Settings: from the environment, checked, with errors that name the variable."""

from pathlib import Path

import pytest
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from newswire.errors import SettingsError
from newswire.settings import DEFAULT_ADDRESS, Settings, check_names, load, load_settings, variables

pytestmark = pytest.mark.unit


class KitchenSettings(BaseSettings):
    """Settings of a service that is not ours."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_KITCHEN_", frozen=True)

    pots: int = Field(3, ge=1)


def test_without_variables_the_defaults_hold() -> None:
    """A laptop needs no settings."""
    settings = load_settings()

    assert settings.log == settings.store == DEFAULT_ADDRESS
    assert (settings.prefix, settings.partitions, settings.workers) == ("", 12, None)


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its type; case does not matter."""
    monkeypatch.setenv("NEWSWIRE_LOG", "sqlite:///x.db")
    monkeypatch.setenv("newswire_partitions", "5")
    monkeypatch.setenv("NEWSWIRE_CACHE", "/x")
    settings = load_settings()

    assert (settings.log, settings.partitions, settings.cache) == ("sqlite:///x.db", 5, Path("/x"))


def test_settings_do_not_change() -> None:
    """What the start read holds until the end."""
    with pytest.raises(ValidationError):
        load_settings().prefix = "x"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEWSWIRE_PARTITIONS", "many"),
        ("NEWSWIRE_PARTITIONS", "0"),
        ("NEWSWIRE_PARTITIONS", "1001"),
        ("NEWSWIRE_WORKERS", "0"),
        ("NEWSWIRE_WORKERS", "257"),
        ("NEWSWIRE_PREFIX", "with space"),
        ("NEWSWIRE_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was given."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"^{name}: .*given: '{value}'"):
        load_settings()


def test_a_bad_value_of_a_service_names_the_services_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the service's own prefix."""
    monkeypatch.setenv("NEWSWIRE_KITCHEN_POTS", "-1")
    with pytest.raises(SettingsError, match=r"^NEWSWIRE_KITCHEN_POTS: "):
        load(KitchenSettings)


def test_the_variables_of_a_class_are_known() -> None:
    """By its prefix and its fields."""
    assert variables(KitchenSettings) == {"NEWSWIRE_KITCHEN_POTS"}
    assert "NEWSWIRE_LOG_LEVEL" in variables(Settings)


def test_an_unknown_setting_is_named_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt one would otherwise be a silent default."""
    monkeypatch.setenv("NEWSWIRE_PARTITONS", "5")
    message = r"^unknown setting NEWSWIRE_PARTITONS; did you mean NEWSWIRE_PARTITIONS\?$"
    with pytest.raises(SettingsError, match=message):
        check_names([Settings])


def test_an_unknown_setting_like_no_other_is_just_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """No guess is better than a bad one."""
    monkeypatch.setenv("NEWSWIRE_ZZZZZZZZZZZZZZZZ", "5")
    with pytest.raises(SettingsError, match=r"^unknown setting NEWSWIRE_ZZZZZZZZZZZZZZZZ$"):
        check_names([Settings])


def test_unknown_settings_are_found_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """As known ones are read in any case."""
    monkeypatch.setenv("newswire_stor", "x")
    with pytest.raises(SettingsError, match="did you mean NEWSWIRE_STORE"):
        check_names([Settings])


@pytest.mark.parametrize(
    "name", ["NEWSWIRE_LOG", "newswire_log", "NEWSWIRE_TEST_KAFKA", "NEWSWIRE_PARENT", "OTHER_LOG"]
)
def test_what_is_known_or_not_ours_is_let_be(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, those of the tests, what a process tells its children, and other programs'."""
    monkeypatch.setenv(name, "1")
    check_names([Settings])


def test_settings_of_services_elsewhere_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """One environment serves all containers; with the service here its names are checked."""
    monkeypatch.setenv("NEWSWIRE_KITCHEN_PANS", "1")
    check_names([Settings], ["NEWSWIRE_KITCHEN_"])
    with pytest.raises(SettingsError, match="did you mean NEWSWIRE_KITCHEN_POTS"):
        check_names([Settings, KitchenSettings])
