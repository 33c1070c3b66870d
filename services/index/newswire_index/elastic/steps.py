"""What is done to set Elasticsearch up, thing by thing, and how each was left."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from elasticsearch import ApiError

from newswire_index.elastic.client import reason_of, unavailable
from newswire_index.elastic.mapping import MARK, VERSION

Do = Callable[[], Awaitable[object]]


class End(StrEnum):
    """How a thing was left; ``left out`` where the cluster cannot have it."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left out"
    REFUSED = "refused"


@dataclass(frozen=True)
class Step:
    """One thing of the set-up.

    Args:
        what: what kind of thing.
        name: its name.
        end: how it is left.
        why: in a few words.
        blocks: whether nothing at all may be changed because of it.
        do: what leaves it so, if anything has to be done.
    """

    what: str
    name: str
    end: End
    why: str = ""
    blocks: bool = False
    do: Do | None = field(default=None, repr=False, compare=False)

    def row(self) -> dict[str, str]:
        """Return it for JSON."""
        return {"what": self.what, "name": self.name, "end": self.end, "why": self.why}


def step_for(what: str, name: str, theirs: Mapping[str, Any] | None, ours: Mapping[str, Any], do: Do) -> Step:
    """Return what is to be done about a thing of which there may be one already.

    Args:
        what: what kind of thing.
        name: its name.
        theirs: what is there, with its ``_meta``.
        ours: what should be.
        do: what makes or changes it.
    """
    if theirs is None:
        return Step(what, name, End.CREATED, do=do)
    refusal = refusal_of(theirs.get("_meta"))
    if refusal:
        return Step(what, name, End.REFUSED, refusal, blocks=True)
    if theirs == ours:
        return Step(what, name, End.UNCHANGED)
    return Step(what, name, End.UPDATED, do=do)


def refusal_of(meta: Mapping[str, Any] | None) -> str:
    """Return why a thing with such a ``_meta`` may not be touched; nothing if it may."""
    if not meta or not meta.get(MARK):
        return "was not made by Newswire: choose another NEWSWIRE_PREFIX, or remove it"
    if meta["version"] > VERSION:
        return f"was made by a newer Newswire (version {meta['version']}, this one makes {VERSION})"
    return ""


async def done(step: Step) -> Step:
    """Do what is to be done, and say if Elasticsearch refuses it."""
    if step.do is None:
        return step
    try:
        with unavailable():
            await step.do()
    except ApiError as error:
        return replace(step, end=End.REFUSED, why=reason_of(error))
    return step
