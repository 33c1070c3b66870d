"""Dead letters for people: a table, one in full, and what was done about them.

Whatever stands in a letter comes from strangers: control characters are shown as escapes.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from newswire.letters import Letter
from newswire.sending_back import Refusal, Tally, sent_back
from newswire.terminal import json_line, visible, visible_lines

WHAT_CHARACTERS = 60  # of an address or title in the table
ERROR_CHARACTERS = 80
SHOWN_CHARACTERS = 20_000  # of an original; --json has all of it


def print_letters(letters: Sequence[Letter], console: Console | None = None) -> None:
    """Print letters as a table."""
    console = console or Console()
    if not letters:
        console.print("no dead letters")
        return
    table = Table(title=f"{len(letters)} dead letters", title_justify="left")
    for column in ("id", "died", "stage", "reason", "what", "tries", "error"):
        table.add_column(column, justify="right" if column == "tries" else "left", overflow="fold")
    for letter in letters:
        table.add_row(*(escape(visible(cell)) for cell in _cells(letter)))
    console.print(table)


def _cells(letter: Letter) -> tuple[str, ...]:
    done = f" ({letter.mark.how} by {letter.mark.by})" if letter.mark else ""
    return (
        letter.id,
        f"{letter.at:%Y-%m-%d %H:%M}",
        letter.stage,
        letter.reason + done,
        _cut(letter.told("title", "url") or letter.record.key, WHAT_CHARACTERS),
        str(letter.attempts),
        _cut(letter.error, ERROR_CHARACTERS),
    )


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def letter_text(letter: Letter) -> str:
    """Return one letter in full."""
    record = letter.record
    mark = letter.mark
    place = f"{record.headers.get('dl_partition')}-{record.headers.get('dl_offset')}"
    lines = [
        f"dead letter {letter.id}",
        f"died      {letter.at.isoformat()} in {letter.stage}, after {letter.attempts} tries",
        f"because   {letter.reason}: {letter.error}",
        f"original  {letter.topic} {place}, key {record.key}",
        f"handled   {mark.how} by {mark.by} at {mark.at}" if mark else "handled   not yet",
        "",
        *(f"{name}: {text}" for name, text in sorted(record.headers.items()) if not name.startswith("dl_")),
        "",
    ]
    return "\n".join([*(visible(line) for line in lines), _value_text(letter)])


def _value_text(letter: Letter) -> str:
    value = letter.record.value
    if value is None:
        return "(null)"
    head = "too large for the topic; this is left of it:\n" if letter.is_pointer else ""
    original = letter.original
    if original is not None:
        text = json.dumps(original, indent=2, ensure_ascii=False)
    else:
        text = f"not JSON, {len(value)} bytes:\n{value.decode('utf-8', 'backslashreplace')}"
    rest = len(text) - SHOWN_CHARACTERS
    shown = text if rest <= 0 else f"{text[:SHOWN_CHARACTERS]}\n… {rest} characters more: --json shows all"
    return head + visible_lines(shown)


def value_row(letter: Letter) -> dict[str, Any]:
    """Return the original for machines: as JSON, or its bytes in base64 if it is none."""
    if letter.record.value is None or letter.original is not None:
        return {"value": letter.original}
    return {"value_base64": base64.b64encode(letter.record.value).decode("ascii")}


def print_plan(letters: Sequence[Letter], what: str, *, as_json: bool) -> None:
    """Say what would be done; on standard error if there is nothing to do."""
    if not letters:
        typer.echo(f"no dead letter to {what}", err=True)
    elif as_json:
        for letter in letters:
            typer.echo(json_line(letter.row() | {"refused": _refused(letter, what)}))
    else:
        print_letters(letters)
        for letter in letters:
            if why := _refused(letter, what):
                typer.echo(visible(f"{letter.id} cannot be sent back: {why}"))


def _refused(letter: Letter, what: str) -> str | None:
    back = sent_back(letter) if what != "drop" else None
    return back.why if isinstance(back, Refusal) else None


def tally_rows(tally: Tally) -> Iterator[str]:
    """Yield what was done as JSON Lines."""
    refused = [{"id": letter.id, "why": why} for letter, why in tally.refused]
    yield json_line({"done": tally.done.total(), "by_stage": dict(tally.done), "refused": refused})


def tally_text(tally: Tally, what: str) -> str:
    """Return what was done for a person."""
    done = "sent back" if what == "send back" else "dropped"
    stages = ", ".join(f"{stage} {count}" for stage, count in sorted(tally.done.items()))
    lines = [f"{done}: {tally.done.total()} dead letters" + (f" ({stages})" if stages else "")]
    lines += [f"not {done}: {letter.id}: {why}" for letter, why in tally.refused]
    return "\n".join(visible(line) for line in lines)
