"""A cache file that no other process writes to.

Two processes may share a folder, and one that was stopped for a while may go on writing to the file of a
partition that another one owns by now. So each file has a lock beside it, and whoever finds it taken uses the
next one: what a file lacks is read from the topic.
"""

import fcntl
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path


class CacheFile:
    """The first of a file and its spare ones that nobody else has.

    Args:
        path: the file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for candidate in _names(path):
            descriptor = _locked(candidate.with_suffix(".lock"))
            if descriptor is not None:
                self.path = candidate
                self._descriptor = descriptor
                return

    def remove(self) -> None:
        """Remove the file, with what SQLite keeps beside it; the lock stays ours."""
        for file in self.path.parent.glob(self.path.name + "*"):
            file.unlink()

    def close(self) -> None:
        """Let others have the file."""
        os.close(self._descriptor)


def _names(path: Path) -> Iterator[Path]:
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}.spare-{number}{path.suffix}")


def _locked(path: Path) -> int | None:
    """Return a descriptor that holds the lock, which the system frees with the process; None if taken."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
