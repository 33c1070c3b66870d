"""``newswire index setup`` and ``users``: make Elasticsearch ready for articles, and for those who log in."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from elasticsearch import AsyncElasticsearch

    from newswire.elasticsearch_settings import ElasticsearchSettings
    from newswire.settings import Settings
    from newswire_index.elastic.steps import Step

    Work = Callable[[AsyncElasticsearch, Settings, ElasticsearchSettings], Awaitable[Sequence[Step]]]

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, for machines.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def register(index: typer.Typer) -> None:
    """Add the commands to the group."""
    index.command()(setup)
    index.command()(users)


def setup(as_json: Json = False, dry_run: DryRun = False) -> None:
    """Make templates, the life-cycle policy and indices in Elasticsearch, or bring them up to date.

    May be repeated: it says of each thing whether it was created, updated, unchanged or refused. What is not
    ours, or was made by a newer Newswire, is never touched: then nothing is changed.
    Exit code 1 if anything was refused.

    Example: newswire index setup --dry-run
    """

    async def work(
        client: "AsyncElasticsearch", shared: "Settings", elastic: "ElasticsearchSettings"
    ) -> "Sequence[Step]":
        from datetime import timedelta  # noqa: PLC0415

        from newswire.settings import load  # noqa: PLC0415
        from newswire_index.elastic.names import ElasticNames  # noqa: PLC0415
        from newswire_index.elastic.setup import Setup  # noqa: PLC0415
        from newswire_index.settings import IndexSettings  # noqa: PLC0415

        retention = timedelta(days=load(IndexSettings).retention_days)
        return await Setup(client, ElasticNames(shared.prefix), elastic, retention).run(dry_run=dry_run)

    tell(with_elastic(work, "nothing to set up"), as_json=as_json)


def users(
    index_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of the index service's user.")
    ] = None,
    reader_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of the user who reads in Kibana.")
    ] = None,
    kibana_password_file: Annotated[
        Path | None, typer.Option(help="File with the password of kibana_system, Kibana's own.")
    ] = None,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Make the roles and users of the index service and of readers in Kibana, or bring them up to date.

    May be repeated. Log in as somebody who may do this, such as elastic. Passwords come from files, or from
    the settings NEWSWIRE_USERS_; a user without one is left out. No password is ever shown.
    Exit code 1 if anything was refused.

    Example: newswire index users --index-password-file secrets/index --kibana-password-file secrets/kibana
    """

    async def work(
        client: "AsyncElasticsearch", shared: "Settings", _: "ElasticsearchSettings"
    ) -> "Sequence[Step]":
        from newswire.kibana_settings import KibanaSettings  # noqa: PLC0415
        from newswire.settings import load  # noqa: PLC0415
        from newswire_index.elastic.names import ElasticNames  # noqa: PLC0415
        from newswire_index.elastic.security import Users, passwords_from  # noqa: PLC0415

        passwords = passwords_from(index_password_file, reader_password_file, kibana_password_file)
        made = Users(client, ElasticNames(shared.prefix), load(KibanaSettings).space)
        return await made.run(passwords, dry_run=dry_run)

    tell(with_elastic(work, "no users to make"), as_json=as_json)


def with_elastic(work: "Work", otherwise: str) -> "Sequence[Step] | None":
    """Return what is done on Elasticsearch, once it answers; None, with a line, where the store is SQLite.

    Args:
        work: what to do.
        otherwise: what to say of a store that is no Elasticsearch.
    """
    from newswire.elasticsearch_settings import ElasticsearchSettings  # noqa: PLC0415  heavy: only when run
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.settings import load, load_settings  # noqa: PLC0415
    from newswire_index.elastic.client import client_for, wait_for  # noqa: PLC0415

    settings = load_settings()
    if settings.store.startswith("sqlite:"):
        typer.echo(f"{settings.store} is no Elasticsearch: {otherwise}", err=True)
        return None
    if not settings.store.startswith(("http://", "https://")):
        raise SettingsError(f"NEWSWIRE_STORE {settings.store!r} is no address of Elasticsearch")
    elastic = load(ElasticsearchSettings)

    async def run() -> "Sequence[Step]":
        client = client_for(settings.store, elastic)
        try:
            await wait_for(client, elastic.wait_seconds)
            return await work(client, settings, elastic)
        finally:
            await client.close()

    return asyncio.run(run())


def tell(steps: "Sequence[Step] | None", *, as_json: bool) -> None:
    """Print what became of each thing; exit 1 if anything was refused."""
    from newswire_index.elastic.steps import End  # noqa: PLC0415

    for step in steps or ():
        line = f"{step.end}\t{step.what} {step.name}" + (f": {step.why}" if step.why else "")
        typer.echo(json.dumps(step.row()) if as_json else line)
    if any(step.end is End.REFUSED for step in steps or ()):
        raise typer.Exit(1)
