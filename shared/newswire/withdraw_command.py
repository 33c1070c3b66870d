"""``newswire withdraw``: take an article out, everywhere, and keep it out."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from newswire.log.port import Log

Json = Annotated[bool, typer.Option("--json", help="A JSON row on standard output, for machines.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(withdraw)


def withdraw(
    what: Annotated[str, typer.Argument(metavar="URL|ID", help="An address of it, or its article id.")],
    reason: Annotated[str | None, typer.Option(help="Why; stands in the event.")] = None,
    by: Annotated[str | None, typer.Option(help="Who; default the user who is logged in.")] = None,
    lift: Annotated[bool, typer.Option("--lift", help="Let it come back, and fetch it anew.")] = False,
    as_json: Json = False,
) -> None:
    """Withdraw an article from the topics and the index; it does not come back at the next poll.

    An address that was never seen is kept out from the start. Exit 1 if there is nothing to lift.

    Example: newswire withdraw https://courier.example/world/x --reason "court order"
    """
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire.terminal import json_line  # noqa: PLC0415

    if lift == bool(reason and reason.strip()):
        raise SettingsError("say why with --reason, or let the article come back with --lift: one of both")

    async def work(log: "Log") -> dict[str, Any]:
        return await (_lift(log, what) if lift else _withdraw(log, what, reason or "", by or user()))

    row = on_log(work)
    typer.echo(json_line(row) if as_json else _line(row))
    raise typer.Exit(1 if row["done"] == "nothing" else 0)


async def _withdraw(log: "Log", what: str, reason: str, by: str) -> dict[str, Any]:
    from newswire.withdrawing import resolve, standing, withdraw  # noqa: PLC0415

    meant = await resolve(log, what)
    before = (await standing(log, meant.article_id)).withdrawal
    event = await withdraw(log, meant, reason=reason, by=by)
    done = "withdrawn again" if before else "withdrawn"
    return {"done": done, "resolved": meant.how, **event.model_dump(mode="json")}


async def _lift(log: "Log", what: str) -> dict[str, Any]:
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.withdrawing import lift, resolve, standing  # noqa: PLC0415

    meant = await resolve(log, what)
    before = await standing(log, meant.article_id)
    row = {"done": "nothing", "article_id": meant.article_id, "url": meant.url, "resolved": meant.how}
    if not before.known:
        return row
    url = (before.withdrawal.url if before.withdrawal else None) or meant.url
    if url is None:
        raise SettingsError(f"no address of {meant.article_id} is known: lift it by its address")
    entry = await lift(log, meant.article_id, url)
    return {**row, "done": "lifted", "url": url, "entry_id": entry.entry_id}


def _line(row: dict[str, Any]) -> str:
    """Say in a line what was done."""
    from newswire.terminal import visible  # noqa: PLC0415

    where, how = visible(row["url"] or "no address known"), visible(row["resolved"])
    which = f"article {row['article_id']} ({where}; {how})"
    if row["done"] == "nothing":
        return f"not withdrawn: {which}"
    if row["done"] == "lifted":
        return f"lifted: {which}; fetched anew as entry {row['entry_id']}"
    return f"{row['done']}: {which}"


def user() -> str:
    """Return the name of whoever is logged in."""
    import getpass  # noqa: PLC0415

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return "unknown"
