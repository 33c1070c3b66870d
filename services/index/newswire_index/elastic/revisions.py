"""Superseded revisions: kept before what replaces them is written, and gone when their article goes.

The articles' index holds the newest revision of each. What a batch replaces is read (in real time, by its id
in its month), stored in the revisions' index, and only then the newer one is written. A death in between
leaves a revision that is kept and still the newest: ``of`` leaves it out, and the batch, when it comes
again, keeps it again.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from elasticsearch import AsyncElasticsearch

from newswire_index.document import Document, Removal, month_of
from newswire_index.elastic.bulk import Action, deleting, putting
from newswire_index.elastic.names import ARTICLES, REVISIONS, ElasticNames
from newswire_index.elastic.reading import WHOLE, read
from newswire_index.elastic.source import revision_of, revision_source
from newswire_index.store import Revision

PAGE = 100  # revisions read at once; each has its whole text
_NEEDED = (
    "article_id,revision,version,first_seen_at,fetched_at,url,canonical_url,title,text,content_hash,outlet,"
    "language"
)  # of an article, to keep it as a revision


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest of an article that is known, in the index or earlier in the batch; of a removed one, 0."""

    version: int
    revision: int
    held: Document | Mapping[str, Any] | None


@dataclass
class _Plan:
    """What a batch does to revisions; those kept are named by article, so that a removal undoes them."""

    gone: list[Action] = field(default_factory=list)
    kept: dict[str, list[Action]] = field(default_factory=dict)


class Revisions:
    """The superseded revisions of articles.

    Args:
        client: an open client.
        names: of all indices and aliases.
    """

    def __init__(self, client: AsyncElasticsearch, names: ElasticNames) -> None:
        self._client = client
        self._names = names

    async def actions(self, items: Sequence[Document | Removal]) -> list[Action]:
        """Return what is to be done to revisions before these items are written."""
        newest = await self._replaced(items)
        plan = _Plan()
        for item in items:
            known = newest.get(item.article_id)
            if known is None or item.version > known.version:  # else it will replace nothing
                newest[item.article_id] = self._follow(plan, item, known)
        return plan.gone + [action for kept in plan.kept.values() for action in kept]

    def _follow(self, plan: _Plan, item: Document | Removal, known: _Newest | None) -> _Newest:
        if isinstance(item, Removal):
            plan.kept.pop(item.article_id, None)
            if known is not None:
                alias = self._names.month(REVISIONS, month_of(item.first_seen_at))
                plan.gone += gone(alias, item.article_id, known.revision)
            return _Newest(item.version, 0, None)
        if known is not None and known.held is not None and known.revision < item.revision:
            plan.kept.setdefault(item.article_id, []).append(self._keeping(known.held, known, item))
        return _Newest(item.version, item.revision, item)

    def _keeping(self, held: Document | Mapping[str, Any], known: _Newest, successor: Document) -> Action:
        at = successor.fetched_at  # the same however often it is done
        source = revision_source(held, at) if isinstance(held, Document) else revision_of(dict(held), at)
        alias = self._names.month(REVISIONS, month_of(successor.first_seen_at))
        named = revision_id(successor.article_id, known.revision)
        # the same version: this batch came before; a newer one: the same revision was enriched anew
        return putting(alias, named, source, known.version, "external_gte")

    async def _replaced(self, items: Sequence[Document | Removal]) -> dict[str, _Newest]:
        """Read what later revisions, and removals, may replace."""
        wanted = {
            item.article_id: self._names.month(ARTICLES, month_of(item.first_seen_at))
            for item in items
            if isinstance(item, Removal) or item.revision > 1
        }
        places = [(alias, article_id) for article_id, alias in wanted.items()]
        return {
            found["_id"]: _Newest(found["_version"], found["_source"]["revision"], found["_source"])
            async for found in read(self._client, places, _NEEDED)
        }

    async def of(self, article_id: str) -> Sequence[Revision]:
        """Return the superseded revisions of an article, oldest first; none of one that is not there."""
        newest = await self._client.search(
            index=self._names.of(ARTICLES), query={"ids": {"values": [article_id]}},
            source_includes="revision", size=1, **WHOLE,
        )  # fmt: skip
        if not newest["hits"]["hits"]:
            return ()
        current = newest["hits"]["hits"][0]["_source"]["revision"]
        return [each async for each in self._kept(article_id) if each.revision < current]

    async def _kept(self, article_id: str) -> AsyncIterator[Revision]:
        after: list[Any] | None = None
        while True:
            page = await self._client.search(
                index=self._names.of(REVISIONS), query={"term": {"article_id": article_id}}, size=PAGE,
                sort=[{"revision": "asc"}], search_after=after, **WHOLE,
            )  # fmt: skip
            hits = page["hits"]["hits"]
            for hit in hits:
                yield _revision(hit["_source"])
            if len(hits) < PAGE:
                return
            after = hits[-1]["sort"]


def revision_id(article_id: str, revision: int) -> str:
    """Return the id of a superseded revision."""
    return f"{article_id}-{revision}"


def gone(index: str, article_id: str, newest: int) -> list[Action]:
    """Return what deletes all revisions of an article up to its newest.

    By their ids: a query would not see what was written a moment ago.
    """
    return [deleting(index, revision_id(article_id, number)) for number in range(1, newest + 1)]


def _revision(source: Mapping[str, Any]) -> Revision:
    return Revision(
        revision=source["revision"],
        version=source["version"],
        title=source["title"],
        text=source["text"],
        content_hash=source["content_hash"],
        fetched_at=datetime.fromisoformat(source["fetched_at"]),
        superseded_at=datetime.fromisoformat(source["superseded_at"]),
    )
