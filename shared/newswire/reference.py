"""Reference pages made from the code: ``python -m newswire.reference`` writes all of them.

Needs a checkout with all services installed, as settings and commands are found through entry points.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from newswire import cli
from newswire.event_page import events_page
from newswire.metrics import described
from newswire.service import installed
from newswire.settings import SHARED

FOLDER = Path(__file__).parents[2] / "docs" / "reference"  # of a checkout
MADE = "<!-- Made by `python -m newswire.reference`: change the code, then run it. -->"
EXAMPLE = re.compile(r"^Example: (.*)$", re.MULTILINE)
VALUES = {"bool": "", "int": " NUMBER", "float": " NUMBER", "Path": " FILE"}  # by typer's names; else TEXT


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {
        "settings.md": settings_page(),
        "cli.md": cli_page(),
        "events.md": events_page(MADE),
        "metrics.md": metrics_page(),
    }


def settings_page() -> str:
    """Return the page of all settings."""
    titles = ("All services", "Kafka", "Elasticsearch", "Users in Elasticsearch", "Kibana")
    sections: list[tuple[str, type[BaseSettings]]] = list(zip(titles, SHARED, strict=True))
    sections += [(f"The {service.name} service", service.settings) for service in installed()]
    lines = [
        "# Settings",
        "",
        MADE,
        "",
        "Environment variables, read once at the start. A variable that begins with `NEWSWIRE_` and that",
        "nobody knows stops the start, as does a value that is wrong.",
    ]
    for title, settings in sections:
        lines += ["", f"## {title}", "", str(settings.__doc__), ""]
        lines += ["| variable | default | what it is |", "|---|---|---|", *_setting_rows(settings)]
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """Return the page of all commands."""
    app = typer.Typer(name="newswire")
    cli.register_all(app)
    lines = [
        "# Commands",
        "",
        MADE,
        "",
        "Every command has `--help` (`-h`). Exit codes: 0 done, 1 the answer is no (lost, not found, not",
        "readable), 2 the question is wrong (a setting, an option, a file).",
    ]
    for name, command in leaves(typer.main.get_command(app), "newswire"):
        lines += ["", *_command_lines(name, command)]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Return the page of all metrics."""
    lines = [
        "# Metrics",
        "",
        MADE,
        "",
        "What `/metrics` of a process tells Prometheus, beside the usual `process_` figures.",
        "Labels come from small closed sets. A histogram has `_bucket`, `_sum` and `_count`.",
        "[Watch it](../how-to/watch-it.md) says how to scrape them and what to alert on.",
        "",
        "| metric | type | labels | what it is |",
        "|---|---|---|---|",
    ]
    for name, kind, labels, text in described():
        lines.append(_row(f"`{name}`", kind, ", ".join(f"`{label}`" for label in labels), text))
    return "\n".join(lines) + "\n"


def leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its full name, in order of names."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name in sorted(command.commands):
        yield from leaves(command.commands[name], f"{path} {name}")


def _setting_rows(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config.get("env_prefix", "")
    for name, info in settings.model_fields.items():
        yield _row(f"`{prefix}{name}`".upper(), _setting_default(info), info.description or "")


def _setting_default(info: FieldInfo) -> str:
    value = info.default
    if value is PydanticUndefined:
        return "found at the start"
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return "" if value in (None, "", {}) else f"`{shown}`"


def _command_lines(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    for part in (command.help, command.epilog):
        if part:
            yield from ("", EXAMPLE.sub(r"Example: `\1`", str(part).strip()))
    rows = [_parameter_row(each) for each in command.params if each.name != "help"]
    if rows:
        yield from ("", "| argument or option | default | what it is |", "|---|---|---|", *rows)


def _parameter_row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        shown = parameter.metavar or parameter.name.upper()
        return _row(f"`{shown}`", "" if parameter.required else "may be left out", parameter.help or "")
    value = f" {parameter.metavar}" if parameter.metavar else VALUES.get(parameter.bare_type(), " TEXT")
    shown = ", ".join((*parameter.opts, *parameter.secondary_opts)) + value
    default = parameter.default
    nothing = default is None or default is False or default == ""
    return _row(f"`{shown}`", "" if nothing else f"`{default}`", parameter.help or "")


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stderr.write("docs/reference written\n")


if __name__ == "__main__":
    main()
