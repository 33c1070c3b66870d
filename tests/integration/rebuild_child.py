"""A rebuild that dies at a moment, or stays before the swap: python rebuild_child.py MOMENT die|stay."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from newswire.run import opened
from newswire.settings import Settings
from newswire_index.rebuild.bootstrap import rebuilt, site
from newswire_index.rebuild.rebuilding import Options, Rebuild
from newswire_index.settings import IndexSettings

LONG = timedelta(days=4000)  # no month expires, whatever day it is
STAY_SECONDS = 60.0  # how long it stays, if it is not killed

swap = Rebuild._swap


async def stay(rebuild: Rebuild) -> None:
    """Say so, and wait; its event loop stays free."""
    sys.stdout.write("there\n")
    sys.stdout.flush()
    await asyncio.sleep(STAY_SECONDS)
    await swap(rebuild)


async def main(moment: str, what: str) -> None:
    """Rebuild."""

    def reached(name: str) -> None:
        if name == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    if what == "stay":
        Rebuild._swap = stay  # type: ignore[method-assign, assignment]
    async with site(Settings(), IndexSettings()) as at, opened(Settings()) as log:
        options = Options(retention=LONG, topic_retention=LONG)
        await rebuilt(at, log, options, print, moment=reached)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
