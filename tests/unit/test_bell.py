"""Bells: who waits on a line is woken, by events here and by datagrams from other processes."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from newswire.log.bell import LOOPBACK, Bells, ring_others

pytestmark = pytest.mark.unit

A, B = ("a", 0), ("a", 1)


@pytest.fixture
async def bells() -> AsyncIterator[Bells]:
    """Bells that listen."""
    bells = Bells()
    bells.open()
    yield bells
    bells.close()


async def rung(event: asyncio.Event) -> bool:
    """Tell whether the event is set soon."""
    try:
        async with asyncio.timeout(5):
            return await event.wait()
    except TimeoutError:
        return False


async def test_only_the_line_that_is_rung_wakes() -> None:
    """Topic and partition both count."""
    bells = Bells()
    with bells.listening([A]) as first, bells.listening([B]) as second:
        bells.ring([A, ("b", 0)])

        assert first.is_set()
        assert not second.is_set()


async def test_one_may_listen_on_several_lines() -> None:
    """Any of them wakes; all listeners of a line are woken."""
    bells = Bells()
    with bells.listening(line for line in (A, B)) as first, bells.listening([B]) as second:
        bells.ring([B])

        assert first.is_set()
        assert second.is_set()


async def test_who_has_gone_is_forgotten() -> None:
    """Nothing grows with the number of waits; others on the line stay."""
    bells = Bells()
    with bells.listening([A]) as first:
        with bells.listening([A, B]) as second:
            pass
        bells.ring_all()

        assert first.is_set()
        assert not second.is_set()
    assert dict(bells._waiting) == {}


async def test_other_processes_ring_by_datagram(bells: Bells) -> None:
    """Which says only that something happened: everybody looks."""
    with bells.listening([A]) as first, bells.listening([B]) as second:
        ring_others([bells.port])

        assert await rung(first)
        assert await rung(second)


async def test_it_rings_again_and_again(bells: Bells) -> None:
    """One datagram too many does no harm."""
    for _ in range(3):
        with bells.listening([A]) as event:
            ring_others([bells.port, bells.port])

            assert await rung(event)


async def test_only_loopback_is_listened_on(bells: Bells) -> None:
    """No other machine can ring."""
    assert bells._socket is not None
    assert bells._socket.getsockname()[0] == LOOPBACK


async def test_closed_bells_have_no_port(bells: Bells) -> None:
    """And may be closed twice; who rings them meets no error."""
    port = bells.port
    assert port > 0
    bells.close()
    bells.close()
    bells._rung()

    assert bells.port == 0
    ring_others([port])


async def test_nobody_to_ring_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket is even made."""
    monkeypatch.setattr(socket, "socket", None)
    ring_others([])


async def test_a_port_that_cannot_be_rung_does_not_stop_the_others(bells: Bells) -> None:
    """A process may have died and left its port behind."""
    with bells.listening([A]) as event:
        ring_others([0, bells.port])

        assert await rung(event)


def test_a_ring_from_elsewhere_is_heard_on_every_line() -> None:
    """Whoever looked before it has missed something, wherever that was."""
    bells = Bells()
    before = bells.heard([("t", 0)])
    bells.ring([("other", 1)])
    between = bells.heard([("t", 0)])
    bells.ring_all()

    assert between == before
    assert bells.heard([("t", 0)]) != before
