"""The ledger: what was seen ended, is on its way, or is lost."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from unit.scenes import (
    NOW,
    URL,
    article,
    commit,
    enriched,
    entry,
    outcome,
    page,
    publish,
    removed,
    sighting,
    unreadable,
)

from newswire.envelope import ENTRY, HANDLED, OUTCOMES_END
from newswire.events import DEAD_LETTERS, Article, Enriched, Entry, Event, Outcome, Page
from newswire.ledger import Ledger, latest
from newswire.log import Log, Message, open_log
from newswire.log.reading import CHUNK
from newswire.topics import TOPICS

pytestmark = pytest.mark.unit


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with all topics."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=2)
    await log.open(TOPICS)
    yield log
    await log.close()


async def test_an_empty_log_balances(log: Log) -> None:
    """Nothing seen, nothing lost."""
    balance = await Ledger(log).balance()

    assert (balance.seen, balance.outcomes, balance.in_flight, balance.lost) == (0, {}, 0, ())


async def test_what_ended_is_counted_by_kind_and_reason(log: Log) -> None:
    """Kinds in the order of the enumeration; an entry counts once."""
    await publish(log, *(entry(f"e{n}") for n in range(4)))
    await publish(log, outcome("e0", "dead-lettered", "cpu-limit"), outcome("e2"), outcome("e3"))
    await publish(log, outcome("e1", "duplicate", "other-source"), outcome("e3"))
    balance = await Ledger(log).balance()

    assert balance.seen == 4
    assert balance.outcomes == {
        "indexed": {"new": 2},
        "duplicate": {"other-source": 1},
        "dead-lettered": {"cpu-limit": 1},
    }
    assert list(balance.outcomes) == ["indexed", "duplicate", "dead-lettered"]
    assert (balance.in_flight, balance.lost) == (0, ())


async def test_the_latest_outcome_counts(log: Log) -> None:
    """A dead letter that was sent back has a new one."""
    await publish(log, outcome("e", "dead-lettered", "cpu-limit"), outcome("e"))

    assert (await Ledger(log).balance()).outcomes == {"indexed": {"new": 1}}


async def test_an_entry_known_by_its_outcome_only_was_seen(log: Log) -> None:
    """Some end before they are published as entries."""
    await publish(log, outcome("e", "discarded", "no-link"))
    balance = await Ledger(log).balance()

    assert (balance.seen, balance.lost) == (1, ())


async def test_an_entry_that_is_nowhere_is_lost(log: Log) -> None:
    """It was read and has neither an end nor a place."""
    await publish(log, entry("e1"), entry("e2"), outcome("e2"))
    await commit(log, "ingest", Entry.topic)
    balance = await Ledger(log).balance()

    assert (balance.in_flight, balance.lost) == (0, ("e1",))
    row = json.loads(json.dumps(balance.row()))

    assert (row["lost"], row["lost_entries"]) == (1, ["e1"])


async def test_an_entry_not_yet_read_is_in_flight(log: Log) -> None:
    """It lies at or beyond the offset of who fetches."""
    await publish(log, entry("e1"))
    balance = await Ledger(log).balance()

    assert (balance.in_flight, balance.lost) == (1, ())


@pytest.mark.parametrize(
    ("event", "group"),
    [
        (article("e"), "enrich"),
        (sighting("e"), "enrich"),
        (enriched(entry_id="e"), "index"),
    ],
    ids=["article", "sighting", "enriched"],
)
async def test_an_entry_in_an_unread_message_is_in_flight(log: Log, event: Event, group: str) -> None:
    """Until its reader has read it; then only an outcome saves it."""
    await publish(log, entry("e"))
    await commit(log, "ingest", Entry.topic)
    await publish(log, event)

    assert (await Ledger(log).balance()).in_flight == 1
    await commit(log, group, type(event).topic)
    assert (await Ledger(log).balance()).lost == ("e",)


async def test_an_entry_that_waits_for_its_page_is_in_flight(log: Log) -> None:
    """Also if its next attempt is hours away."""
    await publish(log, entry("e"))
    await commit(log, "ingest", Entry.topic)
    await publish(log, page(entry("e"), not_before=NOW + timedelta(hours=5)))
    balance = await Ledger(log).balance()

    assert (balance.in_flight, balance.lost) == (1, ())
    await publish(log, page())
    assert (await Ledger(log).balance()).lost == ("e",)


async def test_a_recheck_that_is_not_due_is_not_in_flight(log: Log) -> None:
    """It was not seen yet: a run need not wait for it, and it is not lost."""
    await publish(log, page(entry("e", trigger="recheck-1"), not_before=NOW + timedelta(hours=5)))
    balance = await Ledger(log).balance()

    assert (balance.seen, balance.in_flight, balance.lost) == (0, 0, ())


async def test_a_recheck_that_was_sent_to_another_domain_is_in_flight(log: Log) -> None:
    """It has been seen there, so it is not lost while it waits for its turn."""
    again = entry("e", trigger="recheck-1")
    await publish(log, again)
    await commit(log, "ingest", Entry.topic)
    await publish(log, page(again, not_before=NOW + timedelta(minutes=1)))
    balance = await Ledger(log).balance()

    assert (balance.in_flight, balance.lost) == (1, ())


def sent_back(key: str, outcomes_end: int | None) -> Message:
    """Return the mark that a dead letter of an entry was dealt with: sent back at that end, or dropped."""
    headers = {HANDLED: "0-0", ENTRY: key}
    return Message(
        DEAD_LETTERS,
        key,
        None,
        headers if outcomes_end is None else {**headers, OUTCOMES_END: str(outcomes_end)},
    )


async def test_an_entry_sent_back_is_unfinished_again(log: Log) -> None:
    """Its old outcome does not count while it is replayed."""
    await publish(log, outcome("e", "dead-lettered", "cpu-limit"))
    ledger = Ledger(log)
    await ledger.catch_up()
    await publish(log, entry("e"), sent_back("e", 1))
    await ledger.catch_up()

    assert ledger.unfinished == {"e"}
    assert (await ledger.balance()).in_flight == 1
    for reading in (ledger, Ledger(log)):
        assert (await reading.balance()).in_flight == 1
    await publish(log, outcome("e"))
    for reading in (ledger, Ledger(log)):
        assert (await reading.balance()).outcomes == {"indexed": {"new": 1}}


async def test_an_entry_that_died_again_is_finished_again(log: Log) -> None:
    """By the outcome that came after it was sent back, whoever reads from the beginning or goes on."""
    ledger = Ledger(log)
    await publish(log, outcome("e", "dead-lettered", "cpu-limit"), sent_back("e", 1))
    await ledger.catch_up()
    await publish(log, outcome("e", "dead-lettered", "wall-limit"))

    for reading in (ledger, Ledger(log)):
        assert (await reading.balance()).outcomes == {"dead-lettered": {"wall-limit": 1}}


async def test_an_entry_that_was_sent_back_and_is_nowhere_is_lost(log: Log) -> None:
    """It was read, and nobody gave it an end."""
    await publish(log, outcome("e", "dead-lettered", "cpu-limit"), sent_back("e", 1))

    assert (await Ledger(log).balance()).lost == ("e",)


async def test_what_ended_otherwise_is_not_open_again(log: Log) -> None:
    """It has another outcome already; a dropped letter changes nothing either."""
    ledger = Ledger(log)
    await publish(log, outcome("e", "dead-lettered", "cpu-limit"), outcome("e"))
    await publish(log, outcome("f", "dead-lettered", "cpu-limit"))
    await ledger.catch_up()
    await publish(log, sent_back("e", 2), sent_back("f", None))

    for reading in (ledger, Ledger(log)):
        balance = await reading.balance()
        assert balance.outcomes == {"indexed": {"new": 1}, "dead-lettered": {"cpu-limit": 1}}


async def test_what_comes_while_the_ledger_looks_is_on_its_way(log: Log) -> None:
    """It was not looked for where things wait, so it cannot be called lost."""
    await publish(log, entry("lost"))
    await commit(log, "ingest", Entry.topic)
    ledger = Ledger(log)
    looked = ledger._present

    async def slowly() -> set[str]:
        found = await looked()
        await publish(log, entry("late"), outcome("dead", "dead-lettered", "cpu-limit"), sent_back("dead", 1))
        return found

    ledger._present = slowly  # type: ignore[method-assign]
    balance = await ledger.balance()

    assert (balance.seen, balance.in_flight, balance.lost) == (3, 2, ("lost",))


async def test_bytes_that_are_no_entry_are_counted_by_their_headers(log: Log) -> None:
    """They are about to be dead-lettered, under that id; without one nothing can be said."""
    await publish(log, unreadable(Entry.topic, "courier.example", "e"), unreadable(Outcome.topic, "x", None))
    ledger = Ledger(log)

    assert (await ledger.balance()).in_flight == 1
    await publish(log, outcome("e", "dead-lettered", "unreadable"))
    assert (await ledger.balance()).outcomes == {"dead-lettered": {"unreadable": 1}}


async def test_reading_on_sees_what_is_new(log: Log) -> None:
    """And says that something moved."""
    ledger = Ledger(log)
    await publish(log, entry("e"))
    await ledger.catch_up()
    before = ledger.reading
    await ledger.catch_up()

    assert ledger.reading == before == (1, 1)
    await publish(log, outcome("e"))
    await ledger.catch_up()
    assert ledger.reading == (1, 2)
    assert ledger.unfinished == set()


async def test_more_than_a_chunk_is_read(log: Log) -> None:
    """On every topic."""
    keys = [f"e{n}" for n in range(CHUNK + 5)]
    await log.publish([Message(Entry.topic, "d", entry(key).to_bytes()) for key in keys])
    await commit(log, "ingest", Entry.topic)
    await log.publish([Message(Article.topic, "a", article(key).to_bytes(), {ENTRY: key}) for key in keys])
    balance = await Ledger(log).balance()

    assert (balance.seen, balance.in_flight, balance.lost) == (CHUNK + 5, CHUNK + 5, ())


async def test_the_latest_of_every_key_is_returned(log: Log) -> None:
    """What was removed is gone."""
    await publish(log, page(url="u1", article_id="a"), page(url="u2"), page(url="u1", article_id="b"))
    await publish(log, removed(Page, "u2"), removed(Enriched, "a"))

    assert [found.article_id for found in await latest(log, Page)] == ["b"]
    assert list(await latest(log, Enriched)) == []


async def test_a_row_for_machines_holds_it_all(log: Log) -> None:
    """Sums, and each feed by its address or else its id."""
    await publish(log, entry("e"), outcome("e"), outcome("x", "discarded", "no-link", feed_id="g"))
    row = json.loads(json.dumps((await Ledger(log).balance()).row()))

    assert {key: row[key] for key in ("seen", "in_flight", "lost")} == {"seen": 2, "in_flight": 0, "lost": 0}
    assert row["outcomes"] == {"indexed": {"new": 1}, "discarded": {"no-link": 1}}
    assert row["feeds"]["f"] == {"seen": 1, "outcomes": {"indexed": {"new": 1}}}
    assert row["feeds"]["g"] == {"seen": 1, "outcomes": {"discarded": {"no-link": 1}}}
    assert URL not in row["feeds"]
