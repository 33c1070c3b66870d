"""What all partitions of an ingest process share: the network, the child processes, the manners."""

import asyncio
from dataclasses import dataclass, field

from newswire.children import Children
from newswire_ingest.fetch import Fetcher
from newswire_ingest.settings import IngestSettings
from newswire_ingest.spacing import Spacing
from newswire_ingest.withdrawals import Withdrawals


@dataclass(frozen=True)
class Clients:
    """The real clients of one ingest process.

    Attributes:
        settings: of the service.
        fetcher: asks the web.
        children: parse feeds and extract pages.
        spacing: when a domain may be asked.
        withdrawals: which articles must not be shown.
        fetches: places for pages fetched at once.
        polls: places for feeds polled at once.
    """

    settings: IngestSettings
    fetcher: Fetcher
    children: Children
    spacing: Spacing
    withdrawals: Withdrawals
    fetches: asyncio.Semaphore = field(init=False)
    polls: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """Make the places that the settings allow."""
        object.__setattr__(self, "fetches", asyncio.Semaphore(self.settings.fetch_concurrency))
        object.__setattr__(self, "polls", asyncio.Semaphore(self.settings.poll_concurrency))
