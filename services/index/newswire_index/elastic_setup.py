"""``newswire index setup``: makes templates, policy and indices in Elasticsearch, or brings them up to date.

First everything is looked at. If anything bears one of our names and is not ours, or was made by a newer
Newswire, nothing is changed at all. Each thing ends as created, updated, unchanged or refused.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError, NotFoundError

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire_index.elastic_client import reason_of, unavailable
from newswire_index.elastic_mapping import MARK, VERSION
from newswire_index.elastic_names import ARTICLES, ElasticNames
from newswire_index.elastic_templates import (
    Kept,
    component_template,
    index_settings,
    index_template,
    monthly,
    policy,
)
from newswire_index.elastic_upgrade import conflicts, flat, lacking
from newswire_index.store import StoreMissingError

Json = dict[str, Any]
Do = Callable[[], Awaitable[object]]

MISSING = "Elasticsearch is not set up for Newswire: run `newswire index setup`"
REBUILD = "cannot be changed in place: run `newswire index rebuild`"


class End(StrEnum):
    """How a thing was left."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left out"
    REFUSED = "refused"


@dataclass(frozen=True)
class Step:
    """One thing of the set-up; ``blocks`` says that nothing at all may be changed because of it."""

    what: str
    name: str
    end: End
    why: str = ""
    blocks: bool = False
    do: Do | None = field(default=None, repr=False, compare=False)

    def row(self) -> dict[str, str]:
        """Return it for JSON."""
        return {"what": self.what, "name": self.name, "end": self.end, "why": self.why}


def kept() -> tuple[Kept, ...]:
    """Return all that is kept in Elasticsearch."""
    return monthly()


class Setup:
    """Sets Elasticsearch up.

    Args:
        client: an open client.
        names: how our things are called.
        settings: how indices are made.
        retention: of a month, after its end.
    """

    def __init__(
        self,
        client: AsyncElasticsearch,
        names: ElasticNames,
        settings: ElasticsearchSettings,
        retention: timedelta,
    ) -> None:
        self._client = client
        self._names = names
        self._settings = settings
        self._retention = retention

    async def run(self, *, dry_run: bool = False) -> list[Step]:
        """Set up, and return what became of each thing; with ``dry_run`` what would.

        Raises StoreUnavailableError, also where the user may not do this.
        """
        with unavailable():
            steps = await self._plan()
            blocking = [step for step in steps if step.blocks]
            if dry_run or blocking:
                return blocking or steps
            return [await _done(step) for step in steps]

    async def _plan(self) -> list[Step]:
        first = await self._policy()
        lifecycle = first.end is not End.LEFT_OUT
        steps = [first]
        for each in kept():
            steps.append(await self._component(each, lifecycle=lifecycle))
            steps.append(await self._template(each))
        for each in kept():
            steps += await self._indices(each)
        return steps

    async def _policy(self) -> Step:
        name, ours = self._names.of(ARTICLES), policy(self._retention)
        try:
            found = (await self._client.ilm.get_lifecycle(name=name)).body
        except NotFoundError:
            found = {}
        except BadRequestError:
            why = "this cluster has no ILM; the index service drops old months itself"
            return Step("policy", name, End.LEFT_OUT, why)
        theirs = found.get(name, {}).get("policy")
        return _step(
            "policy", name, theirs, ours["policy"],
            lambda: self._client.ilm.put_lifecycle(name=name, policy=ours["policy"]),
        )  # fmt: skip

    async def _component(self, each: Kept, *, lifecycle: bool) -> Step:
        name, ours = self._names.of(each.kind), component_template(self._names, each, lifecycle=lifecycle)
        theirs = None
        try:
            found = (await self._client.cluster.get_component_template(name=name, flat_settings=True)).body
            theirs = _comparable(found["component_templates"][0]["component_template"])
        except NotFoundError:
            pass
        return _step(
            "component template", name, theirs, _comparable(ours),
            lambda: self._client.cluster.put_component_template(name=name, body=ours),
        )  # fmt: skip

    async def _template(self, each: Kept) -> Step:
        name, ours = self._names.of(each.kind), index_template(self._names, each)
        theirs = None
        try:
            found = (await self._client.indices.get_index_template(name=name)).body
            there = found["index_templates"][0]["index_template"]
            theirs = {part: there.get(part) for part in ours}
        except NotFoundError:
            pass
        return _step(
            "index template", name, theirs, ours,
            lambda: self._client.indices.put_index_template(name=name, body=ours),
        )  # fmt: skip

    async def _indices(self, each: Kept) -> list[Step]:
        alias = self._names.of(each.kind)
        found = await self._client.indices.resolve_index(
            name=[alias, self._names.pattern(each.kind)], ignore_unavailable=True
        )
        names = [index["name"] for index in found["indices"]]
        if alias in names:
            why = "an index has the name of our alias"
            return [Step("index", alias, End.REFUSED, why, blocks=True)]
        steps = [await self._index(each, name) for name in names]
        if not each.monthly and not found["aliases"]:
            steps.append(self._first(alias))
        return steps

    async def _index(self, each: Kept, name: str) -> Step:
        mappings = (await self._client.indices.get_mapping(index=name)).body[name]["mappings"]
        settings = await self._client.indices.get_settings(
            index=name, name="index.analysis.*", flat_settings=True
        )
        refusal = _refusal(mappings.get("_meta"))
        if refusal:
            return Step("index", name, End.REFUSED, refusal, blocks=True)
        differing = conflicts(mappings, each.mappings)
        if settings.body.get(name, {}).get("settings", {}) != flat({"index.analysis": each.analysis or {}}):
            differing.append("analysis")
        if differing:
            return Step("index", name, End.REFUSED, f"{', '.join(differing)} {REBUILD}")
        fields = lacking(mappings, each.mappings)
        if not fields:
            return Step("index", name, End.UNCHANGED)
        put = dict(each.mappings)
        return Step(
            "index", name, End.UPDATED, f"fields: {', '.join(fields)}",
            do=lambda: self._client.indices.put_mapping(index=name, body=put),
        )  # fmt: skip

    def _first(self, alias: str) -> Step:
        name = self._names.index(alias)
        return Step(
            "index", name, End.CREATED,
            do=lambda: self._client.indices.create(
                index=name, aliases={alias: {"is_write_index": True}}, settings=index_settings(self._settings)
            ),
        )  # fmt: skip


