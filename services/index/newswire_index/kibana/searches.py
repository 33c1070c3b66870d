"""Saved searches of Discover."""

from newswire_index.kibana.form import Saved, saved_search
from newswire_index.kibana.views import Views

ARTICLE_COLUMNS = ("title", "outlet", "language", "topics", "url")


def searches(views: Views) -> list[Saved]:
    """Return all of them."""
    return [
        latest(views),
        latest_by_outlet(views),
        _about(views, "nato-bid", "NATO bid", "Coverage of joining NATO, by topic or by the words."),
        _about(
            views,
            "berlin-talks",
            "Berlin talks",
            "Coverage of the talks in Berlin, by topic or by the words.",
        ),
        failing_feeds(views),
        dead_letters(views),
    ]


def latest(views: Views) -> Saved:
    """Return the search that lists articles, newest first."""
    return saved_search(
        views.id("search", "latest"),
        views.title("Latest articles"),
        views.articles,
        ARTICLE_COLUMNS,
        description="All articles, newest first, each with its link.",
        by="topics",
    )


def latest_by_outlet(views: Views) -> Saved:
    """Return the search that shows who publishes what just now."""
    return saved_search(
        views.id("search", "latest-by-outlet"),
        views.title("Latest by outlet"),
        views.articles,
        ("outlet", "title", "topics", "url"),
        description="Newest articles first, coloured by outlet; choose an outlet to see its own.",
        query="outlet: *",
        by="outlet",
    )


def _about(views: Views, topic: str, words: str, description: str) -> Saved:
    return saved_search(
        views.id("search", topic),
        views.title(words),
        views.articles,
        ARTICLE_COLUMNS,
        description=description,
        query=f'topics: "{topic}" or title: "{words}" or text: "{words}"',
        by="outlet",
    )


def failing_feeds(views: Views) -> Saved:
    """Return the search for feeds whose last polls failed."""
    return saved_search(
        views.id("search", "failing-feeds"),
        views.title("Failing feeds"),
        views.feeds,
        ("title", "outlet", "result", "http_status", "failures", "message", "polled_at", "url"),
        description="Feeds whose last poll failed, and how often in a row.",
        query="failing: true",
        newest="polled_at",
    )


def dead_letters(views: Views) -> Saved:
    """Return the search for dead letters that nobody has handled."""
    return saved_search(
        views.id("search", "dead-letters"),
        views.title("Dead letters"),
        views.dead_letters,
        ("stage", "reason", "error", "attempts", "url", "entry_id"),
        description="Messages that could not be handled and were not sent back or dropped yet.",
        query="open: true",
        by="reason",
    )
