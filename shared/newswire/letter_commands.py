"""``newswire dead-letters``: what could not be handled, and what is to become of it."""

import sys
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from newswire.letters import Letter, Selection
    from newswire.log.port import Log
    from newswire.sending_back import Tally

T = TypeVar("T")

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As list shows them: 3-1042.")]
Stages = Annotated[list[str] | None, typer.Option("--stage", help="Who gave up; again: any of them.")]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Why; again: any of them.")]
Since = Annotated[str | None, typer.Option(help="Died since: 2h, 3d, 2026-11-20 or 2026-11-20T10:00.")]
Until = Annotated[str | None, typer.Option(help="Died before.")]
Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, for machines.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]

app = typer.Typer(
    help="Messages that could not be handled. Example: newswire dead-letters list --stage enrich",
    no_args_is_help=True,
)


def register(application: typer.Typer) -> None:
    """Add the commands."""
    application.add_typer(app, name="dead-letters")


@app.command("list")
def list_letters(
    stage: Stages = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    handled: Annotated[bool, typer.Option("--all", help="Also what was sent back or dropped.")] = False,
    as_json: Json = False,
) -> None:
    """Show dead letters, oldest first.

    Example: newswire dead-letters list --stage enrich --since 2h
    """
    from newswire.letter_reports import print_letters  # noqa: PLC0415
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire.terminal import json_line  # noqa: PLC0415

    selection = _selection(None, stage, reason, since, until, handled=handled)
    letters = on_log(lambda log: _chosen(log, selection))
    letters.sort(key=lambda letter: letter.at)
    if as_json:
        for letter in letters:
            typer.echo(json_line(letter.row()))
    else:
        print_letters(letters)


@app.command()
def show(letter_id: Annotated[str, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Show one dead letter: where it came from, its headers, the original and the error.

    Example: newswire dead-letters show 3-1042
    """
    from newswire.letter_reports import letter_text, value_row  # noqa: PLC0415
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire.terminal import json_line  # noqa: PLC0415

    selection = _selection([letter_id], None, None, None, None, handled=True)
    letters = on_log(lambda log: _chosen(log, selection))
    if not letters:
        typer.echo(f"no such dead letter: {letter_id}", err=True)
        raise typer.Exit(1)
    (letter,) = letters
    if as_json:
        row = {**letter.row(), "headers": dict(letter.record.headers), **value_row(letter)}
        typer.echo(json_line(row))
    else:
        typer.echo(letter_text(letter))


@app.command()
def replay(
    ids: Ids = None,
    stage: Stages = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send dead letters back to the stage that they came from, each key in its order.

    What was sent back or dropped before stays where it is. Exit 1 if nothing is meant, or some cannot be
    sent back.

    Example: newswire dead-letters replay --stage enrich --reason child-killed --since 2d
    """
    from newswire.sending_back import send_back  # noqa: PLC0415

    selection = _selection(ids, stage, reason, since, until)
    _act("send back", send_back, selection, yes=yes, dry_run=dry_run, as_json=as_json)


@app.command()
def drop(
    ids: Ids = None,
    stage: Stages = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Say that nothing more is to be done about dead letters; their entries stay dead-lettered.

    Example: newswire dead-letters drop 3-1042
    """
    from newswire.sending_back import drop as drop_all  # noqa: PLC0415

    selection = _selection(ids, stage, reason, since, until)
    _act("drop", drop_all, selection, yes=yes, dry_run=dry_run, as_json=as_json)


def _selection(
    ids: list[str] | None,
    stages: list[str] | None,
    reasons: list[str] | None,
    since: str | None,
    until: str | None,
    *,
    handled: bool = False,
) -> "Selection":
    """Return what was asked for; raises SettingsError for a reason or a time that is none."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.events import Reason  # noqa: PLC0415
    from newswire.letters import Selection, letter_ids  # noqa: PLC0415
    from newswire.moments import moment  # noqa: PLC0415

    unknown = set(reasons or ()) - {str(each) for each in Reason}
    if unknown:
        raise SettingsError(f"no such reason: {', '.join(sorted(unknown))}")
    now = datetime.now(UTC)
    return Selection(
        letter_ids(ids or ()),
        frozenset(stages or ()),
        frozenset(reasons or ()),
        moment(since, now) if since else None,
        moment(until, now) if until else None,
        handled,
    )


async def _chosen(log: "Log", selection: "Selection") -> "list[Letter]":
    from newswire.letters import letters_on  # noqa: PLC0415

    return await letters_on(log, selection)


def _act(
    what: str,
    act: "Callable[[Log, Sequence[Letter], str], AsyncIterator[Tally]]",
    selection: "Selection",
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Do something about the letters that are meant, and say what was done."""
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.letter_reports import print_plan, tally_rows, tally_text  # noqa: PLC0415
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire.withdraw_command import user  # noqa: PLC0415

    if selection.is_everything:
        raise SettingsError(f"say which to {what}: ids, --stage, --reason, --since or --until")

    async def work(log: "Log") -> "Tally | None":
        letters = await _chosen(log, selection)
        missing.extend(sorted(selection.ids - {letter.id for letter in letters}))
        if dry_run or not letters:
            print_plan(letters, what, as_json=as_json)
            return None
        _ask(what, len(letters), yes=yes)
        return await _done(act(log, letters, user()), len(letters), what)

    missing: list[str] = []
    tally = on_log(work)
    for each in missing:
        typer.echo(f"no dead letter {each}, or it was sent back or dropped before", err=True)
    if tally is None:
        raise typer.Exit(0 if dry_run and not missing else 1)
    typer.echo("\n".join(tally_rows(tally)) if as_json else tally_text(tally, what))
    raise typer.Exit(1 if tally.refused or missing else 0)


async def _done(tallies: "AsyncIterator[Tally]", total: int, what: str) -> "Tally":
    """Follow the sums with a bar on a terminal; return the last ones."""
    from newswire.progress import bar  # noqa: PLC0415

    last: Tally | None = None
    with bar(what, total) as moved:
        async for tally in tallies:
            moved(tally.done.total() + len(tally.refused))
            last = tally
    assert last is not None  # noqa: S101  there was at least one letter
    return last


def _ask(what: str, count: int, *, yes: bool) -> None:
    """Ask before acting on many; without a terminal to ask on, many need --yes."""
    from newswire.errors import SettingsError  # noqa: PLC0415

    if yes or count == 1:
        return
    if not sys.stdin.isatty():
        raise SettingsError(f"{count} dead letters to {what}: say --yes, or --dry-run to see them")
    typer.confirm(f"{what} {count} dead letters?", abort=True, err=True)
