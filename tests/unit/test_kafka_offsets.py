"""Stable offsets: what goes over the wire, and what becomes of an answer that stays uncertain."""

from io import BytesIO
from typing import Any

import pytest
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.structs import TopicPartition as At
from structlog.testing import capture_logs

from newswire.log import kafka_offsets
from newswire.log.kafka_offsets import (
    UNSTABLE_OFFSET_COMMIT,
    StableOffsets,
    StableOffsetsResponse,
    StableOffsetsStruct,
    stable_offsets,
)

pytestmark = pytest.mark.unit

NOT_COORDINATOR = 16
NOT_ALLOWED = 30
WANTED = [At("in", 0), At("in", 1)]


class FakeClient:
    """Answers with codes in turn, the last one for ever; remembers what it was asked."""

    def __init__(self, *codes: int) -> None:
        self.asked: list[bool] = []
        self._codes = list(codes)

    async def find_coordinator(self, group: str) -> int:
        """Return a node."""
        del group
        return 1

    async def _send_request(self, request: StableOffsets, node: int) -> Any:
        """Answer."""
        assert node == 1
        self.asked.append(request._stable)
        code = self._codes.pop(0) if len(self._codes) > 1 else self._codes[0]
        code = 0 if code == UNSTABLE_OFFSET_COMMIT and not request._stable else code
        rows: list[Any] = [(0, 7, -1, "", code, {}), (1, -1, -1, "", 0, {})]
        return StableOffsetsResponse(0, [("in", rows, {})], 0, {})


def test_the_request_and_its_answer_are_as_the_protocol_says() -> None:
    """Version 7, with compact strings and arrays and empty tags: byte for byte."""
    request = StableOffsets("g", WANTED).build(StableOffsetsStruct)
    answer = StableOffsetsResponse(0, [("in", [(1, 7, -1, "", 0, {})], {})], 0, {})

    assert request.encode() == b"\x02g\x02\x03in\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00"
    assert StableOffsetsResponse.decode(BytesIO(answer.encode())) == answer


async def test_offsets_are_waited_for_until_they_are_certain() -> None:
    """A moment after a transaction, and while another coordinator is chosen."""
    client = FakeClient(NOT_COORDINATOR, UNSTABLE_OFFSET_COMMIT, 0)

    assert await stable_offsets(client, "g", WANTED) == {At("in", 0): 7, At("in", 1): -1}
    assert client.asked == [True, True, True]


async def test_offsets_that_stay_uncertain_are_taken_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that is never opened would be worse than a step taken again."""
    monkeypatch.setattr(kafka_offsets, "STABLE_SECONDS", 0.1)
    client = FakeClient(UNSTABLE_OFFSET_COMMIT)
    with capture_logs() as lines:
        found = await stable_offsets(client, "g", WANTED)

    assert found[At("in", 0)] == 7
    assert client.asked[-1] is False
    assert [line["event"] for line in lines] == ["offsets.uncertain"]


async def test_what_the_broker_refuses_is_raised() -> None:
    """It is not asked again."""
    client = FakeClient(NOT_ALLOWED)
    with pytest.raises(GroupAuthorizationFailedError):
        await stable_offsets(client, "g", WANTED)

    assert client.asked == [True]
