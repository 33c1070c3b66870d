"""The templates and the policy that indices are made from, as plain data.

    component template newswire-articles         analysis, mappings and what holds for every index
    component template newswire-articles@custom  the users' own, if there is one
    index template     newswire-articles         both, for newswire-articles-*
    ILM policy         newswire-articles         deletes an index a retention after the end of its month

What differs by month or by setting is told when an index is made. Aliases are in no template: whoever makes
an index sets them, as a rebuild's are not in the read alias at first.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.document import month_end
from newswire_index.elastic.mapping import analysis, article_mappings, mark, revision_mappings
from newswire_index.elastic.names import ARTICLES, REVISIONS, ElasticNames

Json = dict[str, Any]

PRIORITY = 500  # above the templates that Elasticsearch and Kibana bring along
GC_DELETES = "1h"  # how long a deleted document's version is known: beyond any write that is on its way
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)


@dataclass(frozen=True)
class Kept:
    """Something that is kept in indices of its own.

    Args:
        kind: its part of their names.
        mappings: made with ``closed``.
        analysis: what the mappings need of it.
        settings: of the index, beside those that all have.
        monthly: whether there is an index a month, made when it is needed; else there is one.
    """

    kind: str
    mappings: Json
    analysis: Json | None = None
    settings: Json | None = None
    monthly: bool = False


def monthly() -> tuple[Kept, ...]:
    """Return what has an index a month."""
    return (
        Kept(ARTICLES, article_mappings(), analysis(), monthly=True),
        Kept(REVISIONS, revision_mappings(), monthly=True),
    )


def component_template(names: ElasticNames, kept: Kept, *, lifecycle: bool = True) -> Json:
    """Return the component template of what is kept.

    Args:
        names: how our things are called.
        kept: what.
        lifecycle: whether the cluster knows ILM.
    """
    settings: Json = {"index.gc_deletes": GC_DELETES}
    settings |= {f"index.{name}": value for name, value in (kept.settings or {}).items()}
    if lifecycle and kept.monthly:
        settings["index.lifecycle.name"] = names.of(ARTICLES)
    if kept.analysis:
        settings["index.analysis"] = kept.analysis
    return {"template": {"settings": settings, "mappings": kept.mappings}, "_meta": mark()}


def index_template(names: ElasticNames, kept: Kept) -> Json:
    """Return the index template of what is kept."""
    name = names.of(kept.kind)
    return {
        "index_patterns": [names.pattern(kept.kind)],
        "composed_of": [name, custom(name)],
        "ignore_missing_component_templates": [custom(name)],
        "priority": PRIORITY,
        "allow_auto_create": False,  # a deletion with a version would make an index in the place of an alias
        "_meta": mark(),
    }


def custom(name: str) -> str:
    """Return the name of the users' own component template beside ours."""
    return f"{name}@custom"


def policy(retention: timedelta) -> Json:
    """Return the ILM policy: an index goes when it is older than the retention, and nothing else happens.

    Its age counts from ``index.lifecycle.origination_date``.
    """
    delete = {"min_age": _age(retention), "actions": {"delete": {"delete_searchable_snapshot": True}}}
    return {"policy": {"_meta": mark(), "phases": {"delete": delete}}}


def shard_settings(settings: ElasticsearchSettings) -> Json:
    """Return what any index is made with beside its template: shards and copies."""
    if settings.replicas is None:
        return {"index.number_of_shards": settings.shards, "index.auto_expand_replicas": "0-1"}
    return {"index.number_of_shards": settings.shards, "index.number_of_replicas": settings.replicas}


def index_settings(settings: ElasticsearchSettings) -> Json:
    """Return what a month's index is made with beside its template: shards, copies, the refresh interval."""
    refresh = _seconds(timedelta(seconds=settings.refresh_seconds))
    return {**shard_settings(settings), "index.refresh_interval": refresh}


def month_settings(month: str, settings: ElasticsearchSettings, *, lifecycle: bool = True) -> Json:
    """Return the same, and that the index is as old as its month's end.

    Args:
        month: such as ``2026-11``.
        settings: how indices are made.
        lifecycle: whether months have a life-cycle policy, see ``check_setup``.
    """
    if not lifecycle:
        return index_settings(settings)
    ended_ms = int(month_end(month).timestamp()) * 1000
    return {**index_settings(settings), "index.lifecycle.origination_date": ended_ms}


def _age(retention: timedelta) -> str:
    return f"{retention // _DAY}d" if not retention % _DAY else _seconds(retention)


def _seconds(length: timedelta) -> str:
    """Return a length as Elasticsearch reads it: it takes no fractions."""
    return f"{length // _SECOND}s" if not length % _SECOND else f"{length // timedelta(milliseconds=1)}ms"
