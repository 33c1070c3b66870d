"""What all tests share."""

import os
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite(
    "contract.log_contract", "contract.store_contract", "contract.subscription_contract"
)

pytest_plugins = ["servers.plugin"]

KINDS = {"unit", "contract", "integration", "e2e"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that does not say what must be running for it."""
    for item in items:
        if len(KINDS & {mark.name for mark in item.iter_markers()}) != 1:
            raise pytest.UsageError(f"{item.nodeid} needs one of the marks {', '.join(sorted(KINDS))}")


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    """Take our own settings out of the environment, and put it back afterwards."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("NEWSWIRE_") and not name.startswith("NEWSWIRE_TEST_"):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)
