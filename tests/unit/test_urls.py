"""One spelling for each URL, and the ids and sites made of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.ids import digest
from newswire.urls import (
    BadUrlError,
    article_id,
    feed_id,
    normalise,
    registered_domain,
    same_site,
)

pytestmark = pytest.mark.unit

SPELLINGS = [
    ("HTTP://WWW.Example.COM/", "http://www.example.com/"),
    ("https://a.example", "https://a.example/"),
    ("https://a.example:443/x", "https://a.example/x"),
    ("http://a.example:80/x", "http://a.example/x"),
    ("http://a.example:443/x", "http://a.example:443/x"),
    ("https://a.example:/x", "https://a.example/x"),
    ("https://a.example/x#part", "https://a.example/x"),
    ("https://a.example/x?", "https://a.example/x"),
    ("https://a.example/x/", "https://a.example/x/"),
    ("https://a.example/a/./b/../c", "https://a.example/a/c"),
    ("https://a.example/../../x", "https://a.example/x"),
    ("https://a.example/a/..", "https://a.example/"),
    ("https://a.example/a/%2e%2E/b", "https://a.example/b"),
    ("https://a.example//a//b", "https://a.example//a//b"),
    ("https://a.example/%7euser/%c3%a9%2f", "https://a.example/~user/%C3%A9%2F"),
    ("https://a.example/é ü", "https://a.example/%C3%A9%20%C3%BC"),
    ("https://a.example/100%", "https://a.example/100%25"),
    ("https://a.example/?b=2&a=1", "https://a.example/?b=2&a=1"),
    ("https://a.example/?a=1&&b=&c", "https://a.example/?a=1&b=&c"),
    ("https://a.example/?q=a+b%20c", "https://a.example/?q=a+b%20c"),
    ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
    ("https://a.example./x", "https://a.example/x"),
    ("https://%61.example/", "https://a.example/"),
    (r"https:\\a.example\b?c=\d", "https://a.example/b?c=%5Cd"),
    ("  https://a.example/x\ty\n", "https://a.example/xy"),
    ("http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://2130706433/", "http://127.0.0.1/"),
    ("http://0177.0.0.1/", "http://127.0.0.1/"),
    ("http://１２７.0.0.1/", "http://127.0.0.1/"),
]

TRACKED = [
    "utm_source=rss", "UTM_Medium=feed", "utm%5Fcampaign=x", "fbclid=1", "gclid=1", "mc_cid=1",
    "mc_eid=1",
    "at_medium=RSS", "maca=en-rss", "ref_src=twsrc", "igshid=1", "msclkid=1", "_ga=2.1",
    "xtor=RSS-3", "CMP=share",
]  # fmt: skip
KEPT = [
    "id=7",
    "ref=a",
    "source=b",
    "from=c",
    "rss=1",
    "page=2",
    "q=utm_source",
    "utm=1",
    "campaign=x",
    "v=1",
]

BAD = [
    "", "   ", "a.example", "/path", "//a.example/", "ftp://a.example/", "javascript:alert(1)",
    "mailto:a@b.example",
    "file:///etc/passwd", "data:text/html,x", "http://", "http:///x", "https://?q",
    "http://user@a.example/",
    "http://user:word@a.example/", "http://a.example@b.example/", "http://a.example:99999/",
    "http://a.example:x/",
    "http://a.example:0/", "http://a..b/", "http://.a/", "http://a b/", "http://[::1/",
    "http://[::1%25eth0]/",
    "http://[1.2.3.4]/", "http://1.2.3.4.5/", "http://1.2.3.256/", "http://09.1.1.1/",
    "http://4294967296/",
    "http://a.example%2f.b.example/", f"http://{'a' * 64}.example/",
    "http://" + "a." * 130 + "example/",
    "http://a.example/" + "x" * 9_000, "http://a\x00b.example/", "http://\u2603\ufffd.example/",
    "http://a_%zz/",
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), SPELLINGS)
def test_a_url_has_one_spelling(given: str, expected: str) -> None:
    """Spellings that mean the same give the same."""
    assert normalise(given) == expected


@pytest.mark.parametrize("parameter", TRACKED)
def test_tracking_parameters_are_cut(parameter: str) -> None:
    """How the reader came is no part of what the page is."""
    assert normalise(f"https://a.example/x?{parameter}") == "https://a.example/x"
    assert normalise(f"https://a.example/x?id=1&{parameter}&p=2") == "https://a.example/x?id=1&p=2"


@pytest.mark.parametrize("parameter", KEPT)
def test_other_parameters_are_kept(parameter: str) -> None:
    """A parameter that may choose what is shown stays."""
    assert normalise(f"https://a.example/x?{parameter}") == f"https://a.example/x?{parameter}"


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    """Each bad URL gives the one error, with a text."""
    with pytest.raises(BadUrlError, match=r"\w"):
        normalise(url)


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("/x", "https://a.example/b/c", "https://a.example/x"),
        ("x?y", "https://a.example/b/c", "https://a.example/b/x?y"),
        ("../x", "https://a.example/b/c/d", "https://a.example/b/x"),
        ("//b.example/x", "https://a.example/", "https://b.example/x"),
        ("?p=2", "https://a.example/b", "https://a.example/b?p=2"),
        ("http://b.example", "https://a.example/b", "http://b.example/"),
    ],
)
def test_relative_urls_are_resolved(url: str, base: str, expected: str) -> None:
    """A base makes a relative URL absolute."""
    assert normalise(url, base) == expected


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_normalising_twice_changes_nothing(host: str, path: str, query: str) -> None:
    """What is normal stays as it is, whatever came in."""
    try:
        once = normalise(f"https://{host}.example/{path}?{query}")
    except BadUrlError:
        once = normalise("https://a.example/" + path.replace("#", "") + "?" + query)

    assert normalise(once) == once
    assert once.isascii()


@given(st.text(alphabet="ht ps:/.@%[]#?&=\\12e0x\n", max_size=40))
def test_nothing_but_the_one_error_is_raised(url: str) -> None:
    """No text makes it raise anything else."""
    try:
        once = normalise(url, "https://a.example/b/")
    except BadUrlError:
        return
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://www.bbc.co.uk/news", "bbc.co.uk"),
        ("news.courier.example", "courier.example"),
        ("https://courier.example/", "courier.example"),
        ("COURIER.example.", "courier.example"),
        ("a.b.github.io", "b.github.io"),
        ("github.io", "github.io"),
        ("localhost", "localhost"),
        ("http://127.0.0.1:8900/", "127.0.0.1"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://[::1]:80/", "::1"),
        ("[::1]", "::1"),
        ("https://www.bücher.example/", "xn--bcher-kva.example"),
        ("http://президент.рф/", "xn--d1abbgf6aiiy.xn--p1ai"),
    ],
)
def test_the_registered_domain(given: str, expected: str) -> None:
    """What somebody registered, by the public suffix list; addresses and single labels as they are."""
    assert registered_domain(given) == expected


def test_a_site_is_a_registered_domain() -> None:
    """Hosts under one registered domain are one site, whatever the spelling."""
    assert same_site("https://www.a.example/x", "http://A.example:8080/")
    assert not same_site("https://a.co.uk/", "https://b.co.uk/")


def test_ids_are_of_the_normalised_url() -> None:
    """Two spellings have one id, and it is the digest of the normal one."""
    assert feed_id("HTTPS://A.example/f?utm_source=x") == digest("https://a.example/f")
    assert article_id("https://a.example/f#x") == digest("https://a.example/f")
