"""An article from the bytes of a page.

    bytes → text → repaired → one tree ─┬─► metadata ──────────────┐
                                        ├─► body ─► page kind ─────┼─► Extraction or NotAnArticle
                                        └─► canonical URL ─────────┘

Pure: no network, no clock. Hostile pages cost time in proportion to their size; the caller limits both.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from newswire.events import Moment, Reason
from newswire_ingest.body import Body, find_body
from newswire_ingest.canonical import find_canonical
from newswire_ingest.decode import decode_html
from newswire_ingest.metadata import Metadata, is_paywalled, read_metadata
from newswire_ingest.page_kind import verdict
from newswire_ingest.page_tree import Page, parse_page
from newswire_ingest.repair import repair_markup

MAX_TITLE_FROM_TEXT = 120  # characters
SNIFFED = 65_536  # characters in which a page shows that it is HTML

_MAGIC = (
    b"%PDF-",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"RIFF",
    b"\x1f\x8b",
    b"ID3",
    b"OggS",
)
_FEED = re.compile(
    r"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:rss|feed|rdf:rdf|urlset|sitemapindex)\b",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<[a-z!]", re.IGNORECASE)


@dataclass(frozen=True)
class Extraction:
    """An article as its page gives it."""

    canonical_url: str
    title: str
    text: str
    authors: tuple[str, ...] = ()
    published_at: Moment | None = None
    published_from: str | None = None
    published_plausible: bool | None = None
    language: str | None = None
    outlet: str | None = None
    tags: tuple[str, ...] = ()
    paywalled: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotAnArticle:
    """Why a page gave no article, with a message that a person understands."""

    reason: Reason
    message: str


def extract(body: bytes, url: str, charset: str | None, fetched_at: datetime) -> Extraction | NotAnArticle:
    """Return the article that stands in a page, or why there is none.

    ``url`` is where the page was in the end, ``charset`` that of the answer's header. Raises ``BadUrlError``
    if the URL is none.
    """
    if body.lstrip()[:8].startswith(_MAGIC):
        return NotAnArticle(Reason.NOT_HTML, "the answer is a file of another kind than HTML")
    html, _ = decode_html(body, charset)
    return extract_html(html, url, fetched_at)


def extract_html(html: str, url: str, fetched_at: datetime) -> Extraction | NotAnArticle:
    """Return the article that stands in a page's decoded text, or why there is none; see ``extract``."""
    if not html.strip():
        return NotAnArticle(Reason.NO_TEXT, "the page is empty")
    if not _TAG.search(html[:SNIFFED]) or _FEED.match(html[:SNIFFED]):
        return NotAnArticle(Reason.NOT_HTML, "the answer is not HTML")
    repaired, notes = repair_markup(html)
    try:
        page = parse_page(repaired, url)
        return _read(page, repaired, notes, fetched_at) if page else _unreadable("it holds no element")
    except (RecursionError, MemoryError) as error:
        return _unreadable(f"{type(error).__name__} while it was read")


def _unreadable(why: str) -> NotAnArticle:
    return NotAnArticle(Reason.NO_TEXT, f"the page cannot be read: {why}")


def _read(page: Page, markup: str, notes: tuple[str, ...], fetched_at: datetime) -> Extraction | NotAnArticle:
    metadata = read_metadata(page, fetched_at)
    body = find_body(page, metadata.title)
    refused = verdict(page, "\n".join(body.lines), metadata.title, markup)
    if refused:
        return NotAnArticle(*refused)
    canonical, doubts = find_canonical(page)
    paywalled = is_paywalled(page, metadata, "\n".join(body.lines))
    return _article(canonical, metadata, body, paywalled, notes + doubts)


def _article(
    canonical: str, metadata: Metadata, body: Body, paywalled: bool, notes: tuple[str, ...]
) -> Extraction:
    published = metadata.published
    if body.witness != "trafilatura":
        notes += (f"text-from: {body.witness}",)
    if not metadata.title:
        notes += ("title-from: text",)
    return Extraction(
        canonical_url=canonical,
        title=metadata.title or body.lines[0][:MAX_TITLE_FROM_TEXT],
        text="\n".join(body.lines),
        authors=metadata.authors,
        published_at=published.at if published else None,
        published_from=published.witness if published else None,
        published_plausible=published.plausible if published else None,
        language=metadata.language,
        outlet=metadata.outlet,
        tags=metadata.tags,
        paywalled=paywalled,
        notes=notes,
    )
