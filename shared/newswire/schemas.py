"""The contract's files, for readers in other languages: ``python -m newswire.schemas`` writes them.

JSON Schemas of the events, and the AsyncAPI document that refers to them. With ``--release NAME`` they are
also kept, with the bytes of example messages, for the tests of all later versions.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from newswire.errors import SettingsError
from newswire.events import EVENTS, Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parents[1] / "schemas"  # of a checkout
ASYNCAPI = "asyncapi.yaml"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """Return the schema of an event's JSON; fields that it does not name are allowed."""
    return {
        **event.model_json_schema(mode="validation"),
        "$schema": DIALECT,
        "$id": f"urn:newswire:{event.topic}",
        "title": event.topic,
    }


def schema_files() -> dict[str, str]:
    """Return the text of every schema file by its name."""
    return {
        f"{event.topic}.json": json.dumps(schema_of(event), indent=2, sort_keys=True, ensure_ascii=False)
        + "\n"
        for event in EVENTS
    }


def contract_files() -> dict[str, str]:
    """Return the text of every file of the contract by its name."""
    from newswire.asyncapi import asyncapi_text  # noqa: PLC0415  needs a developer's checkout

    return schema_files() | {ASYNCAPI: asyncapi_text()}


def main(arguments: list[str] | None = None) -> int:
    """Write the files, and keep them as a release if asked; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m newswire.schemas", description="Write the contract's files."
    )
    parser.add_argument(
        "--release", metavar="NAME", help="also keep them for ever as a release, such as 2026-11-24"
    )
    name = parser.parse_args(arguments).release
    files = contract_files()
    if name:
        from newswire.releases import release  # noqa: PLC0415  needs a developer's checkout

        try:
            release(name, files)
        except SettingsError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    for file, text in files.items():
        (FOLDER / file).write_text(text, encoding="utf-8")
    sys.stderr.write(f"{len(files)} files in {FOLDER.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
