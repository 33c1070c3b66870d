"""``newswire search``: look for coverage in the index."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # imported inside the functions, see there
    from newswire_index.store import Query, Results

EPILOG = """Example: newswire search '"prisoner exchanges" -sport date:>=2026-11-20' --topic nato-bid"""


def register_search(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("search", epilog=EPILOG)(search)


def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY",
            help='Words, "phrases", begin*, -without, topic:, entity:, outlet:, language:, date:FROM..TO',
            show_default=False,
        ),
    ] = None,
    topic: Annotated[list[str] | None, typer.Option(help="Topic id; again: all of them")] = None,
    entity: Annotated[list[str] | None, typer.Option(help="Wikidata id, name or alias; again: all")] = None,
    outlet: Annotated[list[str] | None, typer.Option(help="Who published; again: any of them")] = None,
    language: Annotated[list[str] | None, typer.Option(help="ISO 639-1 code; again: any")] = None,
    since: Annotated[str | None, typer.Option(help="First day or instant, ISO 8601; days are UTC")] = None,
    until: Annotated[str | None, typer.Option(help="Last day or instant")] = None,
    recency: Annotated[
        float | None,
        typer.Option(
            help="Half-life in days with which recent articles count more, 0: not at all;"
            " instead of NEWSWIRE_INDEX_RECENCY",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="Articles to show, at most 1000")] = 10,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines, one article each, best first")] = False,
    store: Annotated[str | None, typer.Option(help="Address of the index, instead of NEWSWIRE_STORE")] = None,
) -> None:
    """Search the coverage: best matches first, or the newest where no words are given.

    An article has all the words; where none has, articles with any of them are shown.
    Exits 0 even if nothing is found, 1 without an index, 2 on a query that cannot be understood.
    """
    import asyncio  # noqa: PLC0415  here and below: not on the way of `newswire --help`

    from newswire.cli import FAILED, WRONG  # noqa: PLC0415
    from newswire.errors import NewswireError, SettingsError  # noqa: PLC0415
    from newswire_index.query import parse_query  # noqa: PLC0415
    from newswire_index.render import print_hits, print_lines  # noqa: PLC0415
    from newswire_index.store import Filters, QueryError  # noqa: PLC0415

    text = " ".join(words or ())
    having = Filters(tuple(topic or ()), tuple(entity or ()), tuple(outlet or ()), tuple(language or ()))
    try:
        query = parse_query(
            text,
            having=having,
            since=since,
            until=until,
            recency=_half_life() if recency is None else recency,
            limit=limit,
            facets=not json,
        )
        results = asyncio.run(_ask(query, store))
    except NewswireError as error:
        typer.echo(f"newswire search: {error}", err=True)
        raise typer.Exit(WRONG if isinstance(error, (QueryError, SettingsError)) else FAILED) from error
    if json:
        print_lines(results)
    else:
        print_hits(results, text)


def _half_life() -> float:
    from newswire.settings import load  # noqa: PLC0415
    from newswire_index.settings import IndexSettings  # noqa: PLC0415

    return load(IndexSettings).recency


async def _ask(query: "Query", address: str | None) -> "Results":
    from newswire.settings import load_settings  # noqa: PLC0415
    from newswire_index.store import open_store  # noqa: PLC0415

    settings = load_settings()
    store = open_store(address or settings.store, prefix=settings.prefix, create=False)
    await store.open()
    try:
        return await store.search(query)
    finally:
        await store.close()
