"""A test without its server fails in CI and is counted elsewhere; no test pays for the start of a server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

TESTS = Path(__file__).parents[1]
SETTINGS = f"""
[pytest]
pythonpath = {TESTS}
timeout = 2
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""
CONFTEST = 'pytest_plugins = ["servers.plugin"]\n'
WANTS_KAFKA = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_shared(number, kafka):
    pass

def test_own(own_kafka):
    pass

def test_none():
    pass
"""
WANTS_ELASTICSEARCH = """
def test_shared(elasticsearch):
    pass

def test_own(own_elasticsearch):
    pass

def test_secured(secured_elasticsearch):
    pass
"""
NO_JDK = """
from pathlib import Path
from servers import java
java.INSTALLED = Path("/nowhere")
"""
SLOW = """
import time

class Kafka:
    def start(self):
        pass

    close = start

def find(*, killable):
    time.sleep(2.5)
    return Kafka()

def pytest_configure():
    from servers import plugin
    plugin.find_kafka = find
"""
IMPATIENT = """
def pytest_configure():
    from servers import elasticsearch, kafka
    kafka.GIVEN_SECONDS = elasticsearch.GIVEN_SECONDS = 0.2
"""


def run_tests(
    folder: Path, conftest: str = "", wants: str = WANTS_KAFKA, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the tests that want servers where there is neither Docker nor Java."""
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "conftest.py").write_text(CONFTEST + conftest)
    (folder / "test_wants.py").write_text(wants)
    unwanted = {"CI", "JAVA_HOME", "ES_JAVA_HOME"}
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in unwanted and not name.startswith(("NEWSWIRE_", "PYTEST_"))
    }
    nowhere = {"PATH": str(folder), "DOCKER_HOST": f"unix://{folder}/docker.sock", "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider"],
        cwd=folder, env={**clean, **nowhere, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_elsewhere_one_line_says_what_was_not_tested_and_why(tmp_path: Path) -> None:
    """Who has no Kafka still may run the rest, and knows what was left out."""
    done = run_tests(tmp_path)
    why = "NEWSWIRE_TEST_KAFKA is not set; no Docker engine answers; java is not on the path"

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines().count(f"4 tests were not run for want of Kafka: {why}") == 1
    assert "1 passed, 4 skipped" in done.stdout


def test_in_ci_a_missing_kafka_fails(tmp_path: Path) -> None:
    """A skip is not a pass."""
    done = run_tests(tmp_path, CI="true")

    assert done.returncode == 1, done.stdout
    assert "for want of Kafka: NEWSWIRE_TEST_KAFKA is not set; no Docker engine answers" in done.stdout
    assert "skipped" not in done.stdout


def test_a_given_kafka_that_is_down_fails_everywhere(tmp_path: Path) -> None:
    """An address is a promise."""
    done = run_tests(tmp_path, IMPATIENT, NEWSWIRE_TEST_KAFKA="127.0.0.1:1")

    assert done.returncode == 1, done.stdout
    assert "nobody answers at NEWSWIRE_TEST_KAFKA=127.0.0.1:1" in done.stdout
    assert "1 passed, 1 skipped, 3 errors" in done.stdout


def test_the_start_of_a_server_is_not_counted_as_time_of_a_test(tmp_path: Path) -> None:
    """Fetching jars may take minutes, while a test has seconds."""
    done = run_tests(tmp_path, SLOW)

    assert "5 passed" in done.stdout, done.stdout


def test_each_fixture_without_its_elasticsearch_is_counted(tmp_path: Path) -> None:
    """The three are one server to who reads the summary."""
    done = run_tests(tmp_path, NO_JDK, WANTS_ELASTICSEARCH)
    line = (
        "3 tests were not run for want of Elasticsearch: NEWSWIRE_TEST_ELASTICSEARCH is not set; "
        "no Docker engine answers; there is no JDK of Java 21 or newer"
    )

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines().count(line) == 1


def test_in_ci_a_missing_elasticsearch_fails(tmp_path: Path) -> None:
    """Nothing may be left out there."""
    done = run_tests(tmp_path, NO_JDK, WANTS_ELASTICSEARCH, CI="true")

    assert done.returncode == 1, done.stdout
    assert "for want of Elasticsearch: NEWSWIRE_TEST_ELASTICSEARCH is not set" in done.stdout
    assert "skipped" not in done.stdout


def test_a_given_elasticsearch_that_is_down_fails_everywhere(tmp_path: Path) -> None:
    """Only who wants to kill it, or wants passwords, looks further."""
    address = {"NEWSWIRE_TEST_ELASTICSEARCH": "http://127.0.0.1:1"}
    done = run_tests(tmp_path, IMPATIENT + NO_JDK, WANTS_ELASTICSEARCH, **address)

    assert done.returncode == 1, done.stdout
    assert "no Elasticsearch serves at NEWSWIRE_TEST_ELASTICSEARCH=http://127.0.0.1:1" in done.stdout
    assert "2 skipped, 1 error" in done.stdout
