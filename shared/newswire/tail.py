"""``newswire tail``: follows a topic without a group, so nobody else's messages are taken away."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError
from rich.console import Console

from newswire.backoff import Backoff
from newswire.errors import SettingsError, UnavailableError
from newswire.filters import Filters
from newswire.following import Follower
from newswire.log import open_log
from newswire.log.port import Log, Record
from newswire.run import specs_of, stop_on_signals
from newswire.settings import Settings
from newswire.tail_lines import event_of, json_of, lines
from newswire.waiting import first

LOOK_SECONDS = 0.25  # between two looks for something new
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
BACK = re.compile(r"(?:\d+[smhdw])+")


@dataclass(frozen=True)
class Question:
    """What somebody wants to see.

    Attributes:
        topic: the topic.
        filters: what to leave out.
        start: ``beginning``, ``end``, or the moment from which on.
        count: how many messages to show; None for all.
        follow: whether to wait for more at the end.
    """

    topic: str
    filters: Filters
    start: str | datetime = "end"
    count: int | None = None
    follow: bool = True


def start_of(text: str, now: datetime) -> str | datetime:
    """Return what ``--from`` means: a word, or a moment; SettingsError for anything else.

    A moment is ISO 8601, in UTC if it has no zone, or so long before now: ``90s``, ``30m``, ``1d12h``.
    """
    if text in {"beginning", "end"}:
        return text
    try:
        if BACK.fullmatch(text):
            parts = {UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([smhdw])", text)}
            return now - timedelta(**parts)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise SettingsError(
            f"--from {text!r}: beginning, end, a time (2026-11-24T18:00) or so long ago (30m, 2h, 1d)"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def offsets_of(log: Log, topic: str, start: str | datetime) -> dict[int, int]:
    """Return where to begin in each partition."""
    if isinstance(start, datetime):
        return await log.offsets_at(topic, start)
    return await log.end_offsets(topic) if start == "end" else {}


async def following(log: Log, question: Question) -> AsyncGenerator[Record, None]:
    """Yield the records that are wanted, in order within each partition.

    While the log is away this waits for it, unless only what is there was asked for.
    """
    start = await offsets_of(log, question.topic, question.start)
    follower = Follower(log, question.topic, start)
    backoff, failures = Backoff(LOOK_SECONDS, 5.0), 0
    while True:
        try:
            async for record in follower.records():
                if _wanted(record, question.filters):
                    yield record
            failures = 0
        except UnavailableError as error:
            if not question.follow:
                raise
            failures += 1
            if failures == 1:
                sys.stderr.write(f"newswire tail: waiting: {error}\n")
        if not question.follow:
            return
        await asyncio.sleep(backoff.seconds(failures) if failures else LOOK_SECONDS)


def _wanted(record: Record, filters: Filters) -> bool:
    """Tell whether a record is to be shown; one that cannot be read is, as nobody knows what it holds."""
    if not filters.given:
        return True
    try:
        return filters.match(event_of(record))
    except ValidationError:
        return True


def tail(settings: Settings, question: Question, *, as_json: bool) -> None:
    """Show the messages until there are enough, or until a signal comes, or nobody reads any more."""

    async def work() -> None:
        stop = asyncio.Event()
        with stop_on_signals(stop), _nobody_reads():
            await first(_show(settings, question, Console(highlight=False), as_json=as_json), stop.wait())

    asyncio.run(work())


async def _show(settings: Settings, question: Question, console: Console, *, as_json: bool) -> None:
    log = open_log(settings.log, prefix=settings.prefix, partitions=settings.partitions)
    left = question.count
    try:
        await log.open([spec for spec in specs_of(settings) if spec.name == question.topic])
        async with contextlib.aclosing(following(log, question)) as records:
            async for record in records:
                _write(json_of(record) + "\n" if as_json else _rendered(record, console))
                left = None if left is None else left - 1
                if left == 0:
                    return
    finally:
        await log.close()


def _rendered(record: Record, console: Console) -> str:
    cut = {"no_wrap": True, "overflow": "ellipsis"} if console.is_terminal else {"soft_wrap": True}
    with console.capture() as captured:
        for line in lines(record):
            console.print(line, **cut)
    return captured.get()


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


@contextlib.contextmanager
def _nobody_reads() -> Iterator[None]:
    """End quietly if the other end of the pipe is gone; Python would say so once more when it exits."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
