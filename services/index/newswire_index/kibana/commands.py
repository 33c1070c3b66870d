"""``newswire kibana``: bring data views, searches and dashboards to Kibana."""

from typing import Annotated

import typer

kibana = typer.Typer(help="Dashboards in Kibana. Example: newswire kibana setup", no_args_is_help=True)


@kibana.callback()
def _group() -> None:
    """Keep it a group, whatever number of commands it has."""


@kibana.command()
def setup(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be imported, as NDJSON.")
    ] = False,
) -> None:
    """Import data views, saved searches and dashboards, over those of an earlier run.

    Where Kibana is, who logs in and to which space it goes say the settings NEWSWIRE_KIBANA_…; the names
    of the indices come from NEWSWIRE_PREFIX. What others made in Kibana is not touched; a copy of a
    dashboard under another name is yours, a change of ours is undone by the next run.

    Exit code 1 if Kibana does not answer in time, 2 if it refuses.

    Example: newswire kibana setup
    """
    from newswire.settings import load_settings  # noqa: PLC0415  heavy: only when the command runs
    from newswire_index.kibana.objects import ndjson, objects  # noqa: PLC0415

    prefix = load_settings().prefix
    if dry_run:
        typer.echo(ndjson(objects(prefix)), nl=False)
        return
    _import(prefix, as_json=as_json)


def _import(prefix: str, *, as_json: bool) -> None:
    import asyncio  # noqa: PLC0415  heavy, as the others: only when the command runs
    import json  # noqa: PLC0415

    from newswire.cli import FAILED, WRONG  # noqa: PLC0415
    from newswire.errors import NewswireError, UnavailableError  # noqa: PLC0415
    from newswire.kibana_settings import KibanaSettings  # noqa: PLC0415
    from newswire.settings import load  # noqa: PLC0415
    from newswire_index.kibana.setup import set_up  # noqa: PLC0415

    try:
        brought = asyncio.run(set_up(load(KibanaSettings), prefix))
    except NewswireError as error:
        typer.echo(f"newswire kibana setup: {error}", err=True)
        raise typer.Exit(FAILED if isinstance(error, UnavailableError) else WRONG) from error
    if as_json:
        typer.echo(json.dumps(brought.row(), ensure_ascii=False))
    else:
        for line in brought.lines():
            typer.echo(line)
