"""Feeds in all their formats, and what is none."""

import contextlib
import json
import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_ingest.feeds import FeedError, ParsedEntry, entry_row, feed_row, parse_feed

pytestmark = pytest.mark.unit

URL = "https://courier.example/feeds/world.xml"
ATOM = 'xmlns="http://www.w3.org/2005/Atom"'
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/">'
)


def _rss(items: str, head: str = "") -> bytes:
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0">'
        f"<channel><title>World</title>{head}{items}</channel></rss>"
    ).encode()


def _item(inner: str) -> ParsedEntry:
    (entry,) = parse_feed(_rss(f"<item>{inner}</item>"), URL).entries
    return entry


def _atom_entry(inner: str, attributes: str = "") -> ParsedEntry:
    (entry,) = parse_feed(f"<feed {ATOM} {attributes}><entry>{inner}</entry></feed>".encode(), URL).entries
    return entry


def test_rss_is_read() -> None:
    """An ordinary item with everything."""
    feed = parse_feed(
        _rss(
            "<item><title>NATO &amp; Berlin</title><link>https://courier.example/a?b=1&amp;c=2</link>"
            '<guid isPermaLink="false">id-7</guid><pubDate>Mon, 05 Jan 2026 10:00:00 +0200</pubDate>'
            "<dc:creator>Ann Lee</dc:creator><category>World</category><category>NATO</category>"
            "<description>&lt;p&gt;Short&lt;/p&gt;</description>"
            "<content:encoded><![CDATA[<p>Long</p>]]></content:encoded></item>",
            "<language>en-gb</language><ttl>30</ttl><link>https://courier.example/</link>",
        ),
        URL,
    )

    assert (feed.format, feed.title, feed.language, feed.ttl_seconds) == ("rss", "World", "en-gb", 1800.0)
    assert feed.home_url == "https://courier.example/"
    assert feed.entries == (
        ParsedEntry(
            id="id-7", url="https://courier.example/a?b=1&c=2", title="NATO & Berlin",
            published_at=datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=2))), authors=("Ann Lee",),
            summary="<p>Short</p>", content="<p>Long</p>", tags=("World", "NATO"),
        ),
    )  # fmt: skip


def test_atom_is_read() -> None:
    """Both dates, an HTML title, the alternate link among others."""
    entry = _atom_entry(
        '<id>urn:x:1</id><title type="html">A &amp;lt;b&amp;gt; &lt;i&gt;tag&lt;/i&gt;</title>'
        '<link rel="self" href="/self"/><link rel="alternate" type="application/json" href="/json"/>'
        '<link rel="alternate" type="text/html" href="page"/><link rel="enclosure" href="/sound.mp3"/>'
        "<published>2026-01-05T10:00:00-05:00</published><updated>2026-01-06T00:00:00Z</updated>"
        "<author><name>Ann Lee</name></author><author><name>Bo Diaz</name></author>"
        '<category term="world"/><category label="Only a label"/><content type="html">&lt;p&gt;Text</content>'
    )

    assert entry == ParsedEntry(
        id="urn:x:1", url="https://courier.example/feeds/page", title="A <b> tag",
        published_at=datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=-5))),
        updated_at=datetime(2026, 1, 6, tzinfo=UTC), authors=("Ann Lee", "Bo Diaz"), summary=None,
        content="<p>Text", tags=("world", "Only a label"),
    )  # fmt: skip


def test_atom_0_3_is_read() -> None:
    """The old names of the dates."""
    body = (
        b'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>T</title>'
        b'<link rel="alternate" type="text/html" href="https://a.example/x"/>'
        b"<issued>2003-12-13T08:29:29-04:00</issued><modified>2003-12-14T00:00:00Z</modified></entry></feed>"
    )
    feed = parse_feed(body)

    assert (feed.format, feed.entries[0].url) == ("atom", "https://a.example/x")
    assert feed.entries[0].published_at == datetime(
        2003, 12, 13, 8, 29, 29, tzinfo=timezone(timedelta(hours=-4))
    )
    assert feed.entries[0].updated_at == datetime(2003, 12, 14, tzinfo=UTC)


def test_rdf_is_read() -> None:
    """Its one date is when the item was published."""
    body = (
        f'{RDF}<channel rdf:about="x"><title>R</title></channel><item rdf:about="https://a.example/1">'
        "<title>T</title><link>https://a.example/1</link><dc:date>2026-01-05</dc:date></item></rdf:RDF>"
    ).encode()
    feed = parse_feed(body)

    assert (feed.format, feed.title, feed.entries[0].url) == ("rdf", "R", "https://a.example/1")
    assert (feed.entries[0].published_at, feed.entries[0].updated_at) == (date(2026, 1, 5), None)


