"""What ``newswire.subscribe`` must do, whatever log it reads. A second log gives three fixtures.

``settings`` says where the log is, ``log`` is an open handle on it with all topics there, ``group`` is a name
that nobody has used.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from unit.scenes import NOW, enriched, feed, outcome, publish, removed, unreadable

import newswire
from newswire.envelope import VERSION, tombstone
from newswire.events import Enriched, Feed, Outcome
from newswire.log import Log
from newswire.log.reading import records_from
from newswire.settings import Settings

DEADLINE_SECONDS = 30.0  # a rebalance on a busy machine

Articles = newswire.Subscription[newswire.Enriched | newswire.Withdrawn]


def named(item: Any) -> str:
    """Return the article id of an item."""
    return str(item.article_id)


async def take(articles: Any, count: int) -> list[str]:
    """Return the ids of the next items; the last one is left in hand."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return [named(await anext(articles)) for _ in range(count)]


async def committed(log: Log, group: str) -> int:
    """Return how many articles lie below what a group has committed."""
    found = 0
    for number, offset in (await log.committed(group, Enriched.topic)).items():
        async for record in records_from(log, Enriched.topic, number):
            found += record.offset < offset
    return found


async def until_committed(log: Log, group: str, count: int) -> None:
    """Wait until a group has committed so many."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await committed(log, group) != count:
            await asyncio.sleep(0.02)


async def rest_of(subscription: Any, quiet_seconds: float = 2.0) -> list[str]:
    """Return the ids of what still comes, until nothing comes for a while."""
    found: list[str] = []
    async with subscription as articles:
        with contextlib.suppress(TimeoutError):
            found += await asyncio.wait_for(take(articles, 1), DEADLINE_SECONDS)
            while True:
                found.append(named(await asyncio.wait_for(anext(articles), quiet_seconds)))
    return found


# Handles articles, says each on its standard output after that, and dies with one in hand if told to.
CONSUMING = """
import asyncio, os, signal, sys
import newswire
group, fatal = sys.argv[1], int(sys.argv[2])
async def main():
    handled = 0
    async for article in newswire.subscribe("enriched", group=group):
        if handled == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        print(article.article_id, article.version, flush=True)
        handled += 1
