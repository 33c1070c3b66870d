"""Dead letters: how they are read and chosen, and where they go back to."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.scenes import URL, article, enriched, entry, sighting, wrapped

from newswire.envelope import (
    ATTEMPTS,
    ENTRY,
    MAX_LETTER_BYTES,
    OUTCOMES_END,
    POINTER,
    REPLAY,
    REPLAY_VERSION,
    dead_letter,
    message,
)
from newswire.errors import SettingsError
from newswire.events import DEAD_LETTERS, Article, Enriched, Entry, Outcome, Reason, Withdrawal
from newswire.letter_reports import letter_text, tally_text
from newswire.letters import How, Letter, Selection, letter_ids, letters_on
from newswire.log import Log, Message, Record, open_log
from newswire.sending_back import CHUNK, Refusal, Tally, chunks, drop, mark, send_back, sent_back
from newswire.topics import TOPICS

pytestmark = pytest.mark.unit

DIED = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with all topics."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=4)
    await log.open(TOPICS)
    yield log
    await log.close()


def as_record(sent: Message, **changes: Any) -> Record:
    """Return a message as it lies on its topic."""
    return replace(Record(sent.topic, 1, 17, sent.key, sent.value, sent.headers, 0), **changes)


def died(event: Any, stage: str, reason: Reason = Reason.CHILD_KILLED, **changes: Any) -> list[Message]:
    """Return the dead letter of an event and the outcome of its entry."""
    sent = event if isinstance(event, Message) else wrapped(event)
    return dead_letter(as_record(sent, **changes), stage, reason, "died", 2)


def letter(event: Any, stage: str = "enrich", **changes: Any) -> Letter:
    """Return a dead letter."""
    made = died(event, stage, **changes)[0]
    return Letter(Record(made.topic, 3, 1042, made.key, made.value, made.headers, 0))


def back(dead: Letter) -> Message:
    """Return what is sent back, which must be possible."""
    found = sent_back(dead)
    assert isinstance(found, Message), found
    return found


def why_not(dead: Letter) -> str:
    """Return why a letter is not sent back."""
    found = sent_back(dead)
    assert isinstance(found, Refusal)
    return found.why


async def put(log: Log, *messages: Message) -> list[Letter]:
    """Publish, and return all letters."""
    await log.publish(messages)
    return await letters_on(log)


async def last(tallies: AsyncIterator[Tally]) -> Tally:
    """Return the last sums."""
    return [each async for each in tallies][-1]


async def records(log: Log, topic: str) -> list[Record]:
    """Return what lies on a topic."""
    return [record for number in range(log.partitions) for record in await log.read(topic, number, 0)]


# what a letter says


def test_a_letter_is_named_by_its_place_and_tells_of_its_original() -> None:
    """Address and title where they can be read."""
    row = letter(article("e1")).row()

    assert (row["id"], row["stage"], row["reason"], row["attempts"]) == (
        "3-1042",
        "enrich",
        "child-killed",
        2,
    )
    assert (row["topic"], row["key"], row["entry_id"]) == (Article.topic, "a", "e1")
    assert (row["url"], row["title"], row["handled"]) == (URL, "Talks [in] Berlin", None)
    assert json.loads(json.dumps(row)) == row


@pytest.mark.parametrize("value", [b"\xff\x00", b"{", b"[1]", b'{"url": 1}', b"[" * 100_000, None])
def test_a_letter_whose_original_is_no_event_tells_nothing_and_harms_nobody(value: bytes | None) -> None:
    """Whatever the bytes are."""
    dead = letter(Message(Article.topic, "a", value, {}))

    assert (dead.row()["url"], dead.row()["title"]) == (None, None)
    letter_text(dead).encode()


def test_a_letter_in_full_has_no_control_characters() -> None:
    """Neither from its value, key, headers nor error; and is cut where it is endless."""
    evil = "\x1b[2J\x9b\u202e"
    bad = dead_letter(
        Record("t" + evil, 0, 0, "k" + evil, evil.encode() * 9000, {"h" + evil: evil}, 0),
        evil,
        Reason.UNREADABLE,
        evil,
        1,
    )[0]
    text = letter_text(Letter(Record(DEAD_LETTERS, 0, 5, bad.key, bad.value, bad.headers, 0)))

    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert "characters more" in text
    assert len(text) < 60_000


def test_a_letter_without_a_readable_time_died_when_it_was_published() -> None:
    """Somebody else's tool may have written it."""
    made = Record(DEAD_LETTERS, 0, 0, "k", None, {"dl_at": "soon", ATTEMPTS: "many"}, 60_000)

    assert (Letter(made).at, Letter(made).attempts) == (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), 0)


