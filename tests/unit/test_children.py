"""Child processes: limits of an item, deaths, replacement, and the end of everything."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from newswire import children
from newswire.children import Children, Limits
from newswire.errors import ChildDiedError, ItemFailedError, UnavailableError
from newswire.events import Reason

pytestmark = pytest.mark.unit

TESTS = Path(__file__).parents[1]
DEADLINE_SECONDS = 15.0
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def functions_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children import this folder's modules."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def pool(
    function: str = "misbehaving", config: object = None, *, workers: int = 1, **limits: Any
) -> Children:
    """Return a pool that runs one of the functions made for tests."""
    return Children(f"unit.child_work:{function}", config, workers=workers, limits=Limits(**limits))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has reaped yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_the_function_gets_the_configuration_and_the_item() -> None:
    """Both travel whole, and so does the result."""
    async with pool("echo", {"a": [1]}) as running:
        assert await running.run(("ü", b"\x00" * MEGABYTE)) == ({"a": [1]}, ("ü", b"\x00" * MEGABYTE))


async def test_items_come_back_to_whoever_asked() -> None:
    """Whatever the order in which children finish."""
    async with pool("echo", workers=2) as running:
        results = await asyncio.gather(*(running.run(number) for number in range(20)))

    assert results == [(None, number) for number in range(20)]


async def test_there_are_as_many_children_as_asked_for() -> None:
    """Each has one item at a time, so two of them sleep side by side."""
    async with pool(workers=2) as running:
        waiting = [asyncio.create_task(running.run(("sleep", 0.2))) for _ in range(2)]
        await asyncio.wait(waiting)

        assert len({child.process.pid for child in running._all}) == 2


async def test_an_error_in_the_function_is_the_items_own() -> None:
    """It names the error, and the child goes on."""
    async with pool() as running:
        before = await running.run(("process", None))
        with pytest.raises(ItemFailedError, match="ValueError: no good") as caught:
            await running.run(("raise", "no good"))

        assert caught.value.reason is Reason.HANDLER_FAILED
        assert await running.run(("process", None)) == before


async def test_prints_of_libraries_do_not_disturb() -> None:
    """Answers go through a pipe that nobody else knows."""
    async with pool("chatty") as running:
        assert [await running.run(number) for number in range(3)] == [0, 1, 2]


async def test_children_use_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """The children are the parallelism, whatever the environment says."""
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    async with pool("environment") as running:
        assert await running.run("OMP_NUM_THREADS") == "1"
        assert await running.run("OPENBLAS_NUM_THREADS") == "1"


async def test_an_item_may_use_so_much_cpu() -> None:
    """One that spins ends, and the next one is served."""
    async with pool(cpu_seconds=0.1) as running:
        with pytest.raises(ChildDiedError) as caught:
            await running.run(("spin", None))

        assert caught.value.reason is Reason.CPU_LIMIT
        assert await running.run(("process", None))


async def test_an_item_may_take_so_long() -> None:
    """One that hangs ends, is not tried again, and the next one is served."""
    async with pool(wall_seconds=0.3) as running:
        with capture_logs() as logs, pytest.raises(ChildDiedError) as caught:
            await running.run(("sleep", 60))

        assert caught.value.reason is Reason.WALL_LIMIT
        assert len(logs) == 1
        assert await running.run(("process", None))


async def test_a_process_that_stood_still_does_not_blame_the_item() -> None:
    """After Ctrl-Z, or SIGSTOP, the clock says that much time has passed, and nothing of the item."""
    async with pool(wall_seconds=0.5) as running:
        item = asyncio.create_task(running.run(("sleep", 0.3)))
        await asyncio.sleep(0.05)
        time.sleep(0.8 + children.LATE_SECONDS)  # noqa: ASYNC251  standing still is the point

        assert await item is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space of a process")
async def test_an_item_may_grow_so_much() -> None:
    """One that wants more memory ends, and its child is replaced."""
    async with pool(growth_bytes=64 * MEGABYTE) as running:
        before = await running.run(("process", None))

        assert await running.run(("grow", 16 * MEGABYTE)) == 16 * MEGABYTE
        with pytest.raises(ChildDiedError) as caught:
            await running.run(("grow", 512 * MEGABYTE))
        assert caught.value.reason is Reason.MEMORY_LIMIT
        assert await running.run(("process", None)) != before
        assert not alive(before)


async def test_an_item_that_kills_two_children_is_given_up() -> None:
    """The error says how they died; each death is logged, and the next item is served."""
    async with pool() as running:
        with capture_logs() as logs, pytest.raises(ChildDiedError, match="SIGKILL") as caught:
            await running.run(("kill", None))

        assert caught.value.reason is Reason.CHILD_KILLED
        assert [(log["event"], log["kills"]) for log in logs] == [("child.died", 1), ("child.died", 2)]
        assert await running.run(("process", None))


async def test_an_item_whose_child_was_killed_once_is_tried_again(tmp_path: Path) -> None:
    """The second child may well succeed: the first one's death need not be the item's fault."""
    async with pool() as running:
        assert await running.run(("kill once", str(tmp_path / "marker"))) == "survived"


async def test_an_exit_is_a_death_too() -> None:
    """A library that ends the process is told by its exit code."""
    async with pool() as running:
        with pytest.raises(ChildDiedError, match="exit code 7") as caught:
            await running.run(("exit", 7))

        assert caught.value.reason is Reason.CHILD_KILLED


async def test_a_killer_takes_no_other_item_with_it() -> None:
    """What is in work beside it ends as it would have."""
    async with pool(workers=2) as running:
        ends = await asyncio.gather(
            running.run(("kill", None)), running.run(("sleep", 0.3)), return_exceptions=True
        )

        assert isinstance(ends[0], ChildDiedError)
        assert ends[1] is None


async def test_a_child_is_replaced_after_its_items() -> None:
    """Libraries that grow are got rid of."""
    async with pool("process", items=2) as running:
        pids = [await running.run(None) for _ in range(5)]

    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


async def test_a_factory_that_cannot_load_is_an_outage() -> None:
    """Nothing runs, nothing stays behind, and the error names what was to be loaded."""
    running = pool("unloadable", "en", workers=2)
    with pytest.raises(UnavailableError, match="unloadable"):
        async with running:
            pass

    assert running._all == set()


async def test_a_factory_that_takes_for_ever_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start is bounded as well."""
    monkeypatch.setattr(children, "START_SECONDS", 0.001)
    with pytest.raises(UnavailableError):
        async with pool():
            pass


