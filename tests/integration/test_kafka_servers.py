"""The Kafka that tests start is a real one: it keeps its data, checks passwords and leaves nothing behind."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError
from e2e.harness import until
from servers.child import start_child
from servers.folders import remove_left_behind
from servers.java import find_java
from servers.kafka import KafkaServer
from servers.kafka_child import ChildKafka, start_kafka_child
from servers.kafka_jars import kafka_jars
from servers.missing import ServerMissingError, do_without

pytestmark = pytest.mark.integration

MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
TESTS = Path(__file__).parents[1]
VICTIM = """
import os, signal
from servers.kafka_child import start_kafka_child
server = start_kafka_child()
print(server.pid, server.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def make_topic(server: KafkaServer) -> str:
    """Make a topic that nobody else uses."""
    topic = f"test.{uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    return topic


async def produce(server: KafkaServer, topic: str, *values: bytes) -> None:
    """Write values, each acknowledged."""
    async with AIOKafkaProducer(bootstrap_servers=server.bootstrap, enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def consume(server: KafkaServer, topic: str, count: int) -> list[bytes]:
    """Read so many values from the beginning."""
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=server.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def login(server: KafkaServer, mechanism: str, password: str) -> None:
    """Open a connection of the user."""
    producer = AIOKafkaProducer(
        bootstrap_servers=server.sasl_bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=mechanism,
        sasl_plain_username=server.user,
        sasl_plain_password=password,
    )
    try:
        await producer.start()
    finally:
        await producer.stop()


async def test_what_is_written_is_read(kafka: KafkaServer) -> None:
    """The plainest use of a log works."""
    topic = await make_topic(kafka)
    await produce(kafka, topic, b"one", b"two")

    assert await consume(kafka, topic, 2) == [b"one", b"two"]


async def test_data_and_address_survive_a_kill(own_kafka: KafkaServer) -> None:
    """Clients of a broker that was killed find it again where it was, with all that it acknowledged."""
    topic, address = await make_topic(own_kafka), own_kafka.bootstrap
    await produce(own_kafka, topic, b"before")
    own_kafka.kill()
    own_kafka.start()
    await produce(own_kafka, topic, b"after")

    assert own_kafka.bootstrap == address
    assert await consume(own_kafka, topic, 2) == [b"before", b"after"]


async def test_a_dead_kafka_lives_again_for_the_next_test(own_kafka: KafkaServer) -> None:
    """A stopped broker refuses connections; whether or not this ran before another test, that one works."""
    own_kafka.stop()

    with pytest.raises(KafkaConnectionError):
        await make_topic(own_kafka)


def test_starting_twice_starts_one(own_kafka: KafkaServer) -> None:
    """`start` of a running broker changes nothing."""
    before = getattr(own_kafka, "pid", None)
    own_kafka.start()

    assert getattr(own_kafka, "pid", None) == before


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_the_right_password_is_let_in(kafka: KafkaServer, mechanism: str) -> None:
    """Each mechanism knows the user."""
    if kafka.sasl_bootstrap is None:
        pytest.skip("the given Kafka has no SASL listener: NEWSWIRE_TEST_KAFKA_SASL is not set")

    await login(kafka, mechanism, kafka.password)


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_wrong_password_is_kept_out(kafka: KafkaServer, mechanism: str) -> None:
    """Each mechanism checks the password."""
    if kafka.sasl_bootstrap is None:
        pytest.skip("the given Kafka has no SASL listener: NEWSWIRE_TEST_KAFKA_SASL is not set")

    with pytest.raises(KafkaConnectionError):
        await login(kafka, mechanism, "wrong")


@pytest.fixture
def jars() -> Path:
    """Kafka's jars, also where containers can be had."""
    try:
        find_java()
        return kafka_jars()
    except ServerMissingError as missing:
        do_without("Kafka from jars", missing)


@pytest.mark.usefixtures("jars")
@pytest.mark.timeout(660)  # where Docker answers, nobody has fetched the jars before
def test_nothing_is_left_when_it_is_closed() -> None:
    """Neither a process nor data stay on the machine."""
    server = start_kafka_child()
    assert isinstance(server, ChildKafka)
    pid = server.pid
    assert pid is not None
    server.close()

    assert not psutil.pid_exists(pid)
    assert not server.folder.exists()


@pytest.mark.usefixtures("jars")
@pytest.mark.timeout(660)
def test_it_dies_with_a_killed_test_run() -> None:
    """A test run that dies by kill -9 leaves no broker running, and its data only until the next run."""
    done = subprocess.run(
        [sys.executable, "-c", VICTIM], cwd=TESTS, capture_output=True, text=True, check=False, timeout=60
    )
    pid, folder = done.stdout.split()

    assert done.returncode == -signal.SIGKILL
    until(lambda: not psutil.pid_exists(int(pid)))
    assert Path(folder).exists()
    remove_left_behind("newswire-kafka-")
    assert not Path(folder).exists()


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    """Its parent is our process, not whichever thread called."""
    with ThreadPoolExecutor(1) as pool:
        process = pool.submit(start_child, ["sleep", "60"], tmp_path / "output").result()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.kill()
    process.wait()
