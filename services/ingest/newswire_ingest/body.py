"""The text of an article: its paragraphs and headings, without the furniture around them."""

from typing import NamedTuple

from lxml import etree

from newswire_ingest.json_ld import text_of
from newswire_ingest.page_tree import Page, line_of
from newswire_ingest.plain_text import lines_of, tidy_line
from newswire_ingest.title import fold

TOO_LITTLE = 200  # characters; below, other witnesses of the text are heard
MAX_LENGTH = 500_000  # characters of a text: longer than any article
MAX_PARAGRAPHS = 2_000
LEADING_LINES = 3  # among which the headline may be repeated

_BLOCKS = frozenset(
    ("p", "head", "list", "item", "quote", "table", "row", "lb", "code", "div")
)  # trafilatura's names
_PARAGRAPHS = etree.XPath(
    "(//article | //main | //*[@role='main'] | //*[@itemprop='articleBody'])"
    "//p[not(ancestor::nav or ancestor::aside or ancestor::footer or ancestor::form or ancestor::dialog)]"
)


class Body(NamedTuple):
    """The lines of an article's text, and which witness gave them."""

    lines: list[str]
    witness: str


def find_body(page: Page, title: str) -> Body:
    """Return the article's text by trafilatura, or the fullest other witness where it finds too little."""
    body = Body(_by_trafilatura(page), "trafilatura")
    if _length(body) < TOO_LITTLE:
        others = Body(_by_json_ld(page), "json-ld"), Body(_by_paragraphs(page), "paragraphs")
        body = max(
            (body, *others),
            key=lambda other: (_length(other) > 2 * _length(body), other is body, _length(other)),
        )
    return body._replace(lines=_limited(_without_headline(body.lines, title, page.heading)))


def _by_trafilatura(page: Page) -> list[str]:
    from trafilatura import bare_extraction  # noqa: PLC0415 - 300 ms, for the commands that extract only

    # it works on a copy of the tree that it is given
    document = bare_extraction(page.tree, url=page.url, include_comments=False, include_tables=True)
    return lines_of(document.body, _BLOCKS, ()) if document else []  # type: ignore[union-attr]


def _by_json_ld(page: Page) -> list[str]:
    body = page.article.get("articleBody")
    if not isinstance(body, str):
        return []
    pieces = body.replace("</p>", "\n").replace("<br", "\n<br").splitlines()
    return [line for piece in pieces if (line := tidy_line(text_of(piece)))]


def _by_paragraphs(page: Page) -> list[str]:
    lines = (tidy_line(line_of(paragraph)) for paragraph in page.select(_PARAGRAPHS, MAX_PARAGRAPHS))
    return [line for line in lines if line]


def _length(body: Body) -> int:
    return sum(map(len, body.lines))


def _without_headline(lines: list[str], *headlines: str) -> list[str]:
    known = {folded for headline in headlines if (folded := fold(headline))}
    return [line for number, line in enumerate(lines) if number >= LEADING_LINES or fold(line) not in known]


def _limited(lines: list[str]) -> list[str]:
    kept, length = [], 0
    for line in lines:
        length += len(line)
        if length > MAX_LENGTH:
            break
        kept.append(line)
    return kept
