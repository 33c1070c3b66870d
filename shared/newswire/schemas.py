"""JSON Schemas of the events, for readers in other languages; ``python -m newswire.schemas`` writes them."""

import json
import sys
from pathlib import Path
from typing import Any

from newswire.events import EVENTS, Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parents[1] / "schemas"  # of a checkout


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


def main() -> None:
    """Write the files."""
    for name, text in schema_files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stderr.write(f"{len(EVENTS)} schemas in {FOLDER.name}\n")


if __name__ == "__main__":
    main()
