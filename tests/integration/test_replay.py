"""History through enrich and index again: newer rules win everywhere, and nothing is fetched."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from integration.ingest_world import NEWS, OTHER_NEWS, page, rss, until
from integration.pipeline_world import Pipeline, pipeline_in

from newswire.children import Children
from newswire.errors import ItemError
from newswire.events import Enriched, Outcome, Reason
from newswire.letters import letters_on
from newswire.replaying import Replayer, Request, replay, state_of
from newswire.sending_back import send_back
from newswire.settings import Settings
from newswire.withdrawing import resolve, withdraw
from newswire_enrich import replay as enrich_replay
from newswire_enrich.replay import EnrichReplay
from newswire_index.query import parse_query
from newswire_index.replay import IndexReplay, replaying
from newswire_index.settings import IndexSettings
from newswire_index.sqlite.store import SqliteStore
from newswire_ingest.service import CHILD, LIMITS

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FEED = f"{NEWS}/feed.xml"
A, B = f"{NEWS}/a", f"{NEWS}/b"
NEW = ("indexed", "new")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def children() -> AsyncIterator[Children]:
    """Real child processes for all tests."""
    async with Children(CHILD, {}, workers=1, limits=LIMITS) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def line(tmp_path: Path, children: Children) -> AsyncIterator[Pipeline]:
    """A pipeline with two articles that have been indexed."""
    async with pipeline_in(tmp_path, children) as made:
        made.site.put(A, page("the bridge"))
        made.site.put(B, page("the tunnel"))
        await made.world.feed(FEED, rss(A, B))
        await made.settle(NEW, NEW)
        yield made


async def through(line: Pipeline, replayer: Replayer, folder: Path) -> dict[str, int]:
    """Replay everything; return what became of it."""
    request = Request(type(replayer).__name__)
    state = await state_of(line.log, request, folder)
    async for _ in replay(line.log, request, replayer, state):
        pass
    return dict(state.counts)


async def reenrich(line: Pipeline, folder: Path, topic: str) -> dict[str, int]:
    """Replay through enrich by new rules, and let the stages work."""
    line.tagger.topic = topic
    counts = await through(line, EnrichReplay(line.log, print), folder)
    await line.settle()
    return counts


async def topics(line: Pipeline) -> dict[str, int]:
    """Return how many articles the store has by topic."""
    results = await line.store.search(parse_query("", facets=True))
    return {bucket.value: bucket.count for bucket in results.facets.topics} if results.facets else {}


async def versions(line: Pipeline, url: str) -> list[Enriched]:
    """Return all versions of an article on the log."""
    return [each for each in await line.world.all(Enriched) if each.canonical_url == url]


async def test_newer_rules_win_everywhere_and_say_nothing_of_entries(line: Pipeline, tmp_path: Path) -> None:
    """Revision, first sight and sources stay, nothing is fetched; also compacted, and in a new index."""
    await line.world.feed(f"{OTHER_NEWS}/feed.xml", rss(A))
    await line.settle(("duplicate", "other-source"))
    hits, outcomes = len(line.site.hits), await line.outcomes()
    counts = await reenrich(line, tmp_path, "bridges")
    *_, before, after = await versions(line, A)

    assert counts == {"sent": 2}
    assert await topics(line) == {"bridges": 2}
    assert (len(line.site.hits), await line.outcomes()) == (hits, outcomes)
    assert after.version > before.version
    assert after.entry_id is None
    same = {"version", "entry_id", "enriched_at", "topics"}
    assert after.model_dump(exclude=same) == before.model_dump(exclude=same)
    assert (len(after.sources), after.enriched_at > before.enriched_at) == (2, True)
    await line.log.maintain()
    line.store = SqliteStore(f"sqlite:///{tmp_path / 'anew.db'}")
    await line.store.open()
    counts = await through(line, IndexReplay(line.log, line.store, print), tmp_path)
    found = (counts, await topics(line), await line.titles())
    await line.store.close()
    assert found == ({"stored": 2}, {"bridges": 2}, ["News about the bridge", "News about the tunnel"])


async def test_what_is_newer_than_the_replayed_version_is_left_alone(line: Pipeline, tmp_path: Path) -> None:
    """A second replay of the same versions, still on its way when the first was dealt with."""
    for _ in range(2):
        await through(line, EnrichReplay(line.log, print), tmp_path)
    line.tagger.topic = "bridges"
    tagged = len(line.tagger.items)
    await line.settle()

    assert len(line.tagger.items) == tagged + 2
    assert len(await versions(line, A)) == 2


async def test_withdrawn_stays_withdrawn(line: Pipeline, tmp_path: Path) -> None:
    """Through both stages, also where the withdrawal comes between the replay and its owner."""
    meant = await resolve(line.log, A)
    await through(line, EnrichReplay(line.log, print), tmp_path)
    await withdraw(line.log, meant, reason="x", by="desk")
    line.store = SqliteStore(f"sqlite:///{tmp_path / 'anew.db'}")
    await line.store.open()
    indexed = await through(line, IndexReplay(line.log, line.store, print), tmp_path)
    early = await line.titles()
    outcomes = await line.outcomes()
    await line.settle()
    late = await reenrich(line, tmp_path, "bridges")
    titles = await line.titles()
    again = await through(line, IndexReplay(line.log, line.store, print), tmp_path)
    await line.store.close()

    assert (indexed, early) == ({"stored": 1, "withdrawn": 1}, ["News about the tunnel"])
    assert (late, titles) == ({"sent": 1}, ["News about the tunnel"])
    assert again == {"there already": 2}  # one of them is the removal
    assert await line.outcomes() == outcomes


async def test_a_replay_goes_on_beside_live_traffic(line: Pipeline, tmp_path: Path) -> None:
    """What is fetched meanwhile is enriched and indexed as ever."""
    line.tagger.topic = "bridges"
    line.site.put(f"{NEWS}/c", page("the road"))
    async with line.at_work():
        replaying_ = asyncio.create_task(through(line, EnrichReplay(line.log, print), tmp_path))
        await line.world.feed(f"{NEWS}/more.xml", rss(f"{NEWS}/c", A))
        await replaying_
        await until(lambda: all_tagged(line, 3))

    assert sorted(set(await line.outcomes())) == [("duplicate", "other-source"), NEW]


async def all_tagged(line: Pipeline, count: int) -> bool:
    """Tell whether so many articles have the new topic and nothing is on its way."""
    return await topics(line) == {"bridges": count} and await line.balanced() and await line.read()


async def test_a_replayed_article_that_dies_is_a_dead_letter_without_an_entry(
    line: Pipeline, tmp_path: Path
) -> None:
    """Sent back it is a replay still."""
    line.tagger.error = ItemError(Reason.CPU_LIMIT, "too slow")
    outcomes = len(await line.world.all(Outcome))
    await reenrich(line, tmp_path, "bridges")
    letters = await letters_on(line.log)
    line.tagger.error = None
    assert [each async for each in send_back(line.log, letters, "desk")]
    await line.settle()

    assert [letter.entry_id for letter in letters] == [None, None]
    assert await topics(line) == {"bridges": 2}
    assert len(await line.world.all(Outcome)) == outcomes


async def test_a_replay_does_not_run_far_ahead_of_enrich(
    line: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits, and says what for, until the stage has caught up."""
    monkeypatch.setattr(enrich_replay, "AHEAD", 1)
    monkeypatch.setattr(enrich_replay, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(enrich_replay, "SAY_SECONDS", 0.05)
    said: list[str] = []
    going = asyncio.create_task(through(line, EnrichReplay(line.log, said.append), tmp_path))
    await until(lambda: _are(said))
    waited = not going.done()
    async with line.at_work():
        counts = await asyncio.wait_for(going, 10)

    assert (waited, counts) == (True, {"sent": 2})
    assert said[0] == "waiting for enrich, which is 2 messages behind: is it running?"


async def _are(said: list[str]) -> bool:
    return bool(said)


async def test_the_index_service_opens_its_part_of_a_replay(line: Pipeline, tmp_path: Path) -> None:
    """With the store of the settings; what it rejects is said, and the others are stored."""
    said: list[str] = []
    settings = Settings(store=f"sqlite:///{tmp_path / 'anew.db'}")
    event = (await versions(line, A))[-1].model_copy(update={"article_id": "f" * 32, "version": 2**70})
    from newswire.envelope import message  # noqa: PLC0415

    await line.log.publish([message(event, event.article_id, source="test")])
    async with replaying(settings, IndexSettings(), line.log, said.append) as replayer:
        counts = await through(line, replayer, tmp_path)

    assert counts == {"stored": 2, "rejected": 1}
    assert [line.split(":")[0] for line in said] == [f"the store rejects {'f' * 32}"]
