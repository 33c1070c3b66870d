"""Feeds in RSS 2.0, Atom, RDF (RSS 1.0) and JSON Feed; pure functions from entries to a document."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape

from newswire_newsroom.world import FeedFormat, FeedSpec

CONTENT_TYPES: Mapping[FeedFormat, str] = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}
ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
DC_TERMS = "http://purl.org/dc/terms/"


@dataclass(frozen=True)
class FeedEntry:
    """What a feed says of an article; ``summary`` and ``content`` are HTML."""

    native_id: str
    link: str | None
    title: str
    published: datetime
    updated: datetime | None = None
    author: str = ""
    summary: str = ""
    content: str = ""
    tags: tuple[str, ...] = ()


def render(feed: FeedSpec, entries: Sequence[FeedEntry]) -> bytes:
    """Return the feed document with these entries, newest first; broken where the feed's fault says so."""
    newest_first = sorted(entries, key=lambda entry: (entry.published, entry.native_id), reverse=True)
    text = RENDERERS[feed.format](feed, newest_first)
    if feed.fault == "broken-xml":
        text = _break(text)
    return text.encode()


def rss(feed: FeedSpec, entries: Sequence[FeedEntry]) -> str:
    """Return RSS 2.0; an update is told by ``atom:updated``."""
    items = "".join(_rss_item(entry) for entry in entries)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n'
        f'<rss version="2.0" xmlns:atom="{ATOM}" xmlns:content="{CONTENT}" xmlns:dc="{DUBLIN_CORE}">'
        f"<channel><title>{escape(feed.title)}</title><link>{_home(feed)}</link>"
        f"<description>{escape(feed.title)}</description>\n{items}</channel></rss>\n"
    )


def _rss_item(entry: FeedEntry) -> str:
    return (
        f"<item>{_element('title', entry.title)}{_element('link', entry.link)}"
        f'<guid isPermaLink="false">{escape(entry.native_id)}</guid>'
        f"<pubDate>{format_datetime(entry.published)}</pubDate>"
        f"{_element('atom:updated', _iso(entry.updated))}{_element('dc:creator', entry.author)}"
        f"{_element('description', entry.summary)}{_element('content:encoded', entry.content)}"
        f"{''.join(_element('category', tag) for tag in entry.tags)}</item>\n"
    )


def atom(feed: FeedSpec, entries: Sequence[FeedEntry]) -> str:
    """Return Atom 1.0."""
    newest = max((entry.updated or entry.published for entry in entries), default=None)
    items = "".join(_atom_entry(entry) for entry in entries)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="{ATOM}">'
        f'{_element("title", feed.title)}<id>{feed.url}</id><link rel="self" href="{feed.url}"/>'
        f'<link href="{_home(feed)}"/>{_element("updated", _iso(newest))}\n{items}</feed>\n'
    )


def _atom_entry(entry: FeedEntry) -> str:
    link = f'<link rel="alternate" type="text/html" href="{escape(entry.link)}"/>' if entry.link else ""
    author = f"<author>{_element('name', entry.author)}</author>" if entry.author else ""
    tags = "".join(f'<category term="{escape(tag)}"/>' for tag in entry.tags)
    return (
        f"<entry>{_element('title', entry.title)}{link}{_element('id', entry.native_id)}"
        f"{_element('published', _iso(entry.published))}"
        f"{_element('updated', _iso(entry.updated or entry.published))}{author}"
        f"{_html_element('summary', entry.summary)}{_html_element('content', entry.content)}{tags}</entry>\n"
    )


def rdf(feed: FeedSpec, entries: Sequence[FeedEntry]) -> str:
    """Return RSS 1.0, whose items stand beside the channel."""
    listed = "".join(f'<rdf:li rdf:resource="{escape(entry.link or "")}"/>' for entry in entries)
    items = "".join(_rdf_item(entry) for entry in entries)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n'
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        f' xmlns:content="{CONTENT}" xmlns:dc="{DUBLIN_CORE}" xmlns:dcterms="{DC_TERMS}">'
        f'<channel rdf:about="{feed.url}">{_element("title", feed.title)}<link>{_home(feed)}</link>'
        f"{_element('description', feed.title)}<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n"
        f"{items}</rdf:RDF>\n"
    )


def _rdf_item(entry: FeedEntry) -> str:
    return (
        f'<item rdf:about="{escape(entry.link or "")}">{_element("title", entry.title)}'
        f"{_element('link', entry.link)}{_element('description', entry.summary)}"
        f"{_element('content:encoded', entry.content)}{_element('dc:date', _iso(entry.published))}"
        f"{_element('dcterms:issued', _iso(entry.published))}"
        f"{_element('dcterms:modified', _iso(entry.updated))}{_element('dc:creator', entry.author)}"
        f"{''.join(_element('dc:subject', tag) for tag in entry.tags)}</item>\n"
    )


def json_feed(feed: FeedSpec, entries: Sequence[FeedEntry]) -> str:
    """Return JSON Feed 1.1."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": _home(feed),
        "feed_url": feed.url,
        "items": [_json_item(entry) for entry in entries],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _json_item(entry: FeedEntry) -> dict[str, object]:
    item = {
        "id": entry.native_id,
        "url": entry.link,
        "title": entry.title,
        "date_published": _iso(entry.published),
        "date_modified": _iso(entry.updated),
        "authors": [{"name": entry.author}] if entry.author else None,
        "summary": entry.summary.removeprefix("<p>").removesuffix("</p>") or None,
        "content_html": entry.content or None,
        "tags": list(entry.tags) or None,
    }
    return {key: value for key, value in item.items() if value is not None}


RENDERERS: Mapping[FeedFormat, Callable[[FeedSpec, Sequence[FeedEntry]], str]] = {
    "rss": rss,
    "atom": atom,
    "rdf": rdf,
    "json": json_feed,
}


def _break(document: str) -> str:
    """Return the document as a careless publisher's script would: a raw ampersand, no end."""
    return document.replace("<description>", "<description>News & views ", 1).removesuffix(
        "</channel></rss>\n"
    )


def _element(name: str, text: str | None) -> str:
    return f"<{name}>{escape(text, quote=False)}</{name}>" if text else ""


def _html_element(name: str, html: str) -> str:
    return f'<{name} type="html">{escape(html, quote=False)}</{name}>' if html else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _home(feed: FeedSpec) -> str:
    return "/".join(feed.url.split("/")[:3]) + "/"
