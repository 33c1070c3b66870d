"""For commands: open the log of the settings, do something with it, close it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from newswire.log.port import Log
from newswire.run import opened
from newswire.settings import load_settings

T = TypeVar("T")


def on_log(work: Callable[[Log], Awaitable[T]]) -> T:
    """Return what a piece of work on the log returns; raises what opening the log raises."""

    async def run() -> T:
        async with opened(load_settings()) as log:
            return await work(log)

    return asyncio.run(run())
