"""An Elasticsearch that answers bulks as a test says, and remembers what it was asked."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from elasticsearch import AsyncElasticsearch

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire_index.elastic.client import client_for

HEADERS = {"X-Elastic-Product": "Elasticsearch"}
DONE: dict[str, Any] = {"status": 201}


def failing(status: int, kind: str, reason: str = "so it is", **more: Any) -> dict[str, Any]:
    """Return how an item fails."""
    return {"status": status, "error": {"type": kind, "reason": reason, **more}}


@dataclass(frozen=True)
class Refusal:
    """How Elasticsearch refuses a request as a whole."""

    status: int
    kind: str = "an_exception"
    reason: str = "no"

    def response(self) -> web.Response:
        """Return it as it is sent."""
        body = {"error": {"type": self.kind, "reason": self.reason}}
        return web.json_response(body, status=self.status, headers=HEADERS)


Answer = Sequence[dict[str, Any]] | Refusal | web.Response | Exception
Script = Callable[[list[str]], Answer]
"""From the ids in a bulk to what becomes of each, or of the whole."""


@dataclass
class ScriptedElastic:
    """Bulks that came, by the ids in each, and the server's address."""

    url: str = ""
    bulks: list[list[str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[tuple[AsyncElasticsearch, ScriptedElastic]]:
    """Yield a client of a server that answers bulks by the script."""
    told = ScriptedElastic()

    async def bulk(request: web.Request) -> web.StreamResponse:
        lines = [json.loads(line) for line in (await request.read()).splitlines()]
        ids = [next(iter(line.values()))["_id"] for line in lines if {"index", "delete"} & set(line)]
        told.bulks.append(ids)
        told.paths.append(request.path_qs)
        answer = script(ids)
        if isinstance(answer, Exception):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(answer, Refusal):
            return answer.response()
        if isinstance(answer, web.Response):
            return answer
        return web.json_response({"items": [{"index": item} for item in answer]}, headers=HEADERS)

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/_bulk", bulk)
    server = TestServer(app)
    await server.start_server()
    told.url = str(server.make_url("/"))
    client = client_for(told.url, ElasticsearchSettings())
    try:
        yield client, told
    finally:
        await client.close()
        await server.close()
