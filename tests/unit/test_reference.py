"""The reference pages: made from the code, checked in, whole."""

import re
from typing import Any

import pytest
import typer
from typer.main import get_command

from newswire import cli, reference
from newswire.contract import TERMS
from newswire.event_page import events_page, in_words
from newswire.events import EVENTS, Event
from newswire.service import installed
from newswire.settings import Settings, variables
from newswire.topics import TOPICS

pytestmark = pytest.mark.unit


def test_the_checked_in_pages_are_those_of_the_code() -> None:
    """A changed setting or option comes with its changed page."""
    found = {name: (reference.FOLDER / name).read_text(encoding="utf-8") for name in reference.pages()}

    assert found == reference.pages(), "run: python -m newswire.reference"


def test_every_setting_stands_on_the_page_with_a_word_about_it() -> None:
    """Of all services, each by the name of its variable."""
    page = reference.settings_page()
    names = variables(Settings).union(*(variables(service.settings) for service in installed()))

    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []
    assert [line for line in page.splitlines() if line.endswith("|  |")] == []


def test_every_command_and_option_stands_on_the_page() -> None:
    """Commands inside groups too."""
    page = reference.cli_page()
    app = typer.Typer()
    cli.register_all(app)
    commands = dict(reference.leaves(get_command(app), "newswire"))

    assert {"newswire run", "newswire feeds add", "newswire search", "newswire demo"} <= commands.keys()
    assert [name for name in commands if f"\n## {name}\n" not in page] == []
    for name, command in commands.items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]

        assert command.help in section.replace("`", "")
        assert all(option in section for each in command.params for option in each.opts if "--" in option)


def test_every_command_has_an_example() -> None:
    """Whoever looks a command up can paste a line."""
    sections = reference.cli_page().split("\n## ")[1:]

    assert [section.split("\n")[0] for section in sections if "Example: `newswire" not in section] == []


def event_sections() -> dict[str, str]:
    """Return the sections of the page of events by their titles."""
    sections = events_page("made").split("\n## ")[1:]
    return {section.split("\n")[0]: section for section in sections}


def test_every_topic_stands_on_the_page_of_events() -> None:
    """With its key, how long it is kept and its headers, the one for consumers first."""
    sections = event_sections()

    assert {spec.name for spec in TOPICS} == TERMS.keys() < sections.keys()
    assert next(iter(sections)) == "newswire.enriched.v1"
    for topic in TERMS:
        assert all(f"\n- {each}: " in sections[topic] for each in ("Key", "Kept", "Written by", "Headers"))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)
def test_every_field_stands_on_the_page_with_a_word_about_it(event: type[Event]) -> None:
    """Of parts inside events too; an example shows them all."""
    section = event_sections()[event.topic]
    rows = [line for line in section.splitlines() if line.startswith("| `")]

    assert [name for name in event.model_fields if f"\n| `{name}` | " not in section] == []
    assert [row for row in rows if row.endswith("|  |")] == []
    assert "```json\n{" in section


def test_every_link_on_the_page_of_events_leads_somewhere() -> None:
    """To a section of the page, or to a file of the checkout."""
    sections = {title.lower().replace(" ", "-") for title in event_sections()}
    links = re.findall(r"\]\(([^)]+)\)", events_page("made"))

    assert [link for link in links if link.startswith("#") and link[1:] not in sections] == []
    assert [
        link for link in links if not link.startswith("#") and not (reference.FOLDER / link).exists()
    ] == []


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer", "minimum": 1}, "whole number from 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 2}, "number above 0 to 2"),
        ({"type": "string", "format": "date-time"}, "date and time"),
        ({"type": "array", "items": {"$ref": "#/$defs/Part"}}, "list of Part"),
        ({"$ref": "#/$defs/Kind"}, "`a`, `b`"),
        ({"anyOf": [{"$ref": "#/$defs/Kind"}, {"type": "string"}]}, "`a`, `b` or another"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        ({"const": "x"}, "`x`"),
        ({}, "anything"),
    ],
)
def test_types_are_told_in_plain_words(field: dict[str, Any], words: str) -> None:
    """Nobody should need to know JSON Schema to read the page."""
    parts = {"Kind": {"enum": ["a", "b"]}, "Part": {"type": "object"}}

    assert in_words(field, parts) == words
