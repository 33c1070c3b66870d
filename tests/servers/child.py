"""A server as our child process: in a session of its own, with its output in a file, never outliving us."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

TIED = Path(__file__).with_name("tied.py")


@cache
def _launcher() -> ThreadPoolExecutor:
    """Return the thread that starts all children.

    The kernel takes the death of the *thread* that started a child for the death of the parent, and tests may
    call us from threads that end; this one lives as long as the process.
    """
    return ThreadPoolExecutor(1, thread_name_prefix="servers")


def start_child(
    command: Sequence[str],
    output: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a command that is killed when this process dies; its output is appended to a file.

    Args:
        command: and its arguments.
        output: the file.
        environment: all of it; ours if none is given.
        folder: that it starts in; ours if none is given.
    """
    return _launcher().submit(_start, command, output, environment, folder).result()


def _start(
    command: Sequence[str], output: Path, environment: Mapping[str, str] | None, folder: Path | None
) -> "subprocess.Popen[bytes]":
    with output.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(TIED), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=environment,
            cwd=folder,
            start_new_session=True,  # a ^C is meant for the tests
        )


def end_child(process: "subprocess.Popen[bytes]", signum: int, seconds: float) -> None:
    """Send a signal and wait for the end; kill what does not end in time."""
    process.send_signal(signum)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
