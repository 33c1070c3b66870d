"""Signs of life of a partition at work: they tell a slow handler from one that hangs.

An item that a child process has in hand is no reason to worry, however long it takes: it has limits of its
own, and ends. So whoever hands one out says so, for the partition whose batch it belongs to.
"""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Signs:
    """What is known of one partition at work.

    Attributes:
        is_open: whether its tables are read and its handler is there.
        contained: items of its batch that child processes have in hand.
        seen_at: when it was last seen to live, by the monotonic clock.
    """

    is_open: bool = False
    contained: int = 0
    seen_at: float = field(default_factory=time.monotonic)

    def seen(self) -> None:
        """See it live."""
        self.seen_at = time.monotonic()


_here: ContextVar[Signs | None] = ContextVar("signs", default=None)


@contextlib.contextmanager
def working_for(signs: Signs) -> Iterator[None]:
    """Say which partition what happens inside is done for, in tasks that are started inside too."""
    token = _here.set(signs)
    try:
        yield
    finally:
        _here.reset(token)


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Say that a child process has an item in hand."""
    signs = _here.get()
    if signs is None:
        yield
        return
    signs.contained += 1
    try:
        yield
    finally:
        signs.contained -= 1
        signs.seen()
