"""Feed lists as people and programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.errors import SettingsError
from newswire.events import Feed
from newswire.urls import feed_id
from newswire_ingest.opml import FeedListError, read_feed_list, read_opml, write_opml

pytestmark = pytest.mark.unit

LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0" xmlns:nw="urn:newswire:opml">
  <body>
    <outline text="World">
      <outline text="Europe">
        <outline type="rss" text="Courier" xmlUrl="https://courier.example/rss" nw:interval="1.5"
                 nw:outlet="The Courier" nw:language="en-GB" nw:enabled="false"/>
      </outline>
      <outline title="Post" XMLURL="https://post.example/feed?a=1&b=2&eacute;=3" category="/News/Asia,daily"/>
      <outline type="rss" text="Herald" url="https://herald.example/feed"/>
      <outline type="link" text="A page" url="https://page.example/"/>
    </outline>
  </body>
</opml>"""


def test_opml_is_read_with_folders_and_our_own_words() -> None:
    """Folders and categories become tags; interval, outlet, language and enabled are ours."""
    courier, post, herald = read_opml(LIST).feeds

    assert courier == Feed(
        feed_id=feed_id("https://courier.example/rss"), url="https://courier.example/rss", title="Courier",
        outlet="The Courier", language="en", interval_seconds=1.5, tags=("World", "Europe"), enabled=False,
    )  # fmt: skip
    assert (post.title, post.outlet, post.enabled) == ("Post", "Post", True)
    assert post.url == "https://post.example/feed?a=1&b=2&eacute;=3"
    assert post.tags == ("World", "News", "Asia", "daily")
    assert herald.url == "https://herald.example/feed"


@pytest.mark.parametrize(
    "broken",
    [
        LIST[:-20],
        LIST.replace(b"</outline>", b"", 1),
        b"\n\nwarning: something\n" + LIST,
        LIST.replace(b' xmlns:nw="urn:newswire:opml"', b""),
        LIST.replace(b"<body>", b"<body><p>"),
        LIST.replace(b'text="World"', b'text="World\x00\x01"'),
        LIST.decode().encode("utf-16"),
    ],
)
def test_opml_that_is_not_well_formed_is_read(broken: bytes) -> None:
    """Cut off, unclosed, with noise before it, undeclared names, bad characters, wide characters."""
    urls = {feed.url for feed in read_opml(broken).feeds}

    assert {"https://courier.example/rss", "https://herald.example/feed"} <= urls


def test_a_feed_in_two_folders_is_one_feed_with_both_tags() -> None:
    """The same address in another spelling is the same feed."""
    found = read_opml(
        b'<opml><body><outline text="A"><outline xmlUrl="https://a.example/f"/></outline>'
        b'<outline text="B"><outline xmlUrl="HTTPS://A.EXAMPLE/f?utm_source=x"/></outline></body></opml>'
    )

    assert [feed.tags for feed in found.feeds] == [("A", "B")]


def test_what_is_wrong_in_a_list_is_told_with_its_line() -> None:
    """A bad address leaves its feed out; a bad word only leaves out the word."""
    found = read_opml(
        b'<opml xmlns:n="urn:newswire:opml"><body>\n<outline xmlUrl="nonsense"/>\n'
        b'<outline xmlUrl="https://a.example/f" n:interval="often" n:language="English!"/>\n</body></opml>'
    )

    assert [(feed.interval_seconds, feed.language) for feed in found.feeds] == [(None, None)]
    assert [problem.partition(":")[0] for problem in found.problems] == ["line 2", "line 3", "line 3"]


def test_entities_are_neither_loaded_nor_multiplied() -> None:
    """A document type is cut off before anything is parsed."""
    bomb = b'<!DOCTYPE o [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/hosts">]>'
    found = read_opml(
        bomb + b'<opml><body><outline text="&b;&f;" xmlUrl="https://a.example/f"/></body></opml>'
    )

    assert [feed.title for feed in found.feeds] == ["&b;&f;"]