async def test_a_place_whose_child_does_not_start_again_stays(tmp_path: Path) -> None:
    """Every later item meets the outage; none waits for ever."""
    async with pool("loads_once", str(tmp_path / "marker")) as running:
        for _ in range(3):
            async with asyncio.timeout(DEADLINE_SECONDS):
                with pytest.raises(UnavailableError):
                    await running.run(None)


async def test_closing_ends_all_children() -> None:
    """Also those that are at work."""
    running = pool(workers=2)
    async with running:
        pids = [child.process.pid for child in running._all]
        working = asyncio.create_task(running.run(("sleep", 60)))
        await until(lambda: running._idle.qsize() == 1)

        assert all(alive(pid) for pid in pids)
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(UnavailableError):  # it is not tried in a new child
        await working
    assert running._all == set()


async def test_a_cancelled_item_frees_its_place() -> None:
    """Its child, which still works on it, is replaced."""
    async with pool() as running:
        working = asyncio.create_task(running.run(("sleep", 60)))
        await until(running._idle.empty)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

        assert await running.run(("process", None))


async def test_an_item_that_cannot_be_sent_frees_its_place() -> None:
    """The error is the caller's own."""
    async with pool("echo") as running:
        with pytest.raises((AttributeError, TypeError)):
            await running.run(lambda: None)

        assert await running.run(1) == (None, 1)


PARENT = """
import asyncio
from newswire.children import Children
async def main():
    async with Children("unit.child_work:misbehaving", workers=2) as pool:
        print(*(child.process.pid for child in pool._all), flush=True)
        await pool.run(("sleep", 60))
asyncio.run(main())
"""


async def test_children_die_with_their_parent() -> None:
    """Also one that is at work, when the parent is killed and can do nothing any more."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, env={**os.environ}
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in (await parent.stdout.readline()).split()]

    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    await until(lambda: not any(alive(pid) for pid in pids))
