"""Services in one process: started together, stopped together, and failures let through."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from unit.scenes import entry, publish
from unit.stages import EchoStage

from newswire import drain, run
from newswire.errors import SettingsError, UnavailableError
from newswire.log import Log, TopicSpec, open_log
from newswire.run import opened, run_services, stop_on_signals
from newswire.running import ended, stop_when_drained, take_over
from newswire.service import Service
from newswire.settings import Settings
from newswire.topics import TOPICS
from newswire.waiting import first, together
from newswire.worker import Worker

pytestmark = pytest.mark.unit

DEADLINE_SECONDS = 10.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a log in a fresh folder."""
    return Settings(log=f"sqlite:///{tmp_path / 'log.db'}", partitions=1)


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[Log]:
    """The log of the settings, with topics for the stages of the tests."""
    log = open_log(settings.log, partitions=1)
    await log.open([*TOPICS, TopicSpec("in"), TopicSpec("out")])
    yield log
    await log.close()


class Kitchen:
    """A service that remembers what was done with it."""

    def __init__(self, stage: EchoStage | None = None, error: Exception | None = None) -> None:
        self.stage = stage or EchoStage()
        self.error = error
        self.open = False
        self.started = asyncio.Event()

    @contextlib.asynccontextmanager
    async def bootstrap(self, settings: Settings, own: Any, log: Log) -> AsyncIterator[Sequence[Worker]]:
        """Yield one worker."""
        del settings, own
        if self.error:
            raise self.error
        self.open = True
        self.started.set()
        try:
            yield [Worker(log, self.stage)]
        finally:
            self.open = False

    def service(self) -> Service:
        """Return the service."""
        return Service("kitchen", Settings, self.bootstrap)


class FailingStage(EchoStage):
    """Cannot open a partition."""

    group = "failing"

    async def open(self, ownership: Any) -> Any:
        """Fail with what no retry can mend."""
        raise SettingsError(f"no rules for {ownership.number}")


async def running_until(log: Log, stop: asyncio.Event, *kitchens: Kitchen) -> None:
    """Run services, with a deadline."""
    services = [kitchen.service() for kitchen in kitchens]
    async with asyncio.timeout(DEADLINE_SECONDS):
        await run_services(services, Settings(), [Settings() for _ in kitchens], log, stop)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


async def test_an_opened_log_has_all_topics_and_is_closed(settings: Settings) -> None:
    """Whatever happens inside."""
    async with opened(settings) as log:
        assert await log.end_offsets("newswire.enriched.v1") == {0: 0}
    with pytest.raises(UnavailableError):
        await log.end_offsets("newswire.enriched.v1")


async def test_a_stop_ends_all_services(log: Log) -> None:
    """They work until then; their clients are let go of, and both moments are logged."""
    stop, one, other = asyncio.Event(), Kitchen(), Kitchen()
    with capture_logs() as logs:
        work = asyncio.create_task(running_until(log, stop, one, other))
        await until(lambda: bool(one.stage.opened or other.stage.opened))
        assert one.open
        assert other.open
        stop.set()
        await work

    assert not one.open
    assert not other.open
    assert one.stage.closed + other.stage.closed == [0]
    names = [line["event"] for line in logs]
    assert [name for name in names if name.startswith("services")] == ["services.started", "services.stopped"]


async def test_a_failing_worker_stops_everything_with_its_error(log: Log) -> None:
    """No half of a pipeline goes on unnoticed."""
    good, bad = Kitchen(), Kitchen(FailingStage())
    with pytest.raises(SettingsError, match="no rules for 0"):
        await running_until(log, asyncio.Event(), good, bad)

    assert not good.open
    assert len(good.stage.opened) == len(good.stage.closed)


async def test_a_service_that_cannot_start_ends_those_that_have(log: Log) -> None:
    """Its error comes out, in the group of the task group."""
    good, bad = Kitchen(), Kitchen(error=UnavailableError("no model"))
    with pytest.raises(ExceptionGroup) as caught:
        await running_until(log, asyncio.Event(), good, bad)

    assert caught.group_contains(UnavailableError, match="no model")
    assert not good.open


