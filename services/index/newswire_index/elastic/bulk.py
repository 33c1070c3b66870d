"""Bulk requests: an answer for each action, whatever becomes of the request that carried it.

    actions ──by count and bytes──► _bulk ──► an answer each
                  ▲                   │ 429, 503 of an item: that item again, after a while
                  └── halved ◄────────┘ 413 of the whole, or 400: until the one is found that it is about

Whatever else keeps the whole from being done is a dependency that is down: StoreUnavailableError.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from elasticsearch import ApiError, AsyncElasticsearch
from pydantic_core import to_json  # four times as quick as json

from newswire.backoff import Backoff
from newswire_index.elastic.client import reason_of, unavailable, waits
from newswire_index.store import StoreUnavailableError

BULK_BYTES = 5_000_000  # of one request; larger ones are no quicker, and the server holds them in memory
BULK_ACTIONS = 1000  # in one request
MAX_BYTES = 100 * 1024 * 1024 - 1024  # of one action: beyond its http.max_content_length a server hangs up
PATIENCE_SECONDS = 5.0  # for a busy server, before the whole batch is given back
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
REASON_LENGTH = 500
_FILTER = "error,items.*.status,items.*.error"  # of an answer; the rest would only have to be parsed
_ABOUT_AN_ACTION = "action_request_validation_exception"  # such as an id of more than 512 bytes
# Elasticsearch calls these a fault of the request, but waiting, and whoever runs it, can mend them.
_ENVIRONMENT = frozenset({"index_closed_exception"})
_OF_THE_ITEM = frozenset({"fail_processor_exception"})  # a 500: the users' pipeline refuses this document

VersionType = Literal["external", "external_gte"]


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done with one document; without a source it is deleted.

    A deletion of a version is remembered, so it needs the index; any other may miss it.
    """

    index: str
    header: bytes
    source: bytes | None = None
    may_miss: bool = False

    @property
    def would_make_index(self) -> bool:
        """Say whether Elasticsearch would make a missing index for it, in the place of the alias."""
        return self.source is None and not self.may_miss

    @property
    def size(self) -> int:
        """Return its bytes in a request."""
        return len(self.header) + len(self.source or b"") + 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an action."""

    status: int
    kind: str = ""
    reason: str = ""

    @property
    def done(self) -> bool:
        """Say whether it was done; deleting what is not there is."""
        return not self.kind and (self.status < HTTPStatus.BAD_REQUEST or self.status == HTTPStatus.NOT_FOUND)

    @property
    def older(self) -> bool:
        """Say whether a newer version, or the same, is there already."""
        return self.status == HTTPStatus.CONFLICT

    @property
    def no_index(self) -> bool:
        """Say whether there is no such index or alias."""
        return self.kind == "index_not_found_exception"

    @property
    def waits(self) -> bool:
        """Say whether waiting may mend it."""
        if not self.kind or self.kind in _OF_THE_ITEM:
            return False
        no_pipeline = self.kind == "illegal_argument_exception" and self.reason.startswith("pipeline with id")
        return waits(self.status) or self.kind in _ENVIRONMENT or no_pipeline


def putting(
    alias: str, document_id: str, source: Mapping[str, Any], version: int, how: VersionType
) -> Action:
    """Return what stores a document behind an alias; raises ValueError if it cannot be written as JSON."""
    header = {
        "_index": alias, "_id": document_id, "version": version, "version_type": how, "require_alias": True,
    }  # fmt: skip
    return Action(alias, to_json({"index": header}), to_json(source))


def deleting(
    index: str, document_id: str, version: int | None = None, how: VersionType = "external"
) -> Action:
    """Return what deletes a document; without a version, whatever its version."""
    header: dict[str, Any] = {"_index": index, "_id": document_id}
    if version is not None:
        header |= {"version": version, "version_type": how}
    return Action(index, to_json({"delete": header}), may_miss=version is None)


class Bulk:
    """Sends actions in requests of bounded size.

    Args:
        client: an open client.
        max_bytes: of one request; a larger action goes alone.
        pipeline: an ingest pipeline for what is stored.
        patience_seconds: how long a busy server is asked again.
    """

    def __init__(
        self,
        client: AsyncElasticsearch,
        *,
        max_bytes: int = BULK_BYTES,
        pipeline: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._client = client
        self._max_bytes = max_bytes
        self._options: dict[str, Any] = {"filter_path": _FILTER}
        if pipeline is not None:
            self._options["pipeline"] = pipeline
        self._patience = patience_seconds

    async def send(self, actions: Sequence[Action]) -> list[Answer]:
        """Return an answer for each action, in order; raises StoreUnavailableError."""
        answers: list[Answer] = []
        for portion in self._portions(actions):
            answers += await self._patiently(portion)
        return answers

    def _portions(self, actions: Sequence[Action]) -> Iterator[Sequence[Action]]:
        start, size = 0, 0
        for number, action in enumerate(actions):
            if number > start and (size + action.size > self._max_bytes or number - start >= BULK_ACTIONS):
                yield actions[start:number]
                start, size = number, 0
            size += action.size
        if start < len(actions):
            yield actions[start:]

    async def _patiently(self, actions: Sequence[Action]) -> list[Answer]:
        """Send what a busy server has turned away again, for a while."""
        answers = await self._ask(actions)
        deadline, attempt, backoff = time.monotonic() + self._patience, 0, Backoff(0.1, 2.0)
        while busy := [number for number, answer in enumerate(answers) if answer.status in BUSY]:
            attempt += 1
            pause = backoff.seconds(attempt)
            if time.monotonic() + pause > deadline:
                raise StoreUnavailableError(f"Elasticsearch is too busy: {answers[busy[0]].reason}")
            await asyncio.sleep(pause)
            again = await self._ask([actions[number] for number in busy])
            for number, answer in zip(busy, again, strict=True):
                answers[number] = answer
        return answers

    async def _ask(self, actions: Sequence[Action]) -> list[Answer]:
        if len(actions) == 1 and actions[0].size > MAX_BYTES:
            return [Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", _too_large(actions[0]))]
        try:
            with unavailable():
                return await self._request(actions)
        except ApiError as error:
            if not _is_about_an_action(error):
                raise StoreUnavailableError(f"Elasticsearch refuses a bulk: {reason_of(error)}") from error
            if len(actions) == 1:
                return [_refusal(error, actions[0])]
        middle = len(actions) // 2
        return await self._ask(actions[:middle]) + await self._ask(actions[middle:])

    async def _request(self, actions: Sequence[Action]) -> list[Answer]:
        lines: Any = [
            each for action in actions for each in (action.header, action.source) if each is not None
        ]
        try:
            response = await self._client.bulk(operations=lines, **self._options)
        except ApiError as error:
            if error.meta.status in BUSY:
                return [Answer(error.meta.status, "busy", reason_of(error))] * len(actions)
            raise
        items = response.body.get("items", [])
        if len(items) != len(actions):
            raise StoreUnavailableError(f"a bulk of {len(actions)} was answered for {len(items)}")
        return [_answer(item) for item in items]


def _answer(item: Mapping[str, Mapping[str, Any]]) -> Answer:
    (result,) = item.values()
    error = result.get("error")
    if not error:
        return Answer(result["status"])
    return Answer(result["status"], error["type"], _reason(error))


def _reason(error: Mapping[str, Any]) -> str:
    """Return why, with the cause at the bottom of it, in one line."""
    reason, cause = error.get("reason") or error["type"], error
    while isinstance(cause.get("caused_by"), dict):
        cause = cause["caused_by"]
    if cause is not error and cause.get("reason"):
        reason = f"{reason}: {cause['reason']}"
    return " ".join(str(reason).split())[:REASON_LENGTH]


def _is_about_an_action(error: ApiError) -> bool:
    """Say whether a bulk as a whole is refused for what is in it, by Elasticsearch and not by a proxy."""
    if error.meta.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return True
    said = error.body.get("error") if isinstance(error.body, dict) else None
    return isinstance(said, dict) and said.get("type") == _ABOUT_AN_ACTION


def _refusal(error: ApiError, action: Action) -> Answer:
    if error.meta.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Answer(error.meta.status, "too_large", _too_large(action))
    return Answer(error.meta.status, "refused", reason_of(error))


def _too_large(action: Action) -> str:
    return f"413 its {action.size:,} bytes are more than Elasticsearch takes in one request"
