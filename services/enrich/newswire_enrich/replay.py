"""Enrich's part in a replay: history goes back to the owners of the articles, beside what is new.

It lies on the topic of articles like what was fetched, so no more of it than is soon dealt with.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

from newswire.envelope import REENRICH
from newswire.events import Article, Enriched
from newswire.log.port import Log, Record
from newswire.replaying import Replayer, Say
from newswire.republish import back_to_owner
from newswire.settings import Settings

GROUP = "enrich"
AHEAD = 1000  # messages that enrich may be behind; what is fetched meanwhile waits for them, some seconds
LOOK_SECONDS = 0.2  # between two looks at how far it is
SAY_SECONDS = 10.0  # without moving on, after which it is said that we wait


class EnrichReplay:
    """Publishes enriched articles for their owners to enrich anew.

    Args:
        log: an open log.
        say: tells a person that the stage is far behind.
    """

    wants_removals = False

    def __init__(self, log: Log, say: Say) -> None:
        self._log = log
        self._say = say
        self._sent: dict[int, int] = {}

    async def take(self, records: Sequence[Record]) -> Counter[str]:
        """Publish, and wait until enrich is not too far behind."""
        messages = [
            back_to_owner(Enriched.from_bytes(record.value), REENRICH, source="replay")
            for record in records
            if record.value is not None
        ]
        for position in await self._log.publish(messages):
            self._sent[position.partition] = position.offset + 1
        await self._keep_ahead()
        return Counter(sent=len(messages))

    async def _keep_ahead(self) -> None:
        last, since = -1, time.monotonic()
        while (behind := await self._behind()) > AHEAD:
            if behind != last:
                last, since = behind, time.monotonic()
            elif time.monotonic() - since > SAY_SECONDS:
                self._say(f"waiting for enrich, which is {behind} messages behind: is it running?")
                since = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)

    async def _behind(self) -> int:
        read = await self._log.committed(GROUP, Article.topic)
        return sum(max(0, sent - read.get(number, 0)) for number, sent in self._sent.items())


@contextlib.asynccontextmanager
async def replaying(_settings: Settings, _own: Any, log: Log, say: Say) -> AsyncIterator[Replayer]:
    """Yield enrich's replayer; it needs nothing but the log."""
    yield EnrichReplay(log, say)