async def test_the_log_is_kept_tidy_and_an_outage_of_it_is_survived(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Maintenance comes again and again, also after it failed."""
    rounds = 0

    async def maintain() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise UnavailableError("locked")

    monkeypatch.setattr(run, "MAINTENANCE_SECONDS", 0.001)
    monkeypatch.setattr(log, "maintain", maintain)
    stop, kitchen = asyncio.Event(), Kitchen()
    with capture_logs() as logs:
        work = asyncio.create_task(running_until(log, stop, kitchen))
        await until(lambda: rounds > 2)
        stop.set()
        await work

    assert [line["error"] for line in logs if line["event"] == "maintenance.failed"] == ["locked"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_ask_to_stop(number: signal.Signals) -> None:
    """The first one; afterwards they are as they were."""
    before = signal.getsignal(number)
    stop = asyncio.Event()
    with stop_on_signals(stop):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await stop.wait()

    assert signal.getsignal(number) in {before, signal.SIG_DFL, signal.default_int_handler}


async def test_a_second_interrupt_is_pythons_own() -> None:
    """Whoever does not want to wait may insist."""
    stop = asyncio.Event()
    with stop_on_signals(stop):
        os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await stop.wait()

        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def test_a_feed_list_goes_to_the_service_that_polls(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it found is said on standard error."""

    async def importer(log: Log, path: Path) -> str:
        del log
        return f"{path.stem} taken over"

    services = [Kitchen().service(), Service("poll", Settings, Kitchen().bootstrap, importer)]
    await take_over(services, log, Path("my.opml"))

    assert capsys.readouterr().err == "my.opml: my taken over\n"


async def test_a_feed_list_without_such_a_service_is_an_error(log: Log) -> None:
    """Rather than silently nothing."""
    with pytest.raises(SettingsError, match=r"--feeds my\.opml"):
        await take_over([Kitchen().service()], log, Path("my.opml"))


@pytest.mark.parametrize(("lost", "code"), [(False, 0), (True, 1)])
async def test_a_drained_run_stops_and_says_whether_anything_is_lost(
    log: Log, monkeypatch: pytest.MonkeyPatch, *, lost: bool, code: int
) -> None:
    """By its exit code."""
    monkeypatch.setattr(drain, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr("newswire.ledger.Ledger._unread", _nothing)
    if lost:
        await publish(log, entry())
    stop = asyncio.Event()
    watch = asyncio.create_task(stop_when_drained(log, stop))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await stop.wait()
        await asyncio.wait({watch})

    assert await ended(watch) == code


async def _nothing(*_: object) -> set[str]:
    return set()


async def test_a_run_that_nobody_drains_ends_well() -> None:
    """Without --until-drained, or stopped before it was."""
    watch: asyncio.Task[int] = asyncio.create_task(_for_ever())

    assert await ended(None) == 0
    assert await ended(watch) == 0
    assert watch.cancelled()


async def _for_ever() -> int:
    await asyncio.Event().wait()
    return 1


async def test_a_watch_that_fails_stops_the_run_with_its_error(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of running on for ever."""

    async def failing(_: Any) -> None:
        raise UnavailableError("the log is gone")

    monkeypatch.setattr("newswire.running.Drain.wait", failing)
    stop = asyncio.Event()
    watch = asyncio.create_task(stop_when_drained(log, stop))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await stop.wait()
        await asyncio.wait({watch})

    with pytest.raises(UnavailableError):
        await ended(watch)


async def test_the_first_of_several_things_ends_the_wait() -> None:
    """The others are cancelled, and have ended by then."""
    cancelled: list[str] = []
    work: Callable[[], Awaitable[int]] = _for_ever

    async def patient() -> None:
        try:
            await work()
        finally:
            cancelled.append("patient")

    await first(asyncio.sleep(0), patient())

    assert cancelled == ["patient"]


async def test_the_error_of_the_first_is_raised() -> None:
    """It is not lost among the others."""

    async def failing() -> None:
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        await first(_for_ever(), failing())


async def test_together_returns_all_results_in_order() -> None:
    """Whoever is done first."""

    async def number(value: int, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return value

    assert await together(number(1, 5), number(2, 0)) == [1, 2]


async def test_together_cancels_the_others_when_one_fails() -> None:
    """Nothing goes on behind the back of whoever tries again."""
    cancelled = asyncio.Event()

    async def patient() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await together(patient(), failing())

    assert cancelled.is_set()
