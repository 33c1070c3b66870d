"""Feeds from bytes to one model: RSS 0.9x to 2.0, Atom 0.3 and 1.0, RDF, JSON Feed.

    bytes ── sniff ──┬── json ── jsonfeed ──┐
                     ├── xml ─── feed_xml ──┴── ParsedFeed
                     └── HTML, nothing, anything else: FeedError

The bytes decide what a document is; of the Content-Type only the charset is listened to.
"""

import re
from datetime import date, datetime
from typing import Any

from newswire.events import Moment
from newswire_ingest.decode import decode_html
from newswire_ingest.feed_model import ErrorCode, FeedError, Format, ParsedEntry, ParsedFeed
from newswire_ingest.feed_sniff import HEAD_LENGTH, Sniffed, sniff
from newswire_ingest.feed_xml import parse_xml_feed
from newswire_ingest.jsonfeed import parse_json_feed

__all__ = [
    "ErrorCode", "FeedError", "Format", "ParsedEntry", "ParsedFeed", "entry_row", "feed_row", "parse_feed",
]  # fmt: skip

MAX_LENGTH = 15_000_000  # bytes; the largest honest feeds seen have 5 MB
BLANK = b"\xef\xbb\xbf\xfe\xff\x00 \t\r\n"  # byte order marks are no content
MAX_ENTRIES = 5_000  # as many as the memory of seen entries holds

_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:\-]{1,40})""", re.IGNORECASE)


def parse_feed(body: bytes, url: str = "", content_type: str | None = None) -> ParsedFeed:
    """Read a feed; its relative URLs are resolved against ``xml:base`` or its own URL.

    Raises ``FeedError`` with the code ``empty-body``, ``html``, ``not-a-feed`` or ``too-large``. To have no
    entries is none of these.
    """
    if not body.strip(BLANK):
        raise FeedError("empty-body", "the answer has no body")
    charset = _charset(content_type)
    _refuse(sniff(decode_html(body[:HEAD_LENGTH], charset)[0]), len(body))
    text, _ = decode_html(body, charset)
    sniffed = sniff(text)
    if sniffed.kind == "json":
        return parse_json_feed(text[sniffed.start :], url, MAX_ENTRIES)
    if sniffed.kind != "xml":
        raise FeedError("not-a-feed", "not a feed")
    return parse_xml_feed(text[sniffed.start :], sniffed.root, url, MAX_ENTRIES)


def feed_row(feed: ParsedFeed) -> dict[str, Any]:
    """Return a feed as a row of JSON, times in ISO 8601."""
    return {
        "format": feed.format,
        "title": feed.title,
        "entries": [entry_row(entry) for entry in feed.entries],
    }


def entry_row(entry: ParsedEntry) -> dict[str, Any]:
    """Return an entry as a row of JSON, times in ISO 8601."""
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "published_at": _iso(entry.published_at),
        "updated_at": _iso(entry.updated_at),
        "authors": list(entry.authors),
        "summary": entry.summary,
        "tags": list(entry.tags),
    }


def _refuse(sniffed: Sniffed, length: int) -> None:
    """Raise for what is no feed by its head, or too large to be looked at."""
    if sniffed.kind == "html":
        raise FeedError("html", "an HTML page, not a feed")
    if length > MAX_LENGTH:
        raise FeedError("too-large", f"larger than {MAX_LENGTH // 1_000_000} MB")
    if sniffed.kind == "unknown":
        raise FeedError("not-a-feed", "neither XML with a feed in it nor a JSON Feed")


def _charset(content_type: str | None) -> str | None:
    found = _CHARSET.search(content_type or "")
    return found[1] if found else None


def _iso(moment: Moment | None) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime | date) else None
