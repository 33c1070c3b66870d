"""RSS, Atom and RDF through feedparser, which is given a document that was made safe first.

It gets UTF-8 bytes from the root element on: no document type, so no entities to load or to multiply; no
control characters and no HTML entity names, which would send it to its slow parser for broken XML.
"""

import html
import io
import re
from collections.abc import Iterable, Mapping
from html.entities import html5
from typing import Any
from urllib.parse import urljoin

from newswire.events import Moment
from newswire.ids import fold_whitespace
from newswire_ingest.feed_dates import moment_of, parse_moment
from newswire_ingest.feed_model import FeedError, Format, ParsedEntry, ParsedFeed

MAX_TITLE_LENGTH = 2_000  # characters
MAX_TAGS = 100
SURROGATES = range(0xD800, 0xE000)  # halves of characters in UTF-16, which XML allows nobody to name
PERIODS = {
    "hourly": 3_600,
    "daily": 86_400,
    "weekly": 604_800,
    "monthly": 2_592_000,
    "yearly": 31_536_000,
}  # s

_FORMATS: dict[str, Format] = {"rss": "rss", "feed": "atom", "rdf": "rdf"}
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_SURROGATES = re.compile(r"(?:&#(?:5[5-7][0-9]{3}|[xX][dD][89a-fA-F][0-9a-fA-F]{2});){1,2}")
_ESCAPED = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(r"<[/!]?[A-Za-z][^<>]{0,1000}>|<!--[^<>]{0,1000}-->")
_UNSHOWN = re.compile(r"<(script|style)\b[^<>]{0,1000}>[^<]{0,100000}</\1\s{0,9}>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/?p|/?div)\b[^<>]{0,100}>", re.IGNORECASE)
# A guid that is no URL must not be taken for a permalink, though RSS says that it is one by default.
_BARE_GUID = re.compile(
    r"""<guid(?:\s{1,9}isPermaLink=["']true["'])?\s{0,9}>(?=\s{0,99}(?:<!\[CDATA\[\s{0,99})?(?!https?:|/))"""
)
_EMPTY_LINK = re.compile(r"<link\s{0,9}/>|<link>\s{0,99}</link>")  # would hide the guid's link
_EMPTY_BRACKETS = re.compile(r"\(\s?\)|<\s?>")
_EMAIL = re.compile(r"[^\s@<>()]{1,100}@[^\s@<>()]{1,100}")


def parse_xml_feed(document: str, root: str, url: str, max_entries: int) -> ParsedFeed:
    """Read the document, which starts at its root element. Raises ``FeedError``."""
    found = _feedparser(_prepared(document), url)
    if not found.get("version"):
        raise FeedError("not-a-feed", f"XML, but not a feed: its root element is {root}")
    feed = found["feed"]
    is_atom = root == "feed"
    return ParsedFeed(
        format=_FORMATS[root],
        title=_title(feed, plain=is_atom),
        entries=tuple(_entry(entry, url, is_atom=is_atom) for entry in found["entries"][:max_entries]),
        ttl_seconds=_ttl(feed),
        language=_string(feed, "language"),
        home_url=_link(feed, url),
    )


def _prepared(document: str) -> bytes:
    text = _ENTITY.sub(_character, _CONTROL.sub("", document))
    text = _SURROGATES.sub(_joined, text)
    text = _EMPTY_LINK.sub("", _BARE_GUID.sub('<guid isPermaLink="false">', text))
    return (_DECLARATION + text).encode()


def _character(entity: re.Match[str]) -> str:
    """Return the character of an HTML entity, escaped where XML asks for it; an unknown one as it is."""
    value = html5.get(f"{entity[1]};")
    return entity[0] if entity[1] in _XML_ENTITIES or value is None else html.escape(value)


def _joined(references: re.Match[str]) -> str:
    """Return the character that references to halves of a surrogate pair mean, as old systems write emoji."""
    codes = [int(code[1:], 16) if code[0] in "xX" else int(code) for code in references[0][2:-1].split(";&#")]
    if not all(code in SURROGATES for code in codes):
        return references[0]
    halves = "".join(map(chr, codes)).encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "replace")


def _feedparser(body: bytes, url: str) -> Mapping[str, Any]:
    import feedparser  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import

    headers = {"content-type": "application/xml; charset=utf-8", **({"content-location": url} if url else {})}
    try:
        # a stream: a string or bytes would be tried as the name of a file
        found: Mapping[str, Any] = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # it lets errors of many kinds through on broken feeds
        raise FeedError("not-a-feed", f"the feed cannot be read: {error!r:.200}") from error
    return found


