"""The dashboard *Coverage*: what is reported, by whom, about whom and where."""

from newswire_index.kibana.dashboard import Panel, Row, dashboard
from newswire_index.kibana.form import Saved
from newswire_index.kibana.lens import (
    Column,
    Lens,
    count,
    last_value,
    latest,
    lens_donut,
    lens_metric,
    lens_table,
    lens_xy,
    over_time,
    tag_cloud,
    top,
    unique,
)
from newswire_index.kibana.map import map_of
from newswire_index.kibana.searches import latest as latest_articles
from newswire_index.kibana.views import Views

ARTICLES = count("Articles")


def place_map(views: Views) -> Saved:
    """Return the map of the places that articles name."""
    return map_of(
        views.id("map", "places"),
        views.title("Places"),
        views.articles,
        "entities.location",
        description="The places that articles name, where their coordinates are known.",
        tooltip=("title", "outlet", "dated_at", "url"),
        outlets="outlet",
    )


def coverage(views: Views) -> Saved:
    """Return the dashboard."""
    articles = views.articles
    rows = [
        Row(
            6,
            [
                Panel("articles", 12, lens_metric("Articles", articles, ARTICLES)),
                Panel("outlets", 12, lens_metric("Outlets", articles, unique("Outlets", "outlet"))),
                Panel("topics", 12, lens_metric("Topics", articles, unique("Topics", "topics"))),
                Panel("newest", 12, lens_metric("Newest article", articles, latest("Newest", "dated_at"))),
            ],
        ),
        Row(14, [Panel("volume", 48, _volume(views))]),
        Row(
            14,
            [
                Panel("people", 16, _bars(views, "Top people", "entities.person")),
                Panel("organisations", 16, _bars(views, "Top organisations", "entities.organisation")),
                Panel("places", 16, _cloud(views, "Top places", "entities.place")),
            ],
        ),
        Row(
            18,
            [Panel("map", 32, place_map(views), "Map of places"), Panel("languages", 16, _languages(views))],
        ),
        Row(
            14,
            [
                Panel("by-outlet", 20, _bars(views, "Articles by outlet", "outlet")),
                Panel("latest-by-outlet", 28, _latest_by_outlet(views)),
            ],
        ),
        Row(20, [Panel("latest", 48, latest_articles(views), "Latest articles")]),
    ]
    about = "What is reported: how much, by whom, about whom and where."
    return dashboard(views.id("dashboard", "coverage"), views.title("Coverage"), about, rows)


def _volume(views: Views) -> Lens:
    return lens_xy(
        "Volume over time by topic",
        views.articles,
        "bar_stacked",
        over_time("dated_at"),
        [ARTICLES],
        split=top("Topic", "topics", 10, missing=True),
    )


def _bars(views: Views, title: str, field: str) -> Lens:
    return lens_xy(title, views.articles, "bar_horizontal", top(title, field, 10), [ARTICLES])


def _cloud(views: Views, title: str, field: str) -> Lens:
    return tag_cloud(title, views.articles, top(title, field, 30), ARTICLES)


def _languages(views: Views) -> Lens:
    return lens_donut("Languages", views.articles, top("Language", "language", 8), ARTICLES)


def _latest_by_outlet(views: Views) -> Lens:
    values: list[Column] = [
        ARTICLES,
        latest("Newest", "dated_at"),
        last_value("Title", "title.keyword", by="dated_at"),
        last_value("Link", "url", by="dated_at"),
    ]
    return lens_table("Latest by outlet", views.articles, [top("Outlet", "outlet", 50)], values)
