"""Templates, policy and settings of indices."""

from datetime import UTC, datetime, timedelta

import pytest

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.elastic.mapping import closed
from newswire_index.elastic.names import ARTICLES, REVISIONS, ElasticNames
from newswire_index.elastic.templates import (
    Kept,
    component_template,
    index_template,
    month_settings,
    monthly,
    policy,
    shard_settings,
)

pytestmark = pytest.mark.unit

NAMES = ElasticNames("desk.")
OUTCOMES = Kept("outcomes", closed({"at": {"type": "date"}}))


def test_articles_and_revisions_have_an_index_a_month() -> None:
    """All else has one."""
    assert [each.kind for each in monthly()] == [ARTICLES, REVISIONS]
    assert all(each.monthly for each in monthly())
    assert not OUTCOMES.monthly


def test_a_template_matches_our_indices_only_and_lets_the_users_add() -> None:
    """Their component template comes last, so its settings win; without one nothing is missing."""
    template = index_template(NAMES, OUTCOMES)

    assert template["index_patterns"] == ["desk.newswire-outcomes-*"]
    assert template["composed_of"] == ["desk.newswire-outcomes", "desk.newswire-outcomes@custom"]
    assert template["ignore_missing_component_templates"] == ["desk.newswire-outcomes@custom"]


def test_months_share_one_policy_and_a_cluster_without_ilm_hears_nothing_of_it() -> None:
    """It would refuse the setting."""
    articles, revisions = (component_template(NAMES, each)["template"] for each in monthly())
    without = component_template(NAMES, monthly()[0], lifecycle=False)["template"]

    assert articles["settings"]["index.lifecycle.name"] == "desk.newswire-articles"
    assert revisions["settings"]["index.lifecycle.name"] == "desk.newswire-articles"
    assert "index.lifecycle.name" not in without["settings"]
    assert "index.lifecycle.name" not in component_template(NAMES, OUTCOMES)["template"]["settings"]


def test_analysis_stands_beside_the_mappings_that_need_it() -> None:
    """Elasticsearch checks each component template by itself."""
    articles, revisions = (component_template(NAMES, each)["template"] for each in monthly())

    assert "index.analysis" in articles["settings"]
    assert "index.analysis" not in revisions["settings"]
    assert articles["settings"]["index.gc_deletes"] == "1h"


def test_what_is_kept_may_have_settings_of_its_own() -> None:
    """Dashboards of operations need no refresh every second."""
    slow = Kept("outcomes", OUTCOMES.mappings, settings={"refresh_interval": "5s"})

    assert component_template(NAMES, slow)["template"]["settings"] == {
        "index.gc_deletes": "1h",
        "index.refresh_interval": "5s",
    }


@pytest.mark.parametrize(
    ("retention", "age"),
    [
        (timedelta(days=400), "400d"),
        (timedelta(days=1.5), "129600s"),
        (timedelta(milliseconds=86400.5), "86400ms"),
    ],
)
def test_the_policy_deletes_after_the_retention_and_does_nothing_else(retention: timedelta, age: str) -> None:
    """Elasticsearch reads no fractions of a day."""
    phases = policy(retention)["policy"]["phases"]

    assert phases == {"delete": {"min_age": age, "actions": {"delete": {"delete_searchable_snapshot": True}}}}


def test_a_month_is_as_old_as_its_end() -> None:
    """December ends in the next year."""
    settings = month_settings("2026-12", ElasticsearchSettings())
    ended = datetime.fromtimestamp(settings["index.lifecycle.origination_date"] / 1000, UTC)

    assert ended == datetime(2027, 1, 1, tzinfo=UTC)
    assert "index.lifecycle.origination_date" not in month_settings(
        "2026-12", ElasticsearchSettings(), lifecycle=False
    )


def test_shards_copies_and_refresh_are_as_set() -> None:
    """One copy where there is a node for it, unless a number is given."""
    default = shard_settings(ElasticsearchSettings())
    told = month_settings("2026-11", ElasticsearchSettings(shards=3, replicas=2, refresh_seconds=0.5))

    assert default == {
        "index.number_of_shards": 1,
        "index.auto_expand_replicas": "0-1",
    }
    assert told["index.number_of_shards"] == 3
    assert told["index.number_of_replicas"] == 2
    assert told["index.refresh_interval"] == "500ms"
    assert "index.auto_expand_replicas" not in told
