"""Which canonical URL is believed."""

import pytest

from newswire_ingest.canonical import find_canonical
from newswire_ingest.page_tree import Page, parse_page

pytestmark = pytest.mark.unit

OWN = "https://www.herald.example/world/asia/quake-hits-coast"


def page(head: str = "", body: str = "", url: str = OWN) -> Page:
    """Return a parsed page."""
    parsed = parse_page(f"<html><head>{head}</head><body>{body}<h1>Quake hits coast</h1></body></html>", url)
    assert parsed is not None
    return parsed


def link(href: str) -> str:
    """Return a canonical link."""
    return f'<link rel="canonical" href="{href}">'


@pytest.mark.parametrize(
    ("claim", "url", "identity"),
    [
        ("https://herald.example/2026/quake", OWN, "https://herald.example/2026/quake"),
        ("/2026/quake?utm_source=feed#top", OWN, "https://www.herald.example/2026/quake"),
        ("https://m.herald.example/quake", OWN, "https://m.herald.example/quake"),
        ("https://other.example/quake", OWN, OWN),
        ("https://www.herald.example/", OWN, OWN),
        ("https://www.herald.example", OWN, OWN),
        ("/world", OWN, OWN),
        ("/world/asia/", OWN, OWN),
        ("/world/as", OWN, "https://www.herald.example/world/as"),
        (OWN + "/", OWN, OWN + "/"),
        (OWN, OWN + "/amp", OWN),
        (OWN, OWN + "?page=all", OWN),
        (
            "/story.php",
            "https://www.herald.example/story.php?id=7",
            "https://www.herald.example/story.php?id=7",
        ),
        ("javascript:void(0)", OWN, OWN),
        ("http://[broken", OWN, OWN),
        ("", OWN, OWN),
    ],
)
def test_claim_is_believed_only_if_it_can_be_this_article(claim: str, url: str, identity: str) -> None:
    """On the site, not above the page's own path, normalised."""
    assert find_canonical(page(link(claim), url=url))[0] == identity


def test_section_in_the_navigation_is_not_believed() -> None:
    """A canonical that stands in the menu is a section, whatever its path."""
    menu = '<nav><a href="/markets?utm_source=menu">Markets</a></nav>'
    identity, notes = find_canonical(page(link("/markets"), menu))

    assert identity == OWN
    assert notes == ("canonical-is-section: https://www.herald.example/markets",)


def test_article_named_in_its_breadcrumb_is_believed() -> None:
    """A link under the article's own headline is no section."""
    crumbs = '<nav class="breadcrumb"><a href="/world">World</a><a href="/a/quake">Quake hits coast</a></nav>'

    assert find_canonical(page(link("/a/quake"), crumbs))[0] == "https://www.herald.example/a/quake"


def test_link_in_the_text_is_no_navigation() -> None:
    """Only menus make a section."""
    assert (
        find_canonical(page(link("/a"), '<p><a href="/a">more</a></p>'))[0] == "https://www.herald.example/a"
    )


def test_og_url_speaks_where_no_link_is_believed() -> None:
    """The second witness is heard after the first is doubted, which stays on record."""
    head = link("https://other.example/x") + '<meta property="og:url" content="/a/quake">'
    identity, notes = find_canonical(page(head))

    assert identity == "https://www.herald.example/a/quake"
    assert notes == ("canonical-off-site: https://other.example/x",)


def test_own_address_is_normalised() -> None:
    """Without any claim the page's address is its identity, tracking cut."""
    assert find_canonical(page(url=OWN + "?utm_source=x#a"))[0] == OWN
