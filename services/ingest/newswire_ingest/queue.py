"""Which of the waiting URLs may be fetched next: due, and their domain free."""

import heapq
from collections import defaultdict
from datetime import datetime

from newswire.urls import registered_domain
from newswire_ingest.spacing import Spacing


class FetchQueue:
    """Waiting URLs of one partition, by domain and time.

    The truth is in the URL memory; this is an index of it, made anew when a partition is opened.
    """

    def __init__(self, spacing: Spacing) -> None:
        self._spacing = spacing
        self._due: dict[str, datetime] = {}
        self._heaps: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        self._busy: set[str] = set()

    def put(self, url: str, due: datetime | None) -> None:
        """Enter a URL with the time when it is due, or take it out."""
        if due is None:
            self._due.pop(url, None)
        elif self._due.get(url) != due:
            self._due[url] = due
            heapq.heappush(self._heaps[registered_domain(url)], (due, url))

    def take(self, now: datetime, monotonic: float) -> str | None:
        """Return a URL to fetch now, with a place of its domain taken; None if there is none.

        The URL is busy until ``release``, the place is to be given back after the request.
        """
        for domain in list(self._heaps):
            if self._spacing.free_at(domain) > monotonic:
                continue
            url = self._first(domain)
            if url is not None and self._due[url] <= now:
                heapq.heappop(self._heaps[domain])
                self._busy.add(url)
                self._spacing.start(domain)
                return url
        return None

    def release(self, url: str, due: datetime | None) -> None:
        """Give a URL back after its fetch, with the time when it is due again, if it is."""
        self._busy.discard(url)
        self._due.pop(url, None)  # so that it is entered anew: what is busy is dropped from the heaps
        self.put(url, due)

    def waits_for(self, domain: str) -> bool:
        """Tell whether a URL of the domain may be waiting."""
        return domain in self._heaps

    def seconds_to_next(self, now: datetime, monotonic: float) -> float | None:
        """Return how long nothing can be taken, as far as is known; None if nothing waits."""
        waits = []
        for domain in list(self._heaps):
            url = self._first(domain)
            if url is not None:
                waits.append(
                    max((self._due[url] - now).total_seconds(), self._spacing.free_at(domain) - monotonic)
                )
        return max(0.0, min(waits)) if waits else None

    def _first(self, domain: str) -> str | None:
        """Return the URL of a domain that is due first and not being fetched; drop what is out of date."""
        heap = self._heaps[domain]
        while heap:
            due, url = heap[0]
            if self._due.get(url) == due and url not in self._busy:
                return url
            heapq.heappop(heap)
        del self._heaps[domain]
        return None
