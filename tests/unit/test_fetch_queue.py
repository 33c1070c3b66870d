"""Which URL is fetched next, and how a domain is spared."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from newswire_ingest.queue import FetchQueue
from newswire_ingest.spacing import Spacing

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
A, B, C = (f"https://courier.example/{name}" for name in "abc")
ELSEWHERE = "https://gazette.example/a"
FREE = 1e12  # a monotonic time at which every domain has long been free


def at(seconds: float) -> datetime:
    """Return a time so long after NOW."""
    return NOW + timedelta(seconds=seconds)


def monotonic() -> float:
    """Return the loop's clock, by which domains are free."""
    return asyncio.get_running_loop().time()


def queue(*urls: str, seconds: float = 0.0, concurrency: int = 10) -> tuple[FetchQueue, Spacing]:
    """Return a queue in which the URLs are due now."""
    spacing = Spacing(seconds, concurrency)
    made = FetchQueue(spacing)
    for url in urls:
        made.put(url, NOW)
    return made, spacing


async def test_what_is_due_first_is_taken_first() -> None:
    """Whatever the order in which it came."""
    waiting, _ = queue()
    waiting.put(A, at(3))
    waiting.put(B, at(1))
    waiting.put(C, at(2))

    assert [waiting.take(at(5), FREE) for _ in range(4)] == [B, C, A, None]


async def test_nothing_is_taken_before_its_time() -> None:
    """The moment itself will do."""
    waiting, _ = queue()
    waiting.put(A, at(1))

    assert waiting.take(at(0.999), FREE) is None
    assert waiting.take(at(1), FREE) == A


async def test_a_url_is_fetched_once_at_a_time() -> None:
    """An arrival during the fetch waits for its end."""
    waiting, _ = queue(A)
    waiting.take(NOW, FREE)
    waiting.put(A, NOW)
    during = waiting.take(NOW, FREE)
    waiting.release(A, NOW)

    assert during is None
    assert waiting.take(NOW, FREE) == A


async def test_a_url_entered_twice_for_one_time_is_still_fetched_once_at_a_time() -> None:
    """Taken out and put back, then asked for again during its fetch."""
    waiting, _ = queue(A)
    waiting.put(A, None)
    waiting.put(A, NOW)
    first = waiting.take(NOW, FREE)
    waiting.put(A, NOW)

    assert first == A
    assert waiting.take(NOW, FREE) is None


async def test_a_url_that_is_being_fetched_holds_up_no_other() -> None:
    """Not even one that is due later, of the same domain; and it is not forgotten."""
    waiting, _ = queue(A)
    waiting.take(NOW, FREE)
    waiting.put(A, NOW)
    waiting.put(B, at(1))
    second = waiting.take(at(1), FREE)
    waiting.release(A, NOW)

    assert second == B
    assert waiting.take(at(1), FREE) == A


async def test_a_url_that_is_done_is_not_taken_again() -> None:
    """Its end takes out what came in between and was ended with it."""
    waiting, _ = queue(A)
    waiting.take(NOW, FREE)
    waiting.put(A, NOW)
    waiting.release(A, None)

    assert waiting.take(at(10), FREE) is None
    assert waiting.seconds_to_next(at(10), FREE) is None


async def test_a_url_released_for_later_waits_until_then() -> None:
    """The time that the release gives replaces any other."""
    waiting, _ = queue(A)
    waiting.take(NOW, FREE)
    waiting.put(A, NOW)
    waiting.release(A, at(60))

    assert waiting.take(at(59), FREE) is None
    assert waiting.take(at(60), FREE) == A
    waiting.release(A, None)
    assert waiting.take(at(99), FREE) is None


async def test_a_url_put_again_is_taken_once_at_its_last_time() -> None:
    """Earlier or later, and after it was taken out in between."""
    waiting, _ = queue(A)
    waiting.put(A, at(5))
    waiting.put(A, None)
    waiting.put(A, at(5))
    waiting.put(A, at(2))

    assert waiting.take(at(1), FREE) is None
    assert waiting.take(at(2), FREE) == A
    waiting.release(A, None)
    assert waiting.take(at(9), FREE) is None


