"""The list of feeds on the log: add, remove, read, import."""

import sys
from collections.abc import Sequence
from pathlib import Path

from newswire.envelope import message, tombstone
from newswire.errors import SettingsError
from newswire.events import Feed, FeedStatus
from newswire.ledger import latest
from newswire.log.port import Log
from newswire.urls import registered_domain
from newswire_ingest.opml import FeedListError, read_feed_list

SOURCE = "feeds"


async def feeds_on(log: Log) -> list[Feed]:
    """Return all feeds, by address."""
    return sorted(await latest(log, Feed), key=lambda feed: feed.url)


async def feeds_with_status(log: Log) -> list[tuple[Feed, FeedStatus | None]]:
    """Return all feeds, by address, with how their last poll went."""
    statuses = {status.feed_id: status for status in await latest(log, FeedStatus)}
    return [(feed, statuses.get(feed.feed_id)) for feed in await feeds_on(log)]


async def put_feeds(log: Log, feeds: Sequence[Feed]) -> tuple[int, int]:
    """Add feeds and change those that are there; return how many were added and changed."""
    known = {feed.feed_id: feed for feed in await latest(log, Feed)}
    different = {feed.feed_id: feed for feed in feeds if known.get(feed.feed_id) != feed}
    await log.publish(
        [
            message(feed, feed.feed_id, source=SOURCE, partition_key=registered_domain(feed.url))
            for feed in different.values()
        ]
    )
    changed = len(different.keys() & known.keys())
    return len(different) - changed, changed


async def remove_feed(log: Log, feed: Feed) -> None:
    """Remove a feed; its owner removes what is remembered of it."""
    await log.publish([tombstone(Feed.topic, feed.feed_id, partition_key=registered_domain(feed.url))])


def read_file(path: Path) -> tuple[list[Feed], list[str]]:
    """Return the feeds of a file and what could not be read; raises SettingsError if that is everything.

    The file ``-`` is standard input.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        found = read_feed_list(data, path.name)
    except OSError as error:
        raise SettingsError(f"the feed list {path} cannot be read: {error.strerror}") from error
    except FeedListError as error:
        raise SettingsError(f"the feed list {path}: {error}") from error
    return list(found.feeds), list(found.problems)


async def import_feeds(log: Log, path: Path) -> str:
    """Take over a feed list; return a line that says what was found."""
    feeds, problems = read_file(path)
    added, changed = await put_feeds(log, feeds)
    said = f"{len(feeds)} feeds, {added} added, {changed} changed"
    return f"{said}; not read: {'; '.join(problems)}" if problems else said
