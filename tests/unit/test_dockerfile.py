"""deploy/Dockerfile and .dockerignore: small images without secrets, which any engine can build."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
STAGES = {
    match["name"]: match["body"]
    for match in re.finditer(
        r"^FROM \S+ AS (?P<name>[\w-]+)\n(?P<body>.*?)(?=^FROM |\Z)", TEXT, re.MULTILINE | re.DOTALL
    )
}
IMAGES = ("ingest", "enrich", "index", "newsroom")
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def instructions(stage: str) -> list[tuple[str, str]]:
    """Return the instructions of a stage with what they say, lines joined."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", STAGES[stage], flags=re.MULTILINE))
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_every_engine_can_build_it() -> None:
    """No frontend image is fetched, and nothing is used that came later."""
    assert not re.search(r"^#\s*syntax\s*=", TEXT, re.MULTILINE | re.IGNORECASE)
    assert "<<" not in TEXT
    assert not re.search(r"--(link|parents|exclude|checksum|start-interval)\b", TEXT)


def test_the_base_is_pinned() -> None:
    """To a version in full, once for all images."""
    assert re.search(r"^ARG PYTHON=python:3\.11\.\d+-slim-bookworm$", TEXT, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)) <= {"${PYTHON}", *STAGES}


def test_no_secret_can_be_given_to_it() -> None:
    """An argument or a variable would stand in the history of the image."""
    given = re.findall(r"^(?:ARG|ENV) (.*(?:\\\n.*)*)", TEXT, re.MULTILINE)

    assert given
    assert not re.search(r"PASSWORD|SECRET|TOKEN|KEY", " ".join(given), re.IGNORECASE)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_without_rights(name: str) -> None:
    """By number, so that an orchestrator sees that it is not root; it comes from a base that says so."""
    assert f"FROM base AS {name}\n" in TEXT
    assert ("USER", "10001:10001") in instructions("base")
    assert "USER" not in dict(instructions(name))


@pytest.mark.parametrize("name", IMAGES)
def test_a_change_of_code_leaves_the_dependencies_alone(name: str) -> None:
    """They come before our own packages, and from a stage that sees nothing but the lock."""
    copied = [rest for word, rest in instructions(name) if word == "COPY"]
    dependencies = copied.index(f"--from={name}-dependencies /opt/newswire /opt/newswire")
    code = copied.index(f"--from={name}-code /opt/code /opt/code")

    assert dependencies < code == len(copied) - 1
    assert [rest for word, rest in instructions(f"{name}-dependencies") if word == "COPY"] == [
        f"deploy/locks/{name}.txt /locks/"
    ]


@pytest.mark.parametrize("name", IMAGES)
def test_what_is_installed_is_what_the_lock_says(name: str) -> None:
    """With hashes, as wheels, and without looking for more."""
    ((_, run),) = [each for each in instructions(f"{name}-dependencies") if each[0] == "RUN"]

    assert "--require-hashes --only-binary :all:" in run
    assert "PIP_NO_DEPS=1" in STAGES["build"]
    assert "--no-index" in STAGES[f"{name}-code"]


def test_nothing_is_sent_to_the_engine_unless_it_is_named() -> None:
    """Neither .env nor .secrets nor .git can end up in an image."""
    allowed = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}

    assert IGNORED[0] == "*"
    assert allowed == {"shared", "services", "examples/newsroom", "deploy/locks", "deploy/topics.yaml"}


def test_all_that_is_copied_is_sent() -> None:
    """What the Dockerfile names and .dockerignore leaves out would stop the build."""
    sources = re.findall(r"^COPY (?!--from)(\S+) ", TEXT, re.MULTILINE)
    allowed = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]

    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert any(fnmatch(source, f"{each}*") for each in allowed)
