"""What a subscription refuses before it has begun."""

from typing import Any

import pytest

import newswire
from newswire.errors import SettingsError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("group", ["ingest", "enrich", "index"])
def test_our_own_groups_are_refused(group: str) -> None:
    """A stranger in them would take messages away from a stage."""
    with pytest.raises(SettingsError, match=f"'{group}' is Newswire's own"):
        newswire.subscribe("enriched", group=group)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"topic": "enrichd"}, "did you mean enriched"),
        ({"topic": "dead-letters"}, "holds no events"),
        ({"group": ""}, "letters, digits"),
        ({"group": "my app"}, "letters, digits"),
        ({"group": "x" * 201}, "letters, digits"),
        ({"start": "middle"}, "beginning or the end"),
        ({"topics": "nato-bid"}, "list of words"),
        ({"topic": "outcomes", "languages": ["en"]}, "cannot be filtered by language"),
    ],
)
def test_what_cannot_be_is_refused_at_once(arguments: dict[str, Any], why: str) -> None:
    """Where the mistake stands, not when the first article would have come."""
    with pytest.raises(SettingsError, match=why):
        newswire.subscribe(**{"topic": "enriched", "group": "my-app", **arguments})


def test_a_misspelt_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by every command."""
    monkeypatch.setenv("NEWSWIRE_LOGG", "kafka://x")
    with pytest.raises(SettingsError, match="NEWSWIRE_LOG"):
        newswire.subscribe("enriched", group="my-app")
