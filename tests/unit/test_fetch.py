"""The HTTP client against a server on loopback that behaves as badly as servers do."""

import asyncio
import gzip
import socket
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from newswire.events import Reason
from newswire_ingest.fetch import Fetcher, FetchError, OffsiteRedirect

pytestmark = pytest.mark.unit

PAGE = b"<html><p>A page</p></html>"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _page(_request: web.Request) -> web.Response:
    headers = {"ETag": '"v1"', "Last-Modified": "Sat, 31 Jan 2026 10:00:00 GMT"}
    return web.Response(body=PAGE, content_type="text/html", charset="utf-8", headers=headers)


async def _echo(request: web.Request) -> web.Response:
    names = (
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "If-None-Match",
        "If-Modified-Since",
        "Cookie",
    )
    seen = {name: request.headers[name] for name in names if name in request.headers}
    response = web.json_response({"target": request.raw_path, **seen})
    response.set_cookie("session", "1")
    return response


async def _conditional(request: web.Request) -> web.Response:
    if request.headers.get("If-None-Match") == '"v1"':
        return web.Response(status=304, headers={"ETag": '"v1"'})
    return await _page(request)


async def _redirect(request: web.Request) -> web.Response:
    status = int(request.query.get("status", "302"))
    return web.Response(status=status, headers={"Location": request.query["to"]})


async def _chain(request: web.Request) -> web.Response:
    return web.Response(status=301, headers={"Location": f"/chain?n={int(request.query['n']) + 1}"})


async def _circle(request: web.Request) -> web.Response:
    return web.Response(status=301, headers={"Location": "/pong" if request.path == "/ping" else "/ping"})


async def _self(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{request.path}?utm_source=again#top"})


async def _nowhere(_request: web.Request) -> web.Response:
    return web.Response(status=302)


async def _status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.query["code"]), headers={"Retry-After": "120"}, body=b"no")


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"<p>more</p>" * 1000)
    except ConnectionError:
        return response


async def _silent(_request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def _trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"<p>")
    await asyncio.Event().wait()
    return response


async def _encoded(request: web.Request) -> web.Response:
    bodies = {
        "gzip": ("gzip", gzip.compress(PAGE)),
        "x-gzip": ("x-gzip", gzip.compress(PAGE)),
        "members": ("gzip", gzip.compress(PAGE[:9]) + gzip.compress(PAGE[9:]) + b"\0\0"),
        "zlib": ("deflate", zlib.compress(PAGE)),
        "raw": ("deflate", zlib.compress(PAGE, wbits=-15)),
        "identity": ("identity", PAGE),
        "none": ("none", PAGE),
        "empty": ("gzip", b""),
        "truncated": ("gzip", gzip.compress(PAGE)[:-12]),
        "one-byte": ("deflate", b"x"),
        "plain": ("gzip", PAGE),
        "garbage": ("deflate", b"\xff" * 100),
        "br": ("br", PAGE),
        "twice": ("gzip, gzip", gzip.compress(gzip.compress(PAGE))),
        "bomb": ("gzip", gzip.compress(b"\0" * 30_000_000)),
        "bombs": ("gzip", gzip.compress(b"\0" * 600_000) * 10),
        "large": ("gzip", gzip.compress(b"a" * 900_000)),
    }
    encoding, body = bodies[request.query["as"]]
    return web.Response(body=body, headers={"Content-Encoding": encoding, "Content-Type": "text/html"})


