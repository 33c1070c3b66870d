"""Bring our saved objects to Kibana, and tell what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from newswire.kibana_settings import KibanaSettings
from newswire_index.kibana.client import KibanaError, kibana_at
from newswire_index.kibana.objects import default_view, ndjson, objects


@dataclass(frozen=True)
class Brought:
    """What an import did.

    Args:
        url: of Kibana.
        space: that was imported to; empty for Kibana's own.
        version: of Kibana; None where it does not say.
        made: saved objects that are new, as ``type/id``.
        replaced: saved objects that were there.
        default_view: the data view that was made the default one; None if there was one already.
        warnings: what Kibana had to say beside it.
    """

    url: str
    space: str
    version: str | None
    made: tuple[str, ...]
    replaced: tuple[str, ...]
    default_view: str | None
    warnings: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """Return it for machines."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return it for people."""
        place = f"{self.url}, space {self.space}" if self.space else self.url
        sum_ = len(self.made) + len(self.replaced)
        return [
            *(f"new\t{each}" for each in self.made),
            *(f"replaced\t{each}" for each in self.replaced),
            f"default data view\t{self.default_view or 'left as it was'}",
            *(f"warning\t{each}" for each in self.warnings),
            f"{sum_} objects in Kibana {self.version or 'of unknown version'} at {place}",
        ]


async def set_up(settings: KibanaSettings, prefix: str) -> Brought:
    """Import the saved objects for a prefix, over those that are there.

    Raises:
        KibanaError: Kibana says no; of objects it names each that failed.
        KibanaUnavailableError: it did not come up in time.
    """
    async with kibana_at(settings) as kibana:
        version = await kibana.ready()
        answer = await kibana.import_objects(ndjson(objects(prefix)))
        _check(answer)
        chosen = None if await kibana.default_view() else default_view(prefix)
        if chosen:
            await kibana.set_default_view(chosen)
    results = answer.get("successResults") or []
    return Brought(
        settings.url,
        settings.space,
        version,
        tuple(_name(each) for each in results if not each.get("overwrite")),
        tuple(_name(each) for each in results if each.get("overwrite")),
        chosen,
        tuple(str(each.get("message", each)) for each in answer.get("warnings") or []),
    )


def _check(answer: Mapping[str, Any]) -> None:
    if answer.get("success") is True:
        return
    wrong = [f"{_name(each)}: {_why(each.get('error') or {})}" for each in answer.get("errors") or []]
    raise KibanaError(f"Kibana did not take all objects: {'; '.join(wrong) or 'no reason given'}")


def _name(result: Mapping[str, Any]) -> str:
    return f"{result.get('type')}/{result.get('id')}"


def _why(error: Mapping[str, Any]) -> str:
    """Return why an object was not imported, in a line."""
    missing = [_name(each) for each in error.get("references") or []]
    said = error.get("message") or error.get("type") or "no reason given"
    return f"{said} ({', '.join(missing)})" if missing else str(said)
