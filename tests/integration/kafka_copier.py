"""A process that copies from in to out until it is killed: python kafka_copier.py ADDRESS PREFIX HOLD.

It writes a line when it wins or loses a number, and when a step was refused. While the file HOLD is there it
says "holding" with the first batch in hand, and keeps that batch; its event loop stays free.
"""

import asyncio
import sys
from pathlib import Path

from newswire.errors import FencedError
from newswire.log import Claim, Message, open_log

NAP_SECONDS = 0.05


def say(*words: object) -> None:
    """Write a line at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Copier:
    """Copies what its claims give.

    Args:
        hold: while this file is there, batches are kept in hand.
    """

    def __init__(self, hold: Path) -> None:
        self._hold = hold
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def gained(self, claim: Claim) -> None:
        """Copy for a claim."""
        say("gained", claim.number)
        self._tasks[claim.number] = asyncio.create_task(self._copy(claim))

    async def lost(self, claim: Claim) -> None:
        """Stop to."""
        task = self._tasks.pop(claim.number)
        task.cancel()
        await asyncio.wait({task})
        say("lost", claim.number)

    async def _copy(self, claim: Claim) -> None:
        while True:
            records = await claim.fetch(["in"], max_records=5, max_bytes=100_000)
            if not records:
                await claim.wait(["in"], 1.0)
                continue
            if self._hold.exists():
                say("holding", claim.number)
            while self._hold.exists():
                await asyncio.sleep(NAP_SECONDS)
            copies = [Message("out", record.key, record.value) for record in records]
            try:
                await claim.commit(copies, {"in": records[-1].offset + 1})
            except FencedError:
                say("fenced", claim.number)
                return


async def main(address: str, prefix: str, hold: str) -> None:
    """Take part until killed."""
    log = open_log(address, prefix=prefix, partitions=3)
    await log.open()
    copier = Copier(Path(hold))
    await log.member("copiers", ["in"], copier.gained, copier.lost).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