# which are meant


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(), True),
        (Selection(ids=frozenset({"3-1042"})), True),
        (Selection(ids=frozenset({"3-1"})), False),
        (Selection(stages=frozenset({"enrich", "index"})), True),
        (Selection(stages=frozenset({"index"})), False),
        (Selection(reasons=frozenset({"child-killed"})), True),
        (Selection(reasons=frozenset({"cpu-limit"})), False),
        (Selection(since=DIED, until=DIED + timedelta(seconds=1)), True),
        (Selection(since=DIED + timedelta(seconds=1)), False),
        (Selection(until=DIED), False),
    ],
)
def test_letters_are_chosen_by_id_stage_reason_and_time(selection: Selection, meant: bool) -> None:
    """All that is given must hold; since is the first moment, until the first after the last."""
    dead = letter(article("e1"))
    timed = {**dead.record.headers, "dl_at": DIED.isoformat()}

    assert selection.has(Letter(replace(dead.record, headers=timed))) is meant


def test_everything_is_when_nothing_was_given() -> None:
    """Whether the handled ones are meant or not."""
    assert Selection().is_everything
    assert Selection(handled=True).is_everything
    assert not Selection(stages=frozenset({"enrich"})).is_everything


def test_what_is_no_id_is_refused() -> None:
    """In a line that shows what one looks like."""
    assert letter_ids(["3-1042", "0-0"]) == {"3-1042", "0-0"}
    with pytest.raises(SettingsError, match="looks like 3-1042"):
        letter_ids(["3-1042", "1042"])


async def test_letters_that_were_dealt_with_are_out_of_the_way(log: Log) -> None:
    """But can be asked for, with who did what."""
    one, two = await put(log, died(article("e1"), "enrich")[0], died(article("e2"), "enrich")[0])
    await log.publish([mark(one, How.DROPPED, "desk")])
    (open_one,) = await letters_on(log)
    first, second = await letters_on(log, Selection(handled=True))

    assert (open_one.id, second.id) == (two.id, two.id)
    assert first.mark is not None
    assert (first.mark.how, first.mark.by) == ("dropped", "desk")
    assert second.mark is None


# where they go


@pytest.mark.parametrize("event", [entry("e1"), article("e1"), sighting("e1")])
def test_a_message_goes_back_as_it_was(event: Any) -> None:
    """To its topic, under its key, with its ids, its trace and its attempts, and no trace of its death."""
    sent = wrapped(event)
    again = back(letter(sent))

    assert (again.topic, again.key, again.value) == (sent.topic, sent.key, sent.value)
    assert again.headers == {**sent.headers, REPLAY: "again", ATTEMPTS: "2"}


def test_bytes_that_nobody_could_read_go_back_too() -> None:
    """A newer program may read them."""
    assert back(letter(Message(Article.topic, "a", b"{", {ENTRY: "e1"}))).value == b"{"


def test_a_replay_that_died_is_still_a_replay() -> None:
    """It has no entry, and asks for the same again."""
    sent = replace(wrapped(article("")), headers={REPLAY: "enrich", REPLAY_VERSION: "7"})

    assert back(letter(sent)).headers == {REPLAY: "enrich", REPLAY_VERSION: "7", ATTEMPTS: "2"}


