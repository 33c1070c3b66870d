"""``newswire replay``: run history through a stage again."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from newswire.replaying import Request, State

FOLDER = "replay"  # within the folder of caches
FAILURES = ("rejected", "unreadable")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    stage: Annotated[str, typer.Option(help="Through which: enrich or index.")],
    since: Annotated[
        str | None, typer.Option(help="First seen since: 2h, 30d, 2026-11-20 or 2026-11-20T10:00.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Tagged with this topic only.")] = None,
    article: Annotated[str | None, typer.Option(help="This article id only.")] = None,
    rate: Annotated[float | None, typer.Option(help="Articles a second at most.", min=0.01)] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, and do not go on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON row on standard output.")] = False,
) -> None:
    """Run what newswire.enriched.v1 holds through a stage again; nothing is fetched.

    enrich tags everything anew, by the rules and models of now; index writes to the store what is not there.
    Live traffic goes on beside it. Interrupted, the same command goes on where it stopped. Exit 1 if the
    store rejects something.

    Example: newswire replay --stage enrich --since 30d --rate 20
    """
    import asyncio  # noqa: PLC0415

    from newswire.terminal import json_line, visible  # noqa: PLC0415

    given = {"since": since, "topic": topic, "article": article}
    words = tuple(f"{name}={value}" for name, value in given.items() if value is not None)
    request = _request(stage, since, topic, article, rate, words)
    state = asyncio.run(_run(request, restart=restart))
    row = {"stage": stage, "replayed": state.counts.total(), "counts": dict(sorted(state.counts.items()))}
    counts = ", ".join(f"{word} {count}" for word, count in sorted(state.counts.items())) or "nothing"
    typer.echo(json_line(row) if as_json else visible(f"replayed through {stage}: {counts}"))
    raise typer.Exit(1 if any(state.counts[word] for word in FAILURES) else 0)


def _request(
    stage: str,
    since: str | None,
    topic: str | None,
    article: str | None,
    rate: float | None,
    words: tuple[str, ...],
) -> "Request":
    from datetime import UTC, datetime  # noqa: PLC0415

    from newswire.moments import moment  # noqa: PLC0415
    from newswire.replaying import Request  # noqa: PLC0415

    first = moment(since, datetime.now(UTC)) if since else None
    return Request(stage, first, topic, article, rate, words)


async def _run(request: "Request", *, restart: bool) -> "State":
    from dataclasses import replace  # noqa: PLC0415

    from newswire.errors import SettingsError  # noqa: PLC0415
    from newswire.progress import bar  # noqa: PLC0415
    from newswire.replaying import replay, state_of  # noqa: PLC0415
    from newswire.run import opened  # noqa: PLC0415
    from newswire.service import installed, load_all  # noqa: PLC0415

    (service,) = installed([request.stage])
    if service.replay is None:
        able = ", ".join(each.name for each in installed() if each.replay)
        raise SettingsError(f"nothing can be replayed through {request.stage}; there is {able or 'none'}")
    settings, (own,) = load_all([service])
    async with opened(settings) as log, service.replay(settings, own, log, _say) as replayer:
        folder = settings.cache / f"{settings.prefix}{FOLDER}"
        state = await state_of(log, request, folder, restart=restart)
        if state.is_resumed:
            _say("going on where it stopped; --restart begins anew")
        asked = replace(request, since=state.since)
        with bar(f"replay {request.stage}", state.total) as moved:
            async for reached in replay(log, asked, replayer, state):
                moved(reached.done)
    return state


def _say(line: str) -> None:
    from newswire.terminal import visible  # noqa: PLC0415

    typer.echo(visible(line), err=True)
