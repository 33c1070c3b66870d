"""The paging cursor: where a page ended, good only for the query that made it.

It holds all that the next page needs, and no store keeps anything for it: a cursor outlives restarts, and
nothing has to be given back. It holds the clock by which the first page told what is recent, so that no
score moves because time goes by. What is written between two pages is seen by the later one: an article that
belongs before the cursor is not shown any more, and scores may move a little as the new words are counted.
"""

import base64
import json
import math
from dataclasses import astuple, dataclass, replace
from typing import Self

from newswire.ids import short_digest
from newswire_index.store import Matched, Query, QueryError

_LARGEST = 2**63  # what a store holds as a number


@dataclass(frozen=True, slots=True)
class Position:
    """The last hit of a page.

    Args:
        matched: how the query was matched.
        score: of the hit; hits come by it, best first.
        dated_at: of the hit, in microseconds since 1970; hits of one score come by it, newest first.
        article_id: of the hit; it decides between equals.
        clock: what the first page took for now, in microseconds since 1970.
    """

    matched: Matched
    score: float
    dated_at: int
    article_id: str
    clock: int

    def write(self, query: Query) -> str:
        """Return the position as an opaque cursor."""
        values = json.dumps([*astuple(self), mark_of(query)])
        return base64.urlsafe_b64encode(values.encode()).decode()

    @classmethod
    def read(cls, query: Query) -> Self | None:
        """Return where a query's page begins, None for the first; raises QueryError on a foreign cursor."""
        if query.cursor is None:
            return None
        try:
            *values, mark = json.loads(base64.urlsafe_b64decode(query.cursor))
            position = cls(*values)
            position.check()
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise QueryError("the cursor is none of ours") from error
        if mark != mark_of(query):
            raise QueryError("the cursor belongs to another query")
        return position

    def check(self) -> None:
        """Raise ValueError or TypeError if it holds what no store has written."""
        if self.matched not in {"all", "any"} or not isinstance(self.article_id, str):
            raise ValueError(self)
        if not math.isfinite(self.score) or not isinstance(self.score, float):
            raise ValueError(self)
        for number in (self.dated_at, self.clock):
            if not isinstance(number, int) or abs(number) >= _LARGEST:
                raise ValueError(self)


def mark_of(query: Query) -> str:
    """Return what tells queries apart, whatever page is asked for."""
    return short_digest(repr(replace(query, cursor=None, limit=1, facets=False)))
