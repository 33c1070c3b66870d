"""The reference pages: made from the code, checked in, whole."""

import pytest
import typer
from typer.main import get_command

from newswire import cli, reference
from newswire.service import installed
from newswire.settings import Settings, variables

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
