"""The identity of a page: its canonical URL, believed only where it can be that of this very article."""

from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree

from newswire.urls import BadUrlError, normalise, same_site
from newswire_ingest.page_tree import Page, line_of
from newswire_ingest.title import fold

MAX_CLAIMS = 5
MAX_NAVIGATION_LINKS = 5_000
_SAME_PAGE_ENDINGS = frozenset(
    {"amp", "amp.html"}
)  # another dress of the page before it, not a page under it
_MIN_SLUG_WORDS = 3
_NAVIGATION = etree.XPath(
    "//*[self::nav or self::menu or @role='navigation' or @role='menubar'"
    " or (self::header and not(ancestor::article))"
    " or contains(concat(' ', normalize-space(@class), ' '), ' nav ')"
    " or contains(@class, 'navbar') or contains(@class, 'navigation') or contains(@class, 'main-menu')"
    " or contains(@id, 'navbar') or contains(@id, 'navigation') or contains(@id, 'main-menu')"
    " or contains(@class, 'breadcrumb')]//a[@href]"
)


def find_canonical(page: Page) -> tuple[str, tuple[str, ...]]:
    """Return the page's identity, normalised, and notes on claims that were not believed.

    Raises ``BadUrlError`` if the page's own address is none.
    """
    own = normalise(page.url)
    notes: list[str] = []
    for claim in islice(_claims(page), MAX_CLAIMS):
        claimed = _absolute(page.url, claim)
        if claimed is None:
            continue
        doubt = _doubt(claimed, own, page)
        if doubt is None:
            return claimed, tuple(notes)
        notes.append(f"{doubt}: {claimed}")
    return own, tuple(dict.fromkeys(notes))


def _claims(page: Page) -> Iterator[str]:
    for link in page.elements("link"):
        if "canonical" in (link.get("rel") or "").lower().split() and (
            href := (link.get("href") or "").strip()
        ):
            yield href
    if address := page.first_meta("og:url"):
        yield address


def _doubt(claimed: str, own: str, page: Page) -> str | None:
    """Return why a claim is not believed, None if it is."""
    if claimed.rstrip("/") == own.rstrip("/"):
        return None
    if not same_site(claimed, own):
        return "canonical-off-site"
    if _is_above(claimed, own) or _is_in_navigation(claimed, page):
        return "canonical-is-section"
    return None


def _is_above(claimed: str, own: str) -> bool:
    """Tell whether the claimed path leads towards the page's own: a section of it, or the home page."""
    path, own_path = (_segments(url) for url in (claimed, own))
    if path == own_path:
        # the same path without its query is the same page only if the path itself names an article
        return bool(urlsplit(own).query) and not urlsplit(claimed).query and not _names_article(path)
    if own_path[: len(path)] != path:
        return False
    return not path or not set(own_path[len(path) :]) <= _SAME_PAGE_ENDINGS


def _segments(url: str) -> list[str]:
    return [segment for segment in urlsplit(url).path.split("/") if segment]


def _names_article(path: list[str]) -> bool:
    return bool(path) and (
        path[-1].count("-") + path[-1].count("_") >= _MIN_SLUG_WORDS - 1 or any(map(str.isdigit, path[-1]))
    )


def _is_in_navigation(claimed: str, page: Page) -> bool:
    path, heading = urlsplit(claimed).path.rstrip("/"), fold(page.heading)
    for link in page.select(_NAVIGATION, MAX_NAVIGATION_LINKS):
        href = link.get("href") or ""
        # a breadcrumb may end with the article itself, under its own headline
        if path in href and fold(line_of(link)) != heading and _absolute(page.url, href) == claimed:
            return True
    return False


def _absolute(base: str, href: str) -> str | None:
    try:
        return normalise(href, base)
    except (BadUrlError, ValueError):
        return None