def test_json_feed_is_read_whatever_its_types() -> None:
    """Numbers for ids, one author or many, plain text, null and nonsense."""
    feed = parse_feed(
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": " W ",
                "language": "de",
                "items": [
                    {
                        "id": 7, "url": "/a", "title": "T", "content_html": "<p>x</p>", "summary": "a < b",
                        "date_published": "2026-01-05T10:00:00+02:00",
                        "date_modified": "2026-01-06T00:00:00Z",
                        "authors": [{"name": "Ann"}, {"name": "Bo"}, {}, None],
                        "tags": ["x", 1, None, "x"],
                    },
                    {"id": "https://a.example/2", "author": {"name": "Old"}, "content_text": "one\n\ntwo"},
                    {"id": None, "title": {"no": "text"}, "tags": "one", "authors": "Cy",
                     "date_published": 5},
                    "nonsense",
                    None,
                ],
            }
        ).encode(),
        URL,
    )  # fmt: skip
    first, second, third = feed.entries

    assert (feed.format, feed.title, feed.language) == ("json", "W", "de")
    assert (first.id, first.url, first.summary) == ("7", "https://courier.example/a", "a &lt; b")
    assert (first.authors, first.tags) == (("Ann", "Bo"), ("x", "1"))
    assert first.published_at == datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=2)))
    assert (second.url, second.authors) == ("https://a.example/2", ("Old",))
    assert second.content == "<p>one</p><p>two</p>"
    assert (third.id, third.title, third.authors, third.tags) == (None, None, ("Cy",), ("one",))


@pytest.mark.parametrize(
    ("body", "feed_format"),
    [
        (_rss(""), "rss"),
        (b'<rss version="0.91"><channel></channel></rss>', "rss"),
        (b'<rss version="2.0"/>', "rss"),
        (f"<feed {ATOM}></feed>".encode(), "atom"),
        (b'<atom:feed xmlns:atom="http://www.w3.org/2005/Atom"/>', "atom"),
        (f"{RDF}<channel/></rdf:RDF>".encode(), "rdf"),
        (b'{"version":"https://jsonfeed.org/version/1","items":[]}', "json"),
        (b'{"version":"https://jsonfeed.org/version/1"}', "json"),
    ],
)
def test_a_feed_without_items_is_a_feed(body: bytes, feed_format: str) -> None:
    """Valid and empty is no error, and the row says so."""
    feed = parse_feed(body)

    assert (feed.format, feed.entries) == (feed_format, ())
    assert feed_row(feed)["entries"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty-body"),
        (b" \r\n\t\x00", "empty-body"),
        (b"\xef\xbb\xbf  ", "empty-body"),
        (b"<!DOCTYPE html><html><head><title>Not found</title></head></html>", "html"),
        (b"\n<!-- x --><HTML><body></body></HTML>", "html"),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x" "y"><html xmlns="x"/>', "html"),
        (b"<!doctype html>Access denied", "html"),
        (b"<p>Sorry", "html"),
        (b"<script>document.location='/'</script>", "html"),
        (b"<html><!-- <rdf:RDF><License/></rdf:RDF> --></html>", "html"),
        (b"Service unavailable", "not-a-feed"),
        (b"/etc/hosts", "not-a-feed"),
        (b"https://a.example/feed", "not-a-feed"),
        (b'<?xml version="1.0"?><urlset><url/></urlset>', "not-a-feed"),
        (b'<?xml version="1.0"?><opml version="2.0"><body/></opml>', "not-a-feed"),
        (b"<svg><rss version='2.0'/></svg>", "not-a-feed"),
        (b"<!-- only a comment", "not-a-feed"),
        (
            b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><Person/></rdf:RDF>',
            "not-a-feed",
        ),
        (b"%PDF-1.7 \x00\xff", "not-a-feed"),
        (b'{"error":"no"}', "not-a-feed"),
        (b'{"version":"https://jsonfeed.org/version/1","items":[', "not-a-feed"),
        (b"[1,2]", "not-a-feed"),
        (b"[" * 100_000, "not-a-feed"),
        (b'{"items":' + b"9" * 10_000 + b"}", "not-a-feed"),
        (_rss("x" * 15_000_001), "too-large"),
    ],
)
def test_what_is_no_feed_has_a_code(body: bytes, code: str) -> None:
    """Nothing that is no feed is called a healthy empty one."""
    with pytest.raises(FeedError) as caught:
        parse_feed(body, URL, "application/rss+xml")

    assert caught.value.code == code
    assert caught.value.message