def test_what_the_index_did_not_take_goes_to_the_owner_of_the_article() -> None:
    """With the letter's entry; nobody but the owner writes enriched articles."""
    event = enriched(entry_id="e1", version=9, sources=[{"feed_id": "g", "seen_at": DIED, "url": URL}])
    sent = message(event, "a", source="enrich", entry_id="e1", feed_id="f")
    again = back(letter(sent, "index"))
    read = Article.from_bytes(again.value or b"")

    assert (again.topic, again.key) == (Article.topic, "a")
    assert (again.headers[REPLAY], again.headers[REPLAY_VERSION], again.headers[ATTEMPTS]) == (
        "index",
        "9",
        "2",
    )
    assert (read.entry_id, read.feed_id, again.headers[ENTRY]) == ("e1", "f", "e1")
    assert (read.title, read.content_hash, read.seen_at) == (
        event.title,
        event.content_hash,
        event.first_seen_at,
    )
    without = back(letter(message(event, "a", source="enrich"), "index"))
    assert ENTRY not in without.headers
    assert (
        Article.from_bytes(without.value or b"").entry_id,
        Article.from_bytes(without.value or b"").feed_id,
    ) == ("", "g")


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (Message(Withdrawal.topic, "a", b"{", {}), "could undo a newer one"),
        (Message(Outcome.topic, "a", b"{", {}), "nobody reads newswire.outcomes.v1"),
        (Message(Enriched.topic, "a", None, {}), "it was a removal"),
        (Message(Enriched.topic, "a", b"{", {}), "newswire replay --stage enrich"),
    ],
)
def test_some_letters_cannot_go_back(sent: Message, why: str) -> None:
    """With what to do instead."""
    assert why in why_not(letter(sent, "index"))


# too large


def test_an_original_that_is_too_large_leaves_a_pointer() -> None:
    """Address, ids, size and hash, within the bound; the outcome is the same."""
    big = article("e1", text="x" * MAX_LETTER_BYTES)
    made, told = died(big, "enrich")
    dead = Letter(Record(made.topic, 0, 0, made.key, made.value, made.headers, 0))
    original = big.to_bytes()

    assert made.headers[POINTER] == "1"
    assert len(made.value or b"") < 3000
    assert (dead.original["url"], dead.original["article_id"], dead.original["entry_id"]) == (URL, "a", "e1")
    assert (dead.original["size"], len(dead.original["sha256"])) == (len(original), 64)
    assert "text" not in dead.original
    assert Outcome.from_bytes(told.value or b"").entry_id == "e1"
    assert str(len(original)) in why_not(dead)
    assert "too large for the topic" in letter_text(dead)


def test_bytes_too_large_that_are_no_event_leave_their_size() -> None:
    """And headers that are too large are cut."""
    sent = Message("t", "k" * MAX_LETTER_BYTES, b"\xff" * 10, {"h": "x" * 5000, "n" * 999: "y"})
    made = died(sent, "enrich")[0]
    left = json.loads(made.value or b"")

    assert (left.pop("size"), len(left.pop("sha256")), left) == (10, 64, {})
    assert len(made.key) + sum(len(k) + len(v) for k, v in made.headers.items()) < 10_000


def test_what_just_fits_is_kept() -> None:
    """The bound counts key, value and headers."""
    made = died(Message("t", "k", b"x" * (MAX_LETTER_BYTES - 1000), {}), "enrich")[0]

    assert POINTER not in made.headers
    assert made.value is not None
    assert len(made.value) == MAX_LETTER_BYTES - 1000


def test_an_entry_that_was_too_large_is_fetched_by_what_is_left_of_it() -> None:
    """Its address and ids are enough."""
    big = entry("e1", title="T", content="x" * MAX_LETTER_BYTES, native_id="n")
    again = back(letter(big, "ingest"))
    read = Entry.from_bytes(again.value or b"")

    assert read == big.model_copy(update={"content": None})
    assert POINTER not in again.headers
    assert again.headers[ENTRY] == "e1"


