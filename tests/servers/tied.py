"""Runs a command that dies with its parent: python tied.py PARENT COMMAND [ARGUMENT...].

A program of its own, because code between fork and exec may hang in a process with threads.
The process stays the same one: whoever started it holds the command's own process id.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def main() -> None:
    """Ask the kernel for a SIGKILL when the parent dies, and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
