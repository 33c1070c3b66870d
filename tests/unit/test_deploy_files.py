"""The files that are used as they lie there: feed list, topic rules, lock."""

import re
import tomllib
from pathlib import Path

import pytest

from newswire_enrich.rules import load
from newswire_ingest.opml import read_feed_list

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = ("shared", "services/ingest", "services/enrich", "services/index", "examples/newsroom")
NAME = re.compile(r"[A-Za-z0-9._-]+")


def locked() -> set[str]:
    """Return the names of the packages in the lock."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line}


def test_the_feed_list_to_begin_with_can_be_read() -> None:
    """All of it, with an outlet for each feed."""
    path = ROOT / "deploy/feeds/world.opml"
    found = read_feed_list(path.read_bytes(), path.name)

    assert found.problems == ()
    assert len(found.feeds) >= 5
    assert all(feed.outlet for feed in found.feeds)


def test_the_default_topics_can_be_read_and_are_enough() -> None:
    """At least 25, among them those that the demo shows."""
    topics = {topic.id for topic in load(ROOT / "deploy/topics.yaml")}
    shown = {"nato-bid", "berlin-talks", "security-guarantees", "ceasefire", "prisoner-exchange"}

    assert len(topics) >= 25
    assert topics >= {*shown, "sport", "markets"}


def test_the_lock_has_hashes_and_no_addresses() -> None:
    """Whoever installs decides from where, the lock decides what."""
    text = (ROOT / "requirements.lock").read_text()
    packages = [block for block in re.split(r"\n(?=[a-z])", text) if "==" in block]

    assert "://" not in text
    assert not re.search(r"^-|^\.|@ ", text, re.MULTILINE)
    assert all("--hash=sha256:" in block for block in packages)


@pytest.mark.parametrize("folder", DISTRIBUTIONS)
def test_every_dependency_is_in_the_lock(folder: str) -> None:
    """Also the build backend, as nothing is built in isolation."""
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    names = {match.group().lower().replace("_", "-") for each in wanted if (match := NAME.match(each))}

    assert {name for name in names if not name.startswith("newswire")} <= locked()


@pytest.mark.parametrize("folder", DISTRIBUTIONS)
def test_every_dependency_says_why(folder: str) -> None:
    """One line, where it is declared."""
    lines = (ROOT / folder / "pyproject.toml").read_text().splitlines()
    declared = [line for line in lines if re.match(r'\s+"[^"]+[><=]', line)]

    assert all("#" in line for line in declared), declared
