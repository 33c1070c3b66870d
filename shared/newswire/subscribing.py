"""``newswire.subscribe``: an async iterator over the events of a topic, for programs of other people.

An item is handled when the next one is asked for; only then is its offset committed. An exception, a break or
a death in between lets it come again, so whatever is done with an item should bear being done twice.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, Self, TypeVar, cast, overload

import structlog
from pydantic import ValidationError

from newswire.envelope import VERSION
from newswire.errors import SettingsError
from newswire.events import Enriched, Event
from newswire.filters import Filters
from newswire.group_reader import GroupReader
from newswire.kafka_settings import KafkaSettings
from newswire.log import open_log
from newswire.log.port import Log, Record
from newswire.settings import Settings, load_settings
from newswire.telemetry import configure
from newswire.topics import EVENT_OF, GROUPS, topic_named, topic_specs

logger = structlog.get_logger()

Start = Literal["beginning", "end"]
GROUP = re.compile(r"[A-Za-z0-9._-]{1,200}")


@dataclass(frozen=True)
class Withdrawn:
    """An article that must not be shown any more.

    Attributes:
        article_id: the article's id.
        version: of the withdrawal, comparable with that of ``Enriched``; None if nobody said.
    """

    article_id: str
    version: int | None = None


@dataclass(frozen=True)
class Removed:
    """A key of a compacted topic, other than that of articles, that holds nothing any more."""

    key: str


T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What a subscription reads, and how.

    Attributes:
        topic: the topic.
        event: what lies on it.
        group: whose members share the partitions.
        filters: what to leave out.
        start: where a new group begins.
        settings: where the log is.
        kafka: how Kafka is reached, if the log is there; None takes what the environment says.
    """

    topic: str
    event: type[Event]
    group: str
    filters: Filters
    start: Start
    settings: Settings
    kafka: KafkaSettings | None = None


class Subscription(Generic[T]):
    """The events of a topic, one after the other, shared among the members of a group.

    ``async with`` holds the membership for the time of the block, and is the way to leave a loop early: at
    its end what is handled is committed and the partitions go to the other members at once. A plain
    ``async for`` that is left by ``break`` or an exception does the same only when Python finalises the
    iterator: in CPython at the next turns of the event loop, at the latest when ``asyncio.run`` ends.

    Args:
        wanted: what to read.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.unreadable = 0
        """How many messages were left out because their bytes are no such event."""
        self._wanted = wanted
        self._log: Log | None = None
        self._reader: GroupReader | None = None
        self._entered = False
        self._stopped = False
        self._turn = asyncio.Lock()

    @property
    def record(self) -> Record | None:
        """The record of the item in hand: its key, offset, headers and time."""
        return self._reader.in_hand if self._reader else None

    def stop(self) -> None:
        """End the loop when it asks for the next item, which commits the one in hand; for signal handlers."""
        self._stopped = True
        if self._reader:
            self._reader.stop()

    async def commit(self) -> None:
        """Say that the item in hand is handled, and commit: before a ``break``, lest it comes again."""
        if self._reader:
            self._reader.done()
            await self._reader.commit()

    async def __aenter__(self) -> Self:
        """Join the group."""
        await self._turn.acquire()
        try:
            await self._open()
        except BaseException:
            self._turn.release()
            raise
        self._entered = True
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what is handled and leave the group."""
        self._entered = False
        try:
            await self._close()
        finally:
            self._turn.release()

    def __aiter__(self) -> AsyncIterator[T]:
        """Begin a loop; inside ``async with`` with the item that the loop before did not finish, if any."""
        if not self._entered:
            return self._alone()
        if self._reader:
            self._reader.put_back()
        return self

    async def __anext__(self) -> T:
        """Return the next item; to ask for it says that the one in hand is handled."""
        if self._reader is None:
            raise StopAsyncIteration
        self._reader.done()
        while (record := await self._reader.next()) is not None:
            item = self._item(record)
            if item is not None:
                return cast("T", item)
            self._reader.done()
        raise StopAsyncIteration

    async def _alone(self) -> AsyncGenerator[T, None]:
        """Yield the items of a membership that lasts as long as the loop."""
        async with self._turn:
            await self._open()
            try:
                while True:
                    try:
                        item = await self.__anext__()
                    except StopAsyncIteration:
                        return
                    yield item
            finally:
                await self._close()

    async def _open(self) -> None:
        wanted, settings = self._wanted, self._wanted.settings
        if not structlog.is_configured():  # it would write to standard output, which is the program's own
            configure(settings.log_level)
        self._log = open_log(
            settings.log, prefix=settings.prefix, partitions=settings.partitions, kafka=wanted.kafka
        )
        self._reader = GroupReader(self._log, wanted.group, wanted.topic, from_end=wanted.start == "end")
        try:
            specs = topic_specs(settings.retention_days, settings.enriched_retention_days)
            await self._log.open([spec for spec in specs if spec.name == wanted.topic])
            await self._reader.open()
        except BaseException:
            await self._close()
            raise
        if self._stopped:
            self._reader.stop()

    async def _close(self) -> None:
        """Close; somebody who is cancelled meanwhile does not keep that from being finished."""
        reader, log = self._reader, self._log
        self._reader = self._log = None

        async def leave() -> None:
            try:
                if reader:
                    await reader.close()
            finally:
                if log:
                    await log.close()

        await asyncio.shield(leave())

    def _item(self, record: Record) -> Event | Withdrawn | Removed | None:
        """Return what a record says, None if it is not wanted or says nothing that can be understood."""
        if record.value is None:
            return _taken_back(record)
        try:
            event = self._wanted.event.from_bytes(record.value)
        except ValidationError as error:
            self.unreadable += 1
            first = error.errors(include_url=False, include_input=False)[0]
            logger.warning(
                "message.unreadable", group=self._wanted.group, topic=record.topic,
                partition=record.partition, offset=record.offset, key=record.key, error=first["msg"],
            )  # fmt: skip
            return None
        return event if self._wanted.filters.match(event) else None


