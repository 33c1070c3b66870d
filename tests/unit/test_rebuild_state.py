"""How far a rebuild is, and whether whoever was at it is alive."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract.store_contract import article

from newswire_index.elastic.source import source_of
from newswire_index.rebuild.filling import arriving
from newswire_index.rebuild.indices import with_words
from newswire_index.rebuild.state import Progress, is_gone, myself

pytestmark = pytest.mark.unit

LATER = datetime(2026, 11, 25, tzinfo=UTC)


def dead_pid() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_progress_survives_being_saved() -> None:
    """Numbers of partitions are text in JSON."""
    progress = Progress(
        identity="log", months={"2026-11": "i"}, following={3: 7}, counts=Counter(stored=2),
        rejected={"a": {"version": 1, "reason": "x", "url": None}}, owner=myself(), beat=4,
    )  # fmt: skip

    assert Progress.read(progress.row()) == progress
    assert progress.row()["following"] == {"3": 7}


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ({}, True),  # a container that was started again has the same numbers
        ({"pid": os.getppid()}, False),
        ({"pid": 1}, False),
        ({"pid": dead_pid()}, True),
        ({"pid": dead_pid(), "host": "elsewhere"}, False),
    ],
)
def test_an_owner_is_known_to_be_gone_only_on_this_machine(owner: dict[str, Any], expected: bool) -> None:
    """Of others only their silence tells."""
    assert is_gone({**myself(), **owner}, myself()) is expected


def test_an_article_arrives_when_it_did() -> None:
    """In the same version; of another one it is not known, and no lag is made up."""
    document = article(published_at=datetime(2026, 11, 20, 8, tzinfo=UTC), published_plausible=True)
    now = source_of(document, LATER)
    then = {"indexed_at": "2026-11-20T09:00:01+00:00", "lag_ms": {"enriched_to_indexed": 1000}}
    lags = set(now["lag_ms"])

    assert arriving(now, 1, (1, then)) == {**now, **then}
    for arrived in (None, (2, then)):
        other = arriving(now, 1, arrived)
        assert other["indexed_at"] == now["indexed_at"]
        assert set(other["lag_ms"]) == lags - {"enriched_to_indexed", "published_to_indexed"}
    assert "published_to_indexed" in lags


@pytest.mark.parametrize(("language", "keys"), [("en", ["en"]), ("zz", [])])
def test_a_copied_article_can_be_searched_in_its_language_again(language: str, keys: list[str]) -> None:
    """What is searched only is not kept in it."""
    sent = source_of(article(language=language), LATER + timedelta(days=1))
    kept = {name: value for name, value in sent.items() if name != "in"}

    assert with_words(kept) == sent
    assert list(with_words(kept).get("in", {})) == keys
