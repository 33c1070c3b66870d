"""The headline of a page, without the name of its site."""

import re
from collections.abc import Iterable, Iterator

from newswire_ingest.json_ld import text_of
from newswire_ingest.page_tree import Page, line_of

MAX_LENGTH = 500  # characters of a headline
MIN_NAME_LENGTH = 3  # letters of a site's name that is found inside another text
MAX_CUTS = 3  # "Headline | World | The Courier" has two

_SEPARATOR = re.compile(r"\s+[|–—·•«»:~/-]+\s+|\s*[|·•]\s*|:\s+")
_NOT_WORD = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Return letters and digits only, without case, to compare texts that differ in dress."""
    return _NOT_WORD.sub("", text).casefold()


def find_title(page: Page, site_names: Iterable[str]) -> str:
    """Return the page's headline, empty if it has none."""
    names = {name for site_name in site_names if (name := fold(site_name))}
    heading = _main_heading(page)
    for candidate in _candidates(page):
        if title := without_site_name(candidate[:MAX_LENGTH], names, heading):
            return title
    return heading[:MAX_LENGTH]


def _candidates(page: Page) -> Iterator[str]:
    yield text_of(page.article.get("headline"))
    yield page.first_meta("og:title", "twitter:title", "headline", "dc.title")
    yield _main_heading(page)
    yield next((line_of(title) for title in page.elements("title")), "")


def _main_heading(page: Page) -> str:
    """Return the only top heading, or that which the document's title repeats."""
    headings = [text for h1 in page.elements("h1") if (text := line_of(h1))]
    title = fold(next((line_of(title) for title in page.elements("title")), "") + page.first_meta("og:title"))
    repeated = [text for text in headings if fold(text) and fold(text) in title]
    return max(repeated, key=len) if repeated else headings[0] if len(headings) == 1 else ""


def without_site_name(title: str, names: set[str], heading: str) -> str:
    """Cut the site's name before or after a headline. ``names`` are folded."""
    for _ in range(MAX_CUTS):
        shorter = _cut_once(title, names, fold(heading))
        if shorter == title:
            break
        title = shorter
    return title


def _cut_once(title: str, names: set[str], heading: str) -> str:
    for separator in reversed(list(_SEPARATOR.finditer(title))):
        before, after = title[: separator.start()].strip(), title[separator.end() :].strip()
        if before and (_is_name(after, names) or (heading and fold(before) == heading)):
            return before
        if after and (_is_name(before, names) or (heading and fold(after) == heading)):
            return after
    return title


def _is_name(text: str, names: set[str]) -> bool:
    """Tell whether a piece of a title is a site's name, or nearly: with an article or an ending."""
    piece = fold(text)
    return len(piece) >= MIN_NAME_LENGTH and any(
        piece == name or (min(len(piece), len(name)) > MIN_NAME_LENGTH and _nearly(piece, name))
        for name in names
    )


def _nearly(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return shorter in longer and len(shorter) * 2 >= len(longer)
