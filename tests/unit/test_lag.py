"""How far a group is behind: counted cheaply, and read where counting may deceive."""

import time
from collections.abc import Mapping
from typing import Any, cast

import pytest

from newswire.errors import UnavailableError
from newswire.lag import Lag
from newswire.log.port import Log, Record, TopicPartition

pytestmark = pytest.mark.unit

IN = TopicPartition("in", 0)


class CountedLog:
    """A log with one partition that a test moves, which counts how often it is read.

    What lies beyond ``last`` are marks.
    """

    def __init__(self) -> None:
        self.end = self.offset = self.last = 0
        self.reads = 0
        self.away = False

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        """Return the end."""
        del topic
        if self.away:
            raise UnavailableError("away")
        return {0: self.end}

    async def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """Return the offset."""
        del group, topic
        return {0: self.offset} if self.offset else {}

    async def read(self, topic: str, partition: int, offset: int, **bounds: Any) -> list[Record]:
        """Return one record if there is one."""
        assert bounds == {"max_records": 1}
        self.reads += 1
        return [Record(topic, partition, offset, "k", b"", {}, 0)] if offset < self.last else []


@pytest.fixture
def log() -> CountedLog:
    """An empty log."""
    return CountedLog()


def lag_of(log: CountedLog) -> Lag:
    """Return how far the group is behind on it."""
    return Lag(cast("Log", log), "group", ["in"])


async def test_an_empty_topic_is_no_lag(log: CountedLog) -> None:
    """Nothing is read either."""
    lag = lag_of(log)
    await lag.look()

    assert (lag.behind, lag.since, lag.of("in"), log.reads) == ({}, {}, 0, 0)


async def test_marks_at_the_end_are_no_messages(log: CountedLog) -> None:
    """An idle group is not behind; that is read once, not at each look."""
    log.offset, log.last, log.end = 40, 40, 41
    lag = lag_of(log)
    await lag.look()
    await lag.look()

    assert (lag.behind, lag.since, log.reads) == ({}, {}, 1)


async def test_many_messages_are_counted_without_reading(log: CountedLog) -> None:
    """As long as they become fewer."""
    log.last = log.end = 1000
    lag = lag_of(log)
    await lag.look()
    log.offset = 300
    await lag.look()

    assert (lag.behind, lag.of("in"), lag.of("out"), log.reads) == ({IN: 700}, 700, 0, 0)


async def test_many_marks_that_do_not_move_are_found_out(log: CountedLog) -> None:
    """Who is called stuck must really have something to read."""
    log.end = 1000
    lag = lag_of(log)
    await lag.look()
    before = dict(lag.behind)
    await lag.look()

    assert before == {IN: 1000}
    assert (lag.behind, lag.since) == ({}, {})


async def test_who_does_not_move_stands_since_then(log: CountedLog) -> None:
    """More messages make no difference, the first step does."""
    log.last = log.end = 3
    lag = lag_of(log)
    await lag.look()
    began = lag.since[IN]
    log.last = log.end = 5
    await lag.look()
    stood = lag.since[IN]
    log.offset = 1
    await lag.look()

    assert began == stood < lag.since[IN] <= time.monotonic()
    assert lag.behind == {IN: 4}


async def test_a_message_after_a_long_rest_is_young(log: CountedLog) -> None:
    """The time without work is no time of standing still."""
    log.offset = log.last = log.end = 5
    lag = lag_of(log)
    await lag.look()
    begun = time.monotonic()
    log.last = log.end = 6
    await lag.look()

    assert lag.since[IN] >= begun


async def test_a_log_that_is_away_is_an_error(log: CountedLog) -> None:
    """Whoever looks says so."""
    log.away = True

    with pytest.raises(UnavailableError, match="away"):
        await lag_of(log).look()