async def test_a_domain_is_asked_only_so_often_and_others_meanwhile() -> None:
    """Hosts of one registered domain count as one."""
    www = "https://www.courier.example/b"
    waiting, spacing = queue(A, www, ELSEWHERE, seconds=10)
    started = monotonic()
    taken = [waiting.take(NOW, monotonic()) for _ in range(3)]

    assert set(taken) == {A, ELSEWHERE, None}
    spacing.finish("courier.example")
    assert waiting.take(NOW, started + 9.9) is None
    assert waiting.take(NOW, monotonic() + 10.1) == www


async def test_a_domain_is_asked_for_only_so_much_at_once() -> None:
    """A place that is given back is free for the next."""
    waiting, spacing = queue(A, B, C, concurrency=2)
    first = [waiting.take(NOW, FREE) for _ in range(3)]
    spacing.finish("courier.example")
    second = [waiting.take(NOW, FREE) for _ in range(2)]

    assert first == [A, B, None]
    assert second == [C, None]


async def test_the_wait_ends_when_something_is_due_and_its_domain_free() -> None:
    """The later of the two, and of all domains the first; without an end while the domain is busy."""
    waiting, spacing = queue(seconds=10, concurrency=1)
    now = monotonic()
    waiting.put(A, at(3))

    assert waiting.seconds_to_next(NOW, now) == pytest.approx(3)
    assert waiting.seconds_to_next(at(5), now) == 0
    spacing.start("courier.example")
    assert waiting.seconds_to_next(at(5), now) == float("inf")
    spacing.finish("courier.example")
    assert waiting.seconds_to_next(at(5), now) == pytest.approx(10, abs=0.5)
    waiting.put(ELSEWHERE, at(7))
    assert waiting.seconds_to_next(at(5), now) == pytest.approx(2)


async def test_the_wait_has_no_end_if_nothing_waits() -> None:
    """Neither before nor after."""
    waiting, _ = queue()
    assert waiting.seconds_to_next(NOW, FREE) is None
    waiting.put(A, NOW)
    waiting.take(NOW, FREE)

    assert waiting.seconds_to_next(NOW, FREE) is None


async def test_a_domain_that_asks_for_time_gets_it_and_never_less_than_before() -> None:
    """A shorter wish does not shorten a longer one, nor does a request in between."""
    spacing = Spacing(0.0, 1)
    now = monotonic()
    spacing.slow_down("courier.example", 60)
    spacing.slow_down("courier.example", 5)
    spacing.start("courier.example")
    spacing.finish("courier.example")

    assert spacing.free_at("courier.example") == pytest.approx(now + 60, abs=0.5)
    assert spacing.free_at("gazette.example") == 0


async def test_a_request_waits_for_its_turn() -> None:
    """Two requests start the spacing apart, although each ends at once."""
    spacing = Spacing(0.1, 1)
    starts = []
    for _ in range(3):
        async with spacing.request("courier.example"):
            starts.append(monotonic())

    assert [later - earlier >= 0.099 for earlier, later in pairwise(starts)] == [
        True,
        True,
    ]


async def test_a_request_waits_for_a_place_and_gives_it_back_whatever_happens() -> None:
    """Also when it fails."""
    spacing = Spacing(0.0, 1)
    at_once = []

    async def ask() -> None:
        async with spacing.request("courier.example"):
            at_once.append(spacing.free_at("courier.example"))
            await asyncio.sleep(0)
            raise OSError

    results = await asyncio.gather(ask(), ask(), return_exceptions=True)

    assert at_once == [float("inf")] * 2
    assert [type(result) for result in results] == [OSError, OSError]
    assert spacing.free_at("courier.example") < float("inf")


async def test_whoever_waits_for_a_domain_hears_when_a_place_is_free() -> None:
    """Else a page would sleep on when a poll of its domain has ended."""
    spacing = Spacing(0.0, 1)
    heard: list[str] = []
    with spacing.listening(heard.append):
        spacing.start("courier.example")
        spacing.finish("courier.example")
    spacing.start("gazette.example")
    spacing.finish("gazette.example")

    assert heard == ["courier.example"]


async def test_the_queue_knows_the_domains_that_it_waits_for() -> None:
    """No others."""
    waiting, _ = queue(A)

    assert waiting.waits_for("courier.example")
    assert not waiting.waits_for("gazette.example")
