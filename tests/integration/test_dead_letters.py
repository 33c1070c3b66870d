"""Dead letters on their way back through the whole pipeline, from each of the stages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from integration.ingest_world import NEWS, OTHER_NEWS, page, rss
from integration.pipeline_world import Pipeline, pipeline_in

from newswire.children import Children
from newswire.envelope import ATTEMPTS, ENTRY, REPLAY
from newswire.errors import ChildDiedError, ItemError
from newswire.events import Enriched, Entry, Outcome, Page, Reason, Withdrawal
from newswire.ledger import Ledger
from newswire.letters import letters_on
from newswire.sending_back import send_back
from newswire.withdrawing import resolve, withdraw
from newswire_index.document import Document, Removal
from newswire_index.sqlite.store import SqliteStore
from newswire_index.store import Verdict, VerdictKind
from newswire_ingest.service import CHILD, LIMITS

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FEED = f"{NEWS}/feed.xml"
A, B = f"{NEWS}/a", f"{NEWS}/b"
NEW = ("indexed", "new")
KILLED = ("dead-lettered", "child-killed")


class PickyStore(SqliteStore):
    """Rejects every article as long as it is picky."""

    picky = True

    async def write(self, documents: Sequence[Document | Removal]) -> Sequence[Verdict]:
        """Write, or reject all."""
        if self.picky:
            return [Verdict(VerdictKind.REJECTED, "picky") for _ in documents]
        return await super().write(documents)


class FrailChildren:
    """Real children that die of pages as long as they are frail."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self.frail = True

    async def run(self, item: tuple[str, Any]) -> Any:
        """Parse a feed or a page, or die of it."""
        if self.frail and item[0] == "page":
            raise ChildDiedError(Reason.CHILD_KILLED, "died of SIGKILL")
        return await self._children.run(item)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def children() -> AsyncIterator[Children]:
    """Real child processes for all tests."""
    async with Children(CHILD, {}, workers=1, limits=LIMITS) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def line(tmp_path: Path, children: Children) -> AsyncIterator[Pipeline]:
    """A fresh pipeline."""
    async with pipeline_in(tmp_path, children) as made:
        yield made


async def replay(line: Pipeline) -> int:
    """Send all open letters back; return how many went."""
    letters = await letters_on(line.log)
    tallies = [each async for each in send_back(line.log, letters, "desk")]
    return tallies[-1].done.total()


async def in_flight(line: Pipeline) -> int:
    """Return how many entries are on their way."""
    balance = await Ledger(line.log).balance()
    assert balance.lost == ()
    return balance.in_flight


async def last_outcomes(line: Pipeline) -> dict[str, tuple[str, str]]:
    """Return the last outcome of each entry."""
    return {each.entry_id: (each.kind, each.reason) for each in await line.world.all(Outcome)}


async def test_a_dead_entry_is_really_fetched_again(line: Pipeline) -> None:
    """Though its page is remembered as a failure; dying again, its attempts add up."""
    children = FrailChildren(line.world.children)
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(KILLED, children=children)
    sent = [await replay(line)]
    waiting = await in_flight(line)
    await line.settle(KILLED, KILLED, children=children)
    (letter,) = await letters_on(line.log)
    children.frail = False
    sent.append(await replay(line))
    await line.settle(KILLED, KILLED, NEW, children=children)

    assert (sent, waiting, letter.attempts) == ([1, 1], 1, 4)
    assert len(line.site.hits_of(A)) == 3
    assert await last_outcomes(line) == {letter.entry_id: NEW}
    assert await line.titles() == ["News about the bridge"]
    assert await letters_on(line.log) == []
    assert await replay_all_marked(line) == 2


async def replay_all_marked(line: Pipeline) -> int:
    """Return how many marks lie on the topic."""
    return sum(1 for record in await line.letters() if "dl_handled" in record.headers)


