"""The broker is away for a while: nothing is lost, nothing dead-lettered, and little is said about it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos.backing import on_kafka
from chaos.checks import Remains, complaints
from chaos.replicas import Replica, replicas, stop_all
from chaos.scene import Scene, Size, scene
from e2e.harness import until
from servers.kafka import KafkaServer

from newswire.events import Outcome
from newswire.following import Follower
from newswire.log.port import Log

pytestmark = pytest.mark.e2e

COUNTS = {"ingest": 1, "enrich": 1, "index": 1}
SIZE = Size(worlds=2, killers=0, interval_seconds=4)
SESSION_SECONDS = 6.0
GO_ON_SECONDS = 40.0  # after the broker's return: a busy machine is no failure, the figure is printed
MOST_LINES = 5  # of a process, about the whole outage
START_SECONDS = 60.0
DRAIN_SECONDS = 120.0


async def _ended(log: Log) -> list[str]:
    """Return the addresses of all entries that have ended."""
    return [
        Outcome.from_bytes(record.value).url or ""
        async for record in Follower(log, Outcome.topic).records()
        if record.value is not None
    ]


def ended_in(world: Scene, number: int) -> int:
    """Return how many entries of a world have ended."""
    return sum(f"-{number}.example" in url for url in world.on_log(_ended))


def lines_since(made: list[Replica], before: dict[str, int]) -> dict[str, list[str]]:
    """Return what each process has said since."""
    return {replica.name: replica.lines()[before[replica.name] :] for replica in made}


def away(
    folder: Path, kafka: KafkaServer, seconds: float, undisturbed: Callable[[int], Remains]
) -> dict[str, list[str]]:
    """Kill the broker while there is work, start it again later, and return what was said in between."""
    expected = undisturbed(SIZE.worlds)
    with (
        scene(folder, SIZE, on_kafka(kafka, SESSION_SECONDS)) as world,
        replicas(folder, world.env, COUNTS) as made,
    ):
        until(lambda: all("services.started" in "".join(r.lines()) for r in made), START_SECONDS)
        assert world.add_feeds(1)
        until(lambda: sum(world.status()["pages"].values()) > 10, START_SECONDS)
        before = {replica.name: len(replica.lines()) for replica in made}
        kafka.kill()
        time.sleep(seconds)
        kafka.start()
        returned = time.monotonic()
        assert world.add_feeds(2)
        until(lambda: ended_in(world, 2) > 0, GO_ON_SECONDS - (time.monotonic() - returned))
        print(f"went on {time.monotonic() - returned:.1f} s after the return")  # noqa: T201  a figure to report
        said = lines_since(made, before)
        balance = world.until_drained(DRAIN_SECONDS)
        found = world.remains()
        assert {replica.name: replica.unasked for replica in made if replica.unasked} == {}
        assert set(stop_all(made).values()) == {0}
    assert (balance.in_flight, balance.lost) == (0, ())
    assert complaints(expected, found, killers=(), broker_died=True) == []
    return said


def check_what_was_said(said: dict[str, list[str]]) -> None:
    """Each process says that the log is away, and that it is back, and not much more."""
    for name, lines in said.items():
        events = [json.loads(line)["event"] for line in lines]
        about = [event for event in events if event != "feed.polled"]

        assert len(about) <= MOST_LINES, (name, lines[:20])
        assert any(event.endswith((".away", ".down")) for event in about), (name, lines)
        assert any(event.endswith(".back") for event in about), (name, lines)


@pytest.mark.timeout(240)
def test_services_go_on_when_a_broker_returns(
    own_kafka: KafkaServer, tmp_path: Path, undisturbed: Callable[[int], Remains]
) -> None:
    """After ten seconds: by themselves, with nothing lost and nothing dead-lettered."""
    check_what_was_said(away(tmp_path, own_kafka, 10, undisturbed))


@pytest.mark.long
@pytest.mark.timeout(400)
def test_services_go_on_when_a_broker_returns_after_a_minute(
    own_kafka: KafkaServer, tmp_path: Path, undisturbed: Callable[[int], Remains]
) -> None:
    """Longer than any session, transaction or request may last."""
    check_what_was_said(away(tmp_path, own_kafka, 60, undisturbed))
