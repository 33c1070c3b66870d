"""A rebuild that dies, or stays, at a moment: python rebuild_child.py MOMENT die|stay."""

import asyncio
import os
import signal
import sys
import time
from datetime import timedelta

from newswire.run import opened
from newswire.settings import Settings
from newswire_index.rebuild_bootstrap import rebuilt, site
from newswire_index.rebuilding import Options
from newswire_index.settings import IndexSettings

LONG = timedelta(days=4000)


async def main(moment: str, what: str) -> None:
    """Rebuild."""

    def reached(name: str) -> None:
        if name != moment:
            return
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        sys.stdout.write("there\n")
        sys.stdout.flush()
        time.sleep(60)  # like a process that is stopped, it saves nothing either

    async with site(Settings(), IndexSettings()) as at, opened(Settings()) as log:
        options = Options(retention=LONG, topic_retention=LONG)
        await rebuilt(at, log, options, print, moment=reached)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
