"""The commands on a real Kafka: topics made, checked and never touched again; errors in one line."""

import asyncio
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from e2e.harness import newswire, rows
from servers.kafka import KafkaServer
from servers.ports import free_ports

from newswire.events import Article, Entry, Feed, Withdrawal
from newswire.kafka_settings import KafkaSettings
from newswire.log import Message, open_log
from newswire.topics import TOPICS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

NAMES = {spec.name for spec in TOPICS}


class Desk:
    """Runs commands under a prefix of its own."""

    def __init__(self, server: KafkaServer, folder: Path) -> None:
        self.server = server
        self.prefix = f"t{uuid.uuid4().hex[:8]}-"
        self._folder = folder
        self._environment = {
            "NEWSWIRE_LOG": f"kafka://{server.bootstrap}", "NEWSWIRE_PREFIX": self.prefix,
            "NEWSWIRE_PARTITIONS": "2", "NEWSWIRE_KAFKA_WAIT_SECONDS": "10",
        }  # fmt: skip

    def __call__(self, *arguments: str, **environment: str) -> "Said":
        """Run a command with more settings than its own."""
        done = newswire(self._folder, *arguments, env={**self._environment, **environment})
        return Said(done.returncode, done.stdout, done.stderr)

    def make(self, name: str, config: Mapping[str, str], partitions: int = 2) -> None:
        """Make a topic by hand."""
        asyncio.run(
            _make(self.server, NewTopic(self.prefix + name, partitions, 1, topic_configs=dict(config)))
        )

    def there(self) -> set[str]:
        """Return the topics under the prefix, without it."""
        return asyncio.run(_there(self.server, self.prefix))


class Said:
    """What a command said, and its exit code."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def line(self) -> str:
        """The one line that it wrote to standard error."""
        (line,) = self.stderr.splitlines()
        return line


async def _make(server: KafkaServer, topic: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([topic])
        assert [error[1] for error in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def _there(server: KafkaServer, prefix: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        return {name.removeprefix(prefix) for name in await admin.list_topics() if name.startswith(prefix)}
    finally:
        await admin.close()


@pytest.fixture
def desk(kafka: KafkaServer, tmp_path: Path) -> Desk:
    """Commands under a prefix of their own."""
    return Desk(kafka, tmp_path)


def test_topics_are_made_once(desk: Desk) -> None:
    """A second time changes nothing and is no error, and what lies on them stays."""
    first = desk("topics", "create")
    asyncio.run(_publish(desk, Feed.topic))
    second, listed = desk("topics", "create", "--json"), desk("topics", "list", "--json")

    assert (first.code, first.stderr) == (0, "")
    assert first.stdout.count("made: ") == first.stdout.count("\tas it should be") == len(NAMES)
    assert (second.code, second.stderr) == (0, "")
    assert {(row["topic"], row["partitions"], len(row["differences"])) for row in rows(second.stdout)} == {
        (name, 2, 0) for name in NAMES
    }
    sizes = {row["topic"]: row["offsets"] for row in rows(listed.stdout)}
    assert sizes.pop(Feed.topic) > 0
    assert set(sizes.values()) == {0}
    assert desk.there() == NAMES


async def _publish(desk: Desk, topic: str) -> None:
    log = open_log(f"kafka://{desk.server.bootstrap}", prefix=desk.prefix, kafka=KafkaSettings())
    await log.open()
    await log.publish([Message(topic, "k", b"{}")])
    await log.close()


def test_other_partitions_than_there_are_make_nothing(desk: Desk) -> None:
    """Keys would move: exit 2 in one line, though other topics are missing."""
    desk.make(Article.topic, {}, 3)
    said = desk("topics", "create")

    assert (said.code, said.stdout) == (2, "")
    assert f"{desk.prefix}{Article.topic} has 3 partitions, not 2" in said.line
    assert "NEWSWIRE_PARTITIONS=3" in said.line
    assert desk.there() == {Article.topic}


def test_topics_of_others_are_no_business_of_ours(desk: Desk) -> None:
    """However many partitions they have, as Kafka's own have; the prefix may be empty."""
    desk.make("of-others", {}, 5)
    first, second = desk("topics", "create"), desk("topics", "create")
    listed = desk("topics", "list", "--json", NEWSWIRE_PARTITIONS="7")
    said = desk("ledger")

    assert [first.code, second.code, listed.code, said.code] == [0, 0, 0, 0]
    assert {row["partitions"] for row in rows(listed.stdout)} == {2}
    assert desk.there() == NAMES | {"of-others"}


def test_what_differs_is_told_and_left_as_it_is(desk: Desk) -> None:
    """By create and by check alike, with exit code 1; what is missing is made all the same."""
    desk.make(Entry.topic, {"retention.ms": "1000", "cleanup.policy": "delete"})
    created, checked = desk("topics", "create", "--json"), desk("topics", "check")
    told = {row["topic"]: row["differences"] for row in rows(created.stdout)}

    assert created.code == checked.code == 1
    assert created.stderr.count("made: ") == len(NAMES) - 1
    assert told.pop(Entry.topic) == ["retention.ms: 1000, should be 2592000000"]
    assert not any(told.values())
    assert "retention.ms: 1000, should be 2592000000" in checked.stdout
    assert desk.there() == NAMES


