"""One undisturbed run of the demo, which many tests look at."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import newswire


@dataclass(frozen=True)
class Demo:
    """A demo that has ended."""

    folder: Path
    log: Path
    stdout: str
    stderr: str
    code: int
    sums: dict[str, Any]

    @property
    def address(self) -> str:
        """The address of its log and store."""
        return f"sqlite:///{self.log}"


def run_demo(folder: Path) -> Demo:
    """Run the demo in a folder."""
    done = newswire(folder, "demo", "--json")
    lines = done.stdout.strip().splitlines()
    sums = json.loads(lines[-1]) if lines else {}
    return Demo(folder, folder / "var" / "demo.db", done.stdout, done.stderr, done.returncode, sums)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """An undisturbed run."""
    return run_demo(tmp_path_factory.mktemp("demo"))
