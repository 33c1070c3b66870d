"""How much more a recent article counts, the same in every store.

The score of the words is multiplied by ``1 + 2 ** (-age / half-life)``: twice for what is published now, one
and a half times after a half-life, and once for what is old. So of equal matches the recent one comes first,
and a much better match is found however old it is. What lies ahead counts as published now.
"""

import math
from datetime import UTC, datetime, timedelta

MAX_DAYS = 36_500.0  # a century, in which nothing is recent any more
MICROSECONDS_A_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def factor(dated_at: int, clock: int, half_life: float) -> float:
    """Return by what a score is multiplied.

    Args:
        dated_at: of the article, in microseconds since 1970.
        clock: what is taken for now, likewise.
        half_life: in days, after which an article counts half as much more; 0: never more.
    """
    if not half_life:
        return 1.0
    return 1.0 + math.exp2(-max(0, clock - dated_at) / MICROSECONDS_A_DAY / half_life)
