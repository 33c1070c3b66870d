"""What an answer of Elasticsearch means for the dashboards: done, left out and counted, or waited for."""

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from unit.scripted_elastic import DONE, Answer, Refusal, failing, scripted

from newswire.metrics import REGISTRY
from newswire_index.elastic.names import ElasticNames
from newswire_index.operations.documents import Add, Change, Put, Remove, Step
from newswire_index.operations.store import OperationsStore
from newswire_index.store import StoreUnavailableError

pytestmark = pytest.mark.unit

PUT = Put("outcomes", "e1", {"entry_id": "e1"}, 10)
CHANGE = Change("dead-letters", "3-4", {"open": False})


def counted(index: str = "outcomes") -> float:
    """Return how many documents of an index were left out."""
    return REGISTRY.get_sample_value("newswire_operations_rejected_total", {"index": index}) or 0.0


async def written(
    answers: dict[str, dict[str, Any]] | Answer, *steps: Step
) -> tuple[list[list[str]], list[str], float]:
    """Take steps; return the bulks, the log lines, and how many documents were left out."""

    def script(ids: list[str]) -> Answer:
        return [answers.get(each, DONE) for each in ids] if isinstance(answers, dict) else answers

    before = counted()
    async with scripted(script) as (client, told):
        store = OperationsStore(client, ElasticNames(), timedelta(days=30))
        with capture_logs() as lines:
            await store.write(steps)
    return told.bulks, [line["event"] for line in lines], counted() - before


async def test_what_is_stored_says_nothing() -> None:
    """In one bulk."""
    other = Put("feed-status", "f1", {"feed_id": "f1"}, 10)

    assert await written({}, PUT, other, Remove("feed-status", "f2")) == ([["e1", "f1", "f2"]], [], 0)


async def test_nothing_is_asked_for_nothing() -> None:
    """A batch may hold only what was left out."""
    assert await written({}) == ([], [], 0)


async def test_what_is_refused_is_said_and_counted_and_the_rest_stored() -> None:
    """No dashboard is worth a dead letter."""
    refused = {"e1": failing(400, "document_parsing_exception")}

    assert await written(refused, PUT, Put("outcomes", "e2", {}, 1)) == (
        [["e1", "e2"]],
        ["operations.rejected"],
        1,
    )


async def test_what_cannot_be_written_as_json_is_left_out() -> None:
    """Half a character, such as no UTF-8 holds."""
    half = Put("outcomes", "e2", {"url": "\ud800"}, 1)

    assert await written({}, half, PUT) == ([["e1"]], ["operations.rejected"], 1)


async def test_what_is_newer_there_stays() -> None:
    """An older outcome, or a letter that is there already."""
    conflict = failing(409, "version_conflict_engine_exception")

    assert await written({"e1": conflict}, PUT) == ([["e1"]], [], 0)


@pytest.mark.parametrize(
    "answer",
    [
        {"e1": failing(404, "index_not_found_exception")},
        {"e1": failing(403, "cluster_block_exception")},
        {"e1": failing(500, "an_exception")},
        Refusal(401),
        Refusal(404),
        Refusal(400, "illegal_argument_exception"),
        ConnectionResetError(),
    ],
)
async def test_what_waiting_may_mend_is_an_outage(answer: Any) -> None:
    """For the whole batch, which comes again."""
    with pytest.raises(StoreUnavailableError):
        await written(answer, PUT)


async def test_writes_and_those_that_come_again_are_counted() -> None:
    """As those of articles are, under the name of the group."""
    labels = {"group": "index-operations"}
    names = ("newswire_bulk_seconds_count", "newswire_bulk_retries_total")
    before = [REGISTRY.get_sample_value(name, labels) or 0.0 for name in names]
    await written({}, PUT)
    with pytest.raises(StoreUnavailableError):
        await written(Refusal(401), PUT)

    after = [REGISTRY.get_sample_value(name, labels) or 0.0 for name in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1]


async def test_a_missing_index_says_what_to_do() -> None:
    """Somebody has to set it up."""
    with pytest.raises(StoreUnavailableError, match="newswire index setup"):
        await written({"e1": failing(404, "index_not_found_exception")}, PUT)


async def test_changes_are_sent_when_all_else_is_there() -> None:
    """The letter that a mark is about may be in the same batch, and have to be sent twice."""
    bulks: list[list[str]] = []

    def script(ids: list[str]) -> Answer:
        bulks.append(ids)
        return [DONE] * max(1, len(ids))

    async with scripted(script) as (client, _):
        store = OperationsStore(client, ElasticNames(), timedelta(days=30))
        await store.write([CHANGE, PUT])

    assert bulks == [["e1"], []]  # the script knows no ids of updates


async def test_a_mark_of_a_letter_that_is_gone_is_no_matter() -> None:
    """It was deleted with age."""

    def script(ids: list[str]) -> Answer:
        del ids
        return [failing(404, "document_missing_exception")]

    async with scripted(script) as (client, _):
        store = OperationsStore(client, ElasticNames(), timedelta(days=30))
        with capture_logs() as lines:
            await store.write([CHANGE])

    assert [(line["event"], line["log_level"]) for line in lines] == [("operations.missing", "debug")]


async def test_a_letter_is_added_once() -> None:
    """What became of it meanwhile must not be lost when it comes again."""
    store = OperationsStore(None, ElasticNames("p."), timedelta(days=30))  # type: ignore[arg-type]  # not asked
    action = store._action(Add("dead-letters", "3-4", {"open": True}))

    assert action.header == (
        b'{"create":{"_index":"p.newswire-dead-letters","_id":"3-4","require_alias":true}}'
    )
