"""The house rules that a machine can hold: who imports whom, and how large things grow."""

import ast
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "newswire": ROOT / "shared",
    "newswire_ingest": ROOT / "services" / "ingest",
    "newswire_enrich": ROOT / "services" / "enrich",
    "newswire_index": ROOT / "services" / "index",
    "newswire_newsroom": ROOT / "examples" / "newsroom",
}
SERVICES = {"newswire_ingest", "newswire_enrich", "newswire_index"}
MAY_IMPORT = {
    "newswire": {"newswire"},
    **{service: {"newswire", service} for service in SERVICES},
    "newswire_newsroom": set(PACKAGES),
}
MODULE_LINES = 400
FUNCTION_LINES = 60
EMPTY: set[str] = set()

each_package = pytest.mark.parametrize("package", PACKAGES)


@cache
def modules(package: str) -> dict[str, ast.Module]:
    """Return the syntax trees of a package by their paths."""
    paths = sorted((PACKAGES[package] / package).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level names of everything that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else str(node.module).split(".")[0]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield all functions of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@each_package
def test_the_package_is_found(package: str) -> None:
    """The other tests look at something."""
    assert len(modules(package)) > 1


@each_package
def test_imports_point_inwards(package: str) -> None:
    """Shared code knows no service, and services do not know each other."""
    found = {path: set(imports(tree)) & PACKAGES.keys() for path, tree in modules(package).items()}

    assert {path: names - MAY_IMPORT[package] for path, names in found.items()} == dict.fromkeys(found, EMPTY)


@each_package
def test_imports_are_absolute(package: str) -> None:
    """A name says where it comes from."""
    assert [path for path, tree in modules(package).items() if "." in set(imports(tree))] == []


@each_package
def test_every_module_says_what_it_is_for(package: str) -> None:
    """Each opens with a docstring."""
    assert [path for path, tree in modules(package).items() if not ast.get_docstring(tree)] == []


@each_package
def test_modules_stay_small(package: str) -> None:
    """None is longer than can be read in one sitting."""
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules(package)}

    assert {path: lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


@each_package
def test_functions_stay_small(package: str) -> None:
    """None is longer than a screen."""
    found = chain.from_iterable(
        ((path, each) for each in functions(tree)) for path, tree in modules(package).items()
    )
    lengths = {f"{path}:{each.name}": (each.end_lineno or 0) - each.lineno + 1 for path, each in found}

    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import newswire_index.store as s", {"newswire_index"}),
        ("def f():\n    from newswire_enrich.x import y", {"newswire_enrich"}),
        ("if TYPE_CHECKING:\n    import newswire_ingest", {"newswire_ingest"}),
        ("from . import x", {"."}),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, names: set[str]) -> None:
    """Inside functions and conditions as well."""
    assert set(imports(ast.parse(source))) == names
