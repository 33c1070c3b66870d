"""How many messages a batch takes: as many as can be dealt with in good time.

Each step costs a commit, whatever its size: a lone message is committed at once, a backlog in batches that
grow while they are quick.
"""

GOOD_SECONDS = (
    0.5  # a batch that took longer keeps others waiting, and more would be done again after a death
)


class Pace:
    """The size of the next batch.

    Args:
        first: size of the first batch.
        ceiling: no batch is larger.
        floor: none is smaller for being slow.
    """

    def __init__(self, first: int, ceiling: int, floor: int = 1) -> None:
        self._ceiling = ceiling
        self._floor = min(floor, ceiling)
        self.size = min(first, ceiling)

    def took(self, messages: int, seconds: float) -> None:
        """Learn from a batch: a full one that was quick makes the next one larger, a slow one smaller."""
        if seconds > GOOD_SECONDS:
            self.size = max(self._floor, min(self.size, messages) // 2)
        elif messages >= self.size:
            self.size = min(self._ceiling, self.size * 2)
