"""Committed offsets of a group that are certain: none of an ended transaction is still on its way.

A transaction has ended before its mark has reached the offsets. Whoever reads them then, as aiokafka does,
gets the ones from before it, even after the producer was fenced, and would handle again what was committed.
Kafka answers with an error instead if it is asked for stable offsets (KIP-447), which takes version 7 of the
request; aiokafka knows it up to version 3.

After a broker's death by kill -9 that error was seen to stay for good (Kafka 4.3.1, one node; in about one of
twenty partitions that had a step in the air). Nobody may wait for ever, so then the offsets are taken as they
are, and said to be uncertain: the last step may be taken again, which every stage bears.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)
from aiokafka.structs import TopicPartition

logger = structlog.get_logger()

STABLE_SECONDS = 5.0  # for a mark to arrive; without a broker's death it takes milliseconds
UNSTABLE_OFFSET_COMMIT = 88  # a transaction with offsets of this group has not quite ended
AGAIN_SECONDS = 0.05  # until the question is asked again
NONE = -1  # where nothing was committed


class StableOffsetsResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    """OffsetFetch response, version 7."""

    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class StableOffsetsStruct(RequestStruct):  # type: ignore[misc]  # likewise
    """OffsetFetch request, version 7."""

    API_KEY = 9
    API_VERSION = 7
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = StableOffsetsResponse
    SCHEMA = Schema(
        ("group", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class StableOffsets(Request[StableOffsetsStruct]):  # type: ignore[misc]  # likewise
    """Asks for a group's offsets.

    Args:
        group: its full name.
        partitions: whose offsets are wanted.
        stable: whether to have an error where a transaction is about to change them.
    """

    API_KEY = 9

    def __init__(self, group: str, partitions: Sequence[TopicPartition], *, stable: bool = True) -> None:
        self._group = group
        self._stable = stable
        numbers: dict[str, list[int]] = defaultdict(list)
        for topic, number in partitions:
            numbers[topic].append(number)
        self._topics: list[tuple[str, list[int], dict[int, bytes]]] = [
            (topic, wanted, {}) for topic, wanted in numbers.items()
        ]

    def build(self, request_struct_class: type[StableOffsetsStruct]) -> StableOffsetsStruct:
        """Return the request as it goes over the wire."""
        return request_struct_class(self._group, self._topics, self._stable, {})


async def stable_offsets(
    client: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """Return committed offsets, -1 where there is none; waits until no transaction is about to change them.

    Raises KafkaError if the broker refuses. Waits as long as it takes for an answer: give it a time limit.
    """
    patient_until, stable = time.monotonic() + STABLE_SECONDS, True
    while True:
        try:
            coordinator = await client.find_coordinator(group)
            request = StableOffsets(group, partitions, stable=stable)
            answer = await client._send_request(request, coordinator)  # noqa: SLF001  there is no public way
            return _offsets(answer)
        except UnstableOffsetsError:
            if time.monotonic() > patient_until:
                stable = False
                logger.warning(
                    "offsets.uncertain", group=group, partitions=[at.partition for at in partitions]
                )
        except KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(AGAIN_SECONDS)


def _offsets(answer: Any) -> dict[TopicPartition, int]:
    """Return the offsets of an answer; raises the first error in it."""
    found = {}
    codes = [answer.error_code]
    for topic, partitions, _ in answer.topics:
        for number, offset, _, _, code, _ in partitions:
            codes.append(code)
            found[TopicPartition(topic, number)] = offset
    for code in codes:
        if code == UNSTABLE_OFFSET_COMMIT:
            raise UnstableOffsetsError
        if code:
            raise for_code(code)
    return found


class UnstableOffsetsError(KafkaError):  # type: ignore[misc]  # likewise
    """A transaction with offsets of the group has not quite ended."""

    retriable = True