# sending and dropping


async def test_letters_go_back_in_order_each_with_its_mark(log: Log) -> None:
    """What cannot go back stays listed, and is told."""
    removal = Message(Enriched.topic, "a", None, {})
    letters = await put(
        log, *(died(article(f"e{n}"), "enrich")[0] for n in range(5)), died(removal, "index")[0],
        *(died(entry(f"x{n}"), "ingest")[0] for n in range(2)),
    )  # fmt: skip
    tally = await last(send_back(log, letters, "desk"))

    sent = await records(log, Article.topic)
    assert [each.headers[ENTRY] for each in sent] == [f"e{n}" for n in range(5)]
    assert [each.headers[ENTRY] for each in await records(log, Entry.topic)] == ["x0", "x1"]
    assert (tally.done, [one.record.key for one, _ in tally.refused]) == ({"enrich": 5, "ingest": 2}, ["a"])
    assert [each.stage for each in await letters_on(log)] == ["index"]
    assert "sent back: 7 dead letters (enrich 5, ingest 2)" in tally_text(tally, "send back")


async def test_a_mark_says_where_the_outcomes_ended(log: Log) -> None:
    """So that the ledger can tell which outcome came later, without any clock."""
    letters = await put(log, *died(article("e1"), "enrich"))
    await last(send_back(log, letters, "desk"))
    marks = [each for each in await records(log, DEAD_LETTERS) if OUTCOMES_END in each.headers]

    assert [(each.headers[ENTRY], each.headers[OUTCOMES_END]) for each in marks] == [("e1", "1")]


async def test_a_death_in_the_middle_sends_nothing_twice_and_loses_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A portion is sent with its marks or not at all; the rest goes with the next attempt."""
    letters = await put(log, *(died(article(f"e{n}"), "enrich")[0] for n in range(CHUNK + 5)))
    real, calls = log.publish, 0

    async def dying(messages: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return await real(messages)

    monkeypatch.setattr(log, "publish", dying)
    with pytest.raises(KeyboardInterrupt):
        await last(send_back(log, letters, "desk"))
    left = await letters_on(log)
    await last(send_back(log, left, "desk"))

    assert len(left) == 5
    sent = [each.headers[ENTRY] for each in await records(log, Article.topic)]
    assert sent == [f"e{n}" for n in range(CHUNK + 5)]
    assert await letters_on(log) == []


async def test_dropping_sends_nothing(log: Log) -> None:
    """The letters are out of the way."""
    letters = await put(log, *(died(article(f"e{n}"), "enrich")[0] for n in range(3)))
    tally = await last(drop(log, letters, "desk"))

    assert (tally.done, tally.refused) == ({"enrich": 3}, [])
    assert await records(log, Article.topic) == []
    assert await letters_on(log) == []
    assert tally_text(tally, "drop") == "dropped: 3 dead letters (enrich 3)"


def test_portions_are_bounded_by_count_and_bytes() -> None:
    """One that is larger than a portion goes alone."""
    small, large = letter(article("e")), letter(article("e", text="x" * 800_000))

    assert [len(each) for each in chunks([small] * (CHUNK + 1))] == [CHUNK, 1]
    assert [len(each) for each in chunks([large] * 6)] == [4, 2]
    assert chunks([]) == []


def test_attempts_add_up_over_deaths() -> None:
    """And stay with what follows from a message."""
    again = back(letter(article("e1")))
    dead = Letter(as_record(dead_letter(as_record(again), "enrich", Reason.CPU_LIMIT, "x", 3)[0]))

    assert dead.attempts == 5
    assert message(article("e2"), "a", source="x", cause=again.headers).headers[ATTEMPTS] == "2"
    assert ATTEMPTS not in message(article("e2"), "a", source="x", cause={}).headers
