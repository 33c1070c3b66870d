"""Asking a process how it is: one line, and an exit code that a container's health check understands."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from newswire.health import Health, Report
from newswire.health_check import address, ask, main
from newswire.health_command import register
from newswire.health_server import served

pytestmark = pytest.mark.unit


@pytest.fixture
def health() -> Health:
    """A process that is alive and, until told otherwise, ready."""
    health = Health(120)
    health.looked(Report(at=float("inf")))
    return health


@pytest.fixture
def port(health: Health, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where it answers, as the settings say."""
    with served(health, "127.0.0.1", 0) as port:
        monkeypatch.setenv("NEWSWIRE_HEALTH_PORT", str(port))
        yield port


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("127.0.0.1", "http://127.0.0.1:9100"),
        ("0.0.0.0", "http://127.0.0.1:9100"),  # noqa: S104  as compose sets it
        ("::", "http://[::1]:9100"),
        ("::1", "http://[::1]:9100"),
        ("ingest", "http://ingest:9100"),
    ],
)
def test_the_address_is_that_of_the_settings(host: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that listens everywhere is found on loopback."""
    monkeypatch.setenv("NEWSWIRE_HEALTH_PORT", "9100")
    monkeypatch.setenv("NEWSWIRE_HEALTH_HOST", host)

    assert address() == found


def test_without_a_port_there_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one may be given."""
    nowhere = address()
    monkeypatch.setenv("NEWSWIRE_HEALTH_PORT", "0")

    assert nowhere is None
    assert address() is None
    assert address(9200) == "http://127.0.0.1:9200"


def test_the_answer_is_one_line(port: int, health: Health) -> None:
    """With all reasons."""
    good = ask(f"http://127.0.0.1:{port}", ready=True)
    health.looked(Report(at=float("inf"), waiting=("index waits", "enrich waits")))

    assert good == (True, "ready")
    assert ask(f"http://127.0.0.1:{port}") == (True, "alive")
    assert ask(f"http://127.0.0.1:{port}", ready=True) == (False, "not ready; index waits; enrich waits")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no host", "http://127.0.0.1:x", "nonsense"])
def test_nobody_there_is_no_good_answer(url: str) -> None:
    """Nor is an address that is none."""
    good, text = ask(url, seconds=1)

    assert not good
    assert text.startswith("no answer from ")


def test_the_quick_way_says_the_same(port: int, health: Health, capsys: pytest.CaptureFixture[str]) -> None:
    """0 and 1 are answers, 2 is a wrong question."""
    del port
    codes = [main([]), main(["--ready"])]
    health.stopping()
    codes += [main([]), main(["--ready"]), main(["--reddy"])]

    assert codes == [0, 0, 0, 1, 2]
    assert capsys.readouterr().out == "alive\nready\nalive\nnot ready; it is stopping\n"


def test_the_quick_way_imports_nothing_heavy() -> None:
    """It runs every few seconds, beside everything else."""
    heavy = {"typer", "pydantic", "structlog", "asyncio", "urllib.request"}
    code = f"import sys, newswire.health_check; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_the_command_asks_what_is_wanted(port: int, health: Health) -> None:
    """By the settings, a port or an address."""
    health.looked(Report(at=float("inf"), waiting=("index waits",)))
    runner = CliRunner()
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    by_settings = runner.invoke(app, ["health"])
    by_port = runner.invoke(app, ["health", "--port", str(port), "--ready"])
    by_url = runner.invoke(app, ["health", "--url", f"http://127.0.0.1:{port}"])

    assert (by_settings.exit_code, by_settings.output) == (0, "alive\n")
    assert (by_port.exit_code, by_port.output) == (1, "not ready; index waits\n")
    assert by_url.exit_code == 0


def test_the_command_needs_to_know_where() -> None:
    """It says what to set."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    done = CliRunner().invoke(app, ["health"])

    assert done.exit_code != 0
    assert "NEWSWIRE_HEALTH_PORT" in str(done.exception)