asyncio.run(main())
"""


@contextmanager
def consumer(settings: Settings, group: str, fatal: int = -1) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own that subscribes; it is gone afterwards."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("NEWSWIRE_KAFKA_")}
    variables |= {"NEWSWIRE_LOG": settings.log, "NEWSWIRE_PREFIX": settings.prefix}
    process = subprocess.Popen(
        [sys.executable, "-c", CONSUMING, group, str(fatal)], stdout=subprocess.PIPE, text=True,
        env=variables,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


class SubscriptionContract:
    """The suite."""

    @pytest.fixture
    def subscribe(self, settings: Settings, group: str) -> Any:
        """Subscribe to articles, unless told otherwise."""

        def make(topic: str = "enriched", **more: Any) -> Any:
            return newswire.subscribe(topic, **{"group": group, "settings": settings, **more})

        return make

    async def test_it_yields_typed_events(self, subscribe: Any, log: Log) -> None:
        """The class of the topic, with the record that it came in."""
        event = enriched(article_id="a")
        await publish(log, event)
        async with subscribe() as articles, asyncio.timeout(DEADLINE_SECONDS):
            item = await anext(articles)
            record = articles.record

        assert item == event
        assert (record.key, record.offset) == ("a", 0)
        assert record.headers["ce_type"] == Enriched.topic

    async def test_any_topic_of_events_can_be_read(self, subscribe: Any, log: Log) -> None:
        """A null on another topic than that of articles removes a key."""
        await publish(log, outcome("e1"), feed("f1"), removed(Feed, "f1"))
        async with subscribe("newswire.outcomes.v1") as outcomes, asyncio.timeout(DEADLINE_SECONDS):
            ended = await anext(outcomes)
        async with subscribe("feeds") as feeds, asyncio.timeout(DEADLINE_SECONDS):
            found = [await anext(feeds), await anext(feeds)]

        assert isinstance(ended, Outcome)
        assert found == [feed("f1"), newswire.Removed("f1")]

    async def test_a_null_is_a_withdrawal_and_passes_every_filter(self, subscribe: Any, log: Log) -> None:
        """With the version that tells it from an older or newer article, where there is one."""
        await publish(log, enriched(article_id="a", topics=[]))
        await publish(log, tombstone(Enriched.topic, "a", {VERSION: "17"}), removed(Enriched, "a"))
        async with subscribe(topics=["nato-bid"], entities=["Q1"], languages=["de"]) as articles:
            async with asyncio.timeout(DEADLINE_SECONDS):
                found = [await anext(articles), await anext(articles)]

        assert found == [newswire.Withdrawn("a", 17), newswire.Withdrawn("a")]

    async def test_filters_leave_out_and_what_is_left_out_is_committed(
        self, subscribe: Any, log: Log, group: str
    ) -> None:
        """A reader of rare articles does not read the others again after each start."""
        for n in range(20):
            await publish(log, enriched(article_id=f"a{n}", language="de" if n % 5 == 0 else "en"))
        async with subscribe(languages=["de"]) as articles:
            found = await take(articles, 4)
            await articles.commit()
            waiting = asyncio.ensure_future(anext(articles))
            await until_committed(log, group, 20)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        assert sorted(found) == ["a0", "a10", "a15", "a5"]

    async def test_what_cannot_be_read_is_left_out_and_counted(
        self, subscribe: Any, log: Log, group: str
    ) -> None:
        """One broken message does not stop a stream for ever."""
        await publish(log, unreadable(Enriched.topic, "a", None), enriched(article_id="a"))
        async with subscribe() as articles:
            found = await take(articles, 1)
            await articles.commit()

            assert (found, articles.unreadable) == (["a"], 1)
        assert await committed(log, group) == 2

    async def test_asking_for_the_next_commits(self, subscribe: Any, log: Log, group: str) -> None:
        """A lone message at once, without waiting for company."""
        await publish(log, enriched(article_id="a"))
        async with subscribe() as articles:
            await take(articles, 1)
            before = await committed(log, group)
            waiting = asyncio.ensure_future(anext(articles))
            await until_committed(log, group, 1)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        assert before == 0

    async def test_an_exception_lets_the_item_come_again(self, subscribe: Any, log: Log, group: str) -> None:
        """What was handled before it does not."""
        await publish(log, *(enriched(article_id="a", version=n) for n in range(1, 6)))
        seen: list[int] = []

        async def handle() -> None:
            async with subscribe() as articles:
                async for article in articles:
                    if article.version == 3:
                        raise ValueError("cannot be handled today")
                    seen.append(article.version)

        async with asyncio.timeout(DEADLINE_SECONDS):
            with pytest.raises(ValueError, match="today"):
                await handle()
        held = await committed(log, group)
        async with subscribe() as articles, asyncio.timeout(DEADLINE_SECONDS):
            again = [(await anext(articles)).version for _ in range(3)]

        assert (seen, held, again) == ([1, 2], 2, [3, 4, 5])

    async def test_a_second_loop_begins_with_the_item_that_the_first_left(
        self, subscribe: Any, log: Log
    ) -> None:
        """So whoever catches the error of his loop and goes on loses nothing."""
        await publish(log, *(enriched(article_id="a", version=n) for n in range(1, 4)))
        seen: list[int] = []
        async with subscribe() as articles, asyncio.timeout(DEADLINE_SECONDS):
            async for article in articles:
                seen.append(article.version)
                if article.version == 2:
                    break
            async for article in articles:
                seen.append(article.version)
                if article.version == 3:
                    break

        assert seen == [1, 2, 2, 3]

    async def test_a_break_leaves_the_last_item_unless_it_is_committed(
        self, subscribe: Any, log: Log, group: str
    ) -> None:
        """Nobody knows whether it was handled, but who broke off; he may say so."""
        await publish(log, *(enriched(article_id="a", version=n) for n in range(1, 4)))
        async with subscribe() as articles, asyncio.timeout(DEADLINE_SECONDS):
            async for _ in articles:
                break
        left = await committed(log, group)
        async with subscribe() as articles, asyncio.timeout(DEADLINE_SECONDS):
            async for _ in articles:
                await articles.commit()
                break

        assert (left, await committed(log, group)) == (0, 1)

    async def test_a_plain_loop_that_is_left_lets_go_of_its_partitions(
        self, subscribe: Any, log: Log, group: str
    ) -> None:
        """Without the block Python finalises the iterator: the next reader gets all that is left."""
        await publish(log, *(enriched(article_id=f"a{n}") for n in range(6)))
        seen: list[str] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for article in subscribe():
                seen.append(article.article_id)
                if len(seen) == 3:
                    break
        await until_committed(log, group, 2)
        rest = await rest_of(subscribe())

        assert set(seen) | set(rest) == {f"a{n}" for n in range(6)}
        assert len(rest) == 4

    async def test_a_plain_loop_that_raises_lets_go_too(self, subscribe: Any, log: Log, group: str) -> None:
        """What was handled is committed, the rest comes again."""
        await publish(log, *(enriched(article_id="a", version=n) for n in range(1, 4)))

        async def handle() -> None:
            async for article in subscribe():
                if article.version == 2:
                    raise ValueError("not this one")

        async with asyncio.timeout(DEADLINE_SECONDS):
            with pytest.raises(ValueError, match="not this one"):
                await handle()
        await until_committed(log, group, 1)

    async def test_stop_ends_the_loop_and_commits(self, subscribe: Any, log: Log, group: str) -> None:
        """From a signal handler: the item in hand is finished, nothing comes after it."""
        await publish(log, *(enriched(article_id="a", version=n) for n in range(1, 4)))
        articles, seen = subscribe(), []
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for article in articles:
                seen.append(article.version)
                if article.version == 2:
                    articles.stop()

        assert (seen, await committed(log, group)) == ([1, 2], 2)

    async def test_a_wait_that_is_cancelled_loses_nothing(self, subscribe: Any, log: Log) -> None:
        """Whoever looks with a time limit, again and again, gets all that comes."""
        found: list[str] = []
        async with subscribe() as articles, asyncio.timeout(DEADLINE_SECONDS):
            for n in range(4):
                await publish(log, enriched(article_id=f"a{n}"))
                while len(found) <= n:
                    with contextlib.suppress(TimeoutError):
                        found.append(named(await asyncio.wait_for(anext(articles), 0.05)))

        assert found == [f"a{n}" for n in range(4)]

    async def test_a_new_group_may_begin_at_the_end(self, subscribe: Any, log: Log, group: str) -> None:
        """And then goes on where it was, also in partitions that held nothing when it began."""
        await publish(log, *(enriched(article_id=f"old{n}") for n in range(6)))
        async with subscribe(start="end") as articles:
            waiting = asyncio.ensure_future(anext(articles))
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(await log.begun(group, Enriched.topic)) < log.partitions:
                    await asyncio.sleep(0.02)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await publish(log, *(enriched(article_id=f"new{n}") for n in range(6)))
        found = await rest_of(subscribe(start="end"))

        assert sorted(found) == [f"new{n}" for n in range(6)]

    async def test_groups_do_not_take_from_each_other(self, subscribe: Any, log: Log, group: str) -> None:
        """Each gets everything."""
        await publish(log, enriched(article_id="a"))
        async with subscribe() as ours, subscribe(group=f"{group}-other") as theirs:
            assert await take(ours, 1) == await take(theirs, 1) == ["a"]

    async def test_members_share_and_keep_the_order_of_a_key(
        self, subscribe: Any, log: Log, group: str
    ) -> None:
        """Two of one group, while articles come; each is handled by one of them, versions in order."""
        seen: dict[str, list[int]] = defaultdict(list)
        hands: dict[str, int] = defaultdict(int)

        async def work(name: str, articles: Any) -> None:
            async with articles:
                async for article in articles:
                    seen[article.article_id].append(article.version)
                    hands[name] += 1

        one, two = subscribe(), subscribe()
        tasks = [asyncio.ensure_future(work("one", one)), asyncio.ensure_future(work("two", two))]
        version = 0
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(hands) < 2 or version < 20:
                version += 1
                await publish(log, *(enriched(article_id=f"a{n}", version=version) for n in range(9)))
        await until_committed(log, group, 9 * version)
        for articles in (one, two):
            articles.stop()
        await asyncio.gather(*tasks)

        for versions in seen.values():
            latest = [max(versions[: n + 1]) for n in range(len(versions))]
            assert sorted(set(versions)) == list(range(1, version + 1))
            assert [v for v, most in zip(versions, latest, strict=True) if v < most - 1] == []

    async def test_a_newcomer_gets_partitions_while_an_item_is_in_hand(
        self, subscribe: Any, log: Log
    ) -> None:
        """What is handled is committed before a partition goes: little comes twice, nothing is lost."""
        count = 90  # so that each partition has more than the old member takes
        await publish(log, *(enriched(article_id=f"a{n}", seen_at=NOW) for n in range(count)))
        first: list[str] = []
        async with subscribe() as old:
            first += await take(old, 5)
            async with subscribe() as new:
                joining = asyncio.ensure_future(take(new, 1))
                while not joining.done():
                    first += await take(old, 1) if len(first) < 12 else []
                    await asyncio.sleep(0.05)
                second = await joining
        rest = await rest_of(subscribe())

        assert set(first) | set(second) | set(rest) == {f"a{n}" for n in range(count)}
        assert len(first) + len(second) + len(rest) <= count + 3

    @pytest.mark.timeout(180)
    async def test_kill_9_between_items_loses_nothing(self, log: Log, settings: Settings, group: str) -> None:
        """Each life handles a few and dies with one in hand; all are handled in the end, in order."""
        expected = [(f"a{n % 5}", n) for n in range(1, 61)]
        for key, version in expected:
            await publish(log, enriched(article_id=key, version=version))
        seen: list[tuple[str, int]] = []
        for fatal in (0, 1, 7, 20):
            with consumer(settings, group, fatal) as process:
                output, _ = await asyncio.to_thread(process.communicate, timeout=DEADLINE_SECONDS)
            seen += [(key, int(version)) for key, version in map(str.split, output.splitlines())]

            assert process.returncode == -9
        with consumer(settings, group) as process:
            await until_committed(log, group, len(expected))
            process.kill()
            output, _ = await asyncio.to_thread(process.communicate)
        seen += [(key, int(version)) for key, version in map(str.split, output.splitlines())]

        assert sorted(set(seen)) == sorted(expected)
        for key in {key for key, _ in expected}:
            first_seen = list(dict.fromkeys(version for name, version in seen if name == key))
            assert first_seen == sorted(first_seen), json.dumps(seen)
