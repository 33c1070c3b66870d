"""Filters over JSON Lines: a line in, a line out, in order, on all cores."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import IO, Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from newswire.children import Children, Limits
from newswire.errors import ItemError

LINE_BYTES = 32 * 1024 * 1024  # a longer line is refused
AHEAD = 4  # lines in work for each child, so that none waits


def error_row(line: bytes, code: str, message: str) -> dict[str, Any]:
    """Return the answer to a line that could not be worked on, with its id if it can be read."""
    try:
        given = json.loads(line).get("id")
    except (ValueError, AttributeError, RecursionError):  # not JSON, no object, nested too deep
        given = None
    return {"id": given, "error": {"code": code, "message": message}}


async def convert(lines: Iterable[bytes], pool: Children) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the pool's answer to each line, in order; a line that kills its child gets an error row."""
    waiting: asyncio.Queue[asyncio.Task[dict[str, Any]] | None] = asyncio.Queue()
    room = asyncio.Semaphore(pool.workers * AHEAD)

    async def one(line: bytes) -> dict[str, Any]:
        if len(line) > LINE_BYTES:
            return error_row(b"", "too-large", f"a line of more than {LINE_BYTES} bytes")
        try:
            row: dict[str, Any] = await pool.run(line)
        except ItemError as error:
            return error_row(line, error.reason, str(error))
        return row

    async def feed() -> None:
        source = iter(lines)
        try:
            while (line := await asyncio.to_thread(next, source, None)) is not None:
                if line.strip():
                    await room.acquire()
                    waiting.put_nowait(asyncio.create_task(one(line)))
        finally:
            waiting.put_nowait(None)

    feeding = asyncio.create_task(feed())
    try:
        while (task := await waiting.get()) is not None:
            yield await task
            room.release()
        await feeding
    finally:
        await _abandon(feeding, waiting)


async def _abandon(feeding: asyncio.Task[None], waiting: asyncio.Queue[Any]) -> None:
    """Cancel what is still in work, if nobody wants the rest."""
    tasks = [feeding, *filter(None, (waiting.get_nowait() for _ in range(waiting.qsize())))]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def bounded(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream; of one that is too long only as much as shows that it is."""
    while line := source.readline(LINE_BYTES + 1):
        rest = line
        while len(line) > LINE_BYTES and rest and not rest.endswith(b"\n"):
            rest = source.readline(LINE_BYTES)
        yield line


async def run_filter(
    target: str, config: Any, *, workers: int | None, limits: Limits, source: IO[bytes], sink: IO[str]
) -> int:
    """Run a filter from one stream to another; return how many lines failed.

    A progress line stands on standard error while that is a terminal.
    """
    console = Console(stderr=True)
    failed = 0
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        done = progress.add_task("lines", total=None)
        async with (
            Children(target, config, workers=workers, limits=limits) as pool,
            contextlib.aclosing(convert(bounded(source), pool)) as rows,
        ):
            async for row in rows:
                failed += "error" in row
                sink.write(json.dumps(row, ensure_ascii=False) + "\n")
                sink.flush()
                progress.advance(done)
    return failed
