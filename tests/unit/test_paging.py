"""The cursor between pages."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_index.paging import Position, mark_of
from newswire_index.query import parse_query
from newswire_index.store import QueryError

pytestmark = pytest.mark.unit

QUERY = parse_query("talks", recency=3)
POSITION = Position("any", 1.25, 1_763_629_200_000_000, "a", 1_763_700_000_000_000)


def cursor_of(*values: Any) -> str:
    """Return a cursor made by hand."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(1 - 2**63, 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(1 - 2**63, 2**63 - 1),
)
def test_a_position_comes_back_exactly(score: float, dated_at: int, article_id: str, clock: int) -> None:
    """To the last digit of the score."""
    position = Position("all", score, dated_at, article_id, clock)
    cursor = position.write(QUERY)

    assert Position.read(replace(QUERY, cursor=cursor)) == position


def test_the_first_page_has_no_position() -> None:
    """Without a cursor there is none."""
    assert Position.read(QUERY) is None


def test_limit_and_facets_may_change_from_page_to_page() -> None:
    """They do not change which hits there are, nor their order."""
    cursor = POSITION.write(QUERY)

    assert Position.read(replace(QUERY, cursor=cursor, limit=99, facets=True)) == POSITION


@pytest.mark.parametrize(
    "other", [parse_query("talks"), parse_query("talks", recency=4), parse_query("talk", recency=3)]
)
def test_another_query_or_another_recency_refuses_the_cursor(other: Any) -> None:
    """Its hits would be in another order."""
    with pytest.raises(QueryError, match="belongs to another query"):
        Position.read(replace(other, cursor=POSITION.write(QUERY)))


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("all", 1.0, 1, "a"),
        ("all", 1.0, 1, "a", 1, 1),
        ("some", 1.0, 1, "a", 1),
        ("all", "1.0", 1, "a", 1),
        ("all", float("inf"), 1, "a", 1),
        ("all", 1.0, 2**63, "a", 1),
        ("all", 1.0, 1.5, "a", 1),
        ("all", 1.0, 1, None, 1),
        ("all", 1.0, 1, "a", -(2**63)),
        ("all", 1.0, 1, "a", None),
        ([], 1.0, 1, "a", 1),
    ],
)
def test_a_position_that_no_store_wrote_is_refused(values: tuple[Any, ...]) -> None:
    """Even with the right mark: no number that a store cannot hold gets through."""
    with pytest.raises(QueryError, match="none of ours"):
        Position.read(replace(QUERY, cursor=cursor_of(*values, mark_of(QUERY))))