def test_a_very_large_page_is_recognised_quickly() -> None:
    """HTML is told from its head; 30 MB are not parsed."""
    body = b"<!DOCTYPE html><html><body>" + b"<p>word</p>" * 2_700_000
    started = time.monotonic()
    with pytest.raises(FeedError) as caught:
        parse_feed(body)

    assert caught.value.code == "html"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "content_type", [None, "text/html; charset=utf-8", "application/json", "nonsense", ""]
)
def test_the_content_type_does_not_decide(content_type: str | None) -> None:
    """A feed served as something else is a feed."""
    assert parse_feed(_rss("<item/>"), URL, content_type).format == "rss"


@pytest.mark.parametrize(
    ("codec", "declared", "content_type"),
    [
        ("utf-8", "", None),
        ("cp1251", ' encoding="windows-1251"', None),
        ("cp1251", "", "text/xml; charset=windows-1251"),
        ("utf-8", ' encoding="iso-8859-1"', "text/xml; charset=us-ascii"),
        ("utf-16", ' encoding="utf-16"', None),
        ("utf-8-sig", "", None),
    ],
)
def test_the_charset_is_found(codec: str, declared: str, content_type: str | None) -> None:
    """By mark, header, declaration or the bytes themselves."""
    body = f'<?xml version="1.0"{declared}?><rss version="2.0"><channel><title>Новости дня</title></channel>'

    assert parse_feed(body.encode(codec), URL, content_type).title == "Новости дня"


@pytest.mark.parametrize(
    "before",
    [
        b"\n\n  ",
        b"\xef\xbb\xbf\n",
        b"<br />\n<b>Warning</b>: mysql in <b>/x.php</b> on line 3<br />",
        b"Notice: undefined index\n",
        b"<!-- " + b"x" * 100_000 + b" -->",
        b"<!DOCTYPE rss [<!ENTITY x 'y'>]>",
    ],
)
def test_noise_before_a_feed_is_passed_over(before: bytes) -> None:
    """Blank lines, warnings of the server, long comments, a document type."""
    assert parse_feed(before + _rss("<item><title>T</title></item>")).entries[0].title == "T"


@pytest.mark.parametrize(
    "items",
    [
        "<item><title>A & B</title><link>https://a.example/x?a=1&b=2</link></item>",
        "<item><title>A &amp; B</title><link>https://a.example/x?a=1&amp;b=2</link></item><item>",
        "<item><title>A &amp; B</title><link>https://a.example/x?a=1&amp;b=2</link><description>&unknown;",
        "<item><title>A \x0b&amp; B\x01</title><link>https://a.example/x?a=1&amp;b=2</link></item>",
    ],
)
def test_broken_xml_is_read_as_far_as_it_goes(items: str) -> None:
    """Bare ampersands, a cut-off end, unknown entities, control characters."""
    entry = parse_feed(_rss(items)).entries[0]

    assert (entry.title, entry.url) == ("A & B", "https://a.example/x?a=1&b=2")


def test_entities_are_neither_loaded_nor_multiplied() -> None:
    """The document type is cut off: no file is read, no bomb goes off."""
    bomb = b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hosts"><!ENTITY a "' + b"A" * 10_000 + b'">]>'
    feed = parse_feed(bomb + _rss("<item><title>" + "&a;" * 10_000 + "&f;</title></item>"))

    assert len(feed.entries[0].title or "") <= 2_000
    assert "localhost" not in (feed.entries[0].title or "")


def test_entries_are_capped() -> None:
    """The first 5,000 are kept."""
    items = "".join(f"<item><title>{number}</title></item>" for number in range(5_003))

    assert len(parse_feed(_rss(items)).entries) == 5_000


@pytest.mark.parametrize(
    ("inner", "url"),
    [
        ("<link>https://a.example/x</link>", "https://a.example/x"),
        ("<link>\n /x?utm_source=a \n</link>", "https://courier.example/x?utm_source=a"),
        ("<guid>https://a.example/1</guid>", "https://a.example/1"),
        ('<guid isPermaLink="true">https://a.example/1</guid>', "https://a.example/1"),
        ('<guid isPermaLink="false">https://a.example/1</guid>', None),
        ("<link/><guid>https://a.example/1</guid>", "https://a.example/1"),
        ("<guid>abc-1</guid>", None),
        ('<guid isPermaLink="true">abc-1</guid>', None),
        ("<guid>https://a.example/1</guid><link>https://a.example/2</link>", "https://a.example/2"),
        ("<link>https://feeds.example/~r/1</link><feedburner:origLink>https://a.example/1</feedburner:origLink>",
         "https://a.example/1"),
        ('<atom:link rel="self" href="https://a.example/self"/><link>https://a.example/1</link>',
         "https://a.example/1"),
        ("<title>No link</title>", None),
    ],
)  # fmt: skip
def test_the_link_of_an_rss_item(inner: str, url: str | None) -> None:
    """Link before guid, a guid only where it is a permalink, the origin before FeedBurner."""
    assert _item(inner).url == url


