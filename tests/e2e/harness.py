"""Runs the real command line in a folder of its own, and looks at what it left on the log."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from newswire.events import Enriched, Entry, Event, Outcome
from newswire.ledger import latest
from newswire.log import Log, open_log
from newswire.topics import TOPICS

NEWSWIRE = Path(sys.executable).with_name("newswire")
HASTE = {
    "NEWSWIRE_INGEST_ALLOW_PRIVATE": "true",
    "NEWSWIRE_INGEST_PAGE_TIMEOUT_SECONDS": "3",
    "NEWSWIRE_INGEST_DOMAIN_SPACING_SECONDS": "0.01",
    "NEWSWIRE_INGEST_DOMAIN_CONCURRENCY": "4",
    "NEWSWIRE_INGEST_FETCH_ATTEMPTS": "2",
    "NEWSWIRE_INGEST_FETCH_RETRY_SECONDS": "0.5",
    "NEWSWIRE_INGEST_POLL_RETRY_SECONDS": "0.1",
}


def environment(**more: str) -> dict[str, str]:
    """Return an environment without settings but the given ones."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NEWSWIRE_")}
    return {**clean, **more}


def newswire(
    folder: Path,
    *arguments: str,
    stdin: bytes | None = None,
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; the output is text."""
    done = subprocess.run(
        [NEWSWIRE, *arguments], cwd=folder, env=environment(**(env or {})), input=stdin, capture_output=True,
        timeout=timeout, check=False,
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def started(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A command that runs in the background; it is killed in the end, if it has not ended."""
    with (folder / f"{arguments[0]}.log").open("ab") as output:
        process = subprocess.Popen(
            [NEWSWIRE, *arguments], cwd=folder, env=environment(**(env or {})), stdout=output, stderr=output
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Poll a condition until it holds; fail after the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def children_of_newswire(folder: Path) -> list[psutil.Process]:
    """Return the child processes that work for a command in a folder, orphans too."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and "newswire.child" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


@contextmanager
def newsroom(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """The newsroom served by its own process; yields the settings that point services to it."""
    opml = folder / "newsroom.opml"
    with started(folder, "demo", "--serve-only", "--opml", str(opml), *options):
        until(lambda: "NEWSWIRE_INGEST_RESOLVE=" in (folder / "demo.log").read_text())
        line = next(
            line
            for line in (folder / "demo.log").read_text().splitlines()
            if "NEWSWIRE_INGEST_RESOLVE=" in line
        )
        yield {**HASTE, "NEWSWIRE_INGEST_RESOLVE": line.partition("=")[2].strip().strip("'")}


def on_log(path: Path, read: Callable[[Log], Any]) -> Any:
    """Return what a coroutine reads from a log."""

    async def run() -> Any:
        log = open_log(f"sqlite:///{path}")
        await log.open(TOPICS)
        try:
            return await read(log)
        finally:
            await log.close()

    return asyncio.run(run())


async def all_of(log: Log, event: type[Event]) -> list[Any]:
    """Return every event of a topic that is not compacted."""
    found = []
    for number in range(log.partitions):
        offset = 0
        while records := await log.read(event.topic, number, offset):
            found += [event.from_bytes(record.value) for record in records if record.value]
            offset = records[-1].offset + 1
    return found


def articles(path: Path) -> dict[str, Enriched]:
    """Return the enriched articles of a log by id."""
    return {each.article_id: each for each in on_log(path, lambda log: latest(log, Enriched))}


def ends(path: Path) -> dict[tuple[str | None, str], list[tuple[str, str]]]:
    """Return how the entries of a log ended, by address and feed address."""
    outcomes: list[Outcome] = on_log(path, lambda log: all_of(log, Outcome))
    entries: dict[str, Entry] = {e.entry_id: e for e in on_log(path, lambda log: all_of(log, Entry))}
    found: dict[tuple[str | None, str], list[tuple[str, str]]] = defaultdict(list)
    for outcome in outcomes:
        entry = entries.get(outcome.entry_id)
        found[entry.url if entry else None, outcome.feed_id].append((outcome.kind, outcome.reason))
    return found


def rows(output: str) -> list[dict[str, Any]]:
    """Return the JSON Lines of an output."""
    return [json.loads(line) for line in output.splitlines() if line.strip()]
