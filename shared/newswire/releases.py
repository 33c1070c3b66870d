"""Releases of the contract: the bytes and schemas of each, kept for ever to test later classes against.

``tests/golden/released/NAME`` holds, of one release, what its classes wrote (``<topic>.jsonl``, one message
a line), its JSON Schemas and its AsyncAPI document. Nothing there is ever rewritten: ``SHA256SUMS`` names
every file, and a new example waits for the next release.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newswire.asyncapi import GOLDEN, example
from newswire.compatibility import breaks, document_breaks
from newswire.errors import SettingsError
from newswire.events import EVENTS, Event

FOLDER = GOLDEN / "released"
SUMS = "SHA256SUMS"
NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")


def releases(folder: Path = FOLDER) -> list[Path]:
    """Return the folder of each release, the first first."""
    return sorted(path for path in folder.glob("*") if path.is_dir())


def release(name: str, files: dict[str, str], folder: Path = FOLDER) -> Path:
    """Keep today's examples and these files; raises SettingsError rather than break an earlier release."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"a release is named with letters, digits, points and dashes, not {name!r}")
    if (folder / name).exists():
        raise SettingsError(f"the release {name} is there already, and a release never changes")
    broken = [found for old in releases(folder) for found in breaks_since(old, files)]
    if broken:
        raise SettingsError("readers or messages of earlier releases would break:\n" + "\n".join(broken))
    contents = files | {f"{event.topic}.jsonl": example_lines(event) for event in EVENTS}
    (folder / name).mkdir(parents=True)
    for file, text in contents.items():
        (folder / name / file).write_text(text, encoding="utf-8")
    with (folder / SUMS).open("a", encoding="utf-8") as sums:
        sums.writelines(f"{_sum(text.encode())}  {name}/{file}\n" for file, text in sorted(contents.items()))
    return folder / name


def example_lines(event: type[Event]) -> str:
    """Return a full event, one with only what must be there, and how we would write that one."""
    examples = [example(event.topic, name) for name in ("full", "minimal", "minimal_as_written")]
    return "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in examples)


def breaks_since(old: Path, files: dict[str, str]) -> Iterator[str]:
    """Yield what would break between a release and these files of the contract."""
    for path in sorted((*old.glob("*.json"), *old.glob("*.yaml"))):
        if path.name not in files:
            yield f"{old.name} {path.name}: was removed"
        else:
            load, compare = (json.loads, breaks) if path.suffix == ".json" else (_yaml, document_breaks)
            before, after = load(path.read_text(encoding="utf-8")), load(files[path.name])
            yield from (f"{old.name} {path.stem} {found}" for found in compare(before, after))


def _yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415  see newswire.asyncapi

    return yaml.safe_load(text)


def tampered(folder: Path = FOLDER) -> list[str]:
    """Return the files that are not as they were when they were released, are missing, or were slipped in."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    kept = {name: known for known, _, name in (line.partition("  ") for line in lines)}
    found = {
        str(path.relative_to(folder)): _sum(path.read_bytes())
        for path in folder.glob("*/*")
        if path.is_file()
    }
    return sorted(name for name in kept.keys() | found.keys() if kept.get(name) != found.get(name))


def _sum(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def messages(old: Path, event: type[Event]) -> list[bytes]:
    """Return the messages that a release keeps of an event, none if it did not know it."""
    path = old / f"{event.topic}.jsonl"
    return path.read_bytes().splitlines() if path.exists() else []


def schema(old: Path, event: type[Event]) -> dict[str, Any] | None:
    """Return a release's schema of an event."""
    path = old / f"{event.topic}.json"
    return json.loads(path.read_bytes()) if path.exists() else None
