"""One article's path, by any of its names."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from unit.scenes import (
    NOW,
    URL,
    article,
    enriched,
    entry,
    outcome,
    page,
    publish,
    removed,
    sighting,
    unreadable,
)

from newswire.envelope import dead_letter
from newswire.events import DEAD_LETTERS, Article, Enriched, Entry, Page, Reason, Withdrawal
from newswire.ids import digest
from newswire.letters import How, letters_on
from newswire.log import Log, open_log
from newswire.sending_back import mark
from newswire.topics import TOPICS
from newswire.tracing import Step, steps_of

pytestmark = pytest.mark.unit

A = digest(URL)
OTHER = "https://courier.example/sport/cup"


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    """A log with one article from two feeds, and another article of the same outlet."""
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", partitions=2)
    await log.open(TOPICS)
    await publish(
        log,
        entry("e1"),
        page(entry("e1")),
        article("e1", article_id=A),
        page(article_id=A),
        enriched(article_id=A, entry_id="e1"),
        outcome("e1", article_id=A),
        sighting("e2", article_id=A),
        outcome("e2", "duplicate", "other-source", article_id=A),
        entry("other", url=OTHER),
        outcome("other", "discarded", "not-found", message="HTTP 404"),
    )
    yield log
    await log.close()


def summaries(steps: list[Step]) -> list[str]:
    """Return what is said of each step."""
    return [step.summary for step in steps]


async def dead(log: Log, topic: str, entry_id: str) -> None:
    """Let the first record of a topic that is about an entry become a dead letter."""
    for number in range(log.partitions):
        for record in await log.read(topic, number, 0):
            if record.headers.get("ce_entryid") == entry_id:
                letter = dead_letter(record, "ingest", Reason.CPU_LIMIT, "too slow", 2)
                await log.publish(letter)


@pytest.mark.parametrize("name", [URL, A, "e1", "e2"])
async def test_the_path_is_found_by_any_name(log: Log, name: str) -> None:
    """The address, the article or one of the entries: always the whole story, and only that."""
    found = summaries(await steps_of(log, name))

    assert len(found) == 8
    assert sum("entry e1" in line for line in found) == 2
    assert sum("entry e2" in line for line in found) == 2
    assert not any("other" in line for line in found if "other-source" not in line)


async def test_the_path_is_told_step_by_step(log: Log) -> None:
    """Each with what matters in it, oldest first, in the order of the flow."""
    steps = await steps_of(log, URL)

    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert set(summaries(steps)) == {
        f"entry e1 (new) of feed f: {URL}",
        f"{URL}: 1 waiting, 1 tries so far",
        f"article {A} from the page: 'Talks [in] Berlin', 7 characters",
        f"{URL}: article {A}",
        f"article {A} revision 1: en, 0 entities, nato-bid, 0 sources",
        "entry e1 indexed: new",
        f"entry e2 leads to article {A}",
        "entry e2 duplicate: other-source",
    }


async def test_an_end_says_why(log: Log) -> None:
    """With the message of the outcome."""
    assert summaries(await steps_of(log, "other"))[-1] == "entry other discarded: not-found: HTTP 404"


async def test_what_nobody_knows_has_no_path(log: Log) -> None:
    """An empty one."""
    assert await steps_of(log, "https://nowhere.example/") == []


async def test_failures_and_removals_are_told(log: Log) -> None:
    """A page that could not be had, a withdrawal, and what was removed."""
    failure = {"reason": "not-found", "message": "HTTP 404", "at": NOW}
    given = {"article_id": A, "withdrawn_at": NOW, "withdrawn_by": "desk", "reason": "court order"}
    await publish(log, page(failure=failure), Withdrawal.model_validate(given), removed(Enriched, A))
    await publish(log, removed(Page, URL), enriched(article_id=A, topics=[]))
    found = summaries(await steps_of(log, URL))

    assert f"{URL}: not-found: HTTP 404" in found
    assert f"article {A} withdrawn by desk: court order" in found
    assert f"removed: {A}" in found
    assert f"removed: {URL}" in found
    assert any("no topic" in line for line in found)


async def test_a_dead_letter_stands_on_the_path(log: Log) -> None:
    """Who gave up, and why."""
    await dead(log, Article.topic, "e1")
    steps = await steps_of(log, URL)

    assert [step.summary for step in steps if step.topic == DEAD_LETTERS] == [
        "dead letter of ingest: cpu-limit: too slow"
    ]


async def test_what_became_of_a_dead_letter_stands_on_the_path(log: Log) -> None:
    """Who did what; the key of an entry's mark is its domain, which leads nowhere else."""
    await dead(log, Entry.topic, "other")
    (letter,) = await letters_on(log)
    await log.publish([mark(letter, How.DROPPED, "desk")])
    steps = await steps_of(log, "other")

    assert [step.summary for step in steps if step.topic == DEAD_LETTERS][1:] == [
        f"dead letter {letter.id} dropped by desk"
    ]
    assert not any("e1" in line for line in summaries(steps))


async def test_a_dead_entry_does_not_lead_to_its_neighbours(log: Log) -> None:
    """Its key is the domain, which all of the outlet's entries share."""
    await dead(log, Entry.topic, "other")
    found = summaries(await steps_of(log, "other"))

    assert len(found) == 4
    assert not any("e1" in line for line in found)


async def test_bytes_that_are_no_event_stand_in_nobodys_way(log: Log) -> None:
    """They are on the path of what their headers name."""
    await publish(log, unreadable(Article.topic, A, "e1"), unreadable(Article.topic, "z", "e9"))

    assert summaries(await steps_of(log, "e1")).count(f"unreadable: {A}") == 1
    assert summaries(await steps_of(log, "e9")) == ["unreadable: z"]


async def test_a_row_for_machines_says_where_it_stands(log: Log) -> None:
    """Topic, partition and offset, with the time."""
    step = (await steps_of(log, "other"))[0]

    assert step.row() == {
        "at": step.at.isoformat(), "topic": Entry.topic, "partition": log.partition_of("courier.example"),
        "offset": 1, "summary": f"entry other (new) of feed f: {OTHER}",
    }  # fmt: skip
