"""What each address of the newsroom answers: feeds, article pages, planted pages, sections, robots.txt."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from newswire_newsroom.desk import Desk
from newswire_newsroom.feeds import CONTENT_TYPES, render
from newswire_newsroom.layouts import page
from newswire_newsroom.oddities import KILLER_PAGES, SMALL_PAGES, consent_wall, section_page
from newswire_newsroom.planted import page_cases
from newswire_newsroom.world import EDITIONS, Article, FeedSpec, Outlet

KEPT_PAGES = 256  # rendered pages kept, about 10 KB each
RELATED = 4  # links to other articles of the outlet
LOOP_END = "/again"  # where the first address of a redirect loop leads, and what leads back
HTML = "text/html; charset=utf-8"
NEWS_DAY = datetime(2026, 11, 18, 6, 0, tzinfo=UTC)  # a feed's Last-Modified counts from here, by editions


@dataclass(frozen=True)
class Sheet:
    """The answer to a request before it is compared with what the client has."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": HTML})
    status: int = 200


@dataclass
class Sheets:
    """Renders answers from the desk's state, each page once while it is remembered."""

    desk: Desk
    _pages: OrderedDict[tuple[str, bool], Sheet] = field(default_factory=OrderedDict)

    def get(self, url: str) -> Sheet:
        """Return the answer to a GET of this address, without its query; this is what moves the state."""
        if url in self.desk.feeds:
            return self._feed(self.desk.feeds[url])
        if url in self.desk.articles:
            return self._article(self.desk.serve(url))
        outlet = self.desk.outlet_of(url)
        case = page_cases().get(url)
        if case is not None:
            self.desk.pages[url] += 1
            return _small(case.page, outlet, case.headline)
        return self._furniture(url.removeprefix(outlet.origin), outlet)

    def _feed(self, feed: FeedSpec) -> Sheet:
        entries = self.desk.poll(feed.url)
        if feed.fault == "not-found":
            return _small("not-found", self.desk.outlet_of(feed.url), "")
        if feed.fault == "html":
            outlet = self.desk.outlet_of(feed.url)
            return Sheet(section_page(outlet, outlet.title, ()).encode())
        age = timedelta(
            hours=min(self.desk.polls[feed.url], EDITIONS), minutes=self.desk.updates_shown(feed.url)
        )
        return Sheet(render(feed, entries), _headers(CONTENT_TYPES[feed.format], NEWS_DAY + age))

    def _article(self, article: Article) -> Sheet:
        key = (article.url, article.updated is None)
        sheet = self._pages.get(key) or _article_sheet(article, self._related(article))
        self._pages[key] = sheet
        self._pages.move_to_end(key)
        if len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        return sheet

    def _related(self, article: Article) -> list[Article]:
        """Return articles of the same outlet, those of the same story first."""
        others = [other for other in self.desk.by_outlet[article.outlet.name] if other.path != article.path]
        return sorted(others, key=lambda other: other.story != article.story)[:RELATED]

    def _furniture(self, path: str, outlet: Outlet) -> Sheet:
        """Return the front page, a section, robots.txt, or the page for what is not there."""
        if path == "/robots.txt":
            return Sheet(b"User-agent: *\nAllow: /\n", {"Content-Type": "text/plain; charset=utf-8"})
        if path.strip("/") in ("", *outlet.sections):
            listed = (one for one in self.desk.by_outlet[outlet.name] if one.path.startswith(path))
            title = path.strip("/").capitalize() or outlet.title
            return Sheet(section_page(outlet, title, ((one.url, one.headline) for one in listed)).encode())
        return _small("not-found", outlet, "")


def redirect_target(url: str) -> str | None:
    """Return where an address of a redirect loop leads, or None for any other address."""
    first = url.removesuffix(LOOP_END)
    case = page_cases().get(first)
    if case is None or case.page != "redirect-loop":
        return None
    return first + LOOP_END if url == first else first


def _article_sheet(article: Article, related: Sequence[Article]) -> Sheet:
    if article.case == "consent-wall":
        return Sheet(consent_wall(article.outlet, article.headline).encode())
    if article.case in KILLER_PAGES:
        return Sheet(KILLER_PAGES[article.case](article.headline).encode())
    html = page(article, related)
    kind = f"text/html; charset={article.charset}" if article.charset_in != "meta" else "text/html"
    body = html.encode(article.charset, "xmlcharrefreplace")
    return Sheet(body, _headers(kind, article.updated or article.published))


def _small(kind: str, outlet: Outlet, headline: str) -> Sheet:
    status, render_page = SMALL_PAGES[kind]
    return Sheet(render_page(outlet, headline).encode(), status=status)


def _headers(content_type: str, modified: datetime) -> dict[str, str]:
    http_date = format_datetime(modified.astimezone(UTC), usegmt=True)
    return {"Content-Type": content_type, "Last-Modified": http_date}
