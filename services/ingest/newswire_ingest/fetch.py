"""The HTTP client of feeds and pages: polite, bounded, and kept away from private addresses.

    get ── hop ── hop ── ... ── Fetched          each hop: normalise, judge, ask, read up to the limits
                                FetchError       no answer, with the reason
                                OffsiteRedirect  somebody else's site

Redirects are followed by hand, since each target must be judged as the first URL was. HTTP statuses are
answers, not errors: ``status_reason`` says what they mean.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from newswire.events import Reason
from newswire.urls import BadUrlError, normalise, same_site
from newswire_ingest.address import GuardedResolver, PrivateAddressError, check_literal
from newswire_ingest.fetched import (
    Fetched,
    FetchError,
    OffsiteRedirect,
    Redirect,
    all_permanent,
    retry_after,
    status_reason,
)
from newswire_ingest.inflate import ACCEPTED, Body

__all__ = [
    "FEED_ACCEPT", "PAGE_ACCEPT", "FetchError", "Fetched", "Fetcher", "OffsiteRedirect", "Redirect",
    "retry_after", "status_reason",
]  # fmt: skip

PAGE_ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"
FEED_ACCEPT = (
    "application/atom+xml,application/rss+xml,application/feed+json,application/rdf+xml,"
    "application/xml;q=0.9,text/xml;q=0.9,application/json;q=0.8,*/*;q=0.5"
)
PORTS = frozenset({80, 443, 8080, 8443})
CONNECT_SECONDS = 10.0  # a server that takes longer to greet is down
CHUNK_LENGTH = 65_536  # bytes
MAX_HEADER_BYTES = (
    65_536  # a line; publishers' security policies are longer than the 8 KB that aiohttp allows
)
MAX_VALIDATOR_LENGTH = 1_000  # characters
MAX_CONNECTIONS = 200
NO_MAPPING: Mapping[str, str] = MappingProxyType({})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Fetcher:
    """Fetches URLs over one pool of connections; use it as an async context manager."""

    def __init__(
        self,
        *,
        user_agent: str,
        allow_private: bool = False,
        resolve: Mapping[str, str] = NO_MAPPING,
        timeout_seconds: float = 30.0,
        max_wire_bytes: int = 10_000_000,
        max_body_bytes: int = 20_000_000,
        max_redirects: int = 10,
        ports: frozenset[int] = PORTS,
    ) -> None:
        """Take the limits.

        ``resolve`` maps host patterns (``*.example``) to origins (``http://127.0.0.1:8900``) that are asked
        in their place. ``timeout_seconds`` bounds a whole ``get``, ``max_body_bytes`` the decompressed body.
        Ports are not checked for mapped hosts, nor where private addresses are allowed.
        """
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": ACCEPTED}
        self._allow_private = allow_private
        self._resolve = {pattern.lower(): origin.rstrip("/") for pattern, origin in resolve.items()}
        self._timeout_seconds = timeout_seconds
        self._max_wire_bytes = max_wire_bytes
        self._max_body_bytes = max_body_bytes
        self._max_redirects = max_redirects
        self._ports = ports
        self._public: aiohttp.ClientSession | None = None
        self._mapped: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pools: one for the internet, one for mapped hosts, which may be anywhere."""
        self._public = self._session(self._allow_private)
        self._mapped = self._session(allow_private=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        for session in (self._public, self._mapped):
            if session is not None:
                await session.close()

    async def get(
        self,
        url: str,
        etag: str | None = None,
        last_modified: str | None = None,
        follow_offsite: bool = False,
        accept: str = PAGE_ACCEPT,
    ) -> Fetched:
        """Return the answer of a URL, after redirects; conditional if validators are given.

        Raises ``FetchError``, and ``OffsiteRedirect`` unless ``follow_offsite``.
        """
        headers = {"Accept": accept} | _validators(etag, last_modified)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._follow(_normal(url), headers, follow_offsite=follow_offsite)
        except TimeoutError as error:
            message = f"{_host(url)} did not answer in {self._timeout_seconds:g} seconds"
            raise FetchError(Reason.TIME_OUT, message, temporary=True) from error

    async def _follow(self, url: str, headers: Mapping[str, str], *, follow_offsite: bool) -> Fetched:
        redirects: list[Redirect] = []
        seen = {url}
        while True:
            answer = await self._ask(url, headers, tuple(redirects))
            if isinstance(answer, Fetched):
                return answer
            redirects.append(answer)
            if not follow_offsite and not same_site(url, answer.target):
                raise OffsiteRedirect(answer.target, permanent=all_permanent(tuple(redirects)))
            if answer.target in seen or len(redirects) > self._max_redirects:
                raise FetchError(Reason.REDIRECT_LOOP, f"{_host(url)} redirects in a loop: {answer.target}")
            url = answer.target
            seen.add(url)

    async def _ask(
        self, url: str, headers: Mapping[str, str], redirects: tuple[Redirect, ...]
    ) -> Fetched | Redirect:
        """Ask one URL, and return its answer or where it redirects to."""
        host = _host(url)
        session, address, own_headers = self._route(url)
        try:
            async with session.get(
                address, headers={**headers, **own_headers}, allow_redirects=False
            ) as response:
                if response.status in REDIRECTS:
                    return _redirect(url, response)
                body = await self._read(response, host)
                now = datetime.now(UTC)
                return Fetched(url, response.status, response.headers, body, now, redirects)
        except PrivateAddressError as error:
            raise FetchError(Reason.PRIVATE_ADDRESS, str(error)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error, host) from error

    def _route(self, url: str) -> tuple[aiohttp.ClientSession, URL, dict[str, str]]:
        """Return the pool, the address to ask and the headers that this takes; raises ``FetchError``."""
        if self._public is None or self._mapped is None:
            raise RuntimeError("the fetcher is not open")
        parts = urlsplit(url)
        if origin := self._origin(parts.hostname or ""):
            rest = url[len(f"{parts.scheme}://{parts.netloc}") :]
            return self._mapped, URL(origin + rest, encoded=True), {"Host": parts.netloc}
        if not self._allow_private:
            self._check(parts.hostname or "", parts.port)
        return self._public, URL(url, encoded=True), {}

    def _check(self, host: str, port: int | None) -> None:
        try:
            check_literal(host)
        except PrivateAddressError as error:
            raise FetchError(Reason.PRIVATE_ADDRESS, str(error)) from error
        if port is not None and port not in self._ports:
            raise FetchError(Reason.BAD_URL, f"port {port} of {host} is not one that pages are fetched from")

    def _origin(self, host: str) -> str | None:
        """Return the origin that a host is mapped to: by its name, else by the longest pattern."""
        if host in self._resolve:
            return self._resolve[host]
        labels = host.split(".")
        patterns = ("*." + ".".join(labels[start:]) for start in range(1, len(labels)))
        return next((self._resolve[pattern] for pattern in patterns if pattern in self._resolve), None)

    async def _read(self, response: aiohttp.ClientResponse, host: str) -> bytes:
        """Return the decompressed body; stops at either limit."""
        too_large = FetchError(
            Reason.TOO_LARGE, f"the answer of {host} has more than {self._max_wire_bytes:,} bytes"
        )
        if (response.content_length or 0) > self._max_wire_bytes:
            raise too_large
        body = Body(response.headers.get("Content-Encoding", ""), self._max_body_bytes, host)
        length = 0
        async for chunk in response.content.iter_chunked(CHUNK_LENGTH):
            length += len(chunk)
            if length > self._max_wire_bytes:
                raise too_large
            body.feed(chunk)
        return body.close()

    def _session(self, allow_private: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=GuardedResolver(allow_private), limit=MAX_CONNECTIONS),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS),
            auto_decompress=False,
            trust_env=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )


