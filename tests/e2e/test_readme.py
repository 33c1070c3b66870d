"""Every command that README and quickstart show is run as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from e2e.conftest import Demo
from e2e.harness import HASTE, NEWSWIRE, environment, newsroom, newswire, started, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/quickstart.md")
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAM_PAGES = ("README.md", "docs/how-to/follow-a-topic.md")
INLINE = re.compile(r"`(make [a-z]+[^`]*)`")
OPML = """<opml version="2.0"><body><outline type="rss" xmlUrl="https://courier.example/feeds/world.xml"/></body></opml>"""


def commands() -> list[str]:
    """Return the commands of the pages, without comments."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
        found += [line.partition(" #")[0].strip() for line in (*lines, *INLINE.findall(text))]
    return sorted({line for line in found if line})


def copy_log(demo: Demo, folder: Path) -> None:
    """Put the demo's log and store where a folder's own would be."""
    (folder / "var").mkdir()
    for file in demo.log.parent.glob("demo.db*"):
        if file.is_file():
            (folder / "var" / file.name.replace("demo", "newswire")).write_bytes(file.read_bytes())


RUNNING = [line for line in commands() if line.startswith("newswire run")]
MAKING = [line for line in commands() if line.startswith("make")]
SETTING = [line for line in commands() if line.startswith("export")]
OTHERS = [line for line in commands() if line not in {*RUNNING, *MAKING, *SETTING}]


def test_the_pages_show_what_they_should() -> None:
    """The two commands, run, search, the filters: nothing of it was lost in an edit."""
    shown = "\n".join(commands())

    for part in (
        "make demo",
        "make test",
        "newswire run",
        "newswire search",
        "newswire ledger",
        "newswire enrich",
        "newswire tail",
    ):
        assert part in shown


@pytest.mark.parametrize("line", MAKING)
def test_make_knows_the_target(line: str) -> None:
    """Without running it: the demo and the tests are run by themselves."""
    done = subprocess.run(["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", SETTING)
def test_settings_shown_are_known(demo: Demo, line: str) -> None:
    """With them the ledger of the demo can be read."""
    settings = dict(each.split("=", 1) for each in shlex.split(line)[1:])
    done = newswire(demo.folder, "ledger", env=settings)

    assert done.returncode == 0, done.stderr
    assert "in flight" in done.stdout


@pytest.mark.parametrize("line", OTHERS)
def test_each_command_works_as_shown(demo: Demo, tmp_path: Path, line: str) -> None:
    """On the demo's log and store, with files of the names that the pages use."""
    (tmp_path / "my.opml").write_text(OPML)
    (tmp_path / "pages.jsonl").write_text('{"id": 1, "url": "https://courier.example/", "html": "<p>x"}\n')
    copy_log(demo, tmp_path)
    path = environment(PATH=f"{NEWSWIRE.parent}:{environment()['PATH']}")
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=path, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("line", RUNNING)
def test_run_works_as_shown_until_it_is_stopped(tmp_path: Path, line: str) -> None:
    """It starts, polls a feed, and stops well on a signal."""
    with newsroom(tmp_path) as settings:
        newswire(tmp_path, "feeds", "import", "newsroom.opml", env=settings)
        with started(tmp_path, *shlex.split(line)[1:], env={**HASTE, **settings}) as process:
            until(lambda: b"services.started" in (tmp_path / "run.log").read_bytes())
            process.terminate()
            process.wait(timeout=20)

    assert process.returncode == 0


@pytest.mark.parametrize("page", PROGRAM_PAGES)
def test_each_program_works_as_shown(demo: Demo, tmp_path: Path, page: str) -> None:
    """It gets articles of the demo, until it is ended."""
    copy_log(demo, tmp_path)
    (program,) = PROGRAM.findall((ROOT / page).read_text(encoding="utf-8"))
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-uc", program], cwd=tmp_path, env=environment(), stdout=output
        )
        try:
            until(lambda: b"https://" in (tmp_path / "output").read_bytes())
        finally:
            process.kill()
            process.wait()
