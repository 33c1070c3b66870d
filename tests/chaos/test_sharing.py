"""Replicas of ingest share the feeds: each is polled by exactly one of them, whoever comes and goes."""

import time
from pathlib import Path

import pytest
from chaos.backing import on_kafka
from chaos.replicas import Replica, replicas
from chaos.scene import Scene, Size, scene
from chaos.sharing import Window, askers_of, shared_badly
from servers.kafka import KafkaServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SESSION_SECONDS = 4.0
INTERVAL_SECONDS = 1.5
SLACK_SECONDS = 1.5  # jitter is a tenth of the interval; the rest is for a busy machine
WINDOW_SECONDS = 3 * INTERVAL_SECONDS
SETTLE_SECONDS = 45.0  # session, rebalance, tables read, on a busy machine
LOOK_SECONDS = 0.5


def settled(world: Scene, feeds: list[str], replicas_up: set[str]) -> float:
    """Wait until each feed has one replica and each replica feeds; return how long it took."""
    started = time.time()
    while True:
        end = time.time()
        window = Window(end - WINDOW_SECONDS, end)
        polls = world.polls()
        wrong = shared_badly(polls, feeds, window, INTERVAL_SECONDS, SLACK_SECONDS)
        askers = askers_of(polls, window)
        if window.start >= started and not wrong and askers == replicas_up:
            return window.start - started
        assert end - started < SETTLE_SECONDS, (sorted(askers), wrong)
        time.sleep(LOOK_SECONDS)


def stays_shared(world: Scene, feeds: list[str]) -> None:
    """Look at two more windows: what has settled stays so."""
    start = time.time()
    time.sleep(2 * WINDOW_SECONDS)

    assert (
        shared_badly(world.polls(), feeds, Window(start, time.time()), INTERVAL_SECONDS, SLACK_SECONDS) == []
    )


def test_after_each_rebalance_every_feed_has_exactly_one_replica(
    own_kafka: KafkaServer, tmp_path: Path
) -> None:
    """One of three is killed, one stopped past its session and continued, one added."""
    size = Size(worlds=3, killers=0, interval_seconds=INTERVAL_SECONDS)
    backing = on_kafka(own_kafka, SESSION_SECONDS)
    with scene(tmp_path, size, backing) as world, replicas(tmp_path, world.env, {"ingest": 3}) as made:
        one, two, three = made
        assert world.add_feeds(2)
        assert world.add_feeds(3)
        feeds = world.feeds_of(2) + world.feeds_of(3)
        names = {replica.name for replica in made}

        took = {"three start": settled(world, feeds, names)}
        one.kill()
        took["one is killed"] = settled(world, feeds, names - {one.name})
        two.freeze()
        took["one is frozen"] = settled(world, feeds, {three.name})
        two.thaw()
        took["it goes on"] = settled(world, feeds, {two.name, three.name})
        added = Replica("ingest-4", tmp_path, world.env)
        added.start()
        try:
            took["one is added"] = settled(world, feeds, {two.name, three.name, added.name})
            stays_shared(world, feeds)
        finally:
            added.kill()

        print({what: f"{seconds:.1f} s" for what, seconds in took.items()})  # noqa: T201  how long nobody polls
        assert two.starts == 1
        assert not two.unasked
