"""Inside a child process: frames, targets, answers, and the limits that it sets itself."""

import io
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from newswire import child

pytestmark = pytest.mark.unit


def frames(*values: Any) -> io.BytesIO:
    """Return a stream that holds these objects."""
    stream = io.BytesIO()
    for value in values:
        child.write_frame(stream, value)
    stream.seek(0)
    return stream


def all_frames(stream: io.BytesIO) -> list[Any]:
    """Return what was written to a stream."""
    stream.seek(0)
    found = []
    while stream.tell() < len(stream.getvalue()):
        found.append(child.read_frame(stream))
    return found


def limits_recorded(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """Take the limits down instead of setting them, as this process must live on."""
    limits: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    return limits


def test_frames_follow_each_other() -> None:
    """What is written is read, one object at a time; then the stream has ended."""
    stream = frames({"a": 1}, b"\x00" * 100_000)

    assert child.read_frame(stream) == {"a": 1}
    assert child.read_frame(stream) == b"\x00" * 100_000
    with pytest.raises(EOFError):
        child.read_frame(stream)


def test_a_cut_header_is_the_end() -> None:
    """The parent died while it wrote."""
    with pytest.raises(EOFError):
        child.read_frame(io.BytesIO(b"\x00\x00"))


def test_a_target_names_a_function_of_a_module() -> None:
    """As in an entry point."""
    assert child.load("newswire.child:load") is child.load
    with pytest.raises(AttributeError):
        child.load("newswire.child:nothing")
    with pytest.raises(ModuleNotFoundError):
        child.load("newswire.nowhere:load")


def out_of_memory(item: Any) -> Any:
    """Behave as an allocation beyond the limit."""
    raise MemoryError(item)


def failing(item: Any) -> Any:
    """Behave as a parser on bad input."""
    raise KeyError(item)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (len, ("ok", 3)),
        (failing, ("error", "KeyError: 'abc'")),
        (out_of_memory, ("memory", "needs more memory than allowed")),
    ],
)
def test_an_answer_says_how_it_went(work: Callable[[Any], Any], expected: tuple[str, Any]) -> None:
    """A result, an error of the item's own, or memory that ran out."""
    assert child.answer(work, "abc") == expected


def test_it_serves_until_the_pipe_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """First it says that it is ready, then it answers each item under fresh limits."""
    limits = limits_recorded(monkeypatch)
    outgoing = io.BytesIO()
    child.serve("functools:partial", frames((int, 5, 1000), "7", "x"), outgoing)
    ready, seven, error = all_frames(outgoing)

    assert ready == ("ready", None)
    assert seven == ("ok", 7)
    assert error[0] == "error"
    assert limits.keys() == {resource.RLIMIT_CPU, resource.RLIMIT_AS}


def test_the_cpu_limit_counts_from_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier items used is not held against this one."""
    limits = limits_recorded(monkeypatch)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, resource.RLIM_INFINITY))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    child.limit_cpu(50)
    soft, hard = limits[resource.RLIMIT_CPU]

    assert usage.ru_utime + usage.ru_stime + 50 < soft <= usage.ru_utime + usage.ru_stime + 53
    assert hard == resource.RLIM_INFINITY


def test_the_cpu_limit_stays_below_the_hard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have bounded the whole process; asking for more would fail."""
    limits = limits_recorded(monkeypatch)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (3, 3))
    child.limit_cpu(1_000_000)

    assert limits[resource.RLIMIT_CPU] == (3, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space of a process")
def test_the_memory_limit_counts_from_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that are loaded do not count."""
    limits = limits_recorded(monkeypatch)
    child.limit_memory(0)
    now = limits[resource.RLIMIT_AS][0]
    child.limit_memory(10**9)

    assert now > 10**7
    assert limits[resource.RLIMIT_AS][0] - now == pytest.approx(10**9, abs=10**8)


def test_elsewhere_memory_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems have no such limit; the work goes on without."""
    limits = limits_recorded(monkeypatch)
    monkeypatch.setattr(sys, "platform", "darwin")
    child.limit_memory(1)

    assert limits == {}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part of it is Linux's")
def test_a_child_whose_parent_is_already_gone_ends_at_once() -> None:
    """The parent may die between starting it and the call to the kernel."""
    environment = {**os.environ, "NEWSWIRE_PARENT": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", "newswire.child", "builtins:int"], env=environment, input=b"", check=False
    )

    assert ended.returncode == 1


def test_a_child_needs_no_more_than_the_standard_library() -> None:
    """What a pool of many children does not load, it does not pay for many times."""
    script = "import newswire.child, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert {"pydantic", "structlog", "asyncio"} & set(loaded.stdout.split()) == set()


def test_frames_are_pickles_with_their_length() -> None:
    """Eight bytes of length, then the body."""
    data = frames("x").getvalue()

    assert int.from_bytes(data[:8], "big") == len(data) - 8
    assert pickle.loads(data[8:]) == "x"  # noqa: S301  written a line above
