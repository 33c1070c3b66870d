"""One stack with the demo, brought up once; each test leaves it as it was: up and healthy."""

from collections.abc import Iterator

import pytest
from compose.stack import Stack, copy_checkout, require_engine
from servers.missing import ServerMissingError, do_without


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs an engine, unless it is asked for by its mark; it is counted as deselected."""
    if "compose" in (config.getoption("markexpr") or ""):
        return
    left_out = [item for item in items if item.get_closest_marker("compose")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, from a clean copy of the checkout, healthy."""
    try:
        require_engine()
    except ServerMissingError as missing:
        do_without("a Docker engine", missing)
    folder = tmp_path_factory.mktemp("clone")
    copy_checkout(folder)
    stack = Stack(folder)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
