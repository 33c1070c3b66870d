"""Names of what is kept in Elasticsearch."""

import pytest

from newswire.errors import SettingsError
from newswire_index.elastic.names import ARTICLES, ElasticNames, generation_of, month_of_index

pytestmark = pytest.mark.unit


def test_aliases_and_indices_are_named_after_kind_month_and_generation() -> None:
    """What people see in Kibana and in a shell."""
    names = ElasticNames()
    alias = names.month(ARTICLES, "2026-11")

    assert names.of(ARTICLES) == "newswire-articles"
    assert alias == "newswire-articles-2026.11"
    assert names.index(alias) == "newswire-articles-2026.11-000001"
    assert names.index(alias, 12) == "newswire-articles-2026.11-000012"


@pytest.mark.parametrize("prefix", ["", "a.", "desk-2_", "9x"])
def test_a_prefix_stands_before_everything(prefix: str) -> None:
    """Two worlds in one cluster never meet, not even by a pattern."""
    names = ElasticNames(prefix)

    assert names.pattern(ARTICLES) == f"{prefix}newswire-articles-*"
    assert names.month(ARTICLES, "2026-01").startswith(names.of(ARTICLES))


@pytest.mark.parametrize("prefix", ["News", "-a", "_a", ".a", "a b", "ä", "a*", "a\n"])
def test_a_prefix_that_can_begin_no_index_stops_the_start(prefix: str) -> None:
    """Elasticsearch would refuse it much later."""
    with pytest.raises(SettingsError, match="NEWSWIRE_PREFIX"):
        ElasticNames(prefix)


@pytest.mark.parametrize(
    ("index", "month", "generation"),
    [
        ("newswire-articles-2026.11-000001", "2026-11", 1),
        ("x.newswire-revisions-2026.02-000123", "2026-02", 123),
        ("newswire-outcomes-000001", None, 1),
        ("newswire-articles", None, 0),
        ("newswire-articles-2026.11", None, 0),
        ("somebody-elses", None, 0),
    ],
)
def test_an_index_says_its_month_and_generation(index: str, month: str | None, generation: int) -> None:
    """Expiry and rebuild read them from the name."""
    assert month_of_index(index) == month
    assert generation_of(index) == generation