async def check_setup(client: AsyncElasticsearch, names: ElasticNames) -> bool:
    """Say whether months have a life-cycle policy; to be asked before anything is written.

    Raises StoreMissingError where a template is missing or older than this Newswire, SettingsError where one
    was made by a newer one.
    """
    lifecycle = False
    for each in kept():
        name = names.of(each.kind)
        try:
            found = (await client.cluster.get_component_template(name=name, flat_settings=True)).body
            await client.indices.get_index_template(name=name)
        except NotFoundError as error:
            raise StoreMissingError(MISSING) from error
        template = found["component_templates"][0]["component_template"]
        meta = template.get("_meta") or {}
        if not meta.get(MARK) or meta["version"] < VERSION:
            raise StoreMissingError(MISSING)
        if meta["version"] > VERSION:
            raise SettingsError(f"template {name}: {_refusal(meta)}")
        lifecycle |= "index.lifecycle.name" in template["template"]["settings"]
    return lifecycle


def _step(what: str, name: str, theirs: Json | None, ours: Json, do: Do) -> Step:
    """Return what is to be done about a thing of which there may be one already."""
    if theirs is None:
        return Step(what, name, End.CREATED, do=do)
    refusal = _refusal(theirs.get("_meta"))
    if refusal:
        return Step(what, name, End.REFUSED, refusal, blocks=True)
    if theirs == ours:
        return Step(what, name, End.UNCHANGED)
    return Step(what, name, End.UPDATED, do=do)


def _refusal(meta: Json | None) -> str:
    """Return why a thing with such a ``_meta`` may not be touched; nothing if it may."""
    if not meta or not meta.get(MARK):
        return "was not made by Newswire: choose another NEWSWIRE_PREFIX, or remove it"
    if meta["version"] > VERSION:
        return f"was made by a newer Newswire (version {meta['version']}, this one makes {VERSION})"
    return ""


def _comparable(template: Json) -> Json:
    inside = template.get("template", {})
    return {
        "settings": flat(inside.get("settings", {})),
        "mappings": inside.get("mappings", {}),
        "_meta": template.get("_meta"),
    }


async def _done(step: Step) -> Step:
    """Do what is to be done, and say if Elasticsearch refuses it."""
    if step.do is None:
        return step
    try:
        with unavailable():
            await step.do()
    except ApiError as error:
        return replace(step, end=End.REFUSED, why=reason_of(error))
    return step
