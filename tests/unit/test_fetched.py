"""What an answer says of itself, and what its status and headers mean."""

from datetime import UTC, datetime

import pytest

from newswire.events import Reason
from newswire_ingest.fetched import Fetched, retry_after, status_reason

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def _fetched(body: bytes = b"", content_type: str = "") -> Fetched:
    return Fetched("https://a.example/", 200, {"Content-Type": content_type}, body, NOW)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, None), (304, None), (302, None), (400, (Reason.CLIENT_ERROR, False)),
        (401, (Reason.FORBIDDEN, False)), (403, (Reason.FORBIDDEN, False)),
        (404, (Reason.NOT_FOUND, False)),
        (408, (Reason.TIME_OUT, True)), (410, (Reason.GONE, False)), (418, (Reason.CLIENT_ERROR, False)),
        (425, (Reason.TIME_OUT, True)), (429, (Reason.THROTTLED, True)),
        (451, (Reason.FORBIDDEN, False)),
        (499, (Reason.CLIENT_ERROR, False)), (500, (Reason.SERVER_ERROR, True)),
        (503, (Reason.SERVER_ERROR, True)), (599, (Reason.SERVER_ERROR, True)),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, expected: tuple[Reason, bool] | None) -> None:
    """The reason, and whether trying again may help."""
    assert status_reason(status) == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0), (" 0 ", 0.0), ("99999999999999999999", 86_400.0),
        ("Sat, 31 Jan 2026 12:01:00 GMT", 60.0),
        ("Sat, 31 Jan 2026 12:01:00 +0000", 60.0), ("Sat, 31 Jan 2026 11:00:00 GMT", 0.0),
        ("Fri, 31 Dec 2027 23:59:59 GMT", 86_400.0), ("Saturday, 31-Jan-26 12:02:00 GMT", 120.0),
        ("Sat Jan 31 12:01:00 2026", 60.0), (None, None), ("", None), ("soon", None), ("-5", None),
        ("1.5", None),
        ("٣", None), ("Sat, 99 Jan 2026 12:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    """Seconds and dates, bounded; nonsense is nothing."""
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/html; charset=x", b"", True), ("application/xhtml+xml", b"", True), ("TEXT/HTML",
        b"", True),
        ("application/pdf", b"<html>", False), ("", b"\n<!DOCTYPE html>", True), ("", b"%PDF-1.7",
        False),
        ("text/plain", b"<html lang=en>", True), ("text/plain", b"words", False),
    ],
)  # fmt: skip
def test_what_counts_as_html(content_type: str, body: bytes, expected: bool) -> None:
    """The type decides; where it says nothing, the first bytes do."""
    assert _fetched(body, content_type=content_type).is_html is expected


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [("text/html; charset=UTF-8", "UTF-8"), ('text/html;Charset="latin1"', "latin1"), ("text/html", None)],
)
def test_the_charset_of_the_header(content_type: str, charset: str | None) -> None:
    """With or without quotes, in any letter case."""
    assert _fetched(content_type=content_type).charset == charset
