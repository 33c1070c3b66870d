"""The paging cursor: where a page ended, good only for the query that made it."""

import base64
import json
import math
from dataclasses import astuple, dataclass, replace
from typing import Self

from newswire.ids import short_digest
from newswire_index.store import Matched, Query, QueryError


@dataclass(frozen=True, slots=True)
class Position:
    """The last hit of a page: how the query was matched, what hits are ordered by, and the article's id."""

    matched: Matched
    order: float
    article_id: str

    def write(self, query: Query) -> str:
        """Return the position as an opaque cursor."""
        values = json.dumps([*astuple(self), _mark(query)])
        return base64.urlsafe_b64encode(values.encode()).decode()

    @classmethod
    def read(cls, query: Query) -> Self | None:
        """Return where a query's page begins, None for the first; raises QueryError on a foreign cursor."""
        if query.cursor is None:
            return None
        try:
            matched, order, article_id, mark = json.loads(base64.urlsafe_b64decode(query.cursor))
            number = float(order)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise QueryError("the cursor is none of ours") from error
        if matched not in {"all", "any"} or not isinstance(article_id, str) or not math.isfinite(number):
            raise QueryError("the cursor is none of ours")
        if mark != _mark(query):
            raise QueryError("the cursor belongs to another query")
        return cls(matched, number, article_id)


def _mark(query: Query) -> str:
    """Return what tells queries apart, whatever page is asked for."""
    return short_digest(repr(replace(query, cursor=None, limit=1, facets=False)))
