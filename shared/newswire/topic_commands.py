"""``newswire topics``: make the topics of the log, and see that they are kept as they should be."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from newswire.log.port import Log, TopicSpec, TopicState

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, for machines.")]

topics = typer.Typer(help="The topics of the log. Example: newswire topics create", no_args_is_help=True)


@topics.command()
def create(as_json: Json = False) -> None:
    """Make the topics that are missing; what is there is never changed or deleted. May be repeated.

    Exit code 1 if a topic that was there is not kept as it should be.

    Example: newswire topics create
    """

    async def work(log: "Log", specs: "Sequence[TopicSpec]") -> "list[TopicState]":
        for name in await log.create_topics(specs):
            typer.echo(f"made: {name}", err=as_json)
        return await log.topic_states(specs)

    _tell(_with_topics(work), as_json=as_json)


@topics.command()
def check(as_json: Json = False) -> None:
    """Say how topics differ from what they should be; exit code 1 if one does.

    Example: newswire topics check --json
    """

    async def work(log: "Log", specs: "Sequence[TopicSpec]") -> "list[TopicState]":
        return await log.topic_states(specs)

    _tell(_with_topics(work), as_json=as_json)


@topics.command("list")
def list_topics(as_json: Json = False) -> None:
    """Show the topics: partitions, how many offsets are given away, how each is kept.

    Example: newswire topics list
    """

    async def work(log: "Log", specs: "Sequence[TopicSpec]") -> "list[dict[str, object]]":
        there = {state.name: state.partitions for state in await log.topic_states(specs)}
        return [
            {
                "topic": spec.name, "partitions": there[spec.name], "kept": _kept(spec),
                "offsets": sum((await log.end_offsets(spec.name)).values()) if there[spec.name] else 0,
            }
            for spec in specs
        ]  # fmt: skip

    for row in _with_topics(work):
        shown = f"{row['topic']}\t{row['partitions'] or 'missing'}\t{row['offsets']}\t{row['kept']}"
        typer.echo(json.dumps(row) if as_json else shown)


def _with_topics(work: "Callable[[Log, Sequence[TopicSpec]], Awaitable[T]]") -> "T":
    from newswire.log import open_log  # noqa: PLC0415  heavy: only when a command runs
    from newswire.run import specs_of  # noqa: PLC0415
    from newswire.settings import load_settings  # noqa: PLC0415

    async def run() -> "T":
        settings = load_settings()
        log = open_log(settings.log, prefix=settings.prefix, partitions=settings.partitions)
        try:
            await log.open()
            return await work(log, specs_of(settings))
        finally:
            await log.close()

    return asyncio.run(run())


def _tell(states: "Sequence[TopicState]", *, as_json: bool) -> None:
    """Print what differs; exit 1 if anything does."""
    for state in states:
        if as_json:
            row = {"topic": state.name, "partitions": state.partitions, "differences": state.differences}
            typer.echo(json.dumps(row))
        else:
            typer.echo(f"{state.name}\t{'; '.join(state.differences) or 'as it should be'}")
    if any(state.differences for state in states):
        raise typer.Exit(1)


def _kept(spec: "TopicSpec") -> str:
    """Say how a topic is kept."""
    days = "for ever" if spec.retention_days is None else f"{spec.retention_days:g} days"
    return f"latest of each key, {days}" if spec.compacted else days
