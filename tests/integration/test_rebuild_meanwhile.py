"""A rebuild while articles come, go, expire and are withdrawn, and while Elasticsearch is away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from integration.ingest_world import until
from integration.rebuild_world import (
    DECEMBER,
    NOVEMBER,
    Between,
    RebuildWorld,
    article,
    gone,
    rebuild_world,
    withdrawal,
)
from servers.elasticsearch import ElasticsearchServer

from newswire.errors import LogUnavailableError
from newswire.log import Log, Record
from newswire.log.reading import records_from
from newswire_index.elastic.bulk import Action, Answer, Bulk
from newswire_index.rebuild import rebuilding
from newswire_index.store import StoreUnavailableError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


@pytest.fixture
async def world(elasticsearch: ElasticsearchServer, tmp_path: Path) -> AsyncIterator[RebuildWorld]:
    """A world with a topic and an index, both empty."""
    async with rebuild_world(elasticsearch, tmp_path) as made:
        yield made


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """A way to get between two steps."""
    return Between(monkeypatch)


async def test_the_pipeline_goes_on_meanwhile_and_nothing_is_doubled(
    world: RebuildWorld, tmp_path: Path
) -> None:
    """New articles, updates and a new month come all the time, before, at and after the swap."""
    await world.index(*(article(f"old{number}") for number in range(30)))
    stop = asyncio.Event()

    async def write() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            seen = NOVEMBER if number < 20 else DECEMBER
            await world.log.publish([article(f"new{number}", seen=seen)])
            await world.log.publish([article(f"old{number % 30}", number, revision=number + 1)])
            await asyncio.sleep(0.02)
        return number

    async with world.at_work():
        writing = asyncio.create_task(write())
        await asyncio.sleep(0.3)
        done = await world.rebuild()
        during = await world.verified(tmp_path)
        await asyncio.sleep(0.3)
        stop.set()
        written = await writing
        await until(world.is_read)
    after = await world.verified(tmp_path)

    assert done["done"] == "rebuilt"
    assert during.is_equal, during.first
    assert after.is_equal, after.first
    assert (after.equal, after.indexed, len(await world.found())) == (written + 30,) * 3
    assert "2026.11-000002" in await world.serving()


async def test_what_came_between_the_last_look_and_the_swap_is_read_afterwards(
    world: RebuildWorld, between: Between, tmp_path: Path
) -> None:
    """The index service wrote it to the old index; a month that came then is left as it is."""
    await world.index(article("a"), article("b"))

    async def meanwhile() -> None:
        await world.index(
            article("a", 1, revision=2), article("c"), gone("b", 1), article("d", seen=DECEMBER)
        )

    between.before("_move_aliases", meanwhile)
    await world.rebuild()

    assert await world.found() == {"a": "Talks a 1", "c": "Talks c 0", "d": "Talks d 0"}
    assert await world.serving() == ["2026.11-000002", "2026.12-000001"]
    assert [each.revision for each in await world.store.revisions("a")] == [1]
    assert (await world.verified(tmp_path)).is_equal


async def test_the_months_end_in_the_middle_gets_a_new_index_too(
    world: RebuildWorld, between: Between, tmp_path: Path
) -> None:
    """Whether the index service has made it already or the rebuild is the first to meet it."""
    await world.index(article("a"))

    async def meanwhile() -> None:
        await world.index(article("c", seen=DECEMBER))
        await world.log.publish([article("d", seen=DECEMBER + timedelta(days=31))])

    between.before("_compare", meanwhile)
    await world.rebuild()
    async with world.at_work():
        await until(world.is_read)

    assert await world.serving() == ["2026.11-000002", "2026.12-000002", "2027.01-000002"]
    assert (await world.verified(tmp_path)).is_equal


@pytest.mark.parametrize("step", ["_plan", "_compare", "_swap", "_move_aliases", "_read_on"])
async def test_a_withdrawal_at_any_moment_is_in_neither_index(
    world: RebuildWorld, between: Between, tmp_path: Path, step: str
) -> None:
    """Also where the index service is not at work, and after a lift only what is newer comes back."""
    await world.index(article("a"), article("b"), article("c"))

    async def meanwhile() -> None:
        await world.index(withdrawal("a"))
        await world.log.publish([withdrawal("c"), article("c", 1)])

    between.before(step, meanwhile)
    done = await world.rebuild()

    assert done["done"] == "rebuilt"
    assert await world.held("2026.11-000001") in ({"b"}, {"b", "c"})  # the service has yet to read of c
    assert await world.held("2026.11-000002") == {"b"}
    async with world.at_work():
        await until(world.is_read)
    assert await world.held("2026.11-000001") == await world.held("2026.11-000002") == {"b"}
    assert (await world.verified(tmp_path)).is_equal


async def test_a_withdrawal_just_before_an_article_is_written_takes_it_out_again(
    world: RebuildWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index service has deleted it everywhere, and then it comes from the rebuild's hand."""
    await world.index(article("a"), article("b"))
    send, done = Bulk.send, list[bool]()

    async def sending(this: Bulk, actions: Sequence[Action]) -> list[Answer]:
        if not done:
            done.append(True)
            await world.index(withdrawal("a"))
        return await send(this, actions)

    monkeypatch.setattr(Bulk, "send", sending)
    await world.rebuild()

    assert await world.held("2026.11-000002") == {"b"}


async def test_a_month_that_expires_in_the_middle_is_given_up(
    world: RebuildWorld, between: Between, tmp_path: Path
) -> None:
    """Whether the index service has dropped its indices already or not."""
    await world.index(article("a"), article("c", seen=DECEMBER))

    async def expire() -> None:
        world.now = datetime(2026, 12, 1, 1, tzinfo=UTC) + timedelta(days=400)
        await world.store.drop_expired(world.now)

    between.before("_compare", expire)
    done = await world.rebuild()

    assert [each["month"] for each in done["months"]] == ["2026-12"]
    assert sorted(await world.months()) == ["2026.12-000001", "2026.12-000002"]
    assert (await world.verified(tmp_path)).is_equal


async def test_while_elasticsearch_is_away_it_waits(
    world: RebuildWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says so once, and goes on."""
    await world.index(article("a"))
    send, failures = Bulk.send, [1, 2]

    async def failing(this: Bulk, actions: Sequence[Action]) -> list[Answer]:
        if failures:
            failures.pop()
            raise StoreUnavailableError("Elasticsearch is away: no route")
        return await send(this, actions)

    monkeypatch.setattr(Bulk, "send", failing)
    await world.rebuild()

    assert world.said == [
        "waiting: Elasticsearch is away: no route",
        "going on",
        "the new indices serve; reading what came meanwhile",
    ]
    assert (await world.verified(tmp_path)).is_equal


async def test_while_the_log_is_away_it_waits(
    world: RebuildWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the middle of a partition; what was taken is not taken again."""
    await world.index(*(article(f"a{number}") for number in range(30)))
    monkeypatch.setattr(rebuilding, "PORTION", 4)
    reads: list[int] = []

    async def failing(log: Log, topic: str, number: int, offset: int) -> AsyncIterator[Record]:
        async for record in records_from(log, topic, number, offset):
            reads.append(record.offset)
            if len(reads) == 7:
                raise LogUnavailableError("no broker")
            yield record

    monkeypatch.setattr(rebuilding, "records_from", failing)
    done = await world.rebuild()

    assert world.said[:2] == ["waiting: no broker", "going on"]
    assert done["counts"] == {"stored": 30}
    assert len(reads) < 30 + 7
    assert (await world.verified(tmp_path)).is_equal
