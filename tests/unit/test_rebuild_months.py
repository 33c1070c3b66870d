"""Which indices a rebuild makes, and which aliases it moves."""

from collections.abc import Mapping

import pytest

from newswire_index.elastic.months import MonthIndex
from newswire_index.elastic.names import ElasticNames
from newswire_index.rebuild.months import filling, is_swapped, next_index, serving, swap_actions, unserved

pytestmark = pytest.mark.unit

NAMES = ElasticNames("x-")
READ = "x-newswire-articles"
NOV, DEC = "2026-11", "2026-12"


def index(month: str, generation: int, *aliases: str) -> MonthIndex:
    """Return an index of a month with some of r(ead), w(rite) and f(illing)."""
    write = f"{READ}-{month.replace('-', '.')}"
    names = {"r": READ, "w": write, "f": f"{write}-rebuild"}
    return MonthIndex(f"{write}-{generation:06}", month, frozenset(names[each] for each in aliases))


def applied(found: list[MonthIndex], actions: list[dict[str, dict[str, object]]]) -> dict[str, set[str]]:
    """Return the aliases of each index after the actions; fails on one that cannot be done."""
    state = {each.name: set(each.aliases) for each in found}
    for action in actions:
        ((kind, what),) = action.items()
        aliases, alias = state[str(what["index"])], str(what["alias"])
        if kind == "remove":
            aliases.remove(alias)
        else:
            aliases.add(alias)
    return state


def test_the_next_generation_is_above_all_there_are_and_never_the_first() -> None:
    """The first is the index service's, which may make it at any moment."""
    found = [index(NOV, 1, "r", "w"), index(NOV, 4), index(DEC, 7)]

    assert next_index(NAMES, NOV, found) == "x-newswire-articles-2026.11-000005"
    assert next_index(NAMES, "2027-01", found) == "x-newswire-articles-2027.01-000002"
    assert filling(NAMES, NOV) == "x-newswire-articles-2026.11-rebuild"


def test_an_index_serves_that_is_written() -> None:
    """Others are old, or being filled."""
    found = [index(NOV, 1, "r", "w"), index(NOV, 2, "f"), index(DEC, 1)]

    assert serving(NAMES, found) == {NOV: index(NOV, 1).name}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], False),
        ([index(NOV, 1, "r", "w"), index(NOV, 2, "f")], False),
        ([index(NOV, 1), index(NOV, 2, "r", "w")], True),
        ([index(NOV, 2, "r"), index(NOV, 3, "r", "w")], True),
        ([index(NOV, 3, "r", "w")], False),
    ],
)
def test_a_rebuild_is_swapped_if_its_indices_are_read(found: list[MonthIndex], expected: bool) -> None:
    """Whatever else there is."""
    assert is_swapped(NAMES, found, {NOV: index(NOV, 2).name}) is expected


def test_the_swap_moves_every_alias_of_every_month_and_no_other() -> None:
    """Afterwards each month has one index, which is read and written; the alias for filling is gone."""
    found = [
        index(NOV, 1, "r", "w"),
        index(NOV, 2, "f"),
        index(DEC, 3),
        index(DEC, 4, "r", "w"),
        index(DEC, 5, "f"),
        index("2026-10", 1, "r", "w"),
    ]
    new = {NOV: index(NOV, 2).name, DEC: index(DEC, 5).name}
    actions = swap_actions(NAMES, found, new)
    state = applied(found, actions)

    assert state == {
        index(NOV, 1).name: set(),
        index(NOV, 2).name: {READ, f"{READ}-2026.11"},
        index(DEC, 3).name: set(),
        index(DEC, 4).name: set(),
        index(DEC, 5).name: {READ, f"{READ}-2026.12"},
        index("2026-10", 1).name: {READ, f"{READ}-2026.10"},
    }
    assert [action["add"].get("is_write_index") for action in actions if "add" in action] == [None, True] * 2


def test_a_swap_of_a_month_that_serves_nowhere_only_adds() -> None:
    """Its old index may have been removed by hand."""
    found = [index(NOV, 2, "f")]

    assert applied(found, swap_actions(NAMES, found, {NOV: index(NOV, 2).name})) == {
        index(NOV, 2).name: {READ, f"{READ}-2026.11"}
    }


@pytest.mark.parametrize(("new", "old"), [(None, [1, 2]), ({NOV: index(NOV, 2).name}, [1])])
def test_indices_without_aliases_are_old_unless_they_are_being_filled(
    new: Mapping[str, str] | None, old: list[int]
) -> None:
    """The alias for filling serves nobody."""
    found = [index(NOV, 1), index(NOV, 2, "f"), index(NOV, 3, "r", "w"), index(DEC, 1, "w")]

    assert unserved(NAMES, found, new) == [index(NOV, number).name for number in old]
