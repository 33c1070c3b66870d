"""The connection to Elasticsearch: made of settings, waited for, and its errors told apart."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from elasticsearch import AsyncElasticsearch, BadRequestError
from pydantic import SecretStr

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire_index.elastic.client import client_for, unavailable, wait_for, waits
from newswire_index.store import StoreUnavailableError

pytestmark = pytest.mark.unit

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
Answer = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def server_that(answer: Answer) -> AsyncIterator[str]:
    """Serve one answer to every request, and yield the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    try:
        yield str(server.make_url("/"))
    finally:
        await server.close()


@asynccontextmanager
async def client_of(url: str, **settings: Any) -> AsyncIterator[AsyncElasticsearch]:
    """Yield a client, closed afterwards."""
    client = client_for(url, ElasticsearchSettings(**settings))
    try:
        yield client
    finally:
        await client.close()


def saying(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    """Return an answer."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers=PRODUCT if headers is None else headers)

    return answer


VERSION = {"version": {"number": "9.4.3"}, "tagline": "You Know, for Search"}


async def test_a_server_that_answers_is_not_waited_for() -> None:
    """The first answer is enough."""
    async with server_that(saying(200, VERSION)) as url, client_of(url) as client:
        await wait_for(client, 0)


async def test_a_server_that_comes_up_late_is_waited_for() -> None:
    """A cluster that starts says 503 for a while."""
    answers = iter([saying(503, {}), saying(429, {}), saying(200, VERSION)])

    async def answer(request: web.Request) -> web.Response:
        return await next(answers)(request)

    async with server_that(answer) as url, client_of(url) as client:
        await wait_for(client, 10)


async def test_a_server_that_never_comes_up_is_unavailable() -> None:
    """After the time set, in one line."""
    async with server_that(saying(503, {"error": {"reason": "no master"}})) as url, client_of(url) as client:
        with pytest.raises(StoreUnavailableError, match="503 no master"):
            await wait_for(client, 0.3)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (saying(401, {"error": {"reason": "who are you"}}), "refuses the log-in: 401 who are you"),
        (saying(403, {"error": {"reason": "not you"}}), "refuses the log-in: 403 not you"),
        (saying(200, {"version": {"number": "8.19.1"}}), "8.19.1 is older than 9.0"),
        (saying(200, {"version": {"number": "9.4.3"}}, {}), "no Elasticsearch"),
    ],
)
async def test_what_waiting_cannot_mend_stops_the_start(answer: Answer, said: str) -> None:
    """A wrong password, an old server or something else at the address."""
    async with server_that(answer) as url, client_of(url) as client:
        with pytest.raises(SettingsError, match=said):
            await wait_for(client, 30)


async def test_only_what_is_wrong_with_the_request_is_its_own_error() -> None:
    """A 400 is for whoever asked; what the whole server cannot do is an outage."""
    async with server_that(saying(400, {"error": {"reason": "bad"}})) as url, client_of(url) as client:
        with pytest.raises(BadRequestError), unavailable():
            await client.info()
    with pytest.raises(StoreUnavailableError, match="away"), unavailable():
        async with client_of(url) as client:
            await client.info()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, False),
        (401, True),
        (403, True),
        (404, True),
        (409, False),
        (413, False),
        (429, True),
        (503, True),
    ],
)
def test_statuses_are_told_apart(status: int, expected: bool) -> None:
    """The table of the design, section 7."""
    assert waits(status) is expected


async def test_user_and_key_are_sent_as_set() -> None:
    """By variable or by file."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.json_response(VERSION, headers=PRODUCT)

    async with server_that(answer) as url:
        for settings in ({}, {"username": "desk", "password": SecretStr("x")}, {"api_key": SecretStr("abc")}):
            async with client_of(url, **settings) as client:
                await client.info()

    assert seen == ["", "Basic ZGVzazp4", "ApiKey abc"]


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("http://desk:hunter2@localhost:9200", {}),
        ("http://localhost", {}),
        ("https://localhost:9200", {"ca_file": Path("/nowhere/ca.pem")}),
    ],
)
def test_a_wrong_address_or_certificate_stops_the_start(url: str, settings: dict[str, Any]) -> None:
    """In one line, which repeats no password."""
    with pytest.raises(SettingsError) as caught:
        client_for(url, ElasticsearchSettings(**settings))

    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
