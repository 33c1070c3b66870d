"""The sample consumers as a stranger runs them, against a real broker."""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from servers.java import find_java
from servers.kafka_server import KafkaServer
from servers.missing import ServerMissingError, do_without

from newswire.asyncapi import example
from newswire.envelope import FIRST_SEEN, VERSION, message, tombstone
from newswire.events import Enriched
from newswire.kafka_settings import KafkaSettings
from newswire.log.kafka_topics import wanted
from newswire.log.port import Message
from newswire.topics import TOPICS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]  # Maven may have to fetch jars first

SAMPLES = Path(__file__).parents[2] / "examples" / "consumers"
BUILD_SECONDS = 300.0
READ_SECONDS = 60.0
EPOCH = 1_795_000_000_000

Command = Callable[[str, str, str], Sequence[str]]
"""From a broker, a group and a prefix to what is to be run."""


class World:
    """A topic of articles under a prefix of its own, and who publishes there in transactions."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = f"t{uuid4().hex[:8]}-"
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, transactional_id=f"{self.prefix}samples"
        )

    async def open(self) -> None:
        """Make the topic, with one partition: what is read then has one order."""
        spec = next(spec for spec in TOPICS if spec.name == Enriched.topic)
        topic = NewTopic(self.prefix + spec.name, 1, 1, topic_configs=wanted(spec, KafkaSettings()))
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([topic])
        finally:
            await admin.close()
        await self._producer.start()

    async def close(self) -> None:
        """Let go of the broker."""
        await self._producer.stop()

    async def commit(self, *messages: Message) -> None:
        """Publish in one transaction."""
        async with self._producer.transaction():
            await self._send(messages)

    async def abort(self, *messages: Message) -> None:
        """Publish, and then think better of it."""
        await self._producer.begin_transaction()
        await self._send(messages)
        await self._producer.abort_transaction()

    async def has_committed(self, group: str, offset: int) -> None:
        """Return when a group has read this far."""
        partition = TopicPartition(f"{self.prefix}{Enriched.topic}", 0)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            deadline = time.monotonic() + READ_SECONDS
            while (await admin.list_consumer_group_offsets(group)).get(partition, (0,))[0] < offset:
                assert time.monotonic() < deadline, f"{group} has not committed offset {offset}"
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    async def _send(self, messages: Sequence[Message]) -> None:
        for each in messages:
            headers = [(name, value.encode()) for name, value in each.headers.items()]
            await self._producer.send_and_wait(
                self.prefix + each.topic, each.value, key=each.key.encode(), headers=headers
            )


def article(article_id: str, version: int, title: str, *topics: str) -> Message:
    """Return what the enrich service publishes of an article."""
    tags = [{"id": topic, "score": 1.0, "by": f"{topic} 1"} for topic in topics]
    fields = {"article_id": article_id, "version": EPOCH + version, "title": title, "topics": tags}
    enriched = Enriched.model_validate(example(Enriched.topic, "minimal") | fields)
    return message(enriched, article_id, source="enrich")


def withdrawn(article_id: str, version: int) -> Message:
    """Return the null that withdraws an article."""
    headers = {VERSION: str(EPOCH + version), FIRST_SEEN: "2026-11-22T17:50:00+00:00"}
    return tombstone(Enriched.topic, article_id, headers)


def line(article_id: str, version: int, *rest: str) -> str:
    """Return what a sample prints."""
    return "\t".join((article_id, str(EPOCH + version), *rest))


@contextmanager
def running(command: Sequence[str], folder: Path) -> Iterator[Callable[[], list[str]]]:
    """Run a sample and give a function that returns what it printed so far; ends as it should on SIGTERM."""
    path, errors = folder / f"{uuid4().hex}.out", folder / "errors"
    with path.open("wb") as output, errors.open("ab") as complaints:
        process = subprocess.Popen(command, stdout=output, stderr=complaints, cwd=folder)
        try:
            yield lambda: path.read_text(encoding="utf-8").splitlines()
            assert process.poll() is None, errors.read_text(encoding="utf-8")[-2000:]
        finally:
            process.terminate()
            process.wait(timeout=30)


async def printed(lines: Callable[[], list[str]], last: str) -> list[str]:
    """Return what was printed once the last line is there."""
    deadline = time.monotonic() + READ_SECONDS
    while last not in (found := lines()):
        assert time.monotonic() < deadline, f"{last!r} is not among {found}"
        await asyncio.sleep(0.05)
    return found


def python_aiokafka(bootstrap: str, group: str, prefix: str) -> Sequence[str]:
    """Return how the sample with plain aiokafka is run."""
    program = str(SAMPLES / "python_aiokafka" / "consumer.py")
    options = ("--bootstrap", bootstrap, "--group", group, "--prefix", prefix, "--topic", "nato-bid")
    return [sys.executable, "-W", "error", program, *options]


def python_newswire(bootstrap: str, group: str, prefix: str) -> Sequence[str]:
    """Return how the sample with newswire is run; the prefix stands before groups too."""
    program = str(SAMPLES / "python_newswire" / "consumer.py")
    settings = (f"NEWSWIRE_LOG=kafka://{bootstrap}", f"NEWSWIRE_PREFIX={prefix}", "NEWSWIRE_PARTITIONS=1")
    options = ("--group", group.removeprefix(prefix), "--topic", "nato-bid")
    return ["env", *settings, sys.executable, "-W", "error", program, *options]


@pytest.fixture(scope="module")
def java() -> Command:
    """How the Java sample is run, built once for each state of its sources."""
    try:
        program, built = find_java(), _built()
    except ServerMissingError as missing:
        do_without("Java and Maven", missing)
    path = os.pathsep.join((str(built / "target" / "classes"), str(built / "target" / "libs" / "*")))

    def command(bootstrap: str, group: str, prefix: str) -> Sequence[str]:
        where = (bootstrap, group, f"{prefix}{Enriched.topic}", "nato-bid")
        return [program, "-XX:TieredStopAtLevel=1", "-cp", path, "example.PrintArticles", *where]

    return command


def _built() -> Path:
    """Return where the Java sample is built: in the user's cache, so that sources are compiled once."""
    sources = sorted(path for path in (SAMPLES / "java").rglob("*") if path.is_file() and _is_source(path))
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "newswire-test" / "samples" / state
    if (folder / "built").exists():
        return folder
    if shutil.which("mvn") is None or shutil.which("javac") is None:
        raise ServerMissingError("mvn or javac is not on the path")
    for path in sources:
        copy = folder / path.relative_to(SAMPLES / "java")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    _compile(folder)
    (folder / "built").touch()
    return folder


