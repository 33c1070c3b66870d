"""``newswire index setup``: makes templates, policy and indices in Elasticsearch, or brings them up to date.

First everything is looked at. If anything bears one of our names and is not ours, or was made by a newer
Newswire, nothing is changed at all. Each thing ends as created, updated, unchanged or refused.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from elasticsearch import AsyncElasticsearch, AuthorizationException, BadRequestError, NotFoundError

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire_index.elastic.client import reason_of, unavailable
from newswire_index.elastic.mapping import MARK, VERSION, mark
from newswire_index.elastic.names import ARTICLES, ElasticNames, generation_of, month_of_index
from newswire_index.elastic.steps import End, Step, done, refusal_of, step_for
from newswire_index.elastic.templates import (
    Kept,
    component_template,
    index_template,
    monthly,
    policy,
    shard_settings,
)
from newswire_index.elastic.upgrade import conflicts, flat, lacking
from newswire_index.operations.mapping import OPERATIONS_MAPPINGS, OPERATIONS_SETTINGS
from newswire_index.store import StoreMissingError

Json = dict[str, Any]

MISSING = "Elasticsearch is not set up for Newswire: run `newswire index setup`"
REBUILD = "cannot be changed in place: run `newswire index rebuild`"


def kept() -> tuple[Kept, ...]:
    """Return all that is kept in Elasticsearch."""
    operations = (
        Kept(kind, {**mappings, "_meta": mark()}, settings=OPERATIONS_SETTINGS)
        for kind, mappings in OPERATIONS_MAPPINGS.items()
    )
    return (*monthly(), *operations)


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

        Raises SettingsError where the user may not do this, StoreUnavailableError where nobody can now.
        """
        with unavailable(), _permitted():
            steps = await self._plan()
            blocking = [step for step in steps if step.blocks]
            if dry_run or blocking:
                return blocking or steps
            left = [await done(step) for step in steps]
            return left if any(step.end is End.REFUSED for step in left) else left + await self._overruled()

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
        return step_for(
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
        return step_for(
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
        return step_for(
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
        replaced = _replaced(found["indices"])
        steps = [await self._index(each, name) for name in names if name not in replaced]
        if not each.monthly and not found["aliases"]:
            steps.append(self._first(alias))
        return steps

    async def _index(self, each: Kept, name: str) -> Step:
        theirs = (await self._client.indices.get_mapping(index=name)).body[name]["mappings"]
        refusal = refusal_of(theirs.get("_meta"))
        if refusal:
            return Step("index", name, End.REFUSED, refusal, blocks=True)
        differing = conflicts(theirs, each.mappings)
        if not await self._analyses_alike(each, name):
            differing.append("analysis")
        if differing:
            return Step("index", name, End.REFUSED, f"{', '.join(differing)} {REBUILD}")
        fields = lacking(theirs, each.mappings)
        if not fields:
            return Step("index", name, End.UNCHANGED)
        return Step(
            "index", name, End.UPDATED, f"fields: {', '.join(fields)}",
            do=lambda: self._client.indices.put_mapping(index=name, body=each.mappings),
        )  # fmt: skip

    async def _analyses_alike(self, each: Kept, name: str) -> bool:
        """Say whether an index analyses as today's mappings ask for; users may have added to it."""
        answer = await self._client.indices.get_settings(
            index=name, name="index.analysis.*", flat_settings=True
        )
        theirs = answer.body.get(name, {}).get("settings", {})
        ours = flat({"index.analysis": each.analysis or {}})
        return all(theirs.get(part) == value for part, value in ours.items())

    def _first(self, alias: str) -> Step:
        name = self._names.index(alias)
        return Step(
            "index", name, End.CREATED,
            do=lambda: self._client.indices.create(
                index=name, aliases={alias: {"is_write_index": True}}, settings=shard_settings(self._settings)
            ),
        )  # fmt: skip

    async def _overruled(self) -> list[Step]:
        """Return where the template of somebody else would win over ours."""
        overruled = []
        for each in kept():
            name = self._names.of(each.kind)
            index = self._names.index(self._names.month(each.kind, "2026-11") if each.monthly else name)
            made = await self._client.indices.simulate_index_template(name=index)
            if not made["template"].get("mappings", {}).get("_meta", {}).get(MARK):
                why = "another index template for the same names has a higher priority"
                overruled.append(Step("index template", name, End.REFUSED, why))
        return overruled


def _replaced(found: Sequence[Json]) -> set[str]:
    """Return the indices that a rebuild has replaced: they are kept as they were, until they are dropped."""
    serving = {
        month_of_index(index["name"]): generation_of(index["name"]) for index in found if index.get("aliases")
    }
    return {
        index["name"]
        for index in found
        if not index.get("aliases")
        and generation_of(index["name"]) < serving.get(month_of_index(index["name"]), 0)
    }


async def check_setup(client: AsyncElasticsearch, names: ElasticNames) -> bool:
    """Say whether months have a life-cycle policy; to be asked before anything is written.

    Raises StoreMissingError where a template is missing or older than this Newswire, SettingsError where one
    was made by a newer one.
    """
    lifecycle = False
    for each in kept():
        name = names.of(each.kind)
        if not each.monthly and not await client.indices.exists_alias(name=name):
            raise StoreMissingError(MISSING)
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
            raise SettingsError(f"template {name}: {refusal_of(meta)}")
        lifecycle |= "index.lifecycle.name" in template["template"]["settings"]
    return lifecycle


@contextmanager
def _permitted() -> Iterator[None]:
    """Say what a user lacks who may not set up."""
    try:
        yield
    except AuthorizationException as error:
        raise SettingsError(f"this user may not set Elasticsearch up: {reason_of(error)}") from error


def _comparable(template: Json) -> Json:
    inside = template.get("template", {})
    return {
        "settings": flat(inside.get("settings", {})),
        "mappings": inside.get("mappings", {}),
        "_meta": template.get("_meta"),
    }
