"""``newswire demo``: serve the newsroom, and run all services on it."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    log: Annotated[
        str | None, typer.Option(help="Address of an empty log; default a fresh var/demo.db.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="Address of the store; default the same.")] = None,
    prefix: Annotated[str, typer.Option(help="Stands before topics, groups and indices.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The sums as JSON in the last line.")] = False,
    serve_only: Annotated[
        bool, typer.Option("--serve-only", help="Only serve the newsroom, until stopped.")
    ] = False,
    host: Annotated[str, typer.Option(help="Where to serve; with --serve-only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one; with --serve-only.", min=0, max=65535)] = 0,
    opml: Annotated[Path | None, typer.Option(help="Write the feed list there; with --serve-only.")] = None,
    interval: Annotated[float, typer.Option(help="Seconds between polls, in that feed list.", min=0.1)] = 1.0,
    worlds: Annotated[
        int,
        typer.Option(
            help="Serve the newsroom so often, at outlets of other names; with --serve-only.", min=1
        ),
    ] = 1,
    killers: Annotated[
        int, typer.Option(help="Pages that kill the process reading them; with --serve-only.", min=0)
    ] = 0,
) -> None:
    """Gather, enrich and search the news of a small offline world.

    Example: newswire demo --json
    """
    from newswire_newsroom import demonstration  # noqa: PLC0415  heavy: only when it runs

    if serve_only:
        served = demonstration.Served(host, port, worlds, killers)
        raise typer.Exit(demonstration.serve(served, opml, interval))
    raise typer.Exit(demonstration.demonstrate(log, store, prefix, as_json=as_json))
