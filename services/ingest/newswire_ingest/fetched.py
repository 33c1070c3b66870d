"""What a fetch brought: an answer that can be asked what it means, or the error that the fetch ended in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from newswire.events import Reason

MAX_RETRY_AFTER_SECONDS = 86_400.0  # a day: longer waits are the poll schedule's business
SNIFF_LENGTH = 1_024  # bytes looked at where the Content-Type says nothing
PERMANENT = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})

_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:\-]{1,40})""", re.IGNORECASE)
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_VAGUE_TYPES = frozenset({"", "text/plain", "application/octet-stream", "unknown/unknown"})
_HTML_START = re.compile(rb"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)

_REASONS = {
    HTTPStatus.NOT_FOUND: (Reason.NOT_FOUND, False),
    HTTPStatus.GONE: (Reason.GONE, False),
    HTTPStatus.UNAUTHORIZED: (Reason.FORBIDDEN, False),
    HTTPStatus.FORBIDDEN: (Reason.FORBIDDEN, False),
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: (Reason.FORBIDDEN, False),
    HTTPStatus.TOO_MANY_REQUESTS: (Reason.THROTTLED, True),
    HTTPStatus.REQUEST_TIMEOUT: (Reason.TIME_OUT, True),
    HTTPStatus.TOO_EARLY: (Reason.TIME_OUT, True),
}


class FetchError(Exception):
    """A fetch that brought no answer: why, in a word and in a line, and whether trying again may help."""

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        temporary: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        """Keep what a caller decides by."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.temporary = temporary
        self.retry_after_seconds = retry_after_seconds


class OffsiteRedirect(Exception):  # noqa: N818 - no error: the page lives with another owner
    """A redirect to another registered domain, not followed."""

    def __init__(self, url: str, *, permanent: bool) -> None:
        """Keep where it leads, and whether every redirect up to it was a permanent one."""
        super().__init__(f"redirected to another site: {url}")
        self.url = url
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Redirect:
    """One redirect that was followed: who sent it, with which status, and where to."""

    url: str
    status: int
    target: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """An HTTP answer; ``url`` is where it came from in the end, ``body`` is decompressed."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    redirects: tuple[Redirect, ...] = ()

    @property
    def is_modified(self) -> bool:
        """Whether the answer is anything but "as you know it"."""
        return self.status != HTTPStatus.NOT_MODIFIED

    @property
    def etag(self) -> str | None:
        """The validator to send back as it is."""
        return self.headers.get("ETag")

    @property
    def last_modified(self) -> str | None:
        """The validator to send back as it is."""
        return self.headers.get("Last-Modified")

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the server asks to be left alone, a day at most; None if it does not say."""
        return retry_after(self.headers.get("Retry-After"), self.fetched_at)

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty if there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset that the header names."""
        found = _CHARSET.search(self.headers.get("Content-Type", ""))
        return found[1] if found else None

    @property
    def is_html(self) -> bool:
        """Whether the body is a page, by its type, or by its start where the type says nothing."""
        if self.content_type in _VAGUE_TYPES:
            return bool(_HTML_START.search(self.body[:SNIFF_LENGTH]))
        return self.content_type in _HTML_TYPES

    @property
    def moved_to(self) -> str | None:
        """The new URL, if permanent redirects and no others led to it."""
        return self.url if self.redirects and all_permanent(self.redirects) else None


def all_permanent(redirects: tuple[Redirect, ...]) -> bool:
    """Say whether every redirect is a permanent one."""
    return all(redirect.status in PERMANENT for redirect in redirects)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read ``Retry-After``, in seconds or as an HTTP date; never negative, a day at most."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)


def status_reason(status: int) -> tuple[Reason, bool] | None:
    """Return why an HTTP status is a failure, and whether it is temporary; None below 400."""
    if status < HTTPStatus.BAD_REQUEST:
        return None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reason.SERVER_ERROR, True
    return _REASONS.get(HTTPStatus(status), _OTHER) if status in _STATUSES else _OTHER


_OTHER = (Reason.CLIENT_ERROR, False)
_STATUSES = frozenset(int(status) for status in HTTPStatus)
