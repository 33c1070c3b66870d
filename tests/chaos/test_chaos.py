"""Everything dies or freezes at some moment, the servers too, and in the end nothing shows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from chaos.backing import Backing, on_kafka, on_sqlite
from chaos.checks import Remains, complaints
from chaos.monkey import Mischief, Monkey, chosen_seed
from chaos.replicas import Replica, replicas, stop_all
from chaos.scene import Importer, Scene, Size, scene
from chaos.schedule import Schedule
from e2e.harness import children_of_newswire, newswire, rows, until
from servers.elasticsearch import ElasticsearchServer
from servers.kafka import KafkaServer

pytestmark = pytest.mark.e2e

COUNTS = {"ingest": 2, "enrich": 3, "index": 2}
FEEDS_UNTIL = 0.7  # of the time of chaos: then the last world's feeds are added


@dataclass(frozen=True)
class Plan:
    """How large and how bad, and how long it may take to come to rest."""

    size: Size
    mischief: Mischief
    drain_seconds: float


SHORT = Plan(
    Size(2, killers=1, interval_seconds=3), Mischief(24, (1.5, 3), freeze_seconds=7, server_deaths=1), 90
)
LONG = Plan(Size(25, killers=3, interval_seconds=20), Mischief(240, freeze_seconds=9, server_deaths=3), 240)
LONG_ON_A_FILE = Plan(LONG.size, Mischief(240, (3, 7), freeze_seconds=62, freezes=0.15), 240)
SESSION_SECONDS = 6.0  # less than any freeze, and more than a loaded machine takes from one beat to the next


def disturbed(folder: Path, plan: Plan, backing: Backing) -> tuple[Scene, Remains, Monkey]:
    """Run everything under the monkey's hands, let it come to rest, and return what is left."""
    monkey = Monkey(chosen_seed(), plan.mischief)
    with scene(folder, plan.size, backing) as wild, replicas(folder, wild.env, COUNTS) as made:
        importer = Importer(wild, plan.mischief.seconds * FEEDS_UNTIL)
        importer.start()
        schedule = Schedule()
        monkey.plan(schedule, made, backing.servers)
        schedule.run()
        _nobody_ended(made)
        importer.join(plan.drain_seconds)
        balance = wild.until_drained(plan.drain_seconds)
        assert importer.added == plan.size.worlds
        assert (balance.in_flight, balance.lost) == (0, ())
        _end_well(folder, made)
        return wild, wild.remains(), monkey


def _end_well(folder: Path, made: list[Replica]) -> None:
    """Nobody ended unasked, all stop in order, and no child is left."""
    print({replica.name: replica.starts for replica in made})  # noqa: T201  to judge how bad it was
    _nobody_ended(made)
    assert set(stop_all(made).values()) == {0}
    until(lambda: not children_of_newswire(folder), seconds=5)


def _nobody_ended(made: list[Replica]) -> None:
    ended = {replica.name: (replica.unasked, replica.lines()[-3:]) for replica in made if replica.unasked}
    assert ended == {}, "these ended unasked"


def check(folder: Path, plan: Plan, backing: Backing, undisturbed: Callable[[int], Remains]) -> None:
    """All that must hold."""
    expected = undisturbed(plan.size.worlds)
    wild, found, monkey = disturbed(folder, plan, backing)
    (row,) = rows(newswire(folder, "ledger", "--json", env=wild.env).stdout)

    assert complaints(expected, found, wild.killers, broker_died=backing.broker is not None) == []
    assert len(wild.killers) == plan.size.killers
    assert (row["in_flight"], row["lost"]) == (0, 0)
    assert row["seen"] == len(found.ends)
    assert monkey.done["killed"] >= 3
    assert monkey.done["frozen"] >= 1


@pytest.mark.timeout(240)
def test_a_short_chaos_on_kafka_changes_nothing_in_the_end(
    own_kafka: KafkaServer, tmp_path: Path, undisturbed: Callable[[int], Remains]
) -> None:
    """Each result once, the store as undisturbed, the ledger balanced, dead letters only of killers."""
    check(tmp_path, SHORT, on_kafka(own_kafka, SESSION_SECONDS), undisturbed)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_long_chaos_on_kafka_and_elasticsearch_changes_nothing_in_the_end(
    own_kafka: KafkaServer,
    own_elasticsearch: ElasticsearchServer,
    tmp_path: Path,
    undisturbed: Callable[[int], Remains],
) -> None:
    """The same with more than a thousand articles, for minutes, and servers that die three times each."""
    backing = on_kafka(own_kafka, SESSION_SECONDS, own_elasticsearch)
    check(tmp_path, LONG, backing, undisturbed)
    verified = newswire(tmp_path, "index", "verify", "--json", env=backing.settings(tmp_path))

    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_long_chaos_on_a_file_changes_nothing_in_the_end(
    tmp_path: Path, undisturbed: Callable[[int], Remains]
) -> None:
    """Several processes may share a SQLite log, and it keeps the same promises."""
    check(tmp_path, LONG_ON_A_FILE, on_sqlite(tmp_path), undisturbed)
