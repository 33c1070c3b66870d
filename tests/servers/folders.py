"""Temporary folders of servers, removed also when the run that made them was killed."""

import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import IO

HELD = ".held"


class ServerFolder:
    """A temporary folder that counts as left behind when its process is gone."""

    def __init__(self, prefix: str) -> None:
        remove_left_behind(prefix)
        self._held: IO[str] | None = None
        while self._held is None:  # another run may take a folder that is not yet held for one left behind
            self.path = Path(tempfile.mkdtemp(prefix=prefix))
            self._held = _hold(self.path)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._held is not None:
            self._held.close()
            self._held = None


def _hold(path: Path) -> IO[str] | None:
    """Lock a folder until the file is closed or the process ends; return None if somebody else holds it."""
    file = (path / HELD).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def remove_left_behind(prefix: str) -> None:
    """Remove the folders with a prefix that no living process holds."""
    for mark in Path(tempfile.gettempdir()).glob(f"{prefix}*/{HELD}"):
        try:
            held = _hold(mark.parent)
        except OSError:  # another user's, or just removed by another run
            continue
        if held is not None:
            shutil.rmtree(mark.parent, ignore_errors=True)
            held.close()
