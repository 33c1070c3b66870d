"""An entry of nobody's feed: somebody asked by hand that an address be fetched anew."""

from datetime import datetime

from newswire.envelope import message
from newswire.events import Entry
from newswire.ids import digest
from newswire.log.port import Message
from newswire.urls import registered_domain

MANUAL = "manual"  # stands where other entries have the id of their feed
TRIGGER = "recheck-"


def recheck(url: str, now: datetime, source: str) -> tuple[Entry, Message]:
    """Return a new entry for a normalised address, and its message to the owner of the domain.

    Args:
        url: what to fetch.
        now: gives the entry its number, so that each has an id of its own.
        source: who asks.
    """
    trigger = f"{TRIGGER}{int(now.timestamp() * 1000)}"
    entry_id = digest(MANUAL, url, "", trigger)
    entry = Entry(entry_id=entry_id, feed_id=MANUAL, url=url, trigger=trigger, seen_at=now)
    sent = message(entry, registered_domain(url), source=source, entry_id=entry_id, feed_id=MANUAL)
    return entry, sent


def is_manual(entry: Entry) -> bool:
    """Tell whether an entry was asked for by hand."""
    return entry.feed_id == MANUAL and entry.trigger.startswith(TRIGGER)
