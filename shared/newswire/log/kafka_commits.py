"""Committing a group's offsets without publishing anything: the plain way of consumers that only read."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from newswire.errors import FencedError, LogUnavailableError, NewswireError
from newswire.log.kafka_transactions import Placed
from newswire.log.port import Position

COMMIT_SECONDS = 5.0  # for the group's coordinator to take offsets; to commit them again does no harm
NOT_OURS = (
    CommitFailedError, IllegalGenerationError, IllegalStateError, RebalanceInProgressError,
    UnknownMemberIdError,
)  # fmt: skip


class GroupCommits:
    """Commits offsets as the group's member; the group's generation keeps others out.

    Args:
        consumer: that takes part in the group.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def open(self) -> None:
        """Nothing to make ready."""

    async def commit(
        self,
        placed: Sequence[Placed],
        offsets: Mapping[TopicPartition, int],
        group: str,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> list[Position]:
        """Commit offsets, and nothing else."""
        del check
        if placed:
            raise NewswireError(f"a member of {group} that does not publish was given messages")
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._consumer.commit({at: OffsetAndMetadata(to, "") for at, to in offsets.items()})
        except NOT_OURS as error:
            raise FencedError(f"{group} has lost the partition to another process") from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise LogUnavailableError(f"Kafka does not take offsets: {error!r}") from error
        return []

    async def close(self) -> None:
        """Nothing is held."""
