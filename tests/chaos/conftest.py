"""Undisturbed runs, each made once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from chaos.backing import on_sqlite
from chaos.checks import Remains
from chaos.replicas import replicas
from chaos.scene import HASTE, Size, scene

CALM_SECONDS = 240.0  # for the largest newsroom on a busy machine


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is long, unless it is asked for by its mark; it is counted as deselected."""
    if "long" in (config.getoption("markexpr") or ""):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


Undisturbed = Callable[[int], Remains]


def run_undisturbed(folder: Path, worlds: int) -> Remains:
    """Return what is left of a newsroom without killers that nobody disturbed."""
    size = Size(worlds, killers=0, interval_seconds=2.0 + worlds / 5)
    counts = {"ingest": 1, "enrich": 2, "index": 1}
    with scene(folder, size, on_sqlite(folder), HASTE) as calm, replicas(folder, calm.env, counts):
        for number in range(1, worlds + 1):
            assert calm.add_feeds(number)
        calm.until_drained(CALM_SECONDS)
        return calm.remains()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Return a function from a number of worlds to what an undisturbed run leaves."""
    known: dict[int, Remains] = {}

    def get(worlds: int) -> Remains:
        if worlds not in known:
            known[worlds] = run_undisturbed(tmp_path_factory.mktemp("undisturbed"), worlds)
        return known[worlds]

    return get
