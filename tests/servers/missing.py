"""What happens to a test whose server cannot be had: it fails in CI, and is counted and said elsewhere."""

import os
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

import pytest


class ServerMissingError(Exception):
    """No way to such a server exists here; the text says why."""


def in_ci() -> bool:
    """Say whether this run is one of CI, where nothing may be left out."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def do_without(server: str, missing: ServerMissingError) -> NoReturn:
    """End a test for want of a server."""
    reason = f"for want of {server}: {missing}"
    if in_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def lines_of_missing(skip_reasons: Iterable[str]) -> list[str]:
    """Return one line per server that was missing, from the reasons of all skipped tests."""
    counts = Counter(reason for reason in skip_reasons if reason.startswith("for want of "))
    return [
        f"{count} {'test was' if count == 1 else 'tests were'} not run {reason}"
        for reason, count in sorted(counts.items())
    ]