def _entry(entry: Mapping[str, Any], base: str, *, is_atom: bool) -> ParsedEntry:
    content = _content(entry)
    summary = _string(entry, "summary")
    published, updated = _dates(entry, is_atom=is_atom)
    return ParsedEntry(
        id=_string(entry, "id"),
        url=_link(entry, base),
        title=_title(entry, plain=is_atom),
        published_at=published,
        updated_at=updated,
        authors=_authors(entry),
        summary=None if summary == content else summary,  # feedparser copies the content into it
        content=content,
        tags=_tags(entry),
    )


def _string(found: Mapping[str, Any], key: str) -> str | None:
    value = dict.get(found, key)  # type: ignore[call-overload] # past feedparser's own get, which warns
    return value.strip() or None if isinstance(value, str) else None


def _title(found: Mapping[str, Any], *, plain: bool) -> str | None:
    """Return the title as plain text; ``plain`` believes a feed that says that its title holds no mark-up."""
    title = _string(found, "title") or ""
    detail = found.get("title_detail") or {}
    if not (plain and detail.get("type") == "text/plain"):
        title = _TAG.sub("", _BREAK.sub(" ", _UNSHOWN.sub("", title)))
    return (
        fold_whitespace(_ESCAPED.sub(lambda match: html.unescape(match[0]), title))[:MAX_TITLE_LENGTH] or None
    )


def _link(found: Mapping[str, Any], base: str) -> str | None:
    """Return the page's URL: what FeedBurner stood before, the alternate link, or a permalink."""
    alternates = [
        link for link in found.get("links", ()) if link.get("rel") == "alternate" and link.get("href")
    ]
    alternates.sort(key=lambda link: "html" not in link.get("type", ""))  # stable: the first of the best
    link = _string(found, "feedburner_origlink") or next((str(link["href"]) for link in alternates), None)
    if not link:
        link = _string(found, "link")
        if link == _string(found, "id") and not (link or "").startswith(("http://", "https://", "/")):
            return None  # feedparser takes any id for a link
    try:
        return urljoin(base, link.strip()) if link and base else link
    except ValueError:
        return link


def _dates(entry: Mapping[str, Any], *, is_atom: bool) -> tuple[Moment | None, Moment | None]:
    """Return when the entry was published and updated.

    RSS and RDF may have ``dc:date`` alone, which feedparser reads as updated: it is when they were published.
    """
    published = _moment(entry, "published") or _moment(entry, "created")
    updated = _moment(entry, "updated")
    if not is_atom and published is None:
        return updated, None
    return published, updated


def _moment(entry: Mapping[str, Any], key: str) -> Moment | None:
    parsed = dict.get(entry, f"{key}_parsed")  # type: ignore[call-overload]
    return parse_moment(_string(entry, key)) or (moment_of(parsed) if _has_day(_string(entry, key)) else None)


def _has_day(text: str | None) -> bool:
    """Tell whether a date is more than a year or a month, which feedparser would fill up."""
    return len(text or "") > len("2026-01")


def _content(entry: Mapping[str, Any]) -> str | None:
    """Return the first content that is text."""
    for content in entry.get("content", ()):
        kind = content.get("type") or "text/html"
        if (kind.startswith("text/") or "html" in kind) and (value := (content.get("value") or "").strip()):
            return str(value)
    return None


def _authors(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names; of a lone author by the feed's own words, as feedparser misreads long addresses."""
    names = [author.get("name") or "" for author in entry.get("authors", ()) if author]
    if len(names) < 2:  # noqa: PLR2004 - more than one
        names = [_string(entry, "author") or ""]
    return _unique(_name(name) for name in names)


def _name(text: str) -> str:
    """Return an author without a mail address: ``a@b.example (Ann Lee)`` and ``Ann Lee <a@b.example>``."""
    name = _EMPTY_BRACKETS.sub("", fold_whitespace(_EMAIL.sub("", text))).strip()
    return name[1:-1].strip() if name.startswith("(") and name.endswith(")") else name


def _tags(entry: Mapping[str, Any]) -> tuple[str, ...]:
    tags = (tag.get("term") or tag.get("label") or "" for tag in entry.get("tags", ()))
    return _unique(fold_whitespace(tag) for tag in tags)[:MAX_TAGS]


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _ttl(feed: Mapping[str, Any]) -> float | None:
    """Return the seconds of ``ttl`` (minutes), or of the syndication module's period and frequency."""
    minutes = _number(_string(feed, "ttl"))
    if minutes:
        return minutes * 60
    period = PERIODS.get((_string(feed, "sy_updateperiod") or "").lower())
    return period / (_number(_string(feed, "sy_updatefrequency")) or 1) if period else None


def _number(text: str | None) -> float:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < len("1000000") else 0.0
