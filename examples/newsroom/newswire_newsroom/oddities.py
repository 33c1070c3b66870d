"""Pages that hold no article: walls, errors, shells, and bodies that are too large or never end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape

from newswire_newsroom.furniture import document, navigation
from newswire_newsroom.world import Outlet

HUGE_BYTES = 30 * 1024 * 1024
PIECE_PARAGRAPHS = 640  # of a huge page, about 64 KB
HEAVY_TAGS = 1_500_000  # without their brackets: to repair them all takes more memory than a page may have
LONG_ELEMENTS = 50_000  # in one paragraph: the extractor takes time in the square of them, minutes in all
DRIP_SECONDS = 0.2  # between two pieces of the page that never ends


def consent_wall(outlet: Outlet, headline: str) -> str:
    """Return a page that is a consent dialogue and nothing else."""
    body = f"""<div id="consent-dialog" class="cmp-container" role="dialog" aria-modal="true">
<h1>Before you continue to {escape(outlet.title)}</h1>
<p>We and our 143 partners use cookies and similar technologies to store and read information on your
device, to measure audiences and to show personalised advertising. Please choose whether you consent.</p>
<p>You may withdraw your consent at any time under Privacy settings at the foot of each page.</p>
<button id="accept-all">Accept all</button> <button id="reject-all">Reject all</button>
<button>Manage options</button>
<p><a href="/privacy">Privacy policy</a> <a href="/cookies">Cookie policy</a></p></div>"""
    return document("en", f"{headline} | {outlet.title}", body)


def bot_check(outlet: Outlet, headline: str) -> str:
    """Return a page that asks for proof of a browser; it shows nothing of what it guards."""
    del headline
    body = f"""<main class="challenge" id="challenge-form">
<h1>{outlet.host}</h1><h2>Checking your browser before you enter</h2>
<p>This takes a few seconds. Please enable JavaScript and cookies to show that you are not a robot.</p>
<noscript>JavaScript is needed to pass this check.</noscript><p>Request number: 7f3a90c2e1</p></main>"""
    return document("en", "One moment, please", body, '<meta name="robots" content="noindex">')


def not_found(outlet: Outlet, headline: str) -> str:
    """Return the page for an address where nothing is."""
    del headline
    text = "There is nothing at this address. It may have been mistyped."
    return _message(outlet, "Page not found", text)


def gone(outlet: Outlet, headline: str) -> str:
    """Return the page for what was taken down."""
    del headline
    return _message(outlet, "Removed", "This page has been taken down by the editors and will not return.")


def _message(outlet: Outlet, title: str, text: str) -> str:
    body = f"{navigation(outlet)}<main><h1>{title}</h1><p>{text}</p></main>"
    return document(outlet.language, f"{title} | {outlet.title}", body)


def shell(outlet: Outlet, headline: str) -> str:
    """Return a page without content, which a script would fill."""
    script = '<script src="/static/app.js" defer></script>'
    return document("en", f"{headline} | {outlet.title}", '<div id="root"></div>', script)


SMALL_PAGES: Mapping[str, tuple[int, Callable[[Outlet, str], str]]] = {
    "consent-wall": (200, consent_wall),
    "bot-check": (403, bot_check),
    "not-found": (404, not_found),
    "gone": (410, gone),
    "shell": (200, shell),
}
"""Status and page by kind."""


def section_page(outlet: Outlet, title: str, links: Iterable[tuple[str, str]]) -> str:
    """Return a page that only lists articles, given as addresses with headlines."""
    items = "".join(f'<li><a href="{url}">{escape(headline)}</a></li>' for url, headline in links)
    body = f"{navigation(outlet)}<main><h1>{escape(title)}</h1><ul>{items}</ul></main>"
    return document(outlet.language, f"{title} | {outlet.title}", body)


def page_start(headline: str) -> bytes:
    """Return how a page begins that is then streamed."""
    whole = document("en", headline, f"<article><h1>{escape(headline)}</h1>\n<!-- -->")
    return whole.partition("<!-- -->")[0].encode()


def filler(number: int) -> bytes:
    """Return one paragraph of a page that is streamed."""
    text = f"Folio {number} of the register lists the ships that called at the harbour and what they carried."
    return f"<p>{text}</p>\n".encode()


def huge_page(headline: str) -> Iterator[bytes]:
    """Yield a page of 30 MB in pieces of about 64 KB."""
    head = page_start(headline)
    yield head
    piece = b"".join(filler(number) for number in range(PIECE_PARAGRAPHS))
    sent = len(head)
    while sent < HUGE_BYTES:
        yield piece
        sent += len(piece)
    yield b"</article></body></html>\n"


def heavy_page(headline: str) -> str:
    """Return a page of 9 MB whose extraction overruns its memory limit."""
    return document("en", headline, f"<article><h1>{escape(headline)}</h1>{'<pA b ' * HEAVY_TAGS}</article>")


def long_page(headline: str) -> str:
    """Return a page of half a megabyte whose extraction overruns its CPU limit, and so dies twice."""
    entries = "<b>ballast</b> " * LONG_ELEMENTS
    return document("en", headline, f"<article><h1>{escape(headline)}</h1><p>{entries}</p></article>")


KILLER_PAGES: Mapping[str, Callable[[str], str]] = {"killer-memory": heavy_page, "killer-cpu": long_page}
"""Pages that kill the child process which reads them, by case."""