def _normal(url: str, base: str | None = None) -> str:
    try:
        return normalise(url, base)
    except BadUrlError as error:
        came_from = f"{_host(base)} redirects to a bad URL: " if base else ""
        raise FetchError(Reason.BAD_URL, f"{came_from}{error}") from error


def _validators(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return the headers of a conditional request, without validators that no honest server gives."""
    given = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {
        name: value
        for name, value in given.items()
        if value and value.isprintable() and len(value) <= MAX_VALIDATOR_LENGTH
    }


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the host"
    except ValueError:
        return "the host"


def _redirect(url: str, response: aiohttp.ClientResponse) -> Redirect:
    location = response.headers.get("Location", "")
    if not location:
        raise FetchError(Reason.SERVER_ERROR, f"{_host(url)} redirects to nowhere (status {response.status})")
    try:
        location.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8
        location = location.encode("utf-8", "surrogateescape").decode("latin-1")
    return Redirect(url, HTTPStatus(response.status), _normal(location, url))


def _failure(error: Exception, host: str) -> FetchError:
    """Return what an error of the client means, and whether it may pass."""
    reason, text, temporary = next(
        (reason, text, temporary) for kind, reason, text, temporary in _FAILURES if isinstance(error, kind)
    )
    cause = str(error) or type(error).__name__
    return FetchError(reason, f"{text.format(host=host)}: {cause}", temporary=temporary)


# Errors of the client, the most particular kinds first.
_FAILURES: tuple[tuple[type[Exception], Reason, str, bool], ...] = (
    (aiohttp.ClientConnectorDNSError, Reason.DNS_FAILURE, "the name {host} cannot be resolved", True),
    (aiohttp.ClientSSLError, Reason.CONNECTION_FAILED, "no secure connection to {host}", False),
    (TimeoutError, Reason.TIME_OUT, "{host} did not answer in time", True),
    (aiohttp.InvalidURL, Reason.BAD_URL, "the URL at {host} cannot be asked for", False),
    (aiohttp.ClientResponseError, Reason.CONNECTION_FAILED, "{host} does not speak HTTP", False),
    (
        aiohttp.ClientPayloadError,
        Reason.CONNECTION_FAILED,
        "{host} broke off in the middle of its answer",
        True,
    ),
    (Exception, Reason.CONNECTION_FAILED, "no connection to {host}", True),
)
