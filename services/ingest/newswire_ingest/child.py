"""What the child processes do: factories of handlers, called once in each child.

A handler is a pure function of one item; items and results can be pickled. Limits of time and memory are the
parent's matter.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newswire.events import Reason
from newswire.urls import BadUrlError
from newswire_ingest.extract import Extraction, NotAnArticle, extract, extract_html

MAX_BYTES = 10_000_000  # of a page, decompressed
ROW = ("id", "url", "canonical_url", "title", "authors", "published_at", "published_from", "language", "text",
       "tags", "paywalled", "notes")  # fmt: skip

Config = dict[str, Any]
Item = dict[str, Any]


class LineError(Exception):
    """A line that gives no article: its code and message go into the answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def page_handler(config: Config) -> Callable[[Item], Extraction | NotAnArticle]:
    """Return the handler of pages: ``{"body", "url", "charset", "fetched_at"}`` in."""
    _warm_up(config)

    def handle(item: Item) -> Extraction | NotAnArticle:
        return extract(item["body"], item["url"], item["charset"], item["fetched_at"])

    return handle


def feed_handler(_config: Config) -> Callable[[Item], Any]:
    """Return the handler of feeds: ``{"body", "url", "content_type"}`` in, feed or ``FeedError`` out."""
    from newswire_ingest.feeds import FeedError, parse_feed  # noqa: PLC0415 - the filter of pages reads no feeds

    def handle(item: Item) -> Any:
        try:
            return parse_feed(item["body"], item["url"], item["content_type"])
        except FeedError as error:
            return error

    return handle


def handler(config: Config) -> Callable[[tuple[str, Item]], Any]:
    """Return the handler of both, so that one pool serves them: ``("page", {…})`` or ``("feed", {…})`` in."""
    handlers: dict[str, Callable[[Item], Any]] = {"page": page_handler(config), "feed": feed_handler(config)}

    def handle(item: tuple[str, Item]) -> Any:
        kind, content = item
        return handlers[kind](content)

    return handle


def line_handler(config: Config) -> Callable[[bytes], dict[str, Any]]:
    """Return the handler of ``newswire extract``: a line of JSON in, an answer out; it never raises."""
    _warm_up(config)
    return answer


def answer(line: bytes) -> dict[str, Any]:
    """Return what a line of ``newswire extract`` gives: a row, or an error with the line's id."""
    identity = None
    try:
        item = _load(line)
        identity = item.get("id")
        result = _extract(item)
        if isinstance(result, NotAnArticle):
            raise LineError(result.reason, result.message)
        return _row(item, result)
    except LineError as error:
        return _error(identity, error.code, str(error))
    except BadUrlError as error:
        return _error(identity, Reason.BAD_URL, str(error))
    except Exception as error:  # noqa: BLE001 - one bad page must not end a filter
        return _error(identity, Reason.HANDLER_FAILED, f"{type(error).__name__}: {error}")


def _warm_up(_config: Config) -> None:
    """Load the extractor once, before the first item, whose time is limited."""
    import trafilatura  # noqa: F401, PLC0415


def _error(identity: Any, code: str, message: str) -> dict[str, Any]:
    return {"id": identity, "error": {"code": str(code), "message": message}}


def _load(line: bytes) -> Item:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError("not-json", f"the line is not JSON: {error}") from error
    if not isinstance(item, dict):
        raise LineError("not-json", "the line is not a JSON object")
    return item


def _extract(item: Item) -> Extraction | NotAnArticle:
    url, fetched_at = _string(item, "url"), _fetched_at(item)
    if item.get("html") is None:
        return extract(_read(_string(item, "html_path")), url, None, fetched_at)
    html = _string(item, "html")
    if len(html.encode("utf-8", "replace")) > MAX_BYTES:
        raise LineError("too-large", f"the page has more than {MAX_BYTES} bytes")
    return extract_html(html, url, fetched_at)


def _string(item: Item, name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or (name != "html" and not value):
        shown = "html or html_path" if name == "html_path" else name
        raise LineError("missing-field", f"the line has no {shown}, or it is not a text")
    return value


def _fetched_at(item: Item) -> datetime:
    """Return when the page was fetched, else now: it only judges dates, and never is one."""
    value = item.get("fetched_at")
    if value is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise LineError("missing-field", "fetched_at is not a time in ISO 8601") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(path: str) -> bytes:
    """Read a page's file, decompressed if its name ends with .gz, never more than the limit and one byte."""
    try:
        with gzip.open(path) if path.endswith(".gz") else Path(path).open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise LineError("unreadable-file", f"{path}: {error}") from error
    if len(body) > MAX_BYTES:
        raise LineError("too-large", f"{path} has more than {MAX_BYTES} bytes")
    return body


def _row(item: Item, article: Extraction) -> dict[str, Any]:
    published = article.published_at
    values = asdict(article) | {
        "id": item.get("id"),
        "url": item["url"],
        "published_at": published.isoformat() if published else None,
    }
    return {name: list(value) if isinstance(value := values[name], tuple) else value for name in ROW}