@pytest.mark.parametrize(
    ("inner", "attributes", "url"),
    [
        ('<link href="x"/>', "", "https://courier.example/feeds/x"),
        ('<link href="x"/>', 'xml:base="https://b.example/c/"', "https://b.example/c/x"),
        ('<link href="x"/>', 'xml:base="/c/"', "https://courier.example/c/x"),
        ("<id>urn:uuid:1</id>", "", None),
        ("<id>https://a.example/1</id>", "", "https://a.example/1"),
        ('<link rel="related" href="https://b.example/"/><link href="/x"/>', "", "https://courier.example/x"),
    ],
)
def test_the_link_of_an_atom_entry(inner: str, attributes: str, url: str | None) -> None:
    """The alternate link, resolved against ``xml:base`` and the feed's URL."""
    assert _atom_entry(inner, attributes).url == url


@pytest.mark.parametrize("guid", ["abc-1", "https://a.example/1", "tag:a.example,2026:1"])
def test_a_guid_is_kept_as_it_is(guid: str) -> None:
    """A bare guid is not made into a URL."""
    assert _item(f"<guid>{guid}</guid><link>/x</link>").id == guid


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("A &amp; B", "A & B"),
        ("A &amp;amp; B", "A & B"),
        ("Caf&amp;eacute; &amp;#8211; x &#38; y", "Café – x & y"),
        ("Caf&eacute; &nbsp; x", "Café x"),
        ("<![CDATA[A &amp; <b>bold</b> claim]]>", "A & bold claim"),
        ("&lt;b&gt;A&lt;/b&gt;&lt;br/&gt;B", "A B"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;A", "A"),
        ("AT&amp;copy2 and 3 &lt; 5", "AT&copy2 and 3 < 5"),
        ("  two\n  lines ", "two lines"),
        ("", None),
    ],
)
def test_a_title_is_plain_text(given: str, title: str | None) -> None:
    """Tags and entities are resolved, also where they were escaped twice."""
    assert _item(f"<title>{given}</title>").title == title


def test_a_title_that_says_that_it_is_text_keeps_its_brackets() -> None:
    """In Atom a title of type text holds no mark-up."""
    assert _atom_entry("<title>The &lt;b&gt; tag</title>").title == "The <b> tag"


@pytest.mark.parametrize(
    ("inner", "authors"),
    [
        ("<author>ann@a.example (Ann Lee)</author>", ("Ann Lee",)),
        ("<author>Ann Lee &lt;ann@a.example&gt;</author>", ("Ann Lee",)),
        ("<author>Ann Lee (Courier)</author>", ("Ann Lee (Courier)",)),
        ("<author>Ann Lee</author>", ("Ann Lee",)),
        ("<author>desk@a.example</author>", ()),
        ("<dc:creator> Ann\n Lee </dc:creator>", ("Ann Lee",)),
        ("", ()),
    ],
)
def test_authors_are_names(inner: str, authors: tuple[str, ...]) -> None:
    """Without mail addresses."""
    assert _item(inner).authors == authors


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("<ttl>60</ttl>", 3600.0), ("<ttl>0</ttl>", None), ("<ttl>soon</ttl>", None), ("", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 900.0),
        ("<sy:updatePeriod> daily </sy:updatePeriod>", 86_400.0),
        ("<sy:updatePeriod>x</sy:updatePeriod>", None),
    ],
)  # fmt: skip
def test_how_long_a_feed_asks_to_be_left_alone(head: str, seconds: float | None) -> None:
    """By its ttl, or by the syndication module."""
    assert parse_feed(_rss("", head)).ttl_seconds == seconds


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise_anything_else(data: bytes) -> None:
    """Any noise, alone and inside of a feed."""
    for body in (data, b"<rss><channel><item>" + data, f"<feed {ATOM}><entry>".encode() + data, b"{" + data):
        with contextlib.suppress(FeedError):
            json.dumps(feed_row(parse_feed(body, URL)))


def test_a_row_has_the_fields_of_the_command() -> None:
    """As ``newswire parse-feed`` prints them."""
    row = entry_row(_item("<guid>a</guid><pubDate>Mon, 05 Jan 2026 10:00:00 +0200</pubDate><link>/x</link>"))

    assert row == {
        "id": "a", "url": "https://courier.example/x", "title": None,
        "published_at": "2026-01-05T10:00:00+02:00", "updated_at": None, "authors": [],
        "summary": None, "tags": [],
    }  # fmt: skip
    assert entry_row(ParsedEntry(published_at=date(2026, 1, 5)))["published_at"] == "2026-01-05"
