"""One process's part in a group of the SQLite log: which numbers it holds, by leases in the file."""

import asyncio
import contextlib
import sqlite3
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from newswire.errors import UnavailableError
from newswire.log import lease
from newswire.log.port import Claim, Handover

if TYPE_CHECKING:
    from newswire.log.sqlite import SqliteLog

logger = structlog.get_logger()

REBALANCE_SECONDS = (
    1.0  # how soon a change of members is noticed; a dead process's leases are free after that
)
BEAT_EVERY = 10  # rebalances between two beats of an undisturbed member

NewClaim = Callable[[str, int, int], Claim]
"""From a member's id, a partition number and the lease's epoch to a claim."""


class SqliteMember:
    """One process's part in a group: holds leases, gives away what is beyond its fair share."""

    def __init__(
        self, log: "SqliteLog", group: str, gained: Handover, lost: Handover, new_claim: NewClaim
    ) -> None:
        self._log = log
        self._new_claim = new_claim
        self._group = group
        self._gained = gained
        self._lost = lost
        self._id = uuid.uuid4().hex
        self._claims: dict[int, Claim] = {}
        self._settled = False

    @property
    def is_settled(self) -> bool:
        """See the port."""
        return self._settled

    async def run(self) -> None:
        """See the port."""
        life = lease.LifeFile(self._log.life_folder, self._id)
        rounds = 0
        try:
            while True:
                try:
                    await self._rebalance(beat=rounds % BEAT_EVERY == 0)
                except UnavailableError as error:  # what is held stays held meanwhile
                    logger.warning("rebalance.failed", group=self._group, error=str(error))
                rounds += 1
                await asyncio.sleep(REBALANCE_SECONDS)
        finally:
            await asyncio.shield(self._leave(life))

    async def _rebalance(self, *, beat: bool) -> None:
        group, folder, now_ms = self._group, self._log.life_folder, int(time.time() * 1000)
        members = await self._log.query(lambda c: _members(c, group))
        if beat or self._id not in members or not all(lease.is_alive(folder, m) for m in members):
            port = self._log.bells.port
            await self._log.write(lambda c: lease.beat(c, group, self._id, port, now_ms))
            members = await self._log.write(lambda c: lease.live_members(c, group, folder, now_ms))
        share = lease.fair_share(members, self._id, self._log.partitions)
        held = await self._log.query(lambda c: lease.held_by(c, group, self._id))
        for number in sorted(set(self._claims) - (share & held)):
            await self._let_go(number)
        missing = share - set(self._claims)
        if missing:
            taken = await self._log.write(lambda c: lease.take(c, group, self._id, missing))
            for number, epoch in taken.items():
                claim = self._new_claim(self._id, number, epoch)
                self._claims[number] = claim
                await self._gained(claim)
        self._settled = True

    async def _let_go(self, number: int) -> None:
        await self._lost(self._claims.pop(number))
        await self._log.write(lambda c: lease.release(c, self._group, self._id, number))

    async def _leave(self, life: lease.LifeFile) -> None:
        for number in sorted(self._claims):
            await self._let_go(number)
        with contextlib.suppress(UnavailableError):
            await self._log.write(lambda c: lease.leave(c, self._id))
        life.close()


def _members(connection: sqlite3.Connection, group: str) -> list[str]:
    rows = connection.execute("SELECT id FROM log_members WHERE grp=? ORDER BY rowid", (group,))
    return [str(row[0]) for row in rows]
