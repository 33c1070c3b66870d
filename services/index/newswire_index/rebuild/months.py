"""What a rebuild does with indices and aliases, as plain data.

month 2026-11   newswire-articles-2026.11-000001   read and write alias: serves
                newswire-articles-2026.11-000002   alias …-2026.11-rebuild: is being filled
after the swap  000002 has read and write alias, 000001 has none and is kept until told
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from newswire_index.elastic.months import MonthIndex
from newswire_index.elastic.names import ARTICLES, ElasticNames, generation_of

FIRST = 1  # the generation that the index service makes


def filling(names: ElasticNames, month: str) -> str:
    """Return the alias under which a month's new index is filled: who fills it makes none by mistake."""
    return f"{names.month(ARTICLES, month)}-rebuild"


def next_index(names: ElasticNames, month: str, found: Iterable[MonthIndex]) -> str:
    """Return the name of a month's next index; the first generation is the index service's."""
    known = [generation_of(each.name) for each in found if each.month == month]
    return names.index(names.month(ARTICLES, month), max([FIRST, *known]) + 1)


def serving(names: ElasticNames, found: Iterable[MonthIndex]) -> dict[str, str]:
    """Return the index that takes what is written, of each month."""
    return {each.month: each.name for each in found if names.month(ARTICLES, each.month) in each.aliases}


def is_swapped(names: ElasticNames, found: Iterable[MonthIndex], new: Mapping[str, str]) -> bool:
    """Tell whether the new indices serve; all of them began to in the same moment."""
    return any(each.name in new.values() and names.of(ARTICLES) in each.aliases for each in found)


def unserved(
    names: ElasticNames, found: Iterable[MonthIndex], new: Mapping[str, str] | None = None
) -> list[str]:
    """Return the indices of months in which nobody reads or writes, less those that are being filled."""
    kept = set((new or {}).values())
    return [
        each.name
        for each in found
        if each.name not in kept
        and not each.aliases & {names.of(ARTICLES), names.month(ARTICLES, each.month)}
    ]


def swap_actions(
    names: ElasticNames, found: Sequence[MonthIndex], new: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return what moves the read and write aliases of all months in one request."""
    actions: list[dict[str, Any]] = []
    for month, index in sorted(new.items()):
        ours = names.of(ARTICLES), names.month(ARTICLES, month), filling(names, month)
        actions += [
            {"remove": {"index": each.name, "alias": alias}}
            for each in found
            for alias in ours
            if each.month == month and alias in each.aliases and (each.name != index or alias == ours[2])
        ]
        actions.append({"add": {"index": index, "alias": ours[0]}})
        actions.append({"add": {"index": index, "alias": ours[1], "is_write_index": True}})
    return actions
