"""How far a rebuild is, and who is at it: one document in Elasticsearch, so that it goes on from anywhere.

Whoever works on it has his name in it and saves it every few seconds. A save holds only if nobody else has
saved since. So a second rebuild sees the first one alive and is refused; one that was killed is seen to be
silent, or its process to be gone, and is taken over.
"""

import asyncio
import contextlib
import os
import socket
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from elasticsearch import AsyncElasticsearch, BadRequestError, ConflictError, NotFoundError

from newswire.errors import NewswireError, UnavailableError
from newswire_index.elastic.client import unavailable
from newswire_index.elastic.names import REBUILD, ElasticNames

DOCUMENT = "rebuild"
BEAT_SECONDS = 3.0  # between two saves
SILENT_SECONDS = 15.0  # after which whoever worked on it is taken for dead


class RebuildTakenError(NewswireError):
    """Somebody else is at the rebuild."""


@dataclass
class Progress:
    """How far a rebuild is.

    Attributes:
        identity: of the log that it reads.
        begun_at: when it began.
        months: the new index of each month.
        following: the next offset of each partition.
        counts: what became of records so far.
        rejected: what the store refuses, by article id: version, reason and address.
        owner: who works on it; None if nobody does.
        beat: grows with each save.
    """

    identity: str = ""
    begun_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    months: dict[str, str] = field(default_factory=dict)
    following: dict[int, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict)
    owner: dict[str, Any] | None = None
    beat: int = 0

    def row(self) -> dict[str, Any]:
        """Return it as JSON."""
        following = {str(number): at for number, at in self.following.items()}
        return {**vars(self), "following": following, "counts": dict(self.counts)}

    @classmethod
    def read(cls, row: dict[str, Any]) -> "Progress":
        """Read what ``row`` returned."""
        following = {int(number): int(at) for number, at in row["following"].items()}
        return cls(**{**row, "following": following, "counts": Counter(row["counts"])})


def myself() -> dict[str, Any]:
    """Return how this process is known to others."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}


def is_gone(owner: dict[str, Any], me: dict[str, Any]) -> bool:
    """Tell whether an owner is known to be dead: it was on this machine, and has no process any more."""
    if owner["host"] != me["host"]:
        return False
    if owner["pid"] == me["pid"]:
        return True  # a container that was started again: its processes have the same numbers
    try:
        os.kill(int(owner["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class RebuildState:
    """The document.

    Args:
        client: an open client.
        names: how our things are called.
        silent_seconds: after which an owner is taken for dead.
    """

    def __init__(
        self, client: AsyncElasticsearch, names: ElasticNames, *, silent_seconds: float = SILENT_SECONDS
    ) -> None:
        self._client = client
        self._index = names.of(REBUILD)
        self._silent_seconds = silent_seconds
        self._me = myself()
        self._at: tuple[int, int] | None = None
        self._saving = asyncio.Lock()
        self._is_ours = False
        self.progress = Progress()

    async def look(self) -> Progress | None:
        """Return how far the rebuild is that is there, without taking it."""
        with unavailable():
            try:
                found = await self._client.get(index=self._index, id=DOCUMENT)
            except NotFoundError:
                self._at = None
                return None
        self._at = (found["_seq_no"], found["_primary_term"])
        return Progress.read(found["_source"])

    async def take(self, identity: str, say: Callable[[str], None]) -> bool:
        """Take the rebuild that is there, or begin one; returns whether it goes on.

        Raises RebuildTakenError if somebody is at it.

        Args:
            identity: of the log.
            say: tells a person why it takes a while.
        """
        await self._make()
        found = await self.look()
        if found is not None and found.owner is not None:
            await self._see_silent(found, say)
        self.progress = found or Progress(identity)
        self._is_ours = True
        await self.save()
        return found is not None

    async def _see_silent(self, found: Progress, say: Callable[[str], None]) -> None:
        owner = found.owner or {}
        if is_gone(owner, self._me):
            return
        who = f"process {owner['pid']} on {owner['host']}"
        say(f"a rebuild was begun by {who}: looking whether it is at work")
        waited, step = 0.0, min(1.0, self._silent_seconds / 5)
        while waited < self._silent_seconds:
            await asyncio.sleep(step)
            waited += step
            now = await self.look()
            if now is None or now.beat != found.beat:
                raise RebuildTakenError(f"a rebuild is going on: {who} is at it")

    async def save(self) -> None:
        """Write how far it is; raises RebuildTakenError if it is somebody else's by now."""
        async with self._saving:
            self.progress.owner = self._me
            await self._put()

    async def release(self) -> None:
        """Leave the rebuild as it is, for whoever goes on; who cannot say so is found dead instead."""
        async with self._saving:
            self.progress.owner = None
            with contextlib.suppress(RebuildTakenError, UnavailableError):
                await self._put()

    async def forget(self) -> None:
        """Remove the document: the rebuild is at its end."""
        async with self._saving:
            with unavailable():
                await self._client.options(ignore_status=404).delete(index=self._index, id=DOCUMENT)
            self._is_ours = False

    async def _put(self) -> None:
        if not self._is_ours:  # never taken, or at its end
            return
        self.progress.beat += 1
        body = self.progress.row()
        try:
            self._at = await self._write(body)
        except ConflictError as error:  # or ours has arrived, and its answer was lost
            now = await self.look()
            if now is None or now.owner is None or now.owner["token"] != self._me["token"]:
                self._is_ours = False
                raise RebuildTakenError("another process has taken the rebuild over") from error
            self._at = await self._write(body)

    async def _write(self, body: dict[str, Any]) -> tuple[int, int]:
        with unavailable():
            if self._at is None:
                answer = await self._client.create(index=self._index, id=DOCUMENT, document=body)
            else:
                answer = await self._client.index(
                    index=self._index, id=DOCUMENT, document=body, if_seq_no=self._at[0],
                    if_primary_term=self._at[1],
                )  # fmt: skip
        return answer["_seq_no"], answer["_primary_term"]

    async def _make(self) -> None:
        settings = {"index.number_of_shards": 1, "index.auto_expand_replicas": "0-1"}
        with unavailable():
            if await self._client.indices.exists(index=self._index):
                return
            try:
                await self._client.indices.create(
                    index=self._index, settings=settings, mappings={"enabled": False}
                )
            except BadRequestError as error:
                if "resource_already_exists_exception" not in str(error.body):
                    raise
