"""The commands of the pipeline as a whole: run, ledger, trace, tail, topics, and what repairs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from newswire import health_command, letter_commands, replay_command, withdraw_command
from newswire.tail_command import register_tail
from newswire.topic_commands import topics

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(ledger)
    app.command()(trace)
    health_command.register(app)
    withdraw_command.register(app)
    letter_commands.register(app)
    replay_command.register(app)
    register_tail(app)
    app.add_typer(topics, name="topics")


def run(
    feeds: Annotated[
        Path | None, typer.Option(help="Feed list to take over first: OPML, CSV or plain addresses.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run this service only; may be repeated.")] = None,
    until_drained: Annotated[
        bool, typer.Option(help="Stop when every feed was polled and nothing is in flight.")
    ] = False,
) -> None:
    """Run all services in one process until stopped; it resumes where it was.

    Example: newswire run --feeds my.opml
    """
    from newswire.running import run_until  # noqa: PLC0415  heavy: only when it runs

    raise typer.Exit(run_until(feeds, only or [], until_drained=until_drained))


def ledger(as_json: Json = False) -> None:
    """Show what was seen, how it ended and what is in flight; exit 1 if anything is lost.

    Example: newswire ledger --json
    """
    from newswire.ledger import Ledger  # noqa: PLC0415
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire.reports import print_balance  # noqa: PLC0415

    balance = on_log(lambda log: Ledger(log).balance())
    if as_json:
        typer.echo(json.dumps(balance.row(), ensure_ascii=False))
    else:
        print_balance(balance)
    raise typer.Exit(1 if balance.lost else 0)


def trace(what: Annotated[str, typer.Argument(metavar="URL|ID")], as_json: Json = False) -> None:
    """Show one article's path through the stages, by any of its addresses or ids; exit 1 if unknown.

    Example: newswire trace https://courier.example/world/ukraine-nato-berlin
    """
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire.reports import print_steps  # noqa: PLC0415
    from newswire.tracing import steps_of  # noqa: PLC0415

    steps = on_log(lambda log: steps_of(log, what))
    if as_json:
        for step in steps:
            typer.echo(json.dumps(step.row(), ensure_ascii=False))
    else:
        print_steps(what, steps)
    raise typer.Exit(0 if steps else 1)
