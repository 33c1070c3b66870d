"""The newsroom many times over, for tests under load: each world has hosts of its own and its own words.

World 1 is the newsroom as written, with all planted cases. Every further world holds its articles again, at
outlets of other names under other registered domains (``courier-7.example``), with other headlines and texts:
no article id and no content hash is that of another world. Killers are outlets with one page each that no
extraction survives; they are there once, and never in the demo.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from newswire_newsroom.oddities import KILLER_PAGES
from newswire_newsroom.world import Article, Block, FeedSpec, Outlet, Update, articles, outlets

LEFT_OUT = (
    "consent-wall"  # the feed's text stands in for its page: one that fails for a moment reads the same
)
KILLER_PUBLISHED = datetime(2026, 11, 14, 6, 0, tzinfo=UTC)


def world_outlets(worlds: int) -> Mapping[str, Outlet]:
    """Return the outlets of the worlds after the first, by name, with the feeds that list articles."""
    listed = {
        feed.url for article in articles() for feed in article.outlet.feeds if feed.name in article.feeds
    }
    found = {}
    for number in range(2, worlds + 1):
        for outlet in outlets().values():
            moved = _moved(outlet, number, listed)
            found[moved.name] = moved
    return found


def world_articles(worlds: int) -> Iterator[Article]:
    """Yield the articles of the worlds after the first."""
    moved = world_outlets(worlds)
    for number in range(2, worlds + 1):
        for article in articles():
            if article.case != LEFT_OUT:
                yield _retold(article, number, moved[f"{article.outlet.name}-{number}"])


def killer_articles(killers: int) -> Iterator[Article]:
    """Yield the pages that kill a child process, each at an outlet of its own."""
    kinds = tuple(KILLER_PAGES)
    for number in range(1, killers + 1):
        outlet = _killer_outlet(number)
        yield Article(
            slug=f"deadweight-{number}",
            outlet=outlet,
            path="/registers/all-ballast-ever-shipped",
            headline=f"Register {number} of all ballast ever shipped",
            byline="The registrar",
            published=KILLER_PUBLISHED,
            language="en",
            tags=(),
            layout="plain",
            feeds=("main",),
            edition=1,
            story="ballast",
            blocks=(Block("p", "All entries of the register on one page."),),
            case=kinds[(number - 1) % len(kinds)],
        )


def _moved(outlet: Outlet, number: int, listed: set[str]) -> Outlet:
    """Return the outlet under a name and a domain of a world's own."""
    host = outlet.host.replace(".example", f"-{number}.example")
    origin = f"https://{host}"
    feeds = tuple(
        replace(feed, url=feed.url.replace(outlet.origin, origin), title=f"{feed.title} ({number})")
        for feed in outlet.feeds
        if feed.url in listed
    )
    return replace(
        outlet, name=f"{outlet.name}-{number}", host=host, title=f"{outlet.title} {number}", feeds=feeds
    )


def _retold(article: Article, number: int, outlet: Outlet) -> Article:
    """Return the article as this world tells it; the marker stands high, where a teaser shows it too."""
    first, *others = article.blocks
    marker = Block(
        "p", f"This is how desk {number} of the newsroom heard of it, and printed it as report {number}."
    )
    return replace(
        article,
        slug=f"{article.slug}-w{number}",
        outlet=outlet,
        headline=f"{article.headline} ({number})",
        blocks=(first, marker, *others),
        update=_retold_update(article.update, number),
    )


def _retold_update(update: Update | None, number: int) -> Update | None:
    return update and replace(
        update, headline=f"{update.headline} ({number})", text=f"{update.text} So desk {number} writes."
    )


def _killer_outlet(number: int) -> Outlet:
    origin = f"https://deadweight-{number}.example"
    title = f"Deadweight Register {number}"
    return Outlet(
        name=f"deadweight-{number}",
        host=origin.removeprefix("https://"),
        title=title,
        language="en",
        layout="plain",
        sections=("registers",),
        feeds=(FeedSpec(name="main", url=f"{origin}/feed.xml", format="rss", full=False, title=title),),
    )
