"""What servers need and is fetched or built once, in the user's cache: made by one run while others wait."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

COMPLETE = ".complete"


def cache_folder() -> Path:
    """Return where everything of ours is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "newswire-test"


def cached(folder: Path, make: Callable[[Path], Path]) -> Path:
    """Return a folder; have it made if it is the first time.

    Args:
        folder: where it is, or will be when it is complete.
        make: makes it inside a temporary folder and returns where.
    """
    if is_complete(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        if not is_complete(folder):
            _make(folder, make)
    return folder


def is_complete(folder: Path) -> bool:
    """Say whether a folder was made, to its end."""
    return (folder / COMPLETE).exists()


def _make(folder: Path, make: Callable[[Path], Path]) -> None:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as name:
        made = make(Path(name))
        (made / COMPLETE).touch()
        if folder.exists():  # half of a folder, by somebody who was not careful
            folder.rename(Path(name) / "old")
        made.rename(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
