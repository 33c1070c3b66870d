"""Searches of an Elasticsearch that answers as a test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from unit.scripted_elastic import HEADERS

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire_index.elastic.client import client_for
from newswire_index.elastic.names import ElasticNames
from newswire_index.elastic.search import ElasticSearcher, check_readable
from newswire_index.query import parse_query
from newswire_index.store import QueryError, StoreMissingError, StoreUnavailableError

pytestmark = pytest.mark.unit

Answer = Callable[[dict[str, Any]], dict[str, Any] | web.Response]


def refusing(status: int, reason: str = "no") -> web.Response:
    """Return how Elasticsearch refuses a request."""
    return web.json_response({"error": {"reason": reason}}, status=status, headers=HEADERS)


@dataclass
class Asked:
    """What a server was asked: bodies of searches, and the parameters of each."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    parameters: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def searcher(answer: Answer) -> AsyncIterator[tuple[ElasticSearcher, Asked]]:
    """Yield what searches a server that answers so."""
    asked = Asked()

    async def search(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked.bodies.append(body)
        asked.parameters.append(dict(request.query))
        answered = answer(body)
        return (
            answered if isinstance(answered, web.Response) else web.json_response(answered, headers=HEADERS)
        )

    async def alias(_: web.Request) -> web.StreamResponse:
        answered = answer({})
        assert isinstance(answered, web.Response)
        return answered

    app = web.Application()
    app.router.add_post("/{index}/_search", search)
    app.router.add_get("/_alias/{name}", alias)
    server = TestServer(app)
    await server.start_server()
    client = client_for(str(server.make_url("/")), ElasticsearchSettings())
    try:
        yield ElasticSearcher(client, ElasticNames("w.")), asked
    finally:
        await client.close()
        await server.close()


def found(*ids: str, total: int | None = None) -> dict[str, Any]:
    """Return an answer with these articles."""
    hits = [
        {
            "_id": each,
            "sort": [1.5, 1763629200000, each],
            "_source": {
                "article_id": each, "version": 1, "canonical_url": f"https://courier.example/{each}",
                "title": "Talks", "first_seen_at": "2026-11-20T09:00:00+00:00", "language": "en",
            },
        }
        for each in ids
    ]  # fmt: skip
    return {"hits": {"total": {"value": len(ids) if total is None else total}, "hits": hits}}


async def test_every_request_asks_for_the_whole_answer() -> None:
    """Of the exact read alias, exactly counted, from the same copies, with scores over all months."""
    async with searcher(lambda _: found("a")) as (search, asked):
        await search.search(parse_query("talks"))
    page, passages = asked.parameters

    assert page["allow_partial_search_results"] == passages["allow_partial_search_results"] == "false"
    assert page["search_type"] == "dfs_query_then_fetch"
    assert page["preference"] == passages["preference"]
    assert asked.bodies[0]["track_total_hits"] is True
    assert "text" not in page["_source_includes"].split(",")


async def test_one_request_is_enough_without_words() -> None:
    """There is nothing to mark and nothing to score."""
    async with searcher(lambda _: found()) as (search, asked):
        await search.search(parse_query("topic:x"))

    assert len(asked.bodies) == 1
    assert "search_type" not in asked.parameters[0]
    assert "aggs" not in asked.bodies[0]


@pytest.mark.parametrize(("text", "requests"), [("zebra giraffe", 2), ("zebra", 1), ('zebra "a b"', 1)])
async def test_only_several_words_are_asked_for_once_more(text: str, requests: int) -> None:
    """Of one word any is all."""
    async with searcher(lambda _: found()) as (search, asked):
        results = await search.search(parse_query(text))

    assert len(asked.bodies) == requests
    assert results.matched == ("any" if requests > 1 else "all")


async def test_one_more_hit_than_shown_says_that_there_is_a_page_to_follow() -> None:
    """It is neither shown nor marked."""
    async with searcher(lambda body: found(*"abc"[: body["size"]], total=9)) as (search, asked):
        results = await search.search(parse_query("talks", limit=2))
        last = await search.search(parse_query("talks", limit=3))

    assert [hit.article_id for hit in results.hits] == ["a", "b"]
    assert (results.total, results.next_cursor is not None) == (9, True)
    assert last.next_cursor is None
    assert asked.bodies[1]["query"] == {"ids": {"values": ["a", "b"]}}


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_what_may_pass_is_an_outage(status: int) -> None:
    """Whoever asks may ask again."""
    async with searcher(lambda _: refusing(status)) as (search, _):
        with pytest.raises(StoreUnavailableError, match=str(status)):
            await search.search(parse_query("talks"))
        with pytest.raises(StoreUnavailableError):
            await search.get("a")


async def test_what_elasticsearch_cannot_answer_is_the_querys_fault() -> None:
    """In one line with its reason."""
    async with searcher(lambda _: refusing(400, "of them")) as (search, _):
        with pytest.raises(QueryError, match=r"^Elasticsearch cannot answer this query: 400 of them$"):
            await search.search(parse_query("talks"))


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (404, StoreMissingError, "no index yet at http://here: run"),
        (401, SettingsError, "refuses the log-in: 401"),
        (403, SettingsError, "refuses the log-in: 403"),
        (503, StoreUnavailableError, "cannot do it now: 503"),
    ],
)
async def test_whether_there_is_something_to_search_is_asked_first(
    status: int, error: type[Exception], said: str
) -> None:
    """And each way in which there is not is told apart."""
    async with searcher(lambda _: refusing(status)) as (search, _):
        with pytest.raises(error, match=said):
            await check_readable(search._client, ElasticNames(), "http://here")