def test_missing_topics_are_told_by_check_and_stop_everything_else(desk: Desk) -> None:
    """With the command that makes them."""
    checked, listed = desk("topics", "check"), desk("topics", "list")
    ledger, run = desk("ledger"), desk("run", "--only", "enrich")

    assert checked.code == 1
    assert checked.stdout.count("\tmissing") == len(NAMES)
    assert listed.code == 0
    assert listed.stdout.count("\tmissing\t0\t") == len(NAMES)
    for said in (ledger, run):
        assert (said.code, said.stdout) == (2, "")
        assert f"the topic {desk.prefix}{Feed.topic} does not exist" in said.line
        assert "run newswire topics create" in said.line
    assert desk.there() == set()


def test_a_topic_that_is_cleaned_up_wrongly_stops_a_service(desk: Desk) -> None:
    """It would lose what is needed; the wrong setting and the right one are named."""
    desk.make(Withdrawal.topic, {"cleanup.policy": "delete"})
    created = desk("topics", "create")
    said = desk("run", "--only", "enrich")

    assert created.code == 1
    assert said.code == 2
    assert f"{desk.prefix}{Withdrawal.topic} has cleanup.policy delete" in said.line
    assert "it should be compact" in said.line


def test_prefixes_keep_worlds_apart(desk: Desk) -> None:
    """Each has its topics; also where one prefix begins with another."""
    made = desk("topics", "create")
    other = desk("topics", "check", NEWSWIRE_PREFIX=f"{desk.prefix}other-")
    more = desk("topics", "create", NEWSWIRE_PREFIX=f"{desk.prefix}other-", NEWSWIRE_PARTITIONS="1")
    here, there = desk("ledger"), desk("ledger", NEWSWIRE_PREFIX=f"{desk.prefix}other-")

    assert (made.code, other.code, more.code) == (0, 1, 0)
    assert other.stdout.count("\tmissing") == len(NAMES)
    assert (here.code, there.code) == (0, 0)
    assert desk.there() == NAMES | {f"other-{name}" for name in NAMES}


def test_how_topics_are_made_comes_from_the_settings(desk: Desk) -> None:
    """Copies, how many of them must have a message, the largest message, and how long it is kept."""
    settings = {
        "NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS": "2", "NEWSWIRE_KAFKA_MAX_MESSAGE_BYTES": "3000000",
        "NEWSWIRE_RETENTION_DAYS": "7",
    }  # fmt: skip
    made, same = desk("topics", "create", **settings), desk("topics", "check", **settings)
    other = desk("topics", "check", "--json", **{**settings, "NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS": "1"})
    told = {row["topic"]: row["differences"] for row in rows(other.stdout)}
    asyncio.run(asyncio.wait_for(_publish(desk, Feed.topic), 60))  # does not wait for copies for ever

    assert (made.code, same.code, other.code) == (0, 0, 1)
    assert told[Feed.topic] == ["min.insync.replicas: 2, should be 1"]


def test_more_copies_than_brokers_are_refused_in_the_brokers_words(desk: Desk) -> None:
    """Nothing is made."""
    said = desk("topics", "create", NEWSWIRE_KAFKA_REPLICATION="3")

    assert (said.code, said.stdout) == (2, "")
    assert "cannot be made" in said.line
    assert "replication factor" in said.line
    assert desk.there() == set()


def test_a_wrong_password_is_one_line(desk: Desk) -> None:
    """It names the user and the mechanism, not the password; nothing else is written."""
    if desk.server.sasl_bootstrap is None:
        pytest.skip("the given Kafka has no SASL listener: NEWSWIRE_TEST_KAFKA_SASL is not set")
    address = f"kafka://{desk.server.sasl_bootstrap}"
    user = {"NEWSWIRE_KAFKA_USERNAME": "tester", "NEWSWIRE_KAFKA_PASSWORD": "wr0ng"}
    said = desk("ledger", NEWSWIRE_LOG=address, **user)
    plain = desk("ledger", NEWSWIRE_LOG=address, NEWSWIRE_KAFKA_WAIT_SECONDS="0")

    assert (said.code, said.stdout) == (2, "")
    assert "refuses the user 'tester' (SCRAM-SHA-512)" in said.line
    assert "wr0ng" not in said.stderr
    assert (plain.code, plain.stdout) == (2, "")
    assert "does it want a user or TLS" in plain.line


def test_nobody_listening_is_said_after_the_time_set(desk: Desk) -> None:
    """While it waits, and when it gives up, each in one line."""
    (port,) = free_ports(1)
    said = desk("ledger", NEWSWIRE_LOG=f"kafka://127.0.0.1:{port}", NEWSWIRE_KAFKA_WAIT_SECONDS="1")

    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.splitlines()[-1].startswith(
        f"newswire: Kafka does not answer at kafka://127.0.0.1:{port}"
    )
    assert "(waited 1 s)" in said.stderr
    assert len(said.stderr.splitlines()) == 2
    assert "aiokafka" not in said.stderr


def test_settings_that_do_not_fit_show_no_password(desk: Desk) -> None:
    """Though they were given together."""
    said = desk(
        "ledger", NEWSWIRE_KAFKA_USERNAME="desk", NEWSWIRE_KAFKA_PASSWORD="hunter2",  # noqa: S106 - made up
        NEWSWIRE_KAFKA_PASSWORD_FILE=os.devnull,
    )  # fmt: skip

    assert said.code == 2
    assert "not both" in said.line
    assert "hunter2" not in said.stderr


def test_a_ledger_of_topics_that_were_just_made_is_empty(desk: Desk) -> None:
    """And balances."""
    desk("topics", "create")
    said = desk("ledger", "--json")

    assert (said.code, said.stderr) == (0, "")
    assert json.loads(said.stdout)["lost"] == 0
