"""Plain text of the HTML that a feed carries, used where the page itself cannot be had."""

from newswire_ingest.page_tree import parse_page
from newswire_ingest.plain_text import lines_of, tidy_line
from newswire_ingest.repair import repair_markup

MAX_LENGTH = 2_000_000  # characters of HTML that are read


def text_of(html: str) -> str:
    """Return the paragraphs of a feed's summary or content, one a line, without any markup or script."""
    if "<" not in html and "&" not in html:
        return "\n".join(line for piece in html[:MAX_LENGTH].splitlines() if (line := tidy_line(piece)))
    repaired, _ = repair_markup(html[:MAX_LENGTH])
    page = parse_page(f"<div>{repaired}</div>", "")
    return "\n".join(lines_of(page.tree)) if page else ""
