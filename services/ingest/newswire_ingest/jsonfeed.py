"""JSON Feed 1.0 and 1.1, read with patience: publishers give numbers for ids and objects for strings."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import urljoin

from newswire.ids import fold_whitespace
from newswire_ingest.feed_dates import parse_moment
from newswire_ingest.feed_model import FeedError, ParsedEntry, ParsedFeed


def parse_json_feed(text: str, url: str, max_entries: int) -> ParsedFeed:
    """Read a JSON Feed; URLs are resolved against the feed's own. Raises ``FeedError``."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedError("not-a-feed", f"broken JSON: {error}") from error
    if not _is_feed(document):
        raise FeedError("not-a-feed", "JSON, but not a JSON Feed")
    items = document.get("items")
    entries = items if isinstance(items, list) else []
    return ParsedFeed(
        format="json",
        title=_title(document.get("title")),
        entries=tuple(_entry(item, url) for item in entries[:max_entries] if isinstance(item, dict)),
        language=_text(document.get("language")),
        home_url=_link(document.get("home_page_url"), url),
    )


def _is_feed(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if "jsonfeed.org/version" in str(document.get("version", "")):
        return True
    return isinstance(document.get("items"), list) and bool({"feed_url", "home_page_url"} & document.keys())


def _entry(item: dict[str, Any], base: str) -> ParsedEntry:
    native_id = _text(item.get("id"))
    permalink = native_id if (native_id or "").startswith(("http://", "https://")) else None
    return ParsedEntry(
        id=native_id,
        url=_link(item.get("url") or item.get("external_url") or permalink, base),
        title=_title(item.get("title")),
        published_at=parse_moment(_text(item.get("date_published"))),
        updated_at=parse_moment(_text(item.get("date_modified"))),
        authors=_names(item),
        summary=_html(_text(item.get("summary"))),
        content=_text(item.get("content_html")) or _html(_text(item.get("content_text"))),
        tags=_unique(_text(tag) for tag in _list(item.get("tags"))),
    )


def _names(item: dict[str, Any]) -> tuple[str, ...]:
    """Return the authors' names, of version 1.1 or 1.0."""
    authors = _list(item.get("authors")) or _list(item.get("author"))
    return _unique(_text(author.get("name") if isinstance(author, dict) else author) for author in authors)


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _unique(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _text(value: Any) -> str | None:
    """Return a string or a number as text; None for anything else, or if nothing is in it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).encode("utf-8", "replace").decode()  # half a surrogate pair is no character
    return text.strip() or None


def _title(value: Any) -> str | None:
    return fold_whitespace(_text(value) or "") or None


def _html(text: str | None) -> str | None:
    """Return plain text as HTML, empty lines as paragraphs."""
    if not text or "\n\n" not in text:
        return escape(text, quote=False) if text else None
    return "".join(
        f"<p>{escape(part.strip(), quote=False)}</p>" for part in text.split("\n\n") if part.strip()
    )


def _link(value: Any, base: str) -> str | None:
    link = _text(value)
    try:
        return urljoin(base, link) if link else None
    except ValueError:
        return link
