"""The servers of tests as fixtures: `kafka`, which all tests share, and `own_kafka`, which a test may kill.

A server is started by the first test that asks for it, before that test's time limit runs: fetching and
starting one may take longer than a test may. (`timeout_func_only` would do that too, but then no fixture
could time out.)
"""

from collections.abc import Generator, Iterator

import pytest
from servers.kafka import KafkaServer, find_kafka
from servers.missing import ServerMissingError, do_without, lines_of_missing


class KafkaHolder:
    """Finds a Kafka when it is first asked for, and remembers it, or why there is none."""

    def __init__(self, *, killable: bool) -> None:
        self._killable = killable
        self._server: KafkaServer | None = None
        self._error: Exception | None = None

    def prepare(self) -> None:
        """Have the server running, if it can be had; a failure is kept for `get`."""
        if self._error is not None:
            return
        try:
            if self._server is None:
                self._server = find_kafka(killable=self._killable)
            elif self._killable:
                self._server.start()
        except Exception as error:  # noqa: BLE001 - told to the tests that want the server
            self._error = error

    def get(self) -> KafkaServer:
        """Return the running server, or end the test."""
        self.prepare()
        if isinstance(self._error, ServerMissingError):
            do_without("Kafka", self._error)
        if self._error is not None:
            raise self._error
        assert self._server is not None
        return self._server

    def close(self) -> None:
        """End the server; the next `get` finds another, unless there is no way to one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if not isinstance(self._error, ServerMissingError):
            self._error = None


HOLDERS = pytest.StashKey[dict[str, KafkaHolder]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the holders, which start nothing yet."""
    config.stash[HOLDERS] = {"kafka": KafkaHolder(killable=False), "own_kafka": KafkaHolder(killable=True)}


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what a test wanted that then did not come to its fixtures."""
    for holder in config.stash[HOLDERS].values():
        holder.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Start what a test wants before its time runs: we come before pytest-timeout."""
    for name, holder in item.config.stash[HOLDERS].items():
        if name in getattr(item, "fixturenames", ()):
            holder.prepare()
    return (yield)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[KafkaServer]:
    """A Kafka that all tests of the run share: use topics and groups of your own, and leave it running."""
    holder = request.config.stash[HOLDERS]["kafka"]
    yield holder.get()
    holder.close()


@pytest.fixture(scope="module")
def _kafka_of_module(request: pytest.FixtureRequest) -> Iterator[KafkaHolder]:
    holder = request.config.stash[HOLDERS]["own_kafka"]
    yield holder
    holder.close()


@pytest.fixture
def own_kafka(_kafka_of_module: KafkaHolder) -> KafkaServer:
    """A Kafka that the tests of a module have for themselves: kill it, start it again."""
    return _kafka_of_module.get()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line per missing server what was not tested."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    for line in lines_of_missing(reasons):
        terminalreporter.write_line(line, yellow=True)