def test_a_written_list_reads_back_the_same() -> None:
    """Every field of a feed survives, and characters that XML cannot hold do not stop it."""
    feeds = (
        Feed(feed_id=feed_id("https://a.example/f"), url="https://a.example/f", title='Ü & <"', outlet="O",
             language="de", interval_seconds=0.25, tags=("a b", "c"), enabled=False),
        Feed(feed_id=feed_id("https://b.example/?a=1&b=2"), url="https://b.example/?a=1&b=2"),
    )  # fmt: skip

    assert read_opml(write_opml(feeds)).feeds == feeds
    assert read_opml(write_opml([feeds[0].model_copy(update={"title": "a\x00b"})])).feeds[0].title == "ab"


PLAIN = b"# ours\nhttps://a.example/f  # the first\n\n\thttps://b.example/f?a=1#x\nnonsense\n"
CSV = b'\xef\xbb\xbfTitle;URL;Interval;Tags\n"A; B";https://a.example/f;60;x|y\n;https://b.example/f;;\n'


def test_a_plain_list_is_read() -> None:
    """One address a line, comments and empty lines passed over, nonsense told."""
    found = read_feed_list(PLAIN, "feeds.txt")

    assert [feed.url for feed in found.feeds] == ["https://a.example/f", "https://b.example/f?a=1"]
    assert [problem[:7] for problem in found.problems] == ["line 5:"]


def test_csv_with_a_header_is_read() -> None:
    """Columns by name, any of the usual delimiters."""
    one, other = read_feed_list(CSV, "feeds.csv").feeds

    assert (one.title, one.outlet, one.interval_seconds, one.tags) == ("A; B", "A; B", 60.0, ("x", "y"))
    assert (other.url, other.title, other.tags) == ("https://b.example/f", None, ())


@pytest.mark.parametrize(
    ("data", "name", "count"),
    [
        (LIST, "feeds.opml", 3), (LIST, "feeds.xml", 3), (LIST, "feeds", 3), (b"<opml/>", "x.opml", 0),
        (b"url\nhttps://a.example/f", "feeds", 1), (b"https://a.example/f", "feeds.txt", 1),
    ],
)  # fmt: skip
def test_the_kind_of_a_list_is_found_out(data: bytes, name: str, count: int) -> None:
    """By its content, and by its name's ending."""
    assert len(read_feed_list(data, name).feeds) == count


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "feeds.txt"), (b"", "feeds.opml"), (b"# nothing", "feeds.txt"), (b"nonsense", "feeds.txt"),
        (b"<html></html>", "feeds.opml"), (b"\x89PNG\r\n\x00\xff", "feeds.txt"), (b"title\nx", "feeds.csv"),
        (b'<opml><body><outline xmlUrl="x"/></body></opml>', "feeds.opml"), (b" " * 20_000_001, "feeds.txt"),
        (b"url\n" + b"x" * 200_000, "feeds.csv"),
    ],
)  # fmt: skip
def test_a_list_without_any_feed_is_an_error_of_one_line(data: bytes, name: str) -> None:
    """The start stops with a line that names the list."""
    with pytest.raises(FeedListError, match=r"feeds\.|CSV") as caught:
        read_feed_list(data, name)

    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, SettingsError)


def test_a_list_that_is_no_opml_is_refused() -> None:
    """Where OPML was asked for, nothing else will do."""
    with pytest.raises(FeedListError):
        read_opml(b"https://a.example/f")
    with pytest.raises(FeedListError):
        read_opml(b" " * 20_000_001)


@given(st.binary(max_size=200))
def test_no_list_makes_it_raise_anything_else(data: bytes) -> None:
    """Any bytes, in any of the formats."""
    for name in ("feeds.opml", "feeds.csv", "feeds.txt"):
        try:
            read_feed_list(b"<opml><body>" + data, name)
            read_feed_list(data, name)
        except FeedListError:
            pass