async def test_a_dead_entry_that_leads_to_another_domain_is_tried_there(line: Pipeline) -> None:
    """The way on does not make it one of the crowd that a remembered failure answers."""
    children = FrailChildren(line.world.children)
    there = f"{OTHER_NEWS}/t"
    line.site.put(A, status=301, Location=there)
    line.site.put(there, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(KILLED, children=children)
    (letter,) = await letters_on(line.log)
    original = Entry.from_bytes(letter.record.value or b"")
    start = original.model_copy(update={"url": A, "origin_url": None, "hops": 0})
    from newswire_ingest.memory import entry_message  # noqa: PLC0415

    await line.log.publish([entry_message(start, 2)])
    await line.settle(KILLED, KILLED, children=children)
    dead = (await letters_on(line.log))[-1]

    assert dead.attempts == 4
    assert dead.record.headers[REPLAY] == "again"
    assert Entry.from_bytes(dead.record.value or b"").url == there


async def test_an_entry_that_is_sent_back_twice_is_fetched_once(line: Pipeline) -> None:
    """Two people had the same thought."""
    children = FrailChildren(line.world.children)
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(KILLED, children=children)
    letters = await letters_on(line.log)
    for _ in range(2):
        assert [each async for each in send_back(line.log, letters, "desk")]
    children.frail = False
    await line.settle(KILLED, NEW, children=children)

    assert sorted(await line.outcomes()) == sorted([KILLED, NEW])


async def test_a_dead_article_is_enriched_when_it_is_sent_back(line: Pipeline) -> None:
    """Under its entry; the page is not asked again."""
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    line.tagger.error = ItemError(Reason.CPU_LIMIT, "too slow")
    await line.settle(("dead-lettered", "cpu-limit"))
    line.tagger.error = None
    await replay(line)
    flying = await in_flight(line)
    await line.settle(NEW)

    assert flying == 1
    assert len(line.site.hits_of(A)) == 1
    assert list((await last_outcomes(line)).values()) == [NEW]
    assert (await line.world.records(Enriched))[-1].headers[ATTEMPTS] == "1"


async def rejected(line: Pipeline) -> PickyStore:
    """Let the index reject an article."""
    assert isinstance(line.store, SqliteStore)
    store = PickyStore(f"sqlite:///{line.store._path.with_name('picky.db')}")
    await store.open()
    line.store = store
    line.site.put(A, page("the bridge"), ETag='"v1"')
    await line.world.feed(FEED, rss(A))
    await line.settle(("dead-lettered", "store-rejected"))
    store.picky = False
    return store


async def test_what_the_index_rejected_comes_back_as_a_new_version_of_its_owner(line: Pipeline) -> None:
    """The newest that the owner has, for the letter's entry; nothing is fetched or tagged again."""
    store = await rejected(line)
    await line.world.feed(f"{OTHER_NEWS}/feed.xml", rss(A))
    await line.settle(("duplicate", "other-source"))
    await replay(line)
    flying = await in_flight(line)
    await line.settle(NEW)
    first, grown, again = [Enriched.from_bytes(r.value or b"") for r in await line.world.records(Enriched)]
    titles = await line.titles()
    await store.close()

    assert (flying, titles) == (1, ["News about the bridge"])
    assert (again.entry_id, again.revision, again.sources) == (first.entry_id, 1, grown.sources)
    assert first.version < grown.version < again.version
    assert (len(line.site.hits_of(A)), len(line.tagger.items)) == (1, 1)
    assert sorted((await last_outcomes(line)).values()) == [("duplicate", "other-source"), NEW]


async def test_dying_in_the_index_again_adds_up(line: Pipeline) -> None:
    """The attempts go with the new version."""
    store = await rejected(line)
    store.picky = True
    await replay(line)
    await line.settle(("dead-lettered", "store-rejected"), ("dead-lettered", "store-rejected"))
    (letter,) = await letters_on(line.log)
    await store.close()

    assert letter.attempts == 2
    assert letter.record.headers[ENTRY] == letter.entry_id


@pytest.mark.parametrize("gone", ["withdrawn", "article-unavailable"])
async def test_what_is_gone_meanwhile_ends_as_the_rules_say(line: Pipeline, gone: str) -> None:
    """Withdrawn, or unknown to its owner."""
    store = await rejected(line)
    meant = await resolve(line.log, A)
    await withdraw(line.log, meant, reason="x", by="desk")
    await line.settle()
    if gone != "withdrawn":
        from newswire.envelope import tombstone  # noqa: PLC0415

        await line.log.publish([tombstone(Withdrawal.topic, meant.article_id)])
        await line.settle()
    await replay(line)
    await line.settle(("discarded", gone))
    titles = await line.titles()
    await store.close()

    assert titles == []
    assert list((await last_outcomes(line)).values()) == [("discarded", gone)]


async def test_the_memory_of_a_page_says_that_an_entry_was_sent_back(line: Pipeline) -> None:
    """It survives a restart in the middle of the fetch."""
    children = FrailChildren(line.world.children)
    line.site.put(A, page("the bridge"))
    await line.world.feed(FEED, rss(A))
    await line.settle(KILLED, children=children)
    held = asyncio.Event()

    async def slow(_request: Any) -> Any:
        held.set()
        await asyncio.sleep(30)

    line.site.act(A, slow)
    line.world.set(page_timeout_seconds=20)
    await replay(line)
    async with line.at_work(children):
        await asyncio.wait_for(held.wait(), 5)
    waiting = [w for each in await line.world.all(Page) for w in each.waiting][-1]
    line.site.put(A, page("the bridge"))
    await line.settle(KILLED, KILLED, children=children)
    (letter,) = await letters_on(line.log)

    assert (waiting.dead_attempts, letter.attempts) == (2, 4)
