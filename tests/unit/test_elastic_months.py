"""Making the index of a month, when others are at it too, and when it cannot be made."""

from types import SimpleNamespace
from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig, ObjectApiResponse
from elasticsearch import ApiError

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.elastic.months import Months, month_of_alias
from newswire_index.elastic.names import ARTICLES, ElasticNames
from newswire_index.store import StoreUnavailableError

pytestmark = pytest.mark.unit

ALIAS = "newswire-articles-2026.11"
READ = "newswire-articles"


def refusal(status: int, kind: str) -> ApiError:
    """Return an error of Elasticsearch."""
    meta = ApiResponseMeta(status, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "localhost", 9200))
    return ApiError(kind, meta, {"error": {"type": kind, "reason": f"it is {kind}"}})


class Cluster:
    """Indices with their aliases; what is to happen before an index is made comes from the test."""

    def __init__(self) -> None:
        self.indices: dict[str, set[str]] = {}
        self.before: list[dict[str, set[str]] | ApiError] = []
        self.client: Any = SimpleNamespace(indices=self)
        self.asked: list[dict[str, Any]] = []

    async def exists_alias(self, *, name: str) -> bool:
        """Answer."""
        return any(name in aliases for aliases in self.indices.values())

    async def get_alias(self, *, index: str) -> ObjectApiResponse[Any]:
        """Answer, whatever the pattern."""
        del index
        found: dict[str, Any] = {
            name: {"aliases": {alias: {} for alias in aliases}} for name, aliases in self.indices.items()
        }
        meta = ApiResponseMeta(200, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "localhost", 9200))
        return ObjectApiResponse(found, meta)

    async def create(self, *, index: str, aliases: dict[str, Any], settings: dict[str, Any]) -> None:
        """Make an index, unless somebody was quicker."""
        self.asked.append(settings)
        if self.before:
            first = self.before.pop(0)
            if isinstance(first, ApiError):
                raise first
            self.indices |= first
        if index in self.indices:
            raise refusal(400, "resource_already_exists_exception")
        if any(ALIAS in others for others in self.indices.values()):
            raise refusal(500, "illegal_state_exception")
        self.indices[index] = set(aliases)


def months(cluster: Cluster, *, lifecycle: bool = True) -> Months:
    """Return what makes months there."""
    return Months(cluster.client, ElasticNames(), ElasticsearchSettings(), lifecycle=lifecycle)


async def test_a_month_that_is_there_is_not_made() -> None:
    """Its alias says so."""
    cluster = Cluster()
    cluster.indices = {f"{ALIAS}-000007": {ALIAS, READ}}
    await months(cluster).make(ARTICLES, "2026-11")

    assert cluster.asked == []


async def test_another_process_makes_the_same_index_first() -> None:
    """That is the same as having made it."""
    cluster = Cluster()
    cluster.before = [{f"{ALIAS}-000001": {ALIAS, READ}}]
    await months(cluster).make(ARTICLES, "2026-11")

    assert cluster.indices == {f"{ALIAS}-000001": {ALIAS, READ}}


async def test_a_rebuild_makes_the_same_index_first_for_itself() -> None:
    """It has no alias yet, so the month goes into the next generation."""
    cluster = Cluster()
    cluster.before = [{f"{ALIAS}-000001": set()}]
    await months(cluster).make(ARTICLES, "2026-11")

    assert cluster.indices == {f"{ALIAS}-000001": set(), f"{ALIAS}-000002": {ALIAS, READ}}


async def test_another_process_makes_another_generation_first() -> None:
    """A second write index of one alias is refused by Elasticsearch, and not needed."""
    cluster = Cluster()
    cluster.before = [{f"{ALIAS}-000003": {ALIAS, READ}}]
    await months(cluster).make(ARTICLES, "2026-11")

    assert cluster.indices == {f"{ALIAS}-000003": {ALIAS, READ}}


async def test_a_month_that_cannot_be_made_is_an_outage() -> None:
    """A cluster without room for another shard says 400, and no article is at fault."""
    cluster = Cluster()
    cluster.before = [refusal(400, "validation_exception")]

    with pytest.raises(StoreUnavailableError, match="it is validation_exception"):
        await months(cluster).make(ARTICLES, "2026-11")


async def test_a_race_that_never_ends_is_an_outage() -> None:
    """Each time somebody else takes the next generation and gives it no alias."""
    cluster = Cluster()
    cluster.before = [{f"{ALIAS}-{n:06}": set()} for n in range(1, 10)]

    with pytest.raises(StoreUnavailableError, match="others are at it"):
        await months(cluster).make(ARTICLES, "2026-11")


@pytest.mark.parametrize("lifecycle", [True, False])
async def test_a_cluster_without_life_cycles_is_told_nothing_of_them(*, lifecycle: bool) -> None:
    """It would refuse the setting."""
    cluster = Cluster()
    await months(cluster, lifecycle=lifecycle).make(ARTICLES, "2026-11")

    assert any("lifecycle" in name for name in cluster.asked[0]) is lifecycle


def test_the_month_of_an_alias_is_read_off_its_end() -> None:
    """Whatever the prefix."""
    assert month_of_alias("a.2026.01-newswire-articles-2026.11") == "2026-11"
