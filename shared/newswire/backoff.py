"""How long to wait before trying again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Doubling waits between two bounds, with jitter.

    Attributes:
        first_seconds: the wait after the first failure.
        ceiling_seconds: no wait is longer.
    """

    first_seconds: float = 0.1
    ceiling_seconds: float = 30.0

    def seconds(self, failures: int) -> float:
        """Return the wait after that many failures in a row, half to all of the doubled time."""
        full: float = min(self.ceiling_seconds, self.first_seconds * 2.0 ** min(failures - 1, 30))
        return full * random.uniform(0.5, 1.0)
