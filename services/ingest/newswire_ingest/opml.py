"""Feed lists: OPML in and out, a plain list of URLs, CSV with a header.

Real lists are edited by hand and written by careless programs: whatever names a feed is taken, and each line
that does not is told about.
"""

import csv
import html
import io
import re
from collections.abc import Iterable, Iterator

from lxml import etree

from newswire.events import Feed
from newswire_ingest.decode import decode_html
from newswire_ingest.feed_row import FeedList, FeedListError, FeedRow, feed_list

__all__ = ["FeedList", "FeedListError", "read_feed_list", "read_opml", "write_opml"]

NAMESPACE = "urn:newswire:opml"
MAX_LENGTH = 20_000_000  # bytes; 100,000 feeds have about as many
OWN_ATTRIBUTES = ("interval", "outlet", "language", "enabled")
HEAD_LENGTH = 4_096  # bytes in which OPML must show that it is that
DELIMITERS = ",;\t"

_ROOT = re.compile(r"<opml(?=[\s/>])", re.IGNORECASE)
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_FEEDS = frozenset({"link", "include"})  # types of outlines that point at pages and at other lists


def read_feed_list(data: bytes, name: str) -> FeedList:
    """Read a list in any of the three formats; ``name`` is the file's, used in messages and for its ending.

    Raises ``FeedListError`` if it names no feed at all though it should.
    """
    if len(data) > MAX_LENGTH:
        raise FeedListError(f"{name} is larger than {MAX_LENGTH // 1_000_000} MB")
    text = decode_html(data, None)[0]
    if name.lower().endswith(".opml") or _ROOT.search(text[:HEAD_LENGTH]):
        found = _opml(text, name)
        if not found.problems:
            return found  # an empty OPML list is an empty list
    else:
        found = feed_list(_csv_rows(text) if _is_csv(text, name) else _plain_rows(text))
    if not found.feeds:
        raise FeedListError(f"no feed can be read in {name}" + "".join(f": {p}" for p in found.problems[:1]))
    return found


def read_opml(data: bytes) -> FeedList:
    """Read OPML, well-formed or not; folders become tags. Raises ``FeedListError`` if it is no OPML."""
    if len(data) > MAX_LENGTH:
        raise FeedListError(f"the OPML is larger than {MAX_LENGTH // 1_000_000} MB")
    return _opml(decode_html(data, None)[0], "the list")


def write_opml(feeds: Iterable[Feed]) -> bytes:
    """Return the feeds as OPML 2.0, with what OPML has no word for in our own namespace."""
    root = etree.Element("opml", nsmap={"newswire": NAMESPACE}, version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Newswire feeds"
    body = etree.SubElement(root, "body")
    for feed in feeds:
        etree.SubElement(body, "outline", _attributes(feed))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _attributes(feed: Feed) -> dict[str, str]:
    tags = ",".join(re.sub(r"[,/]", " ", tag) for tag in feed.tags)
    words = {
        "type": "rss",
        "text": feed.title or feed.url,
        "title": feed.title or "",
        "xmlUrl": feed.url,
        "category": tags,
        f"{{{NAMESPACE}}}interval": f"{feed.interval_seconds!r}" if feed.interval_seconds else "",
        f"{{{NAMESPACE}}}outlet": feed.outlet or "",
        f"{{{NAMESPACE}}}language": feed.language or "",
        f"{{{NAMESPACE}}}enabled": "" if feed.enabled else "false",
    }
    return {name: _CONTROL.sub("", word) for name, word in words.items() if word}


def _opml(text: str, name: str) -> FeedList:
    found = _ROOT.search(text)
    if not found:
        raise FeedListError(f"{name} is no OPML: it has no <opml> element")
    # from the root on: without a document type there are no entities to load or to multiply
    document = _BARE_AMPERSAND.sub("&amp;", _CONTROL.sub("", text[found.start() :]))
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, encoding="utf-8")
    try:
        root = etree.fromstring(document.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise FeedListError(f"{name} cannot be read as OPML: {error}") from error
    if root is None:
        raise FeedListError(f"{name} cannot be read as OPML")
    return feed_list(_outline_rows(root))


def _outline_rows(root: etree._Element) -> Iterator[FeedRow]:
    for outline in root.iter("outline"):
        words = _words(outline)
        if words["url"]:
            yield FeedRow(f"line {outline.sourceline}", words, _folders(outline) + _categories(outline))


def _words(outline: etree._Element) -> dict[str, str]:
    """Return the attributes by our names, their letter case forgiven; the URL is empty if it is no feed."""
    given = {str(name).lower(): str(value).strip() for name, value in outline.attrib.items()}
    url = given.get("xmlurl") or ("" if given.get("type", "").lower() in _NOT_FEEDS else given.get("url"))
    own = {name: html.unescape(given.get(f"{{{NAMESPACE}}}{name}", "")) for name in OWN_ATTRIBUTES}
    title = html.unescape(given.get("title") or given.get("text") or "")
    return own | {"url": url or "", "title": "" if title == url else title}


def _folders(outline: etree._Element) -> tuple[str, ...]:
    """Return the names of the outlines around this one, outermost first."""
    names = [_words(folder)["title"] for folder in outline.iterancestors("outline")]
    return tuple(name for name in reversed(names) if name)


def _categories(outline: etree._Element) -> tuple[str, ...]:
    """Return the parts of ``category``, in which commas part the categories and slashes their levels."""
    parts = re.split(r"[,/]", html.unescape(str(outline.get("category", ""))))
    return tuple(part.strip() for part in parts if part.strip())


def _is_csv(text: str, name: str) -> bool:
    return name.lower().endswith((".csv", ".tsv")) or "url" in _header(text)


def _header(text: str) -> list[str]:
    first = text.lstrip("\ufeff\r\n\t ").partition("\n")[0].strip().lower()
    return [cell.strip().strip('"') for cell in first.split(_delimiter(first))]


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _csv_rows(text: str) -> Iterator[FeedRow]:
    lines = text.lstrip("\ufeff\r\n\t ").splitlines(keepends=True)
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=_delimiter("".join(lines[:1])))
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        for cells in reader:
            words = dict(zip(header, cells, strict=False))
            if any(cell.strip() for cell in cells):
                tags = tuple(tag.strip() for tag in re.split(r"[;|,]", words.get("tags", "")) if tag.strip())
                yield FeedRow(f"line {reader.line_num}", words, tags)
    except csv.Error as error:
        raise FeedListError(f"the CSV cannot be read at line {reader.line_num}: {error}") from error


def _plain_rows(text: str) -> Iterator[FeedRow]:
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        url = line.split(" #", 1)[0].strip()
        if url and not url.startswith("#"):
            yield FeedRow(f"line {number}", {"url": url})
