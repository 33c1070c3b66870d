"""What kind of page it is: walls, bot checks and empty shells told from articles.

The extracted text counts, not the page around it: an article with a consent banner is an article, a consent
text with a headline above it is not.
"""

import re
from urllib.parse import urlsplit

from lxml import etree

from newswire.events import Reason
from newswire_ingest.json_ld import types_of
from newswire_ingest.page_tree import Page, line_of
from newswire_ingest.plain_text import lines_of
from newswire_ingest.wall_phrases import BOT_MARKERS, HEADS, PHRASES

TOO_SHORT = 80  # weight of a text that cannot be an article
SHORT = 600  # weight of a text that may be the whole of a wall
LONG = 3_000  # weight of a text that is an article whatever it says
MAX_VISIBLE = 20_000  # characters of the page that are searched
MAX_MARKER_BYTES = 200_000  # bot checks are small
PROSE_WORDS = 20  # of a line that is a paragraph
FEW_PARAGRAPHS = 3
LISTING_LINK_SHARE = 0.7  # of a page's text that stands in links, where the page is a list of other pages

_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # a word each, or nearly
_PASSWORD = etree.XPath("(//form//input[@type='password'])[1]")
_LISTING_TYPES = frozenset(("collectionpage", "searchresultspage", "itemlist", "profilepage"))
_WALLS = (Reason.BOT_CHECK, Reason.CONSENT_WALL, Reason.LOGIN_WALL, Reason.NOT_FOUND)
_VERDICTS = {
    Reason.NOT_FOUND: Reason.NOT_AN_ARTICLE
}  # the server said 200: the page is there, and says nothing
_MESSAGES = {
    Reason.BOT_CHECK: "the page checks whether its reader is a robot",
    Reason.CONSENT_WALL: "the page asks for consent before it shows anything",
    Reason.LOGIN_WALL: "the page asks its reader to log in",
    Reason.NOT_FOUND: "the page says that it does not exist",
    Reason.NO_TEXT: "the page shows its text to JavaScript only",
}


def looks_like_bot_check(body: bytes) -> bool:
    """Tell by marks in its bytes whether an answer (one with status 403 or 503, say) is a bot check."""
    start = body[:MAX_MARKER_BYTES].lower()
    return any(marker in start for marker in BOT_MARKERS)


def verdict(page: Page, text: str, title: str, markup: str) -> tuple[Reason, str] | None:
    """Return why a page is no article, and a message that says so; None for an article.

    ``text`` is what was extracted, ``markup`` what was parsed.
    """
    weight = weight_of(text)
    if weight >= LONG:
        return None
    wall = _wall(page, text, title, markup, weight)
    if wall:
        return _VERDICTS.get(wall, wall), _MESSAGES[wall]
    if weight < TOO_SHORT:
        shell = _says(Reason.NO_TEXT, _fold(_visible(page, hidden=())))
        return Reason.NO_TEXT, _MESSAGES[
            Reason.NO_TEXT
        ] if shell else f"only {len(text)} characters of text were found"
    if not claims_article(page) and _is_listing(page, text):
        return Reason.NOT_AN_ARTICLE, "the page lists other pages"
    return None


def weight_of(text: str) -> int:
    """Return the length of a text in characters; Chinese, Japanese and Korean ones count three times."""
    return len(text) + 2 * len(_WIDE.findall(text))


def claims_article(page: Page) -> bool:
    """Tell whether the page says of itself that it is an article."""
    return (
        bool(page.article)
        or page.first_meta("og:type").lower() == "article"
        or "article:published_time" in page.meta
    )


def _wall(page: Page, text: str, title: str, markup: str, weight: int) -> Reason | None:
    folded, heads = _fold(text), [_fold(head) for head in (title, page.heading, _document_title(page))]
    needed = 1 if weight < SHORT else 3
    if claims_article(page):
        needed += 1
    for kind in _WALLS:
        hits = _says(kind, folded)
        if hits >= needed or (_is_headed(kind, heads) and (hits or weight < SHORT) and not page.article):
            return kind
    if weight < SHORT and looks_like_bot_check(markup[:MAX_MARKER_BYTES].encode("utf-8", "replace")):
        return Reason.BOT_CHECK
    if weight < SHORT and not claims_article(page) and page.select(_PASSWORD, 1):
        return Reason.LOGIN_WALL
    return _silent_wall(page) if weight < TOO_SHORT and not page.article else None


def _silent_wall(page: Page) -> Reason | None:
    """Return the wall that shows in what the page says outside any text, where there is no text."""
    visible = _fold(_visible(page))
    return next((kind for kind in _WALLS if _says(kind, visible) and len(visible) < LONG), None)


def _says(kind: Reason, folded: str) -> int:
    return sum(phrase in folded for phrase in PHRASES[kind])


def _is_headed(kind: Reason, heads: list[str]) -> bool:
    """Tell whether a title is that of a wall: begins with its words and hardly goes on."""
    return any(
        head.startswith(start) and len(head) <= 2 * len(start) + 20 for head in heads for start in HEADS[kind]
    )


def _is_listing(page: Page, text: str) -> bool:
    prose = sum(len(line.split()) >= PROSE_WORDS for line in text.splitlines())
    if urlsplit(page.url).path in {"", "/"}:
        return True
    if any(types_of(node) & _LISTING_TYPES for node in page.nodes):
        return prose < FEW_PARAGRAPHS
    return prose == 0 and _link_share(page) > LISTING_LINK_SHARE


def _link_share(page: Page) -> float:
    visible = len(_visible(page))
    return sum(len(line_of(link)) for link in page.elements("a")) / visible if visible else 0.0


def _visible(page: Page, **options: tuple[str, ...]) -> str:
    return "\n".join(lines_of(page.tree, **options))[:MAX_VISIBLE]


def _document_title(page: Page) -> str:
    return next((line_of(title) for title in page.elements("title")), "")


def _fold(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())
