"""Functions for the tests of child processes, named by how they behave."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def echo(config: Any) -> Callable[[Any], Any]:
    """Return each item with the configuration."""
    return lambda item: (config, item)


def process(config: Any) -> Callable[[Any], Any]:
    """Return the id of the process that did the work."""
    del config
    return lambda _: os.getpid()


def environment(config: Any) -> Callable[[Any], Any]:
    """Return a variable of the child's environment."""
    del config
    return os.environ.get


def chatty(config: Any) -> Callable[[Any], Any]:
    """Print on standard output, by Python and past it, as libraries do."""
    del config
    print("loading")  # noqa: T201  printing is what is tested

    def work(item: Any) -> Any:
        print("working on", item)  # noqa: T201
        sys.stdout.flush()
        os.write(1, b"straight to the descriptor\n")
        return item

    return work


def unloadable(config: Any) -> Callable[[Any], Any]:
    """Fail while loading."""
    raise OSError(f"no model named {config}")


def loads_once(config: str) -> Callable[[Any], Any]:
    """Load the first time only; a marker file remembers. Any item kills the child."""
    with Path(config).open("x"):
        return lambda _: os._exit(3)


def misbehaving(config: Any) -> Callable[[Any], Any]:
    """Do to the child what the item says."""
    del config
    return _misbehave


def _misbehave(item: tuple[str, Any]) -> Any:
    act, value = item
    acts: dict[str, Callable[[Any], Any]] = {
        "raise": _raise,
        "spin": _spin,
        "sleep": time.sleep,
        "grow": _grow,
        "exit": os._exit,
        "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
        "kill once": _kill_once,
        "process": lambda _: os.getpid(),
    }
    return acts[act](value)


def _raise(message: str) -> None:
    raise ValueError(message)


def _spin(_: Any) -> None:
    while True:
        pass


def _grow(size: int) -> int:
    return len(bytearray(size))


def _kill_once(marker: str) -> str:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def lines(config: Any) -> Callable[[bytes], dict[str, Any]]:
    """Answer a line of a filter: ``slow``, ``die``, ``bad`` do what they say, others come back."""
    del config

    def work(line: bytes) -> dict[str, Any]:
        word = line.decode().strip()
        if "slow" in word:
            time.sleep(0.2)
        if "die" in word:
            os._exit(9)
        if "bad" in word:
            raise ValueError("a bad line")
        return {"line": word}

    return work


class ClosedPipe:
    """An output whose reader has gone."""

    def write(self, text: str) -> int:
        """Fail."""
        raise BrokenPipeError(text)

    def flush(self) -> None:
        """Do nothing."""
