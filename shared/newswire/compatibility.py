"""Whether old readers and old messages survive a change of a JSON Schema.

Both must: today's classes read what lies on the topics, and yesterday's readers read what is written today.
So nothing may differ but what neither notices:

- words for people (titles, descriptions, examples);
- a new field that may be missing;
- a new value of an enum that is open: ``anyOf`` an enum and any string, so that readers expect more;
- a type for a field that was reserved: its schema said nothing, and nobody wrote it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

WORDS = {"$id", "$schema", "$defs", "$comment", "title", "description", "examples", "deprecated"}
ANY_STRING = {"type": "string"}
NOTHING = "nothing"


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return what would break between an old and a new schema of one event, each with its place."""
    return list(_Comparison(old, new).differences(old, new, "$"))


def document_breaks(old: Schema, new: Schema) -> list[str]:
    """Return what would break between an old and a new AsyncAPI document; payloads have their own schemas."""
    found = list(_missing(old["channels"], new["channels"], "channel"))
    for name in old["channels"].keys() & new["channels"].keys():
        found += _channel_breaks(name, old["channels"][name], new["channels"][name])
    was, now = old["components"]["schemas"], new["components"]["schemas"]
    found += _missing(was, now, "schema")
    for name in was.keys() & now.keys():
        found += [f"{name} {each}" for each in breaks(was[name], now[name])]
    return sorted(found)


def reserved_fields(schema: Schema) -> set[str]:
    """Return the fields of an event that are kept for later: anything is allowed there."""
    fields = schema.get("properties", {})
    return {name for name, field in fields.items() if _is_reserved(_followed(field, schema))}


def _missing(was: Schema, now: Schema, kind: str) -> Iterator[str]:
    return (f"the {kind} {name} was removed" for name in was if name not in now)


def _channel_breaks(name: str, was: Schema, now: Schema) -> Iterator[str]:
    yield from (f"{name}: {each}" for each in _missing(was["messages"], now["messages"], "message"))
    if was["address"] != now["address"]:
        yield f"{name}: the address was {was['address']}, is {now['address']}"
    policies = [each["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] for each in (was, now)]
    if policies[0] != policies[1]:
        yield f"{name}: cleanup.policy was {policies[0]}, is {policies[1]}"


class _Comparison:
    """Two whole schemas, whose parts are compared with their references followed."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new

    def differences(self, old: Schema, new: Schema, place: str, *, is_open: bool = False) -> Iterator[str]:
        """Yield what differs between two parts; ``is_open`` lets an enum gain values."""
        before, after = _followed(old, self._old), _followed(new, self._new)
        for keyword in sorted((before.keys() | after.keys()) - WORDS):
            was, now = before.get(keyword, NOTHING), after.get(keyword, NOTHING)
            if keyword == "properties" and now != NOTHING:
                yield from self._properties({} if was == NOTHING else was, now, place)
            elif keyword == "required":
                yield from _required([] if was == NOTHING else was, [] if now == NOTHING else now, place)
            elif NOTHING in (was, now):
                yield f"{place}: {keyword} was {was}, is {now}"
            else:
                yield from self._keyword(keyword, was, now, place, is_open=is_open)

    def _keyword(self, keyword: str, was: Any, now: Any, place: str, *, is_open: bool) -> Iterator[str]:
        if keyword == "enum":
            yield from _enum(was, now, place, is_open=is_open)
        elif keyword == "items":
            yield from self.differences(was, now, f"{place}[]")
        elif keyword == "anyOf" and len(was) == len(now):
            is_open = ANY_STRING in _bare(was) and ANY_STRING in _bare(now)
            for old, new in zip(was, now, strict=True):
                yield from self.differences(old, new, place, is_open=is_open)
        elif was != now:
            yield f"{place}: {keyword} was {was}, is {now}"

    def _properties(self, was: Schema, now: Schema, place: str) -> Iterator[str]:
        for name, field in was.items():
            if name not in now:
                yield f"{place}.{name}: was removed"
            elif not _is_reserved(_followed(field, self._old)):
                yield from self.differences(field, now[name], f"{place}.{name}")


def _enum(was: Sequence[Any], now: Sequence[Any], place: str, *, is_open: bool) -> Iterator[str]:
    for value in was:
        if value not in now:
            yield f"{place}: the value {value!r} was removed"
    for value in now:
        if value not in was and not is_open:
            yield f"{place}: the value {value!r} was added to a closed enum"


def _required(was: Sequence[str], now: Sequence[str], place: str) -> Iterator[str]:
    """Old messages may lack what was optional, and old readers need what was required."""
    yield from (f"{place}.{name}: became required" for name in now if name not in was)
    yield from (f"{place}.{name}: became optional" for name in was if name not in now)


def _followed(part: Schema, whole: Schema) -> dict[str, Any]:
    """Return a part with its reference followed, and a lone constant as an enum of one."""
    found = dict(part)
    while "$ref" in found:
        name = str(found.pop("$ref")).removeprefix("#/$defs/")
        found = {**whole["$defs"][name], **found}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    return found


def _bare(parts: Sequence[Schema]) -> list[dict[str, Any]]:
    return [{key: value for key, value in part.items() if key not in WORDS} for part in parts]


def _is_reserved(field: Schema) -> bool:
    """Say whether a field's schema allows anything: what nobody writes yet."""
    return field.keys() - WORDS <= {"default"} and field.get("default") is None