def _is_source(path: Path) -> bool:
    return "target" not in path.relative_to(SAMPLES).parts


def _compile(folder: Path) -> None:
    """Compile without the network where the jars are there, else with it."""
    said = ""
    for offline in (["-o"], []):
        command = ["mvn", *offline, "-B", "-q", "-ntp", "compile"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
        )
        if done.returncode == 0:
            return
        said = done.stdout + done.stderr
    assert "COMPILATION ERROR" not in said, said
    raise ServerMissingError(f"mvn could not fetch the jars: {said.strip()[:300]}")


@pytest.fixture
async def world(kafka: KafkaServer) -> AsyncIterator[World]:
    """An empty topic."""
    found = World(kafka.bootstrap)
    await found.open()
    yield found
    await found.close()


async def reads_what_was_committed(world: World, command: Command, folder: Path) -> None:
    """Publish all that a consumer must cope with, and look at what it prints."""
    await world.commit(
        article("a", 1, "Київ and NATO", "nato-bid", "berlin-talks"),
        article("b", 1, "Something else", "berlin-talks"),
    )
    await world.abort(article("c", 1, "Never committed", "nato-bid"), withdrawn("a", 9))
    await world.commit(article("a", 2, "NATO, corrected", "nato-bid"), withdrawn("d", 1))
    await world.commit(article("a", 2, "NATO, twice", "nato-bid"), article("d", 0, "Too late", "nato-bid"))
    await world.commit(withdrawn("a", 3), article("last", 1, "The last", "nato-bid"))
    last = line("last", 1, "The last", "nato-bid")

    with running(command(world.bootstrap, f"{world.prefix}app", world.prefix), folder) as lines:
        assert await printed(lines, last) == [
            line("a", 1, "Київ and NATO", "nato-bid,berlin-talks"),
            line("a", 2, "NATO, corrected", "nato-bid"),
            line("d", 1, "withdrawn"),
            line("a", 3, "withdrawn"),
            last,
        ]


async def goes_on_where_it_stopped(world: World, command: Command, folder: Path) -> None:
    """Stop a consumer and start another of its group."""
    called = command(world.bootstrap, f"{world.prefix}app", world.prefix)
    await world.commit(article("a", 1, "Before", "nato-bid"))
    with running(called, folder) as lines:
        await printed(lines, line("a", 1, "Before", "nato-bid"))
        await world.has_committed(f"{world.prefix}app", 1)
    await world.commit(article("b", 1, "After", "nato-bid"))

    with running(called, folder) as lines:
        after = line("b", 1, "After", "nato-bid")

        assert await printed(lines, after) == [after]


Scene = Callable[[World, Command, Path], Awaitable[None]]
each_scene = pytest.mark.parametrize("scene", [reads_what_was_committed, goes_on_where_it_stopped])


@each_scene
async def test_the_sample_with_aiokafka(scene: Scene, world: World, tmp_path: Path) -> None:
    """It needs the JSON Schema and nothing of ours; aborted messages are not seen, nulls are handled."""
    await scene(world, python_aiokafka, tmp_path)


@each_scene
async def test_the_sample_with_newswire(scene: Scene, world: World, tmp_path: Path) -> None:
    """Typed events and filters, and the same offsets and isolation as any client."""
    await scene(world, python_newswire, tmp_path)


@each_scene
async def test_the_sample_in_java(scene: Scene, world: World, java: Command, tmp_path: Path) -> None:
    """Another language, another client, the same result: our topics are plain Kafka."""
    await scene(world, java, tmp_path)


async def test_the_sample_with_aiokafka_goes_past_what_the_schema_refuses(
    world: World, tmp_path: Path
) -> None:
    """One bad message must not stop a consumer for ever."""
    bad = Message(Enriched.topic, "bad", b'{"article_id": "bad"}')
    await world.commit(bad, article("a", 1, "Good", "nato-bid"))
    with running(python_aiokafka(world.bootstrap, f"{world.prefix}app", world.prefix), tmp_path) as lines:
        good = line("a", 1, "Good", "nato-bid")

        assert await printed(lines, good) == [good]
    assert "bad is not as the schema says" in (tmp_path / "errors").read_text(encoding="utf-8")


def test_the_samples_know_nothing_of_our_python() -> None:
    """They stand for other people's programs."""
    sources = [*(SAMPLES / "python_aiokafka").rglob("*.py"), *(SAMPLES / "java" / "src").rglob("*.java")]

    assert len(sources) == 2
    assert [path.name for path in sources if "import newswire" in path.read_text(encoding="utf-8")] == []
    assert [path.name for path in sources if "from newswire" in path.read_text(encoding="utf-8")] == []