ROUTES: dict[str, Handler] = {
    "/page": _page, "/echo": _echo, "/conditional": _conditional, "/redirect": _redirect, "/chain": _chain,
    "/nowhere": _nowhere, "/status": _status, "/endless": _endless, "/silent": _silent, "/trickle": _trickle,
    "/encoded": _encoded, "/ping": _circle, "/pong": _circle, "/self": _self,
}  # fmt: skip


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """The address of the bad server."""
    app = web.Application()
    for path, handler in ROUTES.items():
        app.router.add_get(path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture
async def fetcher(origin: str) -> AsyncIterator[Fetcher]:
    """A fetcher with small limits for which ``*.example`` is the bad server."""
    async with _fetcher(resolve={"*.example": origin}) as fetcher:
        yield fetcher


def _fetcher(**changes: Any) -> Fetcher:
    limits: dict[str, Any] = {
        "user_agent": "newswire-test",
        "timeout_seconds": 5.0,
        "max_wire_bytes": 500_000,
        "max_body_bytes": 1_000_000,
    }
    return Fetcher(**limits | changes)


async def _failure(fetcher: Fetcher, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.get(url)
    return caught.value


async def test_an_answer_can_be_asked_what_it_is(fetcher: Fetcher) -> None:
    """Body, validators, charset and type of a plain page."""
    answer = await fetcher.get("https://courier.example/page")

    assert (answer.status, answer.body, answer.url) == (200, PAGE, "https://courier.example/page")
    assert (answer.etag, answer.last_modified) == ('"v1"', "Sat, 31 Jan 2026 10:00:00 GMT")
    assert (answer.charset, answer.is_html, answer.is_modified) == ("utf-8", True, True)
    assert answer.headers["content-TYPE"].startswith("text/html")


async def test_a_mapped_host_keeps_its_url_and_host_header(fetcher: Fetcher) -> None:
    """The server is asked for the original host and path; the URL stays the https one."""
    answer = await fetcher.get("https://Courier.example/echo?b=%2F&a=é&utm_source=x#top", accept="text/plain")

    assert answer.url == "https://courier.example/echo?b=%2F&a=%C3%A9"
    assert b'"target": "/echo?b=%2F&a=%C3%A9"' in answer.body
    assert b'"Host": "courier.example"' in answer.body
    assert b'"User-Agent": "newswire-test"' in answer.body
    assert b'"Accept": "text/plain"' in answer.body
    assert b'"Accept-Encoding": "gzip, deflate"' in answer.body


async def test_the_most_particular_mapping_wins(origin: str) -> None:
    """A name before its pattern, a longer pattern before a shorter; a port does not matter."""
    nowhere = "http://127.0.0.1:1"
    mapping = {"*.example": nowhere, "*.news.example": origin, "news.example": origin}
    async with _fetcher(resolve=mapping) as fetcher:
        assert (await fetcher.get("http://news.example:1234/page")).url == "http://news.example:1234/page"
        assert (await fetcher.get("https://a.b.news.example/page")).status == 200
        assert (await _failure(fetcher, "https://other.example/")).reason == Reason.CONNECTION_FAILED


async def test_no_cookie_is_kept(fetcher: Fetcher) -> None:
    """A second request does not show the first one's cookie."""
    await fetcher.get("https://a.example/echo")

    assert b"Cookie" not in (await fetcher.get("https://a.example/echo")).body


async def test_no_proxy_is_taken_from_the_environment(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the shell says about proxies is not listened to."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert (await fetcher.get("http://a.example/page")).status == 200


async def test_a_conditional_get_is_answered_with_304(fetcher: Fetcher) -> None:
    """The validators are sent back, and a 304 is an answer that is not modified."""
    first = await fetcher.get("https://a.example/conditional")
    again = await fetcher.get("https://a.example/conditional", first.etag, first.last_modified)

    assert first.is_modified
    assert (again.status, again.is_modified, again.body) == (304, False, b"")


async def test_a_validator_that_would_break_the_request_is_not_sent(fetcher: Fetcher) -> None:
    """Line breaks and endless validators stay at home."""
    answer = await fetcher.get("https://a.example/echo", etag='"a"\r\nX-Evil: 1', last_modified="x" * 2_000)

    assert b"If-" not in answer.body


async def test_redirects_on_the_site_are_followed(fetcher: Fetcher) -> None:
    """The answer has the last URL and each hop; only permanent hops make a new address."""
    url = "https://a.example/redirect?status={}&to={}"
    moved = await fetcher.get(url.format(301, "https://www.a.example/page%23x"))
    found = await fetcher.get(url.format(302, "/page"))

    assert (moved.url, moved.moved_to) == ("https://www.a.example/page", "https://www.a.example/page")
    assert (found.url, found.moved_to) == ("https://a.example/page", None)
    assert [(hop.status, hop.target) for hop in found.redirects] == [(302, "https://a.example/page")]


async def test_a_redirect_to_another_site_is_told(fetcher: Fetcher) -> None:
    """It is not followed, unless asked for."""
    url = "https://a.example/redirect?status=308&to=https://b.example/page?utm_medium=x"
    with pytest.raises(OffsiteRedirect) as caught:
        await fetcher.get(url)

    assert (caught.value.url, caught.value.permanent) == ("https://b.example/page", True)
    assert (await fetcher.get(url, follow_offsite=True)).moved_to == "https://b.example/page"


@pytest.mark.parametrize("path", ["/chain?n=0", "/ping", "/self"])
async def test_redirect_loops_end(fetcher: Fetcher, path: str) -> None:
    """Endless chains and circles."""
    failure = await _failure(fetcher, f"https://a.example{path}")

    assert (failure.reason, failure.temporary) == (Reason.REDIRECT_LOOP, False)
    assert "a.example" in failure.message


@pytest.mark.parametrize(
    "target", ["mailto:a@b.example", "https://me:word@a.example/", "https://a..example/", "http://"]
)
async def test_a_redirect_to_a_bad_url_is_one(fetcher: Fetcher, target: str) -> None:
    """Each target is judged as the first URL was."""
    failure = await _failure(fetcher, f"https://a.example/redirect?to={target}")

    assert failure.reason == Reason.BAD_URL
    assert "a.example redirects" in failure.message


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://2130706433/",
    ],
)
async def test_a_redirect_to_a_private_address_is_refused(fetcher: Fetcher, target: str) -> None:
    """Also where redirects to other sites are followed."""
    with pytest.raises(FetchError) as caught:
        await fetcher.get(f"https://a.example/redirect?to={target}", follow_offsite=True)

    assert (caught.value.reason, caught.value.temporary) == (Reason.PRIVATE_ADDRESS, False)


async def test_a_redirect_to_nowhere_is_the_servers_error(fetcher: Fetcher) -> None:
    """A redirect without a target."""
    assert (await _failure(fetcher, "https://a.example/nowhere")).reason == Reason.SERVER_ERROR


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1/", Reason.PRIVATE_ADDRESS),
        ("http://127.0.0.1:5432/", Reason.PRIVATE_ADDRESS),
        ("http://[::ffff:10.0.0.1]/", Reason.PRIVATE_ADDRESS),
        ("http://017700000001/", Reason.PRIVATE_ADDRESS),
        ("http://8.8.8.8:22/", Reason.BAD_URL),
        ("ftp://a.example/", Reason.BAD_URL),
        ("http://me@a.example/", Reason.BAD_URL),
        ("", Reason.BAD_URL),
        ("http://[", Reason.BAD_URL),
    ],
)
async def test_what_may_not_be_fetched_is_refused_before_any_connection(
    fetcher: Fetcher, url: str, reason: Reason
) -> None:
    """Private literals, ports of other services, and what is no URL."""
    failure = await _failure(fetcher, url)

    assert (failure.reason, failure.temporary) == (reason, False)


