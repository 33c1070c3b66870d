"""Reading by index and id, and reading all of a month whose shards have only just been made."""

from types import SimpleNamespace
from typing import Any

import pytest
from elasticsearch import ApiError
from unit.test_elastic_months import refusal

from newswire_index.elastic import reading as elastic_reading
from newswire_index.elastic.reading import once_started, read
from newswire_index.store import StoreUnavailableError

pytestmark = pytest.mark.unit

STARTING = refusal(503, "search_phase_execution_exception")


class Readings:
    """Fails so often, then answers."""

    def __init__(self, *errors: ApiError) -> None:
        self.errors = list(errors)
        self.asked = 0

    async def __call__(self) -> str:
        """Answer."""
        self.asked += 1
        if self.errors:
            raise StoreUnavailableError("not now") from self.errors.pop(0)
        return "found"


async def test_shards_that_are_starting_are_waited_for() -> None:
    """Whoever reads at the first moment of a month notices nothing."""
    readings = Readings(STARTING, STARTING)

    assert await once_started(readings) == "found"
    assert readings.asked == 3


async def test_shards_that_do_not_start_are_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while."""
    monkeypatch.setattr(elastic_reading, "STARTING_SECONDS", 0.2)
    readings = Readings(*[STARTING] * 100)

    with pytest.raises(StoreUnavailableError):
        await once_started(readings)
    assert readings.asked > 1


async def test_any_other_outage_is_said_at_once() -> None:
    """A person who searches is not kept waiting."""
    readings = Readings(refusal(503, "master_not_discovered_exception"))

    with pytest.raises(StoreUnavailableError):
        await once_started(readings)
    assert readings.asked == 1


def client_that_finds(*docs: dict[str, Any]) -> Any:
    """Return a client with these answers, one document in each request."""
    answers = list(docs)

    async def mget(*, docs: list[Any], source_includes: str) -> dict[str, Any]:
        del source_includes
        return {"docs": [answers.pop(0) for _ in docs]}

    return SimpleNamespace(mget=mget)


async def test_what_is_there_is_read_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there, or has no index, is left out."""
    monkeypatch.setattr(elastic_reading, "AT_ONCE", 2)
    no_index = {"_index": "i", "_id": "c", "error": {"type": "index_not_found_exception", "reason": "no"}}
    client = client_that_finds(
        {"_id": "a", "found": True}, {"_id": "b", "found": False}, no_index, {"_id": "d", "found": True}
    )
    places = [("i", each) for each in "abcd"]

    assert [found["_id"] async for found in read(client, places, "revision")] == ["a", "d"]


async def test_what_cannot_be_read_is_not_taken_for_missing() -> None:
    """Else a superseded revision would be lost, or a withdrawn article stay."""
    error = {"type": "no_shard_available_action_exception", "reason": "no shard"}
    client = client_that_finds({"_index": "i", "_id": "a", "error": error})

    with pytest.raises(StoreUnavailableError, match="no shard"):
        [found async for found in read(client, [("i", "a")], "revision")]
