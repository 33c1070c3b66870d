"""What an index that exists lacks of today's mappings, and whether it can be given to it.

Elasticsearch takes new fields into an index, and changes of a few parameters; all else needs a new index.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_MAY_CHANGE = frozenset(
    {"ignore_above", "ignore_malformed", "search_analyzer", "boost", "meta", "_meta", "dynamic"}
)
_INSIDE = ("properties", "fields")


def lacking(theirs: Json, ours: Json) -> list[str]:
    """Return the paths of fields that an index lacks, or has with parameters that can be changed."""
    return sorted(set(_walk(theirs, ours, "", adding=True)))


def conflicts(theirs: Json, ours: Json) -> list[str]:
    """Return the paths of fields that an index has in another way, which cannot be changed."""
    return sorted(set(_walk(theirs, ours, "", adding=False)))


def flat(settings: Json, prefix: str = "") -> dict[str, Any]:
    """Return settings as Elasticsearch shows them: full names, and values as strings."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = [_shown(each) for each in value] if _is_list(value) else _shown(value)
    return found


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _walk(theirs: Json, ours: Json, path: str, *, adding: bool) -> Iterator[str]:
    """Yield the paths below which something is to be added, or cannot be."""
    for name in {*ours, "_source", *(theirs if path else ())} - set(
        _INSIDE
    ):  # a root may have more of the users
        if theirs.get(name) != ours.get(name) and (name in _MAY_CHANGE) is adding:
            yield path or name
    for inside in _INSIDE:
        for name, field in ours.get(inside, {}).items():
            below = f"{path}.{name}".lstrip(".")
            if name in theirs.get(inside, {}):
                yield from _walk(theirs[inside][name], field, below, adding=adding)
            elif adding:
                yield below
