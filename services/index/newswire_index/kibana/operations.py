"""The dashboard *Operations*: how fast news becomes searchable, where entries end, how the feeds are."""

from newswire_index.kibana.dashboard import Panel, Row, Shown, dashboard
from newswire_index.kibana.form import Saved
from newswire_index.kibana.lens import (
    Lens,
    count,
    highest,
    latest,
    lens_donut,
    lens_metric,
    lens_table,
    lens_xy,
    median,
    over_time,
    percentile,
    top,
    unique,
)
from newswire_index.kibana.searches import dead_letters, failing_feeds
from newswire_index.kibana.views import Views

LAG = "lag_ms.published_to_indexed"
OPEN = "open: true"
SILENT = "silent_since < now-1d"
FAILING = "failing: true"
POLLED = "enabled: true"  # nobody waits for news of a feed that is switched off


def operations(views: Views) -> Saved:
    """Return the dashboard."""
    rows = [
        Row(6, _numbers(views)),
        Row(14, [Panel("lag", 24, _lag(views)), Panel("steps", 24, _steps(views))]),
        Row(
            14,
            [Panel("outcomes", 28, _outcomes(views)), Panel("reasons", 20, _reasons(views))],
        ),
        Row(
            14,
            [
                Panel("results", 14, _results(views)),
                Panel("outlets", 34, _feed_health(views)),
            ],
        ),
        Row(
            14,
            [
                Panel("silent", 20, _silent_outlets(views)),
                Panel("failing", 28, failing_feeds(views), "Failing feeds"),
            ],
        ),
        Row(
            14,
            [
                Panel("letters-over-time", 20, _letters(views)),
                Panel("letters", 28, dead_letters(views), "Dead letters to be handled"),
            ],
        ),
    ]
    about = "How fast news becomes searchable, where entries end, how the feeds are, what failed."
    id_, title = views.id("dashboard", "operations"), views.title("Operations")
    return dashboard(id_, title, about, rows, shown=Shown("now-24h", refresh_seconds=60))


def _numbers(views: Views) -> list[Panel]:
    arrivals, feeds, letters = views.arrivals, views.feeds, views.dead_letters
    numbers = {
        "searchable": lens_metric("Became searchable", arrivals, count("Articles")),
        "lag-50": lens_metric("Half within", arrivals, percentile("p50 published to searchable", LAG, 50)),
        "lag-99": lens_metric("99 % within", arrivals, percentile("p99 published to searchable", LAG, 99)),
        "failing-feeds": lens_metric("Failing feeds", feeds, count("Feeds", FAILING)),
        "silent-feeds": lens_metric("Silent for a day", feeds, count("Feeds", SILENT)).only(POLLED),
        "open-letters": lens_metric("Dead letters", letters, count("To be handled", OPEN)),
    }
    return [Panel(id_, 8, shown) for id_, shown in numbers.items()]


def _lag(views: Views) -> Lens:
    lines = [percentile(f"p{percent}", LAG, percent) for percent in (50, 95, 99)]
    title = "Published to searchable, percentiles"
    return lens_xy(title, views.arrivals, "line", over_time("indexed_at"), lines)


def _steps(views: Views) -> Lens:
    lines = [
        median("Published to seen in a feed", "lag_ms.published_to_seen"),
        median("Seen to fetched", "lag_ms.seen_to_fetched"),
        median("Fetched to enriched", "lag_ms.fetched_to_enriched"),
        median("Enriched to indexed", "lag_ms.enriched_to_indexed"),
    ]
    return lens_xy("Where the time goes, medians", views.arrivals, "line", over_time("indexed_at"), lines)


def _outcomes(views: Views) -> Lens:
    entries, x = count("Entries"), over_time("at")
    return lens_xy(
        "Outcomes by reason", views.outcomes, "bar_stacked", x, [entries], top("Reason", "reason", 15)
    )


def _reasons(views: Views) -> Lens:
    values = [count("Entries"), unique("Outlets", "outlet"), latest("Last", "at")]
    by = [top("Outcome", "kind", 5), top("Reason", "reason", 15)]
    return lens_table("Entries by outcome and reason", views.outcomes, by, values)


def _results(views: Views) -> Lens:
    return lens_donut("Last polls", views.feeds, top("Result", "result", 8), count("Feeds"))


def _feed_health(views: Views) -> Lens:
    values = [
        highest("Failures in a row", "failures"),
        count("Feeds"),
        count("Failing", FAILING),
        latest("Last poll", "polled_at"),
        latest("Last news", "last_new_at"),
    ]
    return lens_table("Feed health by outlet", views.feeds, [top("Outlet", "outlet", 100)], values)


def _silent_outlets(views: Views) -> Lens:
    values = [latest("Silent since", "silent_since"), latest("Last poll", "polled_at"), count("Feeds")]
    longest = top("Outlet", "outlet", 20, least=True)
    return lens_table("Silent outlets", views.feeds, [longest], values).only(POLLED)


def _letters(views: Views) -> Lens:
    letters, x = count("Dead letters"), over_time("at")
    return lens_xy(
        "Dead letters by reason", views.dead_letters, "bar_stacked", x, [letters], top("Reason", "reason", 10)
    )
