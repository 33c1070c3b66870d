"""A rebuild that was killed goes on where it was, and two are never at it."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.rebuild_world import DECEMBER, RebuildWorld, article, gone, rebuild_world, withdrawal
from servers.elasticsearch import ElasticsearchServer

from newswire.errors import SettingsError
from newswire_index.rebuild import rebuilding
from newswire_index.rebuild.bootstrap import rebuilt
from newswire_index.rebuild.filling import RebuildRefusedError
from newswire_index.rebuild.rebuilding import Options
from newswire_index.rebuild.state import RebuildTakenError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

PATIENT = 20.0  # seconds of silence: far more than a test takes


@pytest.fixture
async def world(elasticsearch: ElasticsearchServer, tmp_path: Path) -> AsyncIterator[RebuildWorld]:
    """A world with some articles."""
    async with rebuild_world(elasticsearch, tmp_path) as made:
        await made.index(*(article(f"a{number}") for number in range(10)), article("c", seen=DECEMBER))
        yield made


async def at_once(world: RebuildWorld, silent_seconds: float) -> dict[str, object]:
    """Rebuild, with so much patience for another one."""
    at = world.site(silent_seconds)
    return await rebuilt(at, world.log, Options(), world.said.append, clock=lambda: world.now)


@contextlib.asynccontextmanager
async def staying(world: RebuildWorld) -> AsyncIterator[Process]:
    """A process that stays just before the swap; it is killed in the end."""
    process = await world.child("-", "stay")
    assert process.stdout is not None
    try:
        while b"there" not in (line := await asyncio.wait_for(process.stdout.readline(), 30)):
            assert line, "it ended early"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize(
    "moment", ["planned", "portion", "filled", "compared", "swapping", "swapped", "read on"]
)
async def test_killed_at_any_moment_it_goes_on(world: RebuildWorld, tmp_path: Path, moment: str) -> None:
    """What came before it did, the index service wrote to the indices that served by then."""
    await world.killed_at(moment)
    swapped = moment in {"swapped", "read on"}
    serving = await world.serving()
    await world.index(
        article("a1", 1, revision=2), article("new"), withdrawal("a2"), withdrawal("a3"), gone("a3", 1)
    )
    between = await world.found()
    done = await world.rebuild()

    assert serving == [f"{month}-00000{1 + swapped}" for month in ("2026.11", "2026.12")]
    assert (done["done"], done["resumed"]) == ("rebuilt", True)
    assert await world.serving() == ["2026.11-000002", "2026.12-000002"]
    assert sorted(await world.months()) == [
        "2026.11-000001", "2026.11-000002", "2026.12-000001", "2026.12-000002",
    ]  # fmt: skip
    assert await world.found() == between
    assert (await world.verified(tmp_path)).is_equal
    assert len(done["old"]) == 2


async def test_killed_again_and_again_it_comes_to_its_end(world: RebuildWorld, tmp_path: Path) -> None:
    """Each time it is a step further."""
    for moment in ("planned", "portion", "compared", "swapped", "read on"):
        await world.killed_at(moment)
    await world.rebuild()

    assert await world.serving() == ["2026.11-000002", "2026.12-000002"]
    assert (await world.verified(tmp_path)).is_equal


async def test_killed_at_its_end_it_is_at_its_end(world: RebuildWorld, tmp_path: Path) -> None:
    """The next one is another rebuild, and takes the next generation."""
    await world.killed_at("done")
    done = await world.rebuild()

    assert (done["resumed"], await world.serving()) == (False, ["2026.11-000003", "2026.12-000003"])
    assert [name[-6:] for name in done["old"]] == ["000001", "000002"] * 2
    assert (await world.verified(tmp_path)).is_equal


async def test_an_index_that_was_named_and_not_made_is_made(world: RebuildWorld, tmp_path: Path) -> None:
    """Killed in between, whatever was read by then is read again."""
    await world.killed_at("filled")
    at = world.site()
    await at.state.take("", world.said.append)
    await at.indices.remove([at.state.progress.months["2026-11"]])
    await at.state.release()
    await world.rebuild()

    assert await world.serving() == ["2026.11-000002", "2026.12-000002"]
    assert (await world.verified(tmp_path)).is_equal


async def test_a_second_one_is_refused_while_the_first_works(world: RebuildWorld, tmp_path: Path) -> None:
    """Killed, the first is taken over at once: its process is gone."""
    async with staying(world) as first:
        with pytest.raises(RebuildTakenError, match=rf"a rebuild is going on: process {first.pid} on "):
            await at_once(world, PATIENT)
        at = world.site(PATIENT)
        with pytest.raises(RebuildTakenError):
            await at.state.take("", world.said.append)
    done = await asyncio.wait_for(at_once(world, PATIENT), PATIENT)

    assert (done["done"], done["resumed"]) == ("rebuilt", True)
    assert world.said[0].startswith(f"a rebuild was begun by process {first.pid} on ")
    assert (await world.verified(tmp_path)).is_equal


async def test_one_that_was_stopped_and_wakes_up_gives_way(world: RebuildWorld, tmp_path: Path) -> None:
    """Silent for long enough it was taken over, and has nothing to say any more."""
    async with staying(world) as first:
        os.kill(first.pid, signal.SIGSTOP)
        done = await at_once(world, 1.0)
        os.kill(first.pid, signal.SIGCONT)
        _, err = await asyncio.wait_for(first.communicate(), 30)

    assert done["done"] == "rebuilt"
    assert first.returncode == 1
    assert b"another process has taken the rebuild over" in err
    assert await world.serving() == ["2026.11-000002", "2026.12-000002"]
    assert (await world.verified(tmp_path)).is_equal


async def test_a_rebuild_of_another_log_is_not_gone_on_with(
    world: RebuildWorld, elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """Its offsets mean nothing here."""
    await world.killed_at("filled")
    (tmp_path / "other").mkdir()
    async with rebuild_world(elasticsearch, tmp_path / "other") as other:
        at = world.site()
        with pytest.raises(SettingsError, match="of another log: --abandon removes it"):
            await rebuilt(at, other.log, Options(), world.said.append)


async def test_one_that_serves_already_cannot_be_abandoned(world: RebuildWorld) -> None:
    """The old indices lack what came since."""
    await world.killed_at("swapped")
    at = world.site()
    await at.state.take("", world.said.append)

    with pytest.raises(RebuildRefusedError, match="serve already"):
        await rebuilding.abandon(at.indices, at.state)
