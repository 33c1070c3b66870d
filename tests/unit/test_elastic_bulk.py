"""Bulk requests: an answer for each action, whatever becomes of the request."""

from collections import Counter
from typing import Any

import pytest
from aiohttp import web
from unit.scripted_elastic import DONE, Answer, Refusal, failing, scripted

from newswire_index.elastic import bulk as elastic_bulk
from newswire_index.elastic.bulk import Action, Bulk, deleting, putting
from newswire_index.store import StoreUnavailableError

pytestmark = pytest.mark.unit


def actions(*ids: str, text: str = "x") -> list[Action]:
    """Return what stores small documents."""
    return [putting("month", each, {"text": text}, 1, "external") for each in ids]


@pytest.mark.parametrize(
    ("item", "done", "older", "waits"),
    [
        (DONE, True, False, False),
        ({"status": 200}, True, False, False),
        ({"status": 404}, True, False, False),
        (failing(409, "version_conflict_engine_exception"), False, True, False),
        (failing(400, "document_parsing_exception"), False, False, False),
        (failing(400, "strict_dynamic_mapping_exception"), False, False, False),
        (failing(500, "fail_processor_exception"), False, False, False),
        (failing(401, "security_exception"), False, False, True),
        (failing(403, "cluster_block_exception"), False, False, True),
        (failing(404, "index_not_found_exception"), False, False, True),
        (failing(500, "illegal_state_exception"), False, False, True),
        (failing(504, "timeout"), False, False, True),
        (failing(400, "index_closed_exception"), False, False, True),
        (
            failing(400, "illegal_argument_exception", "pipeline with id [x] does not exist"),
            False,
            False,
            True,
        ),
        (failing(400, "illegal_argument_exception", "mapper [x] cannot be"), False, False, False),
    ],
    ids=lambda value: str(value.get("error", value)) if isinstance(value, dict) else "",
)
async def test_each_answer_says_what_is_to_be_done_about_it(
    item: dict[str, Any], done: bool, older: bool, waits: bool
) -> None:
    """Done, older, to be waited for, or else the item's own fault."""
    async with scripted(lambda _: [item]) as (client, _):
        (answer,) = await Bulk(client).send(actions("a"))

    assert (answer.done, answer.older, answer.waits) == (done, older, waits)


async def test_the_reason_is_one_line_with_the_cause_at_the_bottom() -> None:
    """What Elasticsearch says of a field is no use without what is wrong with it."""
    cause = {"type": "x", "reason": "parsing", "caused_by": {"type": "y", "reason": "no\ndate: [xx]"}}
    item = failing(400, "document_parsing_exception", "failed to parse field [a]", caused_by=cause)
    async with scripted(lambda _: [item]) as (client, _):
        (answer,) = await Bulk(client).send(actions("a"))

    assert answer.reason == "failed to parse field [a]: no date: [xx]"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_again_for_the_items_that_it_turned_away(status: int) -> None:
    """In place, those items only, and the answers stay in order."""
    tries: Counter[str] = Counter()

    def script(ids: list[str]) -> Answer:
        tries.update(ids)
        return [
            failing(status, "es_rejected_execution_exception") if each == "b" and tries["b"] < 3 else DONE
            for each in ids
        ]

    async with scripted(script) as (client, told):
        answers = await Bulk(client).send(actions("a", "b", "c"))

    assert [answer.done for answer in answers] == [True] * 3
    assert told.bulks == [["a", "b", "c"], ["b"], ["b"]]


async def test_a_server_that_is_busy_as_a_whole_is_asked_again() -> None:
    """A 429 of the whole bulk is one of every item."""
    answers: list[Answer] = [Refusal(429), Refusal(503), [DONE, DONE]]
    async with scripted(lambda _: answers.pop(0)) as (client, told):
        await Bulk(client).send(actions("a", "b"))

    assert told.bulks == [["a", "b"]] * 3


async def test_a_server_that_stays_busy_is_away() -> None:
    """After a while the batch is given back, to be written later."""
    item = failing(429, "es_rejected_execution_exception", "queue is full")
    async with scripted(lambda _: [item]) as (client, told):
        with pytest.raises(StoreUnavailableError, match="too busy: queue is full"):
            await Bulk(client, patience_seconds=0.3).send(actions("a"))

    assert len(told.bulks) > 1