def _taken_back(record: Record) -> Withdrawn | Removed:
    if record.topic != Enriched.topic:
        return Removed(record.key)
    version = record.headers.get(VERSION, "")
    return Withdrawn(record.key, int(version) if version.isascii() and version.isdecimal() else None)


@overload
def subscribe(
    topic: Literal["newswire.enriched.v1", "enriched"],
    *,
    group: str,
    topics: Iterable[str] = ...,
    entities: Iterable[str] = ...,
    languages: Iterable[str] = ...,
    start: Start = ...,
    settings: Settings | None = ...,
    kafka: KafkaSettings | None = ...,
) -> Subscription[Enriched | Withdrawn]: ...


@overload
def subscribe(
    topic: str,
    *,
    group: str,
    topics: Iterable[str] = ...,
    entities: Iterable[str] = ...,
    languages: Iterable[str] = ...,
    start: Start = ...,
    settings: Settings | None = ...,
    kafka: KafkaSettings | None = ...,
) -> Subscription[Any]: ...


def subscribe(
    topic: str,
    *,
    group: str,
    topics: Iterable[str] = (),
    entities: Iterable[str] = (),
    languages: Iterable[str] = (),
    start: Start = "beginning",
    settings: Settings | None = None,
    kafka: KafkaSettings | None = None,
) -> Subscription[Any]:
    """Return an async iterator over the events of a topic, as a member of a group.

    It yields the class of the topic; ``Withdrawn`` for an article that was taken back, ``Removed`` for any
    other key that was. Each process that subscribes under the same group gets its share of the partitions;
    what has one key comes in order. Messages that cannot be read are left out, logged and counted.

    Args:
        topic: such as ``newswire.enriched.v1``, or ``enriched`` for short.
        group: a name of your own; what it has handled is remembered under it.
        topics: only articles with one of these editor's topics.
        entities: only articles with one of these entities: Wikidata id, name or alias.
        languages: only articles in one of these languages.
        start: where a group begins that has never committed: at the ``beginning`` or at the ``end``.
        settings: address, prefix and so on; read from ``NEWSWIRE_*`` variables if not given.
        kafka: log-in, TLS and so on; read from ``NEWSWIRE_KAFKA_*`` variables if not given.

    Raises:
        SettingsError: at once, for a topic, group, filter or setting that cannot be.
    """
    name = topic_named(topic)
    event = EVENT_OF.get(name)
    if event is None:
        raise SettingsError(f"{name} holds no events to subscribe to")
    if group in GROUPS:
        raise SettingsError(f"the group {group!r} is Newswire's own: it would lose what you read")
    if not GROUP.fullmatch(group):
        raise SettingsError(
            f"a group is named with letters, digits, dots, hyphens, underscores: not {group!r}"
        )
    if start not in ("beginning", "end"):
        raise SettingsError(f"a subscription starts at the beginning or the end, not at {start!r}")
    filters = Filters.of(topics, entities, languages)
    filters.check(name, event)
    return Subscription(Wanted(name, event, group, filters, start, settings or load_settings(), kafka))
