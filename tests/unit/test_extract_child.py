"""The handlers of the child processes, and the filter of lines."""

import gzip
import json
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newswire_ingest.child import MAX_BYTES, handler, line_handler, page_handler
from newswire_ingest.extract import Extraction, NotAnArticle
from newswire_ingest.feeds import FeedError, ParsedFeed
from newswire_ingest.feedtext import text_of

pytestmark = pytest.mark.unit

URL = "https://herald.example/world/bridge"
TEXT = "The iron bridge over the Vell opened to trams on Monday, two years after a flood took its pier. " * 3
HTML = (
    "<html lang=en><head><title>Bridge opens</title></head>"
    f"<body><article><h1>Bridge opens</h1><p>{TEXT}</p></article></body></html>"
)


def ask(**fields: Any) -> dict[str, Any]:
    """Return the answer to a line of these fields."""
    return line_handler({})(json.dumps(fields).encode())


def test_page_handler_takes_and_gives_what_can_be_pickled() -> None:
    """An item goes to the child and its result comes back."""
    item = {
        "body": HTML.encode(),
        "url": URL,
        "charset": None,
        "fetched_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    result = page_handler({})(item)

    assert isinstance(result, Extraction)
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - our own
    assert isinstance(page_handler({})(item | {"body": b""}), NotAnArticle)


def test_one_handler_serves_pages_and_feeds() -> None:
    """What is sent to a child says its kind; a document that is no feed comes back as an error."""
    handle = handler({})
    page = {
        "body": HTML.encode(),
        "url": URL,
        "charset": None,
        "fetched_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    rss = b'<rss version="2.0"><channel><title>News</title><item><title>One</title></item></channel></rss>'
    feed = {"body": rss, "url": "https://herald.example/feed", "content_type": None}

    assert isinstance(handle(("page", page)), Extraction)
    assert isinstance(handle(("feed", feed)), ParsedFeed)
    refused = handle(("feed", feed | {"body": b""}))
    assert isinstance(refused, FeedError)
    assert str(pickle.loads(pickle.dumps(refused))) == str(refused)  # noqa: S301 - our own


def test_row_has_exactly_the_promised_fields() -> None:
    """The answer is JSON, with all fields in their order."""
    row = ask(id="7", url=URL, html=HTML, fetched_at="2026-11-23T00:00:00Z")

    names = (
        "id url canonical_url title authors published_at published_from language text tags paywalled notes"
    )
    assert list(row) == names.split()
    assert (row["id"], row["url"], row["title"], row["language"]) == ("7", URL, "Bridge opens", "en")
    assert json.loads(json.dumps(row)) == row


@pytest.mark.parametrize("name", ["page.html", "page.html.gz"])
def test_page_is_read_from_a_file(tmp_path: Path, name: str) -> None:
    """A path may name a compressed file."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(HTML.encode()) if name.endswith(".gz") else HTML.encode())

    assert ask(id=1, url=URL, html_path=str(path))["title"] == "Bridge opens"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"[1]", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"{}", "missing-field"),
        (b'{"url": "https://a.example/"}', "missing-field"),
        (b'{"url": 7, "html": "<p>x"}', "missing-field"),
        (b'{"url": "https://a.example/", "html": 7}', "missing-field"),
        (b'{"url": "https://a.example/", "html": "<p>x", "fetched_at": "soon"}', "missing-field"),
        (b'{"url": "https://a.example/", "html_path": "/no/such/file"}', "unreadable-file"),
        (b'{"url": "https://a.example/", "html_path": "a\\u0000b"}', "unreadable-file"),
        (b'{"url": "https://a.example/", "html": ""}', "no-text"),
        (b'{"url": "https://a.example/", "html": "words"}', "not-html"),
        (b'{"url": "https://a.example/", "html": "<p>\\ud800</p>"}', "no-text"),
    ],
)
def test_bad_line_gets_an_error(line: bytes, code: str) -> None:
    """No line raises; each is answered with a code and a message."""
    answer = line_handler({})(line)

    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
    assert "id" in answer


def test_error_names_the_line() -> None:
    """The id of a bad line is kept where it can be read."""
    assert ask(id="x", url=URL)["id"] == "x"
    assert ask(id="x", url="ftp://a.example/", html=HTML)["error"]["code"] == "bad-url"


def test_bomb_is_too_large(tmp_path: Path) -> None:
    """A small file that unpacks to a huge page is not unpacked further than the limit."""
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b" " * (MAX_BYTES + 1)))

    assert ask(url=URL, html_path=str(path))["error"]["code"] == "too-large"
    assert ask(url=URL, html="x" * (MAX_BYTES + 1))["error"]["code"] == "too-large"


def test_broken_compression_is_unreadable(tmp_path: Path) -> None:
    """A file that is no gzip, or half of one, is no reason to stop."""
    for number, content in enumerate((b"no gzip", gzip.compress(HTML.encode())[:60])):
        path = tmp_path / f"{number}.gz"
        path.write_bytes(content)

        assert ask(url=URL, html_path=str(path))["error"]["code"] == "unreadable-file"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain &amp; simple", "plain & simple"),
        ("one\n\ntwo", "one\ntwo"),
        ("<p>One <b>bold</b> word.</p><p>Two<br>three</p>", "One bold word.\nTwo\nthree"),
        ("<p>a</p><script>alert(1)</script><style>p{}</style><p>b</p>", "a\nb"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<p>soft\u00adhyphen</p>", "softhyphen"),
        ("<p>a</p><pAcross the border.</p>", "a\nAcross the border."),
        ("", ""),
        ("<!-- -->", ""),
    ],
)
def test_feed_text_is_plain(html: str, text: str) -> None:
    """A feed's HTML becomes lines of text without markup or scripts."""
    assert text_of(html) == text
