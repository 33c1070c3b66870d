"""One transactional producer: the atomic step of the log as a transaction of Kafka.

begin ──► send ──► add offsets ──► all arrived? ──► nothing moved? ──► commit
                                        └───────────────┴── no: abort

Whoever opens the same transactional id later fences this one: its next step fails. A transaction whose end is
not known is nobody's to guess: the producer is given up, and the next one with its id finishes or undoes it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from newswire.errors import (
    ClaimBrokenError,
    FencedError,
    LogUnavailableError,
    MessageTooLargeError,
    MovedError,
)
from newswire.log.kafka_connection import Connection, refuse_for_good
from newswire.log.port import Message, Position

logger = structlog.get_logger()

RETRY_BACKOFF_MS = 10  # at aiokafka's default of 100 a lone transaction's p99 is over 110 ms
BATCH_BYTES = (
    256 * 1024
)  # a partition's messages of one step mostly go as one batch (measured: 16 KB is 4× slower)
TRANSACTION_MS = 15_000  # after which the broker undoes the transaction of a process that died
START_SECONDS = 10.0  # to find the coordinator and get the producer id
CANCELS = 10  # of a producer's task
CANCEL_SECONDS = 0.2  # between two of them
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class Placed(NamedTuple):
    """A message with its full topic name and partition."""

    topic: str
    partition: int
    message: Message


class Parcel:
    """Messages of one step that go to one partition as one batch.

    Args:
        where: they go.
        batch: of aiokafka, empty.
    """

    def __init__(self, where: TopicPartition, batch: BatchBuilder) -> None:
        self.where = where
        self.batch = batch
        self.indices: list[int] = []

    def take(self, index: int, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]]) -> bool:
        """Put a message in, and tell whether there was room; an empty parcel takes any."""
        if self.batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            return False
        self.indices.append(index)
        return True


class Transactions:
    """The producer of one transactional id.

    Args:
        connection: to the brokers.
        transactional_id: whoever opens it last is the only one who can commit.
    """

    def __init__(self, connection: Connection, transactional_id: str) -> None:
        self._connection = connection
        self._id = transactional_id
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Fence whoever had the id, and wait until its last transaction is over."""
        settings = self._connection.settings
        producer = AIOKafkaProducer(
            **self._connection.options,
            transactional_id=self._id,
            transaction_timeout_ms=TRANSACTION_MS,
            acks="all",
            compression_type=None if settings.compression == "none" else settings.compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=settings.max_message_bytes,
            retry_backoff_ms=RETRY_BACKOFF_MS,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await abandon(producer)
            refuse_for_good(error, f"a producer for {self._id}")
            raise LogUnavailableError(f"Kafka gives no producer for {self._id}: {error!r}") from error
        except BaseException:
            await abandon(producer)
            raise
        self._producer = producer

    async def commit(
        self,
        placed: Sequence[Placed],
        offsets: Mapping[TopicPartition, int],
        group: str,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> list[Position]:
        """Publish the messages and commit the group's offsets together; return where the messages lie.

        Args:
            placed: the messages.
            offsets: next offsets of the group.
            group: its name.
            check: raises MovedError to undo everything, when all has been sent.
        """
        producer = self._producer
        if producer is None:
            raise ClaimBrokenError(f"{self._id} was given up")
        try:
            async with asyncio.timeout(self._connection.settings.step_seconds):
                return await self._step(producer, placed, offsets, group, check)
        except (MovedError, MessageTooLargeError):
            raise
        except (ProducerFenced, InvalidProducerEpoch) as error:
            await self.give_up()
            raise FencedError(f"{self._id} was taken over by another process") from error
        except (KafkaError, OSError, TimeoutError, AssertionError) as error:  # its states are asserted
            await self.give_up()
            refuse_for_good(error, f"a step of {self._id}")
            raise ClaimBrokenError(f"a step of {self._id} ended nobody knows how: {error!r}") from error
        except BaseException:
            await self.give_up()
            raise

    async def _step(
        self,
        producer: AIOKafkaProducer,
        placed: Sequence[Placed],
        offsets: Mapping[TopicPartition, int],
        group: str,
        check: Callable[[], Awaitable[None]] | None,
    ) -> list[Position]:
        await producer.begin_transaction()
        try:
            positions = await self._send(producer, placed, offsets, group)
            if check is not None:
                await check()
        except TOO_LARGE as error:
            await producer.abort_transaction()
            raise MessageTooLargeError(f"larger than Kafka takes: {error}") from error
        except MovedError:
            await producer.abort_transaction()
            raise
        await producer.commit_transaction()
        return positions

    async def _send(
        self,
        producer: AIOKafkaProducer,
        placed: Sequence[Placed],
        offsets: Mapping[TopicPartition, int],
        group: str,
    ) -> list[Position]:
        """Send everything, and wait until all of it has arrived."""
        parcels = self._pack(producer, placed)
        arriving: list[asyncio.Future[Any]] = []
        try:
            for parcel in parcels:
                where = parcel.where
                arriving.append(
                    await producer.send_batch(parcel.batch, where.topic, partition=where.partition)
                )
            moves = {at: OffsetAndMetadata(offset, "") for at, offset in offsets.items()}
            moving = [producer.send_offsets_to_transaction(moves, group)] if moves else []
            arrived = await asyncio.gather(*moving, *arriving, return_exceptions=True)
        finally:
            for each in arriving:
                each.cancel()  # those that nobody waited for: their errors are seen
        for outcome in arrived:
            if isinstance(outcome, BaseException):
                raise outcome
        batches: list[Any] = arrived[len(moving) :]
        lying: dict[int, Position] = {}
        for parcel, metadata in zip(parcels, batches, strict=True):
            for nth, index in enumerate(parcel.indices):
                lying[index] = Position(metadata.partition, metadata.offset + nth)
        return [lying[index] for index in range(len(placed))]

    def _pack(self, producer: AIOKafkaProducer, placed: Sequence[Placed]) -> list["Parcel"]:
        """Put the messages of each partition into as few batches as take them, in order.

        A future for each message, as aiokafka's ``send`` makes, costs more than the message itself.
        """
        packed: list[Parcel] = []
        filling: dict[TopicPartition, Parcel] = {}
        largest = self._connection.settings.max_message_bytes
        for index, (topic, partition, message) in enumerate(placed):
            where = TopicPartition(topic, partition)
            key, headers = message.key.encode(), [(n, v.encode()) for n, v in message.headers.items()]
            size = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, message.value, headers)
            if size > largest:
                raise MessageSizeTooLargeError(f"{size} bytes, and {largest} are allowed")
            parcel = filling.get(where)
            if parcel is None or not parcel.take(index, key, message.value, headers):
                parcel = filling[where] = Parcel(where, producer.create_batch())
                parcel.take(index, key, message.value, headers)
                packed.append(parcel)
        return packed

    async def close(self) -> None:
        """Let go of the producer in good order."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)

    async def give_up(self) -> None:
        """Let go of the producer whatever it is doing; its transaction is left to the next one."""
        await asyncio.shield(self.close())


async def abandon(producer: AIOKafkaProducer) -> None:
    """End a producer at once.

    Its own ``stop`` waits until everything that it was given has arrived, for ever while the broker is away;
    and what was not committed must not arrive any more.
    """
    producer._closed = True  # noqa: SLF001  there is no public way
    task = producer._sender.sender_task  # noqa: SLF001
    for _ in range(CANCELS):  # once cancelled it waits for its requests, which have to be cancelled too
        if task is None or task.done():
            break
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_SECONDS)
    if task is not None and task.done() and not task.cancelled():
        task.exception()  # seen
    with contextlib.suppress(KafkaError, OSError):
        await producer.client.close()