def _names_are(monkeypatch: pytest.MonkeyPatch, ip: str | None) -> None:
    """Have every name resolve to an address, or to none."""

    async def resolve(
        _self: Any, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[ResolveResult]:
        if ip is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=0)]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)


async def test_a_name_at_a_private_address_is_refused(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is where the name leads."""
    _names_are(monkeypatch, "10.0.0.1")
    failure = await _failure(fetcher, "http://inside.test/")

    assert (failure.reason, failure.temporary) == (Reason.PRIVATE_ADDRESS, False)
    assert "inside.test is at 10.0.0.1" in failure.message


async def test_a_name_that_does_not_resolve_may_do_so_later(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of the name system, named with the host."""
    _names_are(monkeypatch, None)
    failure = await _failure(fetcher, "http://gone.test/")

    assert (failure.reason, failure.temporary) == (Reason.DNS_FAILURE, True)
    assert "gone.test" in failure.message


async def test_private_addresses_and_all_ports_are_open_where_allowed(origin: str) -> None:
    """The setting for demos and tests."""
    async with _fetcher(allow_private=True) as fetcher:
        assert (await fetcher.get(f"{origin}/page")).body == PAGE


async def test_a_closed_port_is_a_connection_failure() -> None:
    """Nobody listens there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with _fetcher(allow_private=True) as fetcher:
            failure = await _failure(fetcher, f"http://127.0.0.1:{port}/")

    assert (failure.reason, failure.temporary) == (Reason.CONNECTION_FAILED, True)


async def test_a_server_without_tls_is_a_connection_failure(origin: str) -> None:
    """An https URL of a server that speaks plain HTTP."""
    async with _fetcher(allow_private=True) as fetcher:
        failure = await _failure(fetcher, origin.replace("http:", "https:") + "/page")

    assert failure.reason == Reason.CONNECTION_FAILED
    assert "127.0.0.1" in failure.message


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<p>half",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<p>ha",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"220 mail ready\r\n\r\n",
        b"",
    ],
)
async def test_a_broken_answer_is_a_connection_failure(answer: bytes) -> None:
    """Closed in the middle of body or header, or not HTTP at all."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, _fetcher(allow_private=True) as fetcher:
        failure = await _failure(fetcher, f"http://127.0.0.1:{port}/")

    assert failure.reason == Reason.CONNECTION_FAILED


@pytest.mark.parametrize("path", ["/silent", "/trickle"])
async def test_a_time_out_is_bounded(origin: str, path: str) -> None:
    """A server that says nothing, or starts and stops, is left after the time given."""
    async with _fetcher(resolve={"*.example": origin}, timeout_seconds=0.3) as fetcher:
        started = time.monotonic()
        failure = await _failure(fetcher, f"https://slow.example{path}")

    assert (failure.reason, failure.temporary) == (Reason.TIME_OUT, True)
    assert failure.message == "slow.example did not answer in 0.3 seconds"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "members", "zlib", "raw", "identity", "none"])
