"""Where the dashboards look: feed status, outcomes and dead letters in Elasticsearch.

What Elasticsearch cannot do now is a StoreUnavailableError for the whole batch. What it refuses for good is
logged and counted, and left out: no dashboard is worth a dead letter.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from elasticsearch import ApiError, AsyncElasticsearch
from pydantic_core import to_json

from newswire import metrics
from newswire.errors import UnavailableError
from newswire.topics import OPERATIONS_GROUP
from newswire_index.elastic.bulk import Action, Answer, Bulk, deleting, putting
from newswire_index.elastic.client import reason_of, unavailable
from newswire_index.elastic.names import DEAD_LETTERS, FEED_STATUS, OUTCOMES, ElasticNames
from newswire_index.elastic.reading import read
from newswire_index.operations.documents import Add, Change, Known, Put, Remove, Step
from newswire_index.operations.gathering import Gathering
from newswire_index.store import StoreUnavailableError

logger = structlog.get_logger()

MISSING = "document_missing_exception"
ID_BYTES = 512  # Elasticsearch takes no longer ids
CONFLICTS = 3  # times that a change is tried anew when its document changes at the same moment


class OperationsStore:
    """Writes what dashboards show.

    Args:
        client: an open client.
        names: of the indices.
        retention: how long outcomes and dead letters are kept, and feeds that nobody polls any more.
        bulk: sends the requests.
    """

    def __init__(
        self, client: AsyncElasticsearch, names: ElasticNames, retention: timedelta, bulk: Bulk | None = None
    ) -> None:
        self._client = client
        self._names = names
        self._retention = retention
        self._bulk = bulk or Bulk(client)
        self._gathering = Gathering(self._write)

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the indices are there."""
        with unavailable():
            for kind in (FEED_STATUS, OUTCOMES, DEAD_LETTERS):
                if not await self._client.indices.exists_alias(name=self._names.of(kind)):
                    raise StoreUnavailableError(_not_set_up(self._names.of(kind)))

    async def known(self, feed_ids: Collection[str]) -> dict[str, Known]:
        """Return what is known of feeds; of one that is not there nothing."""
        alias = self._names.of(FEED_STATUS)
        places = [(alias, feed_id) for feed_id in sorted(feed_ids) if 0 < len(feed_id.encode()) <= ID_BYTES]
        with unavailable():
            found = [each async for each in read(self._client, places, "last_new_at,silent_since")]
        return dict.fromkeys(feed_ids, Known()) | {each["_id"]: _known(each) for each in found}

    async def close(self) -> None:
        """End; the client stays open."""
        await self._gathering.close()

    async def write(self, steps: Sequence[Step]) -> None:
        """Take steps, together with those of others who come at the same time."""
        await self._gathering.write(steps)

    async def _write(self, steps: Sequence[Step]) -> None:
        """Take steps; changes last, as what they change may be among the others."""
        try:
            with metrics.BULK_SECONDS.labels(OPERATIONS_GROUP).time():
                await self._send([step for step in steps if not isinstance(step, Change)])
                await self._send([step for step in steps if isinstance(step, Change)])
        except UnavailableError:
            metrics.BULK_RETRIES.labels(OPERATIONS_GROUP).inc()
            raise

    async def _send(self, steps: Sequence[Step]) -> None:
        actions: list[Action] = []
        sent: list[Step] = []
        for step in steps:
            try:
                actions.append(self._action(step))
            except ValueError as error:  # half a character, such as no UTF-8 can hold
                rejected(step.kind, step.id, f"{type(error).__name__}: {error}")
            else:
                sent.append(step)
        for step, answer in zip(sent, await self._bulk.send(actions) if actions else (), strict=True):
            self._settle(step, answer)

    def _action(self, step: Step) -> Action:
        alias = self._names.of(step.kind)
        if isinstance(step, Put):
            return putting(alias, step.id, step.source, step.version, "external_gte")
        if isinstance(step, Remove):
            return deleting(alias, step.id)
        header: dict[str, Any] = {"_index": alias, "_id": step.id, "require_alias": True}
        if isinstance(step, Add):
            return Action(alias, to_json({"create": header}), to_json(step.source))
        update = {"update": header | {"retry_on_conflict": CONFLICTS}}
        return Action(alias, to_json(update), to_json({"doc": step.source}))

    def _settle(self, step: Step, answer: Answer) -> None:
        """Count what was refused for good; raise what waiting may mend."""
        if answer.done or answer.older:
            return
        if answer.kind == MISSING:  # a mark of a letter that was deleted with age
            logger.debug("operations.missing", index=step.kind, id=step.id)
            return
        if answer.no_index:
            raise StoreUnavailableError(_not_set_up(self._names.of(step.kind)))
        if answer.waits:
            raise StoreUnavailableError(f"Elasticsearch cannot write {step.kind} now: {answer.reason}")
        rejected(step.kind, step.id, answer.reason)

    async def drop_expired(self, now: datetime) -> int:
        """Delete what is older than the retention, as the log does; return how much that was.

        A feed that was removed long ago may have been missed by everybody: what nobody has polled for so
        long although it is not switched off goes too.
        """
        old = {"lt": (now - self._retention).isoformat()}
        too_old: Mapping[str, dict[str, Any]] = {
            OUTCOMES: {"range": {"at": old}},
            DEAD_LETTERS: {"range": {"at": old}},
            FEED_STATUS: {"bool": {"filter": [{"range": {"polled_at": old}}, {"term": {"enabled": True}}]}},
        }
        return sum([await self._delete(kind, query) for kind, query in too_old.items()])

    async def _delete(self, kind: str, query: Mapping[str, Any]) -> int:
        try:
            with unavailable():
                done = await self._client.delete_by_query(
                    index=self._names.of(kind), query=query, conflicts="proceed", ignore_unavailable=True
                )
        except ApiError as error:
            raise StoreUnavailableError(f"Elasticsearch refuses: {reason_of(error)}") from error
        return int(done["deleted"])


def rejected(kind: str, document_id: str, reason: str) -> None:
    """Say and count that a document is left out."""
    logger.warning("operations.rejected", index=kind, id=document_id[:100], reason=reason[:300])
    metrics.OPERATIONS_REJECTED.labels(kind).inc()


def _known(found: Mapping[str, Any]) -> Known:
    source = found.get("_source", {})
    last, since = (
        datetime.fromisoformat(source[name]) if name in source else None
        for name in ("last_new_at", "silent_since")
    )
    return Known(found["_version"], last, since)


def _not_set_up(alias: str) -> str:
    return f"there is no {alias} in Elasticsearch: run `newswire index setup`"
