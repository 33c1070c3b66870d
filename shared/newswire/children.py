"""CPU work in child processes, contained: limits an item, and a child that dies takes nobody with it.

Each child has one item at a time, so it is always known which item killed it. That item is tried once
more in a fresh child; if it kills that one too it ends with an error of its own.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import structlog

from newswire.child import HEADER
from newswire.errors import ChildDiedError, ItemFailedError, UnavailableError
from newswire.events import Reason
from newswire.signs import contained

logger = structlog.get_logger()

START_SECONDS = 120.0  # to import and load models, on a slow and busy machine
DYING_SECONDS = 5.0  # between a child's closed pipe and its exit code
KILLS = 2  # an item that kills so many children is given up
LATE_SECONDS = 1.0  # a time-out noticed so late says that this process stood still, not that the item hung

# One thread a child: the children are the parallelism, and BLAS threads would fight over the cores.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "BLIS_NUM_THREADS",
    ),
    "1",
)


@dataclass(frozen=True)
class Limits:
    """What one item may use.

    Attributes:
        cpu_seconds: of CPU, in whole seconds.
        wall_seconds: of time; well above, as the machine may be busy.
        growth_bytes: of address space beyond what the child has when the item comes.
        items: after so many a child is replaced, as libraries grow.
    """

    cpu_seconds: float = 10.0
    wall_seconds: float = 60.0
    growth_bytes: int = 512 * 1024 * 1024
    items: int = 1000


class _StoodStillError(Exception):
    """This process was stopped while an item was out, so that nobody knows how long the item took."""


class _Child:
    """One process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.served = 0

    async def ask(self, item: Any) -> tuple[str, Any]:
        """Send an item and return the answer; raises EOFError when the child dies."""
        assert self.process.stdin is not None  # noqa: S101  for the type checker: both are pipes
        assert self.process.stdout is not None  # noqa: S101
        body = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self.process.stdin.write(HEADER.pack(len(body)) + body)
            await self.process.stdin.drain()
            header = await self.process.stdout.readexactly(HEADER.size)
            answer = await self.process.stdout.readexactly(HEADER.unpack(header)[0])
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError from error
        result: tuple[str, Any] = pickle.loads(answer)  # noqa: S301  written by our own child
        return result

    async def end(self, *, patience_seconds: float = 0.0) -> int:
        """Return the exit code of the process, which is killed if it does not end by itself in time."""
        if self.process.stdin:
            self.process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                return await self.process.wait()
        self.kill()
        return await self.process.wait()

    def kill(self) -> None:
        """Kill the process, if it still runs."""
        # Not process.kill(): that polls first, and so takes the exit code away from asyncio's watcher.
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)


class Children:
    """A pool of child processes that run one function.

    Args:
        target: ``module:factory``; the factory takes the configuration and returns the function.
        config: anything that can be pickled.
        workers: how many processes.
        limits: what one item may use.
    """

    def __init__(
        self, target: str, config: Any = None, *, workers: int | None = None, limits: Limits | None = None
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._target = target
        self._config = config
        self._limits = limits or Limits()
        self._idle: asyncio.Queue[_Child | None] = asyncio.Queue()
        self._all: set[_Child] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        """Start all children; raises UnavailableError if one cannot load what it needs."""
        starting = [asyncio.create_task(self._start()) for _ in range(self.workers)]
        try:
            for child in await asyncio.gather(*starting):
                self._idle.put_nowait(child)
        except BaseException:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all children."""
        await self._end()

    async def run(self, item: Any) -> Any:
        """Return what the function makes of an item.

        Raises ItemFailedError if it raised, ChildDiedError if it twice killed its child or overran a limit.
        """
        with contained():
            return await self._run(item)

    async def _run(self, item: Any) -> Any:
        kills = 0
        while True:
            child = await self._free()
            try:
                state, result = await self._ask(child, item)
            except _StoodStillError:
                continue  # as if it had not been asked
            except ChildDiedError as error:
                self._check_open()  # when all are ended that is no fault of the item
                kills += 1
                logger.warning("child.died", target=self._target, reason=error.reason, kills=kills)
                if kills == KILLS or error.reason is Reason.WALL_LIMIT:
                    raise
                continue
            if state == "ok":
                return result
            if state == "memory":
                raise ChildDiedError(Reason.MEMORY_LIMIT, result)
            raise ItemFailedError(Reason.HANDLER_FAILED, result)

    async def _ask(self, child: _Child, item: Any) -> tuple[str, Any]:
        """Ask a child, and give its place back whatever happens."""
        successor: _Child | None = None
        clock = asyncio.get_running_loop().time
        limit = clock() + self._limits.wall_seconds
        try:
            async with asyncio.timeout_at(limit):
                answer = await child.ask(item)
            child.served += 1
            # A child whose memory ran out may be in any state: it is replaced as well.
            if child.served < self._limits.items and answer[0] != "memory":
                successor = child
        except TimeoutError:
            if clock() > limit + LATE_SECONDS:
                raise _StoodStillError from None
            raise ChildDiedError(
                Reason.WALL_LIMIT, f"took longer than {self._limits.wall_seconds:.0f} s"
            ) from None
        except EOFError:
            raise _death(await self._bury(child, patience_seconds=DYING_SECONDS)) from None
        else:
            return answer
        finally:
            self._idle.put_nowait(successor)
            if successor is None:
                child.kill()
                await self._bury(child)

    async def _free(self) -> _Child:
        """Wait for a place and return its child, a new one if it has none; without one it stays free."""
        child = await self._idle.get()
        try:
            self._check_open()
            return child or await self._start()
        except BaseException:
            self._idle.put_nowait(child)
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError(f"the child processes for {self._target} have been ended")

    async def _start(self) -> _Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "newswire.child", self._target,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
            env={**os.environ, **ONE_THREAD, "NEWSWIRE_PARENT": str(os.getpid())},
        )  # fmt: skip
        child = _Child(process)
        self._all.add(child)
        try:
            async with asyncio.timeout(START_SECONDS):
                await child.ask((self._config, self._limits.cpu_seconds, self._limits.growth_bytes))
        except (EOFError, TimeoutError):
            code = await self._bury(child, patience_seconds=DYING_SECONDS)
            raise UnavailableError(
                f"a child process for {self._target} does not start (exit code {code})"
            ) from None
        return child

    async def _bury(self, child: _Child, *, patience_seconds: float = 0.0) -> int:
        code = await child.end(patience_seconds=patience_seconds)
        self._all.discard(child)  # not before: closing the pool waits for those that are dying
        return code

    async def _end(self) -> None:
        self._closed = True
        await asyncio.gather(*(child.end() for child in list(self._all)))
        self._all.clear()


def _death(code: int) -> ChildDiedError:
    """Say how a child died."""
    if code == -signal.SIGXCPU:
        return ChildDiedError(Reason.CPU_LIMIT, "used more CPU time than allowed")
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return ChildDiedError(Reason.CHILD_KILLED, f"its child process died of {how}")
