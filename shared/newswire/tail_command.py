"""The command ``newswire tail``."""

from typing import Annotated

import typer


def register_tail(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tail)


def tail(
    name: Annotated[
        str, typer.Argument(metavar="TOPIC", help="As enriched, or newswire.enriched.v1 in full.")
    ],
    topic: Annotated[list[str] | None, typer.Option(help="An editor's topic; again: any of them.")] = None,
    entity: Annotated[
        list[str] | None, typer.Option(help="Wikidata id, name or alias; again: any of them.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="ISO 639-1 code; again: any of them.")] = None,
    start: Annotated[
        str,
        typer.Option(
            "--from", metavar="beginning|end|TIME", help="TIME is ISO 8601, or so long ago: 30m, 2h, 1d."
        ),
    ] = "end",
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="Stop after so many messages.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more at the end, or stop there.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON Lines on standard output, for machines.")
    ] = False,
) -> None:
    """Show the messages of a topic as they come, until stopped.

    An article that matches one filter of each kind is shown; what takes a message back always is.

    Example: newswire tail enriched --topic nato-bid --from 2h
    """
    from datetime import UTC, datetime  # noqa: PLC0415  here and below: only when it runs

    from newswire.filters import Filters  # noqa: PLC0415
    from newswire.settings import load_settings  # noqa: PLC0415
    from newswire.tail import Question, start_of  # noqa: PLC0415
    from newswire.tail import tail as show  # noqa: PLC0415
    from newswire.telemetry import configure  # noqa: PLC0415
    from newswire.topics import EVENT_OF, topic_named  # noqa: PLC0415

    topic_name = topic_named(name)
    filters = Filters.of(topic or (), entity or (), language or ())
    filters.check(topic_name, EVENT_OF.get(topic_name))
    question = Question(topic_name, filters, start_of(start, datetime.now(UTC)), count, follow)
    settings = load_settings()
    configure(settings.log_level)
    show(settings, question, as_json=as_json)
