"""Commands of the enrich service."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(enrich)


def enrich(
    workers: Annotated[int | None, typer.Option(min=1, help="Child processes; default one a core.")] = None,
    topics: Annotated[
        Path | None, typer.Option(help="Topic rules; default NEWSWIRE_ENRICH_TOPICS or deploy/topics.yaml.")
    ] = None,
) -> None:
    """Read articles as JSON Lines on standard input, write language, entities and topics, in order.

    Lines in: {"id","title","text","language"?,"published_at"?}. A bad line gets a line with an error.

    Example: newswire extract < pages.jsonl | newswire enrich > tagged.jsonl
    """
    from newswire.jsonlines import run_filter  # noqa: PLC0415  heavy: only when it runs
    from newswire.settings import load  # noqa: PLC0415
    from newswire_enrich.service import LIMITS, check_rules  # noqa: PLC0415
    from newswire_enrich.settings import EnrichSettings  # noqa: PLC0415

    config = {"topics": str(check_rules(topics or load(EnrichSettings).topics))}
    asyncio.run(
        run_filter(
            "newswire_enrich.child:line_handler",
            config,
            workers=workers,
            limits=LIMITS,
            source=sys.stdin.buffer,
            sink=sys.stdout,
        )
    )
