"""More of the same for benchmarks: the normal articles again, under other addresses and distinct texts."""

from collections.abc import Iterator
from dataclasses import replace

from newswire_newsroom.world import Article, Block, FeedSpec, Outlet, articles


def copies_feed(outlet: Outlet) -> FeedSpec:
    """Return the feed that lists an outlet's copies."""
    return FeedSpec(
        name="copies",
        url=f"{outlet.origin}/feeds/copies.atom",
        format="atom",
        full=False,
        title=f"{outlet.title} – Copies",
    )


def copied_articles(copies: int) -> Iterator[Article]:
    """Yield the normal articles ``copies - 1`` more times; planted cases are never copied."""
    for number in range(1, copies):
        for article in articles():
            if not article.case:
                yield _copied(article, number)


def _copied(article: Article, number: int) -> Article:
    marker = Block("p", f"This is copy {number} of the report, printed for copy desk {number}.")
    return replace(
        article,
        slug=f"{article.slug}-c{number}",
        path=f"/c{number}{article.path}",
        headline=f"{article.headline} ({number})",
        feeds=("copies",),
        edition=1,
        blocks=(*article.blocks, marker),
    )
