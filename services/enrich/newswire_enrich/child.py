"""What child processes run: documents as plain dictionaries, and lines of the filter ``newswire enrich``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from newswire_enrich.document import Enricher, Enrichment

LINE_LIMIT = 10_000_000
"""Bytes of one line of the filter."""
_MESSAGES = {
    "not-json": "the line is not a JSON object",
    "too-large": f"the line is larger than {LINE_LIMIT} bytes",
}


def _enricher(config: dict[str, Any]) -> Enricher:
    topics, gazetteer = config.get("topics"), config.get("gazetteer")
    return Enricher(Path(topics) if topics else None, Path(gazetteer) if gazetteer else None)


def document_handler(config: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function from ``title``, ``text``, ``language`` to ``language``, ``entities``, ``topics``.

    The configuration names the rule file (``topics``) and, if it is not the package's, the ``gazetteer``.
    """
    enricher = _enricher(config)

    def handle(item: dict[str, Any]) -> dict[str, Any]:
        done = enricher.enrich(item["title"], item["text"], item.get("language"))
        return {
            "language": done.language,
            "entities": [entity.model_dump(mode="json") for entity in done.entities],
            "topics": [tag.model_dump(mode="json") for tag in done.topics],
        }

    return handle


def line_handler(config: dict[str, Any]) -> Callable[[bytes], dict[str, Any]]:
    """Return a function from one JSON line to the row that ``newswire enrich`` prints; it never raises."""
    enricher = _enricher(config)

    def handle(line: bytes) -> dict[str, Any]:
        item, fault = _read(line)
        if fault:
            return {"id": item.get("id"), "error": fault}
        try:
            done = enricher.enrich(item["title"], item["text"], item.get("language"))
        except Exception as error:  # noqa: BLE001 - one bad line must not end the filter
            return {"id": item["id"], "error": _fault("enrich-failed", f"{type(error).__name__}: {error}")}
        return row(item["id"], done)

    return handle


def row(identifier: Any, done: Enrichment) -> dict[str, Any]:
    """Return the output row of one document."""
    return {
        "id": identifier,
        "language": done.language,
        "entities": [
            {
                "name": entity.name,
                "type": str(entity.type),
                "wikidata": entity.wikidata,
                "salience": entity.salience,
                "mentions": [mention.model_dump() for mention in entity.mentions],
                "by": list(entity.by),
            }
            for entity in done.entities
        ],
        "topics": [
            {
                "id": tag.id,
                "score": tag.score,
                "by": tag.by,
                "evidence": [m.model_dump() for m in tag.evidence],
            }
            for tag in done.topics
        ],
    }


def _fault(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def _read(line: bytes) -> tuple[dict[str, Any], dict[str, str] | None]:
    """Return what a line holds, and what is wrong with it."""
    if len(line) > LINE_LIMIT:
        return {}, _fault("too-large", _MESSAGES["too-large"])
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        return {}, _fault("not-json", _MESSAGES["not-json"])
    if not isinstance(item, dict):
        return {}, _fault("not-json", _MESSAGES["not-json"])
    missing = [name for name in ("id", "title", "text") if name not in item]
    wrong = [name for name in ("title", "text") if name in item and not isinstance(item[name], str)]
    if missing or wrong:
        return item, _fault(
            "missing-field", f"{', '.join(missing or wrong)}: {'missing' if missing else 'not a string'}"
        )
    if not isinstance(item.get("language"), str):
        item["language"] = None
    return item, None
