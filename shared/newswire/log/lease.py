"""Who holds which partition: members of a group, their leases, and whether they still live.

A lease is a row with an epoch; the epoch is checked inside every commit, so that whoever lost a lease
cannot write any more. A member proves that its process lives by a locked file, which the system unlocks
in the moment the process dies; a process that hangs is given up after a time without a beat.
"""

import fcntl
import os
import sqlite3
from pathlib import Path

SESSION_MS = 60_000  # a member that has not beaten for so long is taken for dead although its process lives


class LifeFile:
    """A locked file that says that this process lives."""

    def __init__(self, folder: Path, member: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / member
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def is_alive(folder: Path, member: str) -> bool:
    """Tell whether the process of a member lives; a dead one's file is removed."""
    path = folder / member
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)


def beat(connection: sqlite3.Connection, group: str, member: str, port: int, now_ms: int) -> None:
    """Enter a member, or say that it still lives; its place among the others stays."""
    connection.execute(
        "INSERT INTO log_members VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET port=excluded.port, beat=excluded.beat",
        (member, group, port, now_ms),
    )


def live_members(connection: sqlite3.Connection, group: str, folder: Path, now_ms: int) -> list[str]:
    """Return the members of a group that live, oldest first; the dead are struck off."""
    rows = connection.execute(
        "SELECT id, beat FROM log_members WHERE grp=? ORDER BY rowid", (group,)
    ).fetchall()
    dead = [member for member, at in rows if now_ms - at > SESSION_MS or not is_alive(folder, member)]
    for member in dead:
        leave(connection, member)
    return [member for member, _ in rows if member not in dead]


def leave(connection: sqlite3.Connection, member: str) -> None:
    """Strike a member off, with its leases."""
    connection.execute("UPDATE log_leases SET member=NULL WHERE member=?", (member,))
    connection.execute("DELETE FROM log_members WHERE id=?", (member,))


def fair_share(members: list[str], member: str, partitions: int) -> set[int]:
    """Return the partition numbers that are a member's to hold."""
    if member not in members:
        return set()
    return set(range(members.index(member), partitions, len(members)))


def take(connection: sqlite3.Connection, group: str, member: str, wanted: set[int]) -> dict[int, int]:
    """Take the wanted leases that nobody holds; return their new epochs by partition number."""
    rows = connection.execute("SELECT part, epoch, member FROM log_leases WHERE grp=?", (group,)).fetchall()
    epochs = {part: (epoch, holder) for part, epoch, holder in rows}
    taken = {}
    for number in sorted(wanted):
        epoch, holder = epochs.get(number, (0, None))
        if holder is None:
            taken[number] = epoch + 1
            connection.execute(
                "INSERT OR REPLACE INTO log_leases VALUES (?, ?, ?, ?)", (group, number, epoch + 1, member)
            )
    return taken


def release(connection: sqlite3.Connection, group: str, member: str, number: int) -> None:
    """Let go of a lease, if it is still ours."""
    connection.execute(
        "UPDATE log_leases SET member=NULL WHERE grp=? AND part=? AND member=?", (group, number, member)
    )


def is_held(connection: sqlite3.Connection, group: str, number: int, epoch: int, member: str) -> bool:
    """Tell whether a lease is still ours."""
    row = connection.execute(
        "SELECT 1 FROM log_leases WHERE grp=? AND part=? AND epoch=? AND member=?",
        (group, number, epoch, member),
    ).fetchone()
    return row is not None


def held_by(connection: sqlite3.Connection, group: str, member: str) -> set[int]:
    """Return the partition numbers that a member holds."""
    rows = connection.execute("SELECT part FROM log_leases WHERE grp=? AND member=?", (group, member))
    return {int(row[0]) for row in rows}
