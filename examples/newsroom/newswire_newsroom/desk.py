"""What the newsroom shows next: feed editions and updates, moved on by requests and never by the clock."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape

from newswire_newsroom.copies import copied_articles, copies_feed
from newswire_newsroom.feeds import FeedEntry
from newswire_newsroom.planted import Case, cases
from newswire_newsroom.world import EDITIONS, Article, FeedSpec, Outlet, articles, outlets
from newswire_newsroom.worlds import killer_articles, world_articles, world_outlets


@dataclass
class Desk:
    """The state of a newsroom.

    Attributes:
        copies: how often each normal article is served, at its own outlet.
        worlds: how often the whole newsroom is served, at outlets of other names.
        killers: pages that kill the child process that reads them.
        polls: of feeds so far, by address.
        pages: served so far, by address.
        updated: addresses of the articles that are out in their second version.
    """

    copies: int = 1
    worlds: int = 1
    killers: int = 0
    polls: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    updated: set[str] = field(default_factory=set)

    @cached_property
    def outlets(self) -> Mapping[str, Outlet]:
        """All outlets by name."""
        killers = {article.outlet.name: article.outlet for article in killer_articles(self.killers)}
        return {**outlets(), **world_outlets(self.worlds), **killers}

    @cached_property
    def outlets_by_origin(self) -> Mapping[str, Outlet]:
        """All outlets by scheme and host."""
        return {outlet.origin: outlet for outlet in self.outlets.values()}

    def outlet_of(self, url: str) -> Outlet:
        """Return the outlet that an address belongs to."""
        return self.outlets_by_origin["/".join(url.split("/")[:3])]

    @cached_property
    def feeds(self) -> Mapping[str, FeedSpec]:
        """All feeds by address."""
        listed = [feed for outlet in self.outlets.values() for feed in outlet.feeds]
        extra = [copies_feed(outlet) for outlet in outlets().values()] if self.copies > 1 else []
        with_articles = {url for article in self.articles.values() for url in feed_urls(article)}
        return {feed.url: feed for feed in [*listed, *(feed for feed in extra if feed.url in with_articles)]}

    @cached_property
    def articles(self) -> Mapping[str, Article]:
        """All articles, copies too, by their own address."""
        copied = copied_articles(self.copies)
        return {article.url: article for article in [*self._written, *copied]}

    @cached_property
    def by_outlet(self) -> Mapping[str, list[Article]]:
        """All articles but copies, by the name of their outlet."""
        found: dict[str, list[Article]] = {name: [] for name in self.outlets}
        for article in self._written:
            found[article.outlet.name].append(article)
        return found

    @cached_property
    def _written(self) -> list[Article]:
        return [*articles(), *world_articles(self.worlds), *killer_articles(self.killers)]

    @cached_property
    def _by_feed(self) -> Mapping[str, list[Article]]:
        by_feed: dict[str, list[Article]] = {}
        for article in self.articles.values():
            for url in feed_urls(article):
                by_feed.setdefault(url, []).append(article)
        return by_feed

    def poll(self, url: str) -> list[FeedEntry]:
        """Count a poll of a feed and return its entries: the editions so far, and updates that are due."""
        self.polls[url] += 1
        edition = min(self.polls[url], EDITIONS)
        feed = self.feeds[url]
        shown = [article for article in self._by_feed.get(url, ()) if article.edition <= edition]
        self.updated.update(article.url for article in shown if self._due(article, edition))
        written = [_entry(feed, self.current(article)) for article in shown]
        return [*written, *_planted_entries(feed, edition)]

    def _due(self, article: Article, edition: int) -> bool:
        update = article.update
        return update is not None and update.edition <= edition and self.pages[article.url] > 0

    def serve(self, url: str) -> Article:
        """Count a page served and return the article in its current version."""
        self.pages[url] += 1
        return self.current(self.articles[url])

    def current(self, article: Article) -> Article:
        """Return the article in the version that is out."""
        return article.second_version() if article.url in self.updated else article

    def updates_shown(self, url: str) -> int:
        """Return how many articles of a feed are out in their second version."""
        return sum(article.url in self.updated for article in self._by_feed.get(url, ()))

    @property
    def complete(self) -> bool:
        """Whether every normal feed has shown all editions, and every update is out."""
        polled = all(self.polls[feed.url] >= EDITIONS for feed in self.feeds.values() if feed.normal)
        return polled and all(url in self.updated for url, article in self.articles.items() if article.update)


def feed_urls(article: Article) -> Iterator[str]:
    """Yield the addresses of the feeds that list an article."""
    for feed in (*article.outlet.feeds, copies_feed(article.outlet)):
        if feed.name in article.feeds:
            yield feed.url


def _entry(feed: FeedSpec, article: Article) -> FeedEntry:
    lead = f"<p>{escape(article.paragraphs[0])}</p>"
    return FeedEntry(
        native_id=article.url,
        link=f"{article.url}?{feed.tracking}" if feed.tracking else article.url,
        title=article.headline,
        published=article.published,
        updated=article.updated,
        author=article.byline,
        summary="" if feed.full else lead,
        content="\n".join(f"<p>{escape(text)}</p>" for text in article.paragraphs) if feed.full else "",
        tags=article.tags,
    )


def _planted_entries(feed: FeedSpec, edition: int) -> Iterator[FeedEntry]:
    for case in cases():
        if case.feed == feed.url and case.page and case.edition <= edition:
            yield _planted_entry(case)


def _planted_entry(case: Case) -> FeedEntry:
    """Return an entry that says no more than a headline: a feed's text would stand in for a page."""
    if case.published is None:
        raise ValueError(f"planted page without a date: {case.what}")
    bare = FeedEntry(native_id=case.native_id, link=case.url, title=case.headline, published=case.published)
    return replace(bare, native_id=case.native_id or case.url or "")
