"""``newswire health``: is the process that runs here alive, or ready?"""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(health)


def health(
    url: Annotated[
        str | None, typer.Option(help="Where the process answers; default where the settings say.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Of this machine, instead of NEWSWIRE_HEALTH_PORT.")
    ] = None,
    ready: Annotated[bool, typer.Option("--ready", help="Ask whether it is ready, not just alive.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="That it has to answer.")] = 5.0,
) -> None:
    """Ask a running process how it is; exit 1 if it is not alive, or with --ready not ready.

    Example: newswire health --ready
    """
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.health_check import address, ask  # noqa: PLC0415
    from newswire.terminal import visible  # noqa: PLC0415

    where = url or address(port)
    if where is None:
        raise SettingsError("nobody answers here: set NEWSWIRE_HEALTH_PORT, or give --port or --url")
    good, text = ask(where, ready=ready, seconds=seconds)
    typer.echo(visible(text))
    raise typer.Exit(0 if good else 1)
