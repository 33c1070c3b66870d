"""kill -9 is the normal case of failure."""

import random
import time
from pathlib import Path

import pytest
from e2e.conftest import Demo
from e2e.harness import articles, children_of_newswire, newsroom, newswire, rows, started, until

from newswire.events import Enriched

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

KILLS = 20
LONGEST_LIFE_SECONDS = 3.5  # start-up and the better part of a run


def test_twenty_kills_change_nothing_in_the_end(demo: Demo, tmp_path: Path) -> None:
    """The same articles as an undisturbed run, none twice, none missing, no orphan, the ledger balanced."""
    moments = random.Random(20)
    arguments = ("run", "--feeds", "newsroom.opml", "--until-drained")
    with newsroom(tmp_path) as settings:
        for _ in range(KILLS):
            with started(tmp_path, *arguments, env=settings) as process:
                deadline = time.monotonic() + moments.uniform(0.2, LONGEST_LIFE_SECONDS)
                while time.monotonic() < deadline and process.poll() is None:
                    time.sleep(0.01)
            until(lambda: not children_of_newswire(tmp_path), seconds=5)
        last = newswire(tmp_path, *arguments, env=settings)
    found, expected = articles(tmp_path / "var" / "newswire.db"), articles(demo.log)
    (row,) = rows(newswire(tmp_path, "ledger", "--json").stdout)
    hits = rows(newswire(tmp_path, "search", "--json", "--limit", "1000").stdout)

    assert last.returncode == 0, last.stderr
    assert _content(found) == _content(expected)
    assert (row["in_flight"], row["lost"]) == (0, 0)
    assert sorted(hit["id"] for hit in hits) == sorted(expected)


def _content(found: dict[str, Enriched]) -> dict[str, tuple[str, str]]:
    """Return title and content hash by article id."""
    return {key: (a.title, a.content_hash) for key, a in found.items()}
