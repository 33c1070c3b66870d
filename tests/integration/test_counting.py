"""What stages do is counted where it happens, once."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from integration.ingest_world import NEWS, World, page, rss, world_in
from integration.stage_world import bench_in
from integration.test_index_stage import FlakyStore, address, enriched, indexing
from unit.stages import PoisonStage, outcome

from newswire.children import Children
from newswire.events import Outcome
from newswire.log.port import Message
from newswire.metrics import REGISTRY
from newswire.stage import Delivery, Done, End
from newswire_ingest.service import CHILD, LIMITS

pytestmark = pytest.mark.integration

FEED = f"{NEWS}/feed.xml"
A, GONE = f"{NEWS}/a", f"{NEWS}/gone"


class Counted:
    """How much metrics have grown."""

    def __init__(self) -> None:
        self._before = self._samples()

    def __getitem__(self, sample: str) -> float:
        """Return the growth of a sample such as ``newswire_x_total{a="b"}``."""
        return self._samples().get(sample, 0.0) - self._before.get(sample, 0.0)

    def all(self, name: str) -> float:
        """Return the growth of a metric over all its labels."""
        now = {key for key in self._samples() if key.split("{")[0] == name}
        return sum(self[key] for key in now)

    @staticmethod
    def _samples() -> dict[str, float]:
        return {
            each.name + (f"{{{labels}}}" if (labels := _labels(each.labels)) else ""): each.value
            for family in REGISTRY.collect()
            for each in family.samples
        }


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{text}"' for name, text in labels.items())


class SwallowingStage(PoisonStage):
    """Raises on some messages, and publishes nothing."""

    async def act(self, batch: Sequence[Delivery]) -> Sequence[End]:
        """Swallow what is no poison."""
        return [Done() for _ in await super().act(batch)]


@contextmanager
def counting() -> Iterator[Counted]:
    """Count what is done inside, and after it."""
    yield Counted()


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A web, a log and real child processes."""
    async with (
        Children(CHILD, {}, workers=1, limits=LIMITS) as children,
        world_in(tmp_path, children) as made,
    ):
        yield made


@pytest.mark.timeout(60)
async def test_polls_fetches_and_articles_are_counted(world: World) -> None:
    """By what they met; the entry that ended here is in the outcomes."""
    world.site.put(A, page("the bridge"))
    with counting() as counted:
        async with world.ingest():
            feed = await world.feed(FEED, rss(A, GONE))
            await world.ends(2)
            await world.status(feed)

    assert counted['newswire_feeds_polled_total{result="new"}'] == 1
    assert counted['newswire_fetches_total{reason="fetched"}'] == 1
    assert counted['newswire_fetches_total{reason="not-found"}'] == 1
    assert counted.all("newswire_fetches_total") == 2
    assert counted["newswire_articles_extracted_total"] == 1
    assert counted['newswire_outcomes_total{kind="discarded",reason="not-found"}'] == 1
    assert counted['newswire_messages_total{group="ingest",end="done"}'] == 2


async def test_verdicts_writes_and_those_that_come_again_are_counted(tmp_path: Path) -> None:
    """A store that was away for two calls has two writes that come again."""
    with counting() as counted:
        async with indexing(tmp_path, FlakyStore(address(tmp_path), 2)) as (bench, _):
            await bench.settle(enriched(version=11), enriched("e2", version=10), enriched("e3", key="B"))

    assert counted['newswire_store_verdicts_total{verdict="stored"}'] == 2
    assert counted['newswire_store_verdicts_total{verdict="older"}'] == 1
    assert counted['newswire_bulk_retries_total{group="index"}'] == 2
    assert counted['newswire_bulk_seconds_count{group="index"}'] == 3
    assert counted['newswire_outcomes_total{kind="indexed",reason="new"}'] == 3


async def test_messages_are_counted_by_how_they_ended(tmp_path: Path) -> None:
    """A poisonous one after its tries, each of which is a batch that was not the end of it."""
    stage = SwallowingStage("2")
    stage.inputs = {Outcome.topic: Outcome}
    with counting() as counted:
        async with bench_in(tmp_path, stage) as bench:
            await bench.settle(*(Message(Outcome.topic, "k", outcome(n).to_bytes()) for n in range(4)))
            letters = await bench.letters()

    assert letters == [("k", "handler-failed")]
    assert counted['newswire_messages_total{group="echo",end="done"}'] == 3
    assert counted['newswire_messages_total{group="echo",end="retry"}'] == 2
    assert counted['newswire_messages_total{group="echo",end="dead_letter"}'] == 1
    assert counted['newswire_batch_seconds_count{group="echo"}'] >= 3
