"""Cache files: one process each, and whoever comes second has one of his own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newswire.cache_file import CacheFile
from newswire.table import CachedRows

pytestmark = pytest.mark.unit

HOLDING = """
import sys
from pathlib import Path
from newswire.cache_file import CacheFile
held = CacheFile(Path(sys.argv[1]))
print(held.path.name, flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has a file; it says which one it got."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin
    assert holder.stdout
    try:
        yield holder
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()


def test_the_first_has_the_file_and_the_second_a_spare_one(tmp_path: Path) -> None:
    """In folders that are made; a file that was let go of is taken again."""
    path = tmp_path / "cache" / "pages.3.db"
    first, second, third = CacheFile(path), CacheFile(path), CacheFile(path)
    names = [each.path.name for each in (first, second, third)]
    first.close()
    again = CacheFile(path)

    assert names == ["pages.3.db", "pages.3.spare-2.db", "pages.3.spare-3.db"]
    assert again.path == path
    for each in (second, third, again):
        each.close()


def test_a_file_of_another_process_is_left_alone_until_that_dies(tmp_path: Path) -> None:
    """Also while it is stopped: the system keeps its lock, and frees it with ``kill -9``."""
    path = tmp_path / "pages.3.db"
    with held_elsewhere(path) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "pages.3.db\n"
        ours = CacheFile(path)
        ours.close()
    after = CacheFile(path)
    after.close()

    assert (ours.path.name, after.path.name) == ("pages.3.spare-2.db", "pages.3.db")


def test_rows_of_two_owners_do_not_mix(tmp_path: Path) -> None:
    """The old owner of a partition, who woke up late, writes where nobody reads."""
    old = CachedRows(tmp_path / "t.db", "log")
    new = CachedRows(tmp_path / "t.db", "log")
    new.put({"a": b"new"}, 7)
    old.put({"a": b"old"}, 3)

    assert (new.get("a"), new.next_offset) == (b"new", 7)
    new.close()
    old.close()


def test_removing_a_file_spares_those_of_others(tmp_path: Path) -> None:
    """Also those whose names begin alike."""
    held = [CacheFile(tmp_path / name) for name in ("pages.1.db", "pages.1.db", "pages.12.db")]
    for each in held:
        each.path.write_bytes(b"x")
        each.path.with_name(each.path.name + "-wal").write_bytes(b"x")
    held[0].remove()
    left = sorted(file.name for file in tmp_path.iterdir() if ".lock" not in file.name)
    for each in held:
        each.close()

    assert left == ["pages.1.spare-2.db", "pages.1.spare-2.db-wal", "pages.12.db", "pages.12.db-wal"]
