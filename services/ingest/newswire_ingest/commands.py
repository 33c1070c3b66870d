"""Commands of the ingest service: feeds, parse-feed, extract."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from newswire.log.port import Log

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, for machines.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Child processes; default one a core.")]

feeds = typer.Typer(help="The feed list. Example: newswire feeds import my.opml", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(feeds, name="feeds")
    app.command("parse-feed")(parse_feed)
    app.command()(extract)


@feeds.command()
def add(
    url: str,
    outlet: Annotated[str | None, typer.Option(help="Who publishes it.")] = None,
    language: Annotated[str | None, typer.Option(help="ISO 639-1, for example de.")] = None,
    interval: Annotated[float | None, typer.Option(help="Seconds between polls.", min=1)] = None,
) -> None:
    """Add a feed, or change what is said of one; the rest of it stays.

    Example: newswire feeds add https://courier.example/feeds/world.xml --outlet "The Courier"
    """
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.events import Feed  # noqa: PLC0415
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire.urls import BadUrlError, feed_id, normalise  # noqa: PLC0415
    from newswire_ingest.feed_list import feeds_on, put_feeds  # noqa: PLC0415

    try:
        address = normalise(url)
    except BadUrlError as error:
        raise SettingsError(f"not the address of a feed: {url} ({error})") from error
    given = {"outlet": outlet, "language": language, "interval_seconds": interval}

    async def work(log: "Log") -> tuple[int, int]:
        known = {feed.url: feed for feed in await feeds_on(log)}
        feed = known.get(address) or Feed(feed_id=feed_id(address), url=address)
        said = {name: value for name, value in given.items() if value is not None}
        return await put_feeds(log, [feed.model_copy(update=said)])

    added, changed = on_log(work)
    done = "added" if added else "changed" if changed else "already there"
    typer.echo(f"{done}: {address} ({feed_id(address)})")


@feeds.command("list")
def list_feeds(as_json: Json = False) -> None:
    """Show all feeds, with how the last poll of each went.

    Example: newswire feeds list --json
    """
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire_ingest.feed_list import feeds_with_status  # noqa: PLC0415

    for feed, status in on_log(feeds_with_status):
        if as_json:
            last = status.model_dump(mode="json") if status else None
            typer.echo(json.dumps({**feed.model_dump(mode="json"), "status": last}, ensure_ascii=False))
            continue
        health = "not polled yet" if status is None else status.result
        why = f": {_shown(status.message)}" if status and status.message else ""
        typer.echo(f"{feed.url}\t{feed.outlet or ''}\t{'' if feed.enabled else 'off, '}{health}{why}")


@feeds.command()
def remove(feed: Annotated[str, typer.Argument(metavar="URL|ID")]) -> None:
    """Remove a feed; articles that it brought stay.

    Example: newswire feeds remove https://courier.example/feeds/world.xml
    """
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire_ingest.feed_list import feeds_on, remove_feed  # noqa: PLC0415

    async def work(log: "Log") -> bool:
        found = [each for each in await feeds_on(log) if feed in {each.url, each.feed_id}]
        for each in found:
            await remove_feed(log, each)
        return bool(found)

    if not on_log(work):
        typer.echo(f"no such feed: {feed}", err=True)
        raise typer.Exit(1)
    typer.echo(f"removed: {feed}")


@feeds.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="A feed list; - is standard input.")],
) -> None:
    """Take over a feed list: OPML, CSV with a column url, or one address a line.

    Example: newswire feeds import my.opml
    """
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire_ingest.feed_list import import_feeds  # noqa: PLC0415

    typer.echo(f"{file}: {on_log(lambda log: import_feeds(log, file))}")


@feeds.command()
def export(file: Annotated[Path | None, typer.Argument(help="Default: standard output.")] = None) -> None:
    """Write the feed list as OPML.

    Example: newswire feeds export my.opml
    """
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.on_log import on_log  # noqa: PLC0415
    from newswire_ingest.feed_list import feeds_on  # noqa: PLC0415
    from newswire_ingest.opml import write_opml  # noqa: PLC0415

    data = write_opml(on_log(feeds_on))
    if file is None:
        sys.stdout.buffer.write(data)
        return
    try:
        file.write_bytes(data)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}") from error


def parse_feed(
    file: Annotated[Path, typer.Argument(help="A feed as it was fetched; - is standard input.")],
    url: Annotated[str, typer.Option(help="Where it was, for relative links.")] = "",
    content_type: Annotated[str | None, typer.Option(help="As the server said.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a feed holds; exit 1 if it is none.

    Example: newswire parse-feed world.xml --url https://courier.example/feeds/world.xml --json
    """
    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire_ingest.feeds import FeedError, feed_row  # noqa: PLC0415
    from newswire_ingest.feeds import parse_feed as parse  # noqa: PLC0415

    try:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    try:
        parsed = parse(body, url, content_type)
    except FeedError as error:
        row = {"error": {"code": error.code, "message": str(error)}}
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else f"{file}: {error}", err=not as_json)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(feed_row(parsed), ensure_ascii=False))
        return
    title = _shown(parsed.title) or "without a title"
    typer.echo(f"{title} ({parsed.format}, {len(parsed.entries)} entries)")
    for entry in parsed.entries:
        typer.echo(f"  {entry.published_at or ''!s:25}  {_shown(entry.title)}  {_shown(entry.url)}")


def _shown(text: str | None) -> str:
    """Return a feed's text without what could steer a terminal."""
    return "".join(character for character in text or "" if character.isprintable())


def extract(workers: Workers = None) -> None:
    """Read pages as JSON Lines on standard input, write their articles to standard output, in order.

    Lines in: {"id","url","html" or "html_path","fetched_at"?}. A bad line gets a line with an error.

    Example: newswire extract < pages.jsonl > articles.jsonl
    """
    from newswire.jsonlines import run_filter  # noqa: PLC0415
    from newswire_ingest.service import LIMITS  # noqa: PLC0415

    asyncio.run(
        run_filter(
            "newswire_ingest.child:line_handler",
            {},
            workers=workers,
            limits=LIMITS,
            source=sys.stdin.buffer,
            sink=sys.stdout,
        )
    )
