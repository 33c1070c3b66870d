"""The servers of tests as fixtures.

`kafka` and `elasticsearch` are shared by all tests; `own_kafka` and `own_elasticsearch` may be killed;
`secured_elasticsearch` asks for passwords. A server is started by the first test that asks for it, before
that test's time limit runs: fetching and starting one may take longer than a test may. (`timeout_func_only`
would do that too, but then no fixture could time out.)
"""

from collections.abc import Generator, Iterator
from typing import NamedTuple

import pytest
from servers.elasticsearch import ElasticsearchServer, find_elasticsearch
from servers.holder import Holder
from servers.kafka import KafkaServer, find_kafka
from servers.missing import lines_of_missing


class Holders(NamedTuple):
    """One holder for each fixture, under its name."""

    kafka: Holder[KafkaServer]
    own_kafka: Holder[KafkaServer]
    elasticsearch: Holder[ElasticsearchServer]
    own_elasticsearch: Holder[ElasticsearchServer]
    secured_elasticsearch: Holder[ElasticsearchServer]


HOLDERS = pytest.StashKey[Holders]()


def make_holders() -> Holders:
    """Return holders, which have started nothing yet."""
    return Holders(
        kafka=Holder("Kafka", lambda: find_kafka(killable=False)),
        own_kafka=Holder("Kafka", lambda: find_kafka(killable=True), killable=True),
        elasticsearch=Holder("Elasticsearch", find_elasticsearch),
        own_elasticsearch=Holder("Elasticsearch", lambda: find_elasticsearch(killable=True), killable=True),
        secured_elasticsearch=Holder("Elasticsearch", lambda: find_elasticsearch(secured=True)),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the holders."""
    config.stash[HOLDERS] = make_holders()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what a test wanted that then did not come to its fixtures."""
    for holder in config.stash[HOLDERS]:
        holder.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Start what a test wants before its time runs: we come before pytest-timeout."""
    for name, holder in item.config.stash[HOLDERS]._asdict().items():
        if name in getattr(item, "fixturenames", ()):
            holder.prepare()
    return (yield)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[KafkaServer]:
    """A Kafka that all tests of the run share: use topics and groups of your own, and leave it running."""
    holder = request.config.stash[HOLDERS].kafka
    yield holder.get()
    holder.close()


@pytest.fixture(scope="module")
def _kafka_of_module(request: pytest.FixtureRequest) -> Iterator[Holder[KafkaServer]]:
    holder = request.config.stash[HOLDERS].own_kafka
    yield holder
    holder.close()


@pytest.fixture
def own_kafka(_kafka_of_module: Holder[KafkaServer]) -> KafkaServer:
    """A Kafka that the tests of a module have for themselves: kill it, start it again."""
    return _kafka_of_module.get()


@pytest.fixture(scope="session")
def elasticsearch(request: pytest.FixtureRequest) -> Iterator[ElasticsearchServer]:
    """An Elasticsearch that all tests of the run share: use a prefix of your own, and leave it running."""
    holder = request.config.stash[HOLDERS].elasticsearch
    yield holder.get()
    holder.close()


@pytest.fixture(scope="session")
def secured_elasticsearch(request: pytest.FixtureRequest) -> Iterator[ElasticsearchServer]:
    """Likewise shared, and it answers nobody without a password; that of a superuser is known."""
    holder = request.config.stash[HOLDERS].secured_elasticsearch
    yield holder.get()
    holder.close()


@pytest.fixture(scope="module")
def _elasticsearch_of_module(request: pytest.FixtureRequest) -> Iterator[Holder[ElasticsearchServer]]:
    holder = request.config.stash[HOLDERS].own_elasticsearch
    yield holder
    holder.close()


@pytest.fixture
def own_elasticsearch(_elasticsearch_of_module: Holder[ElasticsearchServer]) -> Iterator[ElasticsearchServer]:
    """An Elasticsearch that the tests of a module have for themselves: kill it, configure it, start it."""
    server = _elasticsearch_of_module.get()
    yield server
    server.configure({})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line per missing server what was not tested."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    for line in lines_of_missing(reasons):
        terminalreporter.write_line(line, yellow=True)