async def test_compressed_answers_are_read(fetcher: Fetcher, coding: str) -> None:
    """Both kinds of deflate, gzip of several members, and words that are no coding."""
    assert (await fetcher.get(f"https://a.example/encoded?as={coding}")).body == PAGE


async def test_an_empty_answer_said_to_be_compressed_is_empty(fetcher: Fetcher) -> None:
    """Some servers keep the header where there is no body."""
    assert (await fetcher.get("https://a.example/encoded?as=empty")).body == b""


async def test_a_large_compressed_answer_below_the_limit_is_read(fetcher: Fetcher) -> None:
    """Output that comes in many pieces out of few bytes is whole."""
    assert (await fetcher.get("https://a.example/encoded?as=large")).body == b"a" * 900_000


@pytest.mark.parametrize("coding", ["truncated", "one-byte", "plain", "garbage", "br", "twice"])
async def test_a_bad_encoding_is_told(fetcher: Fetcher, coding: str) -> None:
    """Cut off, not what it says, or not what was asked for."""
    assert (await _failure(fetcher, f"https://a.example/encoded?as={coding}")).reason == Reason.BAD_ENCODING


@pytest.mark.parametrize("path", ["/encoded?as=bomb", "/encoded?as=bombs", "/endless"])
async def test_an_answer_that_is_too_large_is_stopped(fetcher: Fetcher, path: str) -> None:
    """Decompression bombs, in one member or many, and a body without end."""
    failure = await _failure(fetcher, f"https://a.example{path}")

    assert (failure.reason, failure.temporary) == (Reason.TOO_LARGE, False)
    assert "a.example" in failure.message


async def test_a_stated_length_over_the_limit_is_not_read(origin: str) -> None:
    """The header alone is enough to refuse."""
    async with _fetcher(resolve={"*.example": origin}, max_wire_bytes=len(PAGE) - 1) as fetcher:
        assert (await _failure(fetcher, "https://a.example/page")).reason == Reason.TOO_LARGE
    async with _fetcher(resolve={"*.example": origin}, max_wire_bytes=len(PAGE)) as fetcher:
        assert (await fetcher.get("https://a.example/page")).body == PAGE


@pytest.mark.parametrize("code", [404, 429, 503])
async def test_a_status_is_an_answer(fetcher: Fetcher, code: int) -> None:
    """It is the caller who decides what a status means."""
    answer = await fetcher.get(f"https://a.example/status?code={code}")

    assert (answer.status, answer.retry_after_seconds) == (code, 120.0)


async def test_a_fetcher_that_is_not_open_says_so() -> None:
    """Outside of its context there are no connections."""
    with pytest.raises(RuntimeError, match="not open"):
        await _fetcher().get("https://a.example/")
