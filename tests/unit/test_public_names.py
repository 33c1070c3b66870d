"""What ``import newswire`` gives, and what it costs."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import newswire

pytestmark = pytest.mark.unit

LOADED = "import json, sys, newswire; print(json.dumps(sorted(sys.modules)))"


def test_every_public_name_is_there() -> None:
    """Loaded when asked for, and listed."""
    assert all(getattr(newswire, name) is not None for name in newswire.__all__)
    assert set(newswire.__all__) <= set(dir(newswire))


def test_the_names_are_the_same_to_people_to_python_and_to_type_checkers() -> None:
    """Declared in three places, as each is read by somebody else."""
    tree = ast.parse(Path(newswire.__file__).read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {
        alias.name: str(each.module).removeprefix("newswire.")
        for each in checked.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
    }

    assert sorted(newswire.__all__) == list(newswire.__all__)
    assert typed == newswire._HOMES
    assert set(newswire.__all__) == set(newswire._HOMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        getattr(newswire, "nothing_of_ours")  # noqa: B009  the type checker would see it otherwise


def test_importing_loads_nothing_heavy() -> None:
    """No client, no model, no settings."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))

    assert loaded & {"pydantic", "aiokafka", "structlog", "sqlite3", "asyncio", "typer"} == set()
