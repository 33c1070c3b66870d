"""Services: found through entry points, by name, with their settings."""

import pytest

from newswire.errors import SettingsError
from newswire.service import installed, load_all

pytestmark = pytest.mark.unit


def test_all_installed_services_are_found() -> None:
    """In order of their names."""
    assert [service.name for service in installed()] == ["enrich", "index", "ingest"]


def test_services_are_chosen_by_name() -> None:
    """A name that is given twice is one service."""
    assert [service.name for service in installed(["ingest"])] == ["ingest"]
    assert [service.name for service in installed(["ingest", "enrich", "ingest"])] == ["enrich", "ingest"]


def test_an_unknown_service_is_named_with_those_that_are_there() -> None:
    """The start stops."""
    with pytest.raises(SettingsError, match=r"'indx'.*there is enrich, index, ingest"):
        installed(["ingest", "indx"])


def test_one_service_takes_feed_lists() -> None:
    """The one that polls."""
    assert [service.name for service in installed() if service.import_feeds] == ["ingest"]


def test_shared_and_own_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the services."""
    monkeypatch.setenv("NEWSWIRE_PREFIX", "t-")
    monkeypatch.setenv("NEWSWIRE_INDEX_BATCH", "7")
    settings, own = load_all(installed(["index", "ingest"]))

    assert settings.prefix == "t-"
    assert [type(each).__name__ for each in own] == ["IndexSettings", "IngestSettings"]
    assert own[0].model_dump()["batch"] == 7


def test_settings_of_services_that_do_not_run_here_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """But a misspelt one of a service that does is an error."""
    monkeypatch.setenv("NEWSWIRE_INDEX_BATSH", "7")
    load_all(installed(["ingest"]))
    with pytest.raises(SettingsError, match="NEWSWIRE_INDEX_BATCH"):
        load_all(installed(["index"]))
