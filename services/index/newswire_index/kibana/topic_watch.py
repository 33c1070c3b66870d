"""The dashboard *Topic watch*: one topic, person or outlet under the glass."""

from newswire_index.kibana.dashboard import Control, Panel, Row, dashboard
from newswire_index.kibana.form import Saved
from newswire_index.kibana.lens import (
    Lens,
    count,
    earliest,
    last_value,
    latest,
    lens_metric,
    lens_table,
    lens_xy,
    median,
    over_time,
    tag_cloud,
    top,
    unique,
)
from newswire_index.kibana.searches import latest as latest_articles
from newswire_index.kibana.views import Views

ARTICLES = count("Articles")
OUTLETS = unique("Outlets", "outlet")
CONTROLS = {"topic": "topics", "entity": "entities.name", "language": "language", "outlet": "outlet"}


def topic_watch(views: Views) -> Saved:
    """Return the dashboard."""
    articles = views.articles
    rows = [
        Row(
            6,
            [
                Panel("articles", 12, lens_metric("Articles", articles, ARTICLES)),
                Panel("outlets", 12, lens_metric("Outlets", articles, OUTLETS)),
                Panel("first", 12, lens_metric("First article", articles, earliest("First", "dated_at"))),
                Panel("newest", 12, lens_metric("Newest article", articles, latest("Newest", "dated_at"))),
            ],
        ),
        Row(13, [Panel("timeline", 48, _timeline(views))]),
        Row(
            15,
            [
                Panel("entities", 28, _mentioned_too(views)),
                Panel("cloud", 20, _cloud(views)),
            ],
        ),
        Row(
            15,
            [
                Panel("outlets-by-topic", 20, _outlets_by_topic(views)),
                Panel("outlets-compared", 28, _outlets_compared(views)),
            ],
        ),
        Row(20, [Panel("latest", 48, latest_articles(views), "Latest articles")]),
    ]
    controls = [Control(id_, id_.capitalize(), field, articles) for id_, field in CONTROLS.items()]
    about = (
        "Choose a topic, an entity, a language or an outlet: how it went on, who else is named, who reports."
    )
    id_, title = views.id("dashboard", "topic-watch"), views.title("Topic watch")
    return dashboard(id_, title, about, rows, controls)


def _timeline(views: Views) -> Lens:
    split = top("Outlet", "outlet", 12)
    x = over_time("dated_at")
    return lens_xy("Timeline by outlet", views.articles, "bar_stacked", x, [ARTICLES], split)


def _mentioned_too(views: Views) -> Lens:
    """Count entities in the articles chosen: those who are named beside the one that was asked for."""
    values = [ARTICLES, OUTLETS, latest("Newest", "dated_at")]
    return lens_table("Mentioned together", views.articles, [top("Entity", "entities.name", 50)], values)


def _cloud(views: Views) -> Lens:
    return tag_cloud("Mentioned together", views.articles, top("Entity", "entities.name", 40), ARTICLES)


def _outlets_by_topic(views: Views) -> Lens:
    split, x = top("Topic", "topics", 8), top("Outlet", "outlet", 12)
    return lens_xy("Outlets by topic", views.articles, "bar_horizontal_stacked", x, [ARTICLES], split)


def _outlets_compared(views: Views) -> Lens:
    values = [
        ARTICLES,
        median("Words", "words"),
        earliest("First", "dated_at"),
        latest("Newest", "dated_at"),
        last_value("Newest title", "title.keyword", by="dated_at"),
    ]
    return lens_table("Outlets compared", views.articles, [top("Outlet", "outlet", 50)], values)
