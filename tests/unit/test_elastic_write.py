"""The verdict on each item of a batch, whatever Elasticsearch answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract.store_contract import NOW, article, removal
from unit.scripted_elastic import DONE, Answer, Refusal, Script, ScriptedElastic, failing, scripted

from newswire_index.elastic.bulk import Bulk
from newswire_index.elastic.names import ARTICLES, REVISIONS, ElasticNames
from newswire_index.elastic.write import ElasticWriter
from newswire_index.store import (
    EXPIRED,
    OLDER,
    STORED,
    WITHDRAWN,
    StoreUnavailableError,
    Verdict,
    VerdictKind,
)

pytestmark = pytest.mark.unit

NO_ALIAS = failing(404, "index_not_found_exception", "no such index and it is not an alias")
PAST = datetime(2026, 9, 1, tzinfo=UTC)


class RememberingMonths:
    """Makes nothing, and remembers what it was to make."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []

    async def make(self, kind: str, month: str) -> None:
        """Remember."""
        self.made.append((kind, month))

    async def indices(self, _: str) -> list[Any]:
        """Return that there are none."""
        return []


@asynccontextmanager
async def writing(script: Script) -> AsyncIterator[tuple[ElasticWriter, RememberingMonths, ScriptedElastic]]:
    """Yield a writer to a scripted Elasticsearch."""
    async with scripted(script) as (client, told):
        months, bulk = RememberingMonths(), Bulk(client, patience_seconds=0.2)
        names = ElasticNames("t.")
        # what it makes is all that is looked at
        writer = ElasticWriter(client, names, months, bulk, bulk, timedelta(days=30), lambda: NOW)  # type: ignore[arg-type]
        yield writer, months, told


@pytest.mark.parametrize(
    ("item", "verdict"),
    [
        (DONE, STORED),
        ({"status": 200}, STORED),
        (failing(409, "version_conflict_engine_exception"), OLDER),
        (failing(400, "document_parsing_exception", "bad date"), Verdict(VerdictKind.REJECTED, "bad date")),
        (failing(400, "strict_dynamic_mapping_exception", "x"), Verdict(VerdictKind.REJECTED, "x")),
        (failing(413, "whatever", "large"), Verdict(VerdictKind.REJECTED, "large")),
    ],
)
async def test_each_answer_is_a_verdict(item: dict[str, Any], verdict: Verdict) -> None:
    """409 is an older version; any other 4xx is the item's own fault, with Elasticsearch's reason."""
    async with writing(lambda ids: [item if each == "a" else DONE for each in ids]) as (writer, _, _told):
        assert list(await writer.write([article("b"), article("a")], ())) == [STORED, verdict]


@pytest.mark.parametrize(
    "item",
    [
        failing(401, "security_exception"),
        failing(403, "security_exception"),
        failing(429, "es_rejected_execution_exception"),
        failing(500, "illegal_state_exception"),
        failing(503, "unavailable_shards_exception"),
        NO_ALIAS,
    ],
    ids=lambda item: str(item["status"]),
)
async def test_an_answer_that_waiting_may_mend_is_an_outage_of_the_whole(item: dict[str, Any]) -> None:
    """Nothing is dead-lettered; what was written comes again and is older then."""
    async with writing(lambda ids: [item if each == "a" else DONE for each in ids]) as (writer, _, _told):
        with pytest.raises(StoreUnavailableError):
            await writer.write([article("b"), article("a")], ())


@pytest.mark.parametrize("answer", [Refusal(503), Refusal(401), ConnectionResetError()], ids=str)
async def test_a_bulk_that_fails_as_a_whole_is_an_outage(answer: Answer) -> None:
    """Whatever is in it."""
    async with writing(lambda _: answer) as (writer, _, _told):
        with pytest.raises(StoreUnavailableError):
            await writer.write([article()], ())


async def test_one_bad_item_in_a_bulk_of_five_hundred_is_rejected_alone() -> None:
    """The others are stored."""
    bad = failing(400, "document_parsing_exception", "failed to parse")
    batch = [article(f"a{number}") for number in range(500)]
    async with writing(lambda ids: [bad if each == "a77" else DONE for each in ids]) as (writer, _, _told):
        verdicts = await writer.write(batch, ())

    assert [n for n, verdict in enumerate(verdicts) if verdict is not STORED] == [77]
    assert verdicts[77] == Verdict(VerdictKind.REJECTED, "failed to parse")


async def test_what_finds_no_month_is_sent_again_when_that_was_made() -> None:
    """Those items only, and each month once."""
    missing = {"a", "c"}

    def script(ids: list[str]) -> Answer:
        answer = [NO_ALIAS if each in missing else DONE for each in ids]
        missing.clear()
        return answer

    async with writing(script) as (writer, months, told):
        verdicts = await writer.write([article("a"), article("b"), article("c")], ())

    assert list(verdicts) == [STORED] * 3
    assert months.made == [(ARTICLES, "2026-11")]
    assert told.bulks == [["a", "b", "c"], ["a", "c"]]


async def test_a_removals_month_is_made_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: Elasticsearch would make an index under the alias's name."""
    async with writing(lambda ids: [{"status": 404}] * len(ids)) as (writer, months, _):
        monkeypatch.setattr(writer._revisions, "_replaced", _nothing)
        assert list(await writer.write([removal()], ())) == [STORED]
        assert list(await writer.write([removal("b")], ())) == [STORED]

    assert months.made == [(ARTICLES, "2026-11")]


async def test_what_is_not_to_be_written_is_not_sent() -> None:
    """Withdrawn, expired, or not to be written as JSON: the verdict needs no Elasticsearch."""
    broken = article("broken").model_copy(update={"title": "\ud800"})
    batch = [article("gone"), article("old", first_seen_at=PAST), broken, article("good")]
    async with writing(lambda ids: [DONE] * len(ids)) as (writer, _, told):
        verdicts = await writer.write(batch, {"gone"})

    assert verdicts[0] is WITHDRAWN
    assert verdicts[1] is EXPIRED
    assert verdicts[2].kind is VerdictKind.REJECTED
    assert "surrogates" in verdicts[2].reason
    assert verdicts[3] is STORED
    assert told.bulks == [["good"]]


async def test_a_lone_first_revision_is_one_request() -> None:
    """Nothing is read, so that it is searchable soon."""
    async with writing(lambda ids: [DONE] * len(ids)) as (writer, _, told):
        await writer.write([article()], ())

    assert told.paths == ["/_bulk?filter_path=error,items.*.status,items.*.error"]


async def test_a_revision_that_cannot_be_kept_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The article is written all the same."""
    bad = failing(400, "document_parsing_exception")
    async with writing(lambda ids: [bad if each == "a-1" else DONE for each in ids]) as (writer, _, told):
        monkeypatch.setattr(writer._revisions, "_replaced", _nothing)
        batch = [article(), article(version=2, revision=2)]
        assert list(await writer.write(batch, ())) == [STORED, STORED]

    assert told.bulks == [["a-1"], ["a", "a"]]
    assert REVISIONS in ElasticNames("t.").month(REVISIONS, "2026-11")


async def _nothing(_: object) -> dict[str, Any]:
    return {}
