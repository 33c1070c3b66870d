"""A running process is asked how it is, while all is well and while it is not."""

import re
import signal
import socket
import urllib.request
from pathlib import Path

import psutil
import pytest
from e2e.harness import newsroom, newswire, started, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SECONDS = 60.0  # that a start may take on a busy machine


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(folder: Path, port: int, *arguments: str) -> tuple[int, str]:
    """Return exit code and answer of ``newswire health``."""
    done = newswire(folder, "health", "--port", str(port), *arguments)
    return done.returncode, done.stdout.strip()


def metric(port: int, name: str) -> float:
    """Return the sum of a metric over its labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(found) for found in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))


def test_a_process_at_work_tells_how_it_is_and_what_it_does(tmp_path: Path) -> None:
    """Ready once it holds its partitions; its figures are those of the ledger; stopped, it answers nobody."""
    port = free_port()
    with newsroom(tmp_path) as settings:
        env = {**settings, "NEWSWIRE_HEALTH_PORT": str(port)}
        with started(tmp_path, "run", "--feeds", "newsroom.opml", env=env) as process:
            until(lambda: asked(tmp_path, port, "--ready") == (0, "ready"), SECONDS)
            until(lambda: metric(port, "newswire_outcomes_total") >= 30, SECONDS)
            held = metric(port, "newswire_partitions")
            polled, extracted = (
                metric(port, "newswire_feeds_polled_total"),
                metric(port, "newswire_articles_extracted_total"),
            )
            process.send_signal(signal.SIGSTOP)
            frozen = asked(tmp_path, port, "--seconds", "1")
            process.send_signal(signal.SIGCONT)
            until(lambda: asked(tmp_path, port) == (0, "alive"), SECONDS)
            process.terminate()
            code = process.wait(30)

    assert held == 36  # twelve for each of three services
    assert polled > 0 < extracted
    assert frozen[0] == 1
    assert frozen[1].startswith("no answer from ")
    assert code == 0
    assert asked(tmp_path, port)[0] == 1


def test_the_port_is_on_loopback_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """Two processes on a laptop are not in each other's way; on one port they are, and say so."""
    port = free_port()
    with started(tmp_path, "run", "--only", "index", env={"NEWSWIRE_HEALTH_PORT": str(port)}) as first:
        until(lambda: asked(tmp_path, port, "--ready") == (0, "ready"), SECONDS)
        listening = listeners(first.pid)
        same = newswire(tmp_path, "run", "--only", "index", env={"NEWSWIRE_HEALTH_PORT": str(port)})
        other = tmp_path / "other"
        other.mkdir()
        with started(other, "run", "--only", "index") as second:
            until(lambda: "services.started" in (other / "run.log").read_text(), SECONDS)
            silent = listeners(second.pid)

    assert listening == {("127.0.0.1", port)}
    assert silent == set()
    assert same.returncode == 2
    assert "NEWSWIRE_HEALTH_PORT" in same.stderr


def listeners(pid: int) -> set[tuple[str, int]]:
    """Return where a process takes connections."""
    found = psutil.Process(pid).net_connections("tcp")
    return {(each.laddr.ip, each.laddr.port) for each in found if each.status == psutil.CONN_LISTEN}


def test_a_dependency_that_is_down_is_not_ready_and_alive(tmp_path: Path) -> None:
    """A store that cannot be opened for writing is waited for."""
    port = free_port()
    env = {"NEWSWIRE_HEALTH_PORT": str(port), "NEWSWIRE_STORE": "sqlite:///store/store.db"}
    with started(tmp_path, "run", "--only", "index", env=env):
        until(lambda: asked(tmp_path, port, "--ready") == (0, "ready"), SECONDS)
        for file in (tmp_path / "store").iterdir():
            file.write_bytes(b"no database " * 400)
        until(lambda: asked(tmp_path, port, "--ready")[0] == 1, SECONDS)
        said = asked(tmp_path, port, "--ready")[1]
        alive = asked(tmp_path, port)

    assert said.startswith("not ready; index cannot work: ")
    assert alive == (0, "alive")
