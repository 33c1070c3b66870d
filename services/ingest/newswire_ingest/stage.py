"""The ingest stage: takes entries into the URL memory; polling and fetching go on beside it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from newswire.envelope import REPLAY, attempts_before
from newswire.events import Entry, Event, Page, Reason
from newswire.log.port import Message, TopicPartition
from newswire.ownership import Ownership
from newswire.stage import Delivery, Done, End
from newswire.table import Table
from newswire_ingest import memory
from newswire_ingest.article import utc_now
from newswire_ingest.clients import Clients
from newswire_ingest.fetching import Fetching
from newswire_ingest.poller import Poller


@dataclass(frozen=True)
class IngestStage:
    """Reads entries; owns the feeds, the URL memory and the manners of its domains."""

    clients: Clients
    group: str = "ingest"

    @property
    def inputs(self) -> Mapping[str, type[Event]]:
        """See Stage."""
        return {Entry.topic: Entry}

    async def open(self, ownership: Ownership) -> "IngestHandler":
        """See Stage."""
        pages = await ownership.table(Page, large=True)
        poller = Poller(ownership, self.clients)
        await poller.open()
        fetching = Fetching(ownership, self.clients, pages)
        fetching.open()
        failure_memory = timedelta(seconds=self.clients.settings.failure_memory_seconds)
        return IngestHandler(self.clients, pages, poller, fetching, failure_memory)


class IngestHandler:
    """Ingest at work on one partition."""

    def __init__(
        self,
        clients: Clients,
        pages: Table[Page],
        poller: Poller,
        fetching: Fetching,
        failure_memory: timedelta,
    ) -> None:
        self._withdrawals = clients.withdrawals
        self._pages = pages
        self._poller = poller
        self._fetching = fetching
        self._failure_memory = failure_memory

    async def handle(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Put entries into their URL's record as waiting, or answer them from memory."""
        await self._withdrawals.catch_up()
        decided: dict[str, Page] = {}
        return [self._arrive(delivery, decided) for delivery in batch]

    def _arrive(self, delivery: Delivery, decided: dict[str, Page]) -> End:
        entry = delivery.event
        if not isinstance(entry, Entry):
            return Done()
        before = decided.get(entry.url) or self._pages.get(entry.url)
        if self._withdrawals.of_entry(entry, before):
            why = "its article is withdrawn"
            return Done((memory.discarded(entry, Reason.WITHDRAWN, why, utc_now()),))
        sent_back = REPLAY in delivery.record.headers
        died = attempts_before(delivery.record.headers) if sent_back else 0
        step = memory.arrive(before, entry, utc_now(), self._failure_memory, died)
        decided[entry.url] = step.page
        self._fetching.arrived(entry.url, memory.next_time(step.page))
        messages: list[Message] = list(step.messages) if step.page == before else step.everything
        return Done(tuple(messages))

    def preconditions(self) -> Mapping[TopicPartition, int]:
        """See Handler: a URL's record depends on nothing but itself."""
        return {}

    async def run(self) -> None:
        """Poll and fetch until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._poller.run())
            both.create_task(self._fetching.run())

    async def close(self) -> None:
        """See Handler."""