@pytest.mark.parametrize(
    "answer",
    [
        Refusal(401, "security_exception"),
        Refusal(403, "security_exception"),
        Refusal(404, "index_not_found_exception"),
        Refusal(500),
        Refusal(502),
        Refusal(400, "illegal_argument_exception", "contains unrecognized parameter"),
        web.Response(status=400, text="<html>a proxy</html>", content_type="text/html"),
        web.Response(status=200, text="<html>a portal</html>", content_type="text/html"),
        ConnectionResetError(),
        [],
    ],
    ids=str,
)
async def test_what_keeps_the_whole_bulk_from_being_done_is_an_outage(answer: Answer) -> None:
    """Nothing is laid at an item's door that is not its fault."""
    async with scripted(lambda _: answer) as (client, told):
        with pytest.raises(StoreUnavailableError):
            await Bulk(client).send(actions("a", "b"))

    assert told.bulks in ([["a", "b"]], [["a", "b"]] * 2)  # aiohttp may mend a broken connection by itself


async def test_a_bulk_that_is_too_large_is_split_until_it_fits() -> None:
    """Halves, in order; an action that is too large by itself is the only one refused."""

    def script(ids: list[str]) -> Answer:
        return web.Response(status=413) if len(ids) > 2 or "huge" in ids else [DONE] * len(ids)

    ids = ["a", "b", "c", "huge", "d", "e", "f"]
    async with scripted(script) as (client, _):
        answers = await Bulk(client).send(actions(*ids))

    assert [each for each, answer in zip(ids, answers, strict=True) if not answer.done] == ["huge"]
    assert "more than Elasticsearch takes" in answers[3].reason
    assert not answers[3].waits


async def test_an_action_that_makes_a_whole_bulk_invalid_is_found() -> None:
    """Such as an id that is too long: Elasticsearch then takes none of the bulk."""

    def script(ids: list[str]) -> Answer:
        invalid = Refusal(400, "action_request_validation_exception", "id is too long")
        return invalid if "long" in ids else [DONE] * len(ids)

    async with scripted(script) as (client, _):
        answers = await Bulk(client).send(actions("a", "b", "long", "c"))

    assert [answer.done for answer in answers] == [True, True, False, True]
    assert answers[2].reason == "400 id is too long"


async def test_requests_are_bounded_by_bytes_and_by_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is larger, but for a single action that is."""
    monkeypatch.setattr(elastic_bulk, "BULK_ACTIONS", 3)
    large = putting("month", "large", {"text": "x" * 2000}, 1, "external")
    async with scripted(lambda ids: [DONE] * len(ids)) as (client, told):
        sent = await Bulk(client, max_bytes=1000).send(
            [*actions("a", "b", "c", "d"), large, *actions("e", "f", text="x" * 400)]
        )

    assert told.bulks == [["a", "b", "c"], ["d"], ["large"], ["e"], ["f"]]
    assert len(sent) == 7


async def test_an_action_beyond_what_servers_take_is_not_even_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elasticsearch hangs up on it, which would look like an outage."""
    monkeypatch.setattr(elastic_bulk, "MAX_BYTES", 1000)
    async with scripted(lambda ids: [DONE] * len(ids)) as (client, told):
        huge = actions("huge", text="x" * 2000)
        answers = await Bulk(client, max_bytes=1000).send([*actions("a"), *huge, *actions("b")])

    assert [answer.done for answer in answers] == [True, False, True]
    assert sorted(each for ids in told.bulks for each in ids) == ["a", "b"]


async def test_a_pipeline_is_named_in_the_request() -> None:
    """The users' own pipeline sees every article."""
    async with scripted(lambda ids: [DONE] * len(ids)) as (client, told):
        await Bulk(client, pipeline="labels").send(actions("a"))

    assert "pipeline=labels" in told.paths[0]


async def test_nothing_to_send_asks_nobody() -> None:
    """No action, no request."""
    async with scripted(lambda ids: [DONE] * len(ids)) as (client, told):
        assert await Bulk(client).send([]) == []

    assert told.bulks == []


def test_half_a_character_cannot_be_sent() -> None:
    """It is no UTF-8, and said so before anything is sent."""
    with pytest.raises(ValueError, match="surrogates"):
        putting("month", "a", {"title": "\ud800"}, 1, "external")


def test_a_deletion_of_a_version_needs_its_index() -> None:
    """Elasticsearch would make it, under the name of the alias."""
    assert deleting("month", "a", 3).would_make_index
    assert not deleting("month", "a").would_make_index
    assert not actions("a")[0].would_make_index
