"""What runs in a child process: read an item, work on it under limits, write the result.

Started as ``python -m newswire.child MODULE:FACTORY``. Frames on both pipes are a length of eight bytes
and a pickle; both ends are our own code. The first frame in is the configuration, the first one out says
that the factory has loaded what it needs.
"""

import ctypes
import importlib
import os
import pickle
import resource
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

HEADER = struct.Struct(">Q")
PR_SET_PDEATHSIG = 1  # prctl(2), Linux


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; where it cannot, the closed pipe ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def limit_cpu(seconds: float) -> None:
    """Let the process use so many more seconds of CPU before SIGXCPU ends it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


def limit_memory(growth_bytes: int) -> None:
    """Let the address space grow by so much from now on; beyond it allocations fail."""
    if sys.platform != "linux":
        return
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  a hot path: no Path object
        now = int(statm.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + growth_bytes, hard))


def read_frame(stream: BinaryIO) -> Any:
    """Return the next object of a stream; raises EOFError at its end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        raise EOFError
    return pickle.loads(stream.read(HEADER.unpack(header)[0]))  # noqa: S301  written by our own parent


def write_frame(stream: BinaryIO, value: Any) -> None:
    """Write an object to a stream."""
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(HEADER.pack(len(body)))
    stream.write(body)
    stream.flush()


def load(target: str) -> Callable[[Any], Callable[[Any], Any]]:
    """Return the factory named by ``module:function``."""
    module, _, name = target.partition(":")
    factory: Callable[[Any], Callable[[Any], Any]] = getattr(importlib.import_module(module), name)
    return factory


def answer(work: Callable[[Any], Any], item: Any) -> tuple[str, Any]:
    """Return how the work on one item went: ok, memory or error, and the result or a message."""
    try:
        return "ok", work(item)
    except MemoryError:
        return "memory", "needs more memory than allowed"
    except Exception as error:  # noqa: BLE001  whatever it is, the parent decides
        return "error", f"{type(error).__name__}: {error}"


def serve(target: str, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer items until the pipe closes."""
    config, cpu_seconds, growth_bytes = read_frame(incoming)
    work = load(target)(config)
    write_frame(outgoing, ("ready", None))
    while True:
        try:
            item = read_frame(incoming)
        except EOFError:
            return
        limit_cpu(cpu_seconds)
        limit_memory(growth_bytes)
        write_frame(outgoing, answer(work, item))


def main() -> None:
    """Serve on the pipes that were standard input and output; prints of libraries go to standard error."""
    die_with_parent(int(os.environ["NEWSWIRE_PARENT"]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.argv[1], incoming, outgoing)


if __name__ == "__main__":
    main()
