"""The connection to Elasticsearch: how it is made, waited for, and what its errors mean to us.

401, 403, 404, 429, 5xx and everything that the network does are a dependency that is down: wait. Only an
answer that says what is wrong with *this* request is something else, and that is for whoever asked.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elasticsearch import (
    ApiError,
    AsyncElasticsearch,
    AuthenticationException,
    AuthorizationException,
    TransportError,
    UnsupportedProductError,
)

from newswire.backoff import Backoff
from newswire.credentials import secret_from
from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire.settings import load
from newswire_index.store import StoreUnavailableError

PREFIX = "NEWSWIRE_ELASTICSEARCH_"
OLDEST = (9, 0)  # major and minor of the servers that the client and our templates speak with
WAITING = frozenset({401, 403, 404, 408, 429})  # and all from 500: the item or request waits


def client_for(url: str, settings: ElasticsearchSettings | None = None) -> AsyncElasticsearch:
    """Return a client, which connects when it is first used; raises SettingsError.

    Args:
        url: ``http(s)://host:port``, several with commas; a user and password in it are refused.
        settings: default those of the environment.
    """
    settings = settings or load(ElasticsearchSettings)
    # it warns at each request of an outage; whoever asks says so once
    logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)
    options: dict[str, Any] = {}
    secret = secret_from(f"{PREFIX}PASSWORD", settings.password, settings.password_file)
    key = secret_from(f"{PREFIX}API_KEY", settings.api_key, settings.api_key_file)
    if settings.username is not None:
        options["basic_auth"] = (settings.username, secret or "")
    if key is not None:
        options["api_key"] = key
    if settings.ca_file is not None:
        options["ca_certs"] = str(settings.ca_file)
    try:
        return AsyncElasticsearch(
            [_host(each) for each in url.split(",")],
            request_timeout=settings.timeout_seconds,
            max_retries=0,  # whoever asks knows whether and how long to wait
            retry_on_timeout=False,
            **options,
        )
    except (ValueError, OSError) as error:
        raise SettingsError(f"NEWSWIRE_STORE {url!r}: {error}") from error


async def wait_for(client: AsyncElasticsearch, seconds: float) -> None:
    """Wait until Elasticsearch answers; raises SettingsError where waiting cannot help.

    Args:
        client: an open client.
        seconds: how long it may take to come up.
    """
    deadline, attempt, backoff = time.monotonic() + seconds, 0, Backoff(0.2, 3.0)
    while True:
        try:
            with unavailable():
                await _check(client)
        except StoreUnavailableError:
            attempt += 1
            pause = backoff.seconds(attempt)
            if time.monotonic() + pause > deadline:
                raise
            await asyncio.sleep(pause)
        else:
            return


async def _check(client: AsyncElasticsearch) -> None:
    try:
        number = str((await client.info())["version"]["number"])
    except (AuthenticationException, AuthorizationException) as error:
        raise SettingsError(f"Elasticsearch refuses the log-in: {reason_of(error)}") from error
    except UnsupportedProductError as error:
        raise SettingsError(f"what answers at NEWSWIRE_STORE is no Elasticsearch: {error}") from error
    if tuple(int(part) for part in number.split(".")[:2]) < OLDEST:
        raise SettingsError(f"Elasticsearch {number} is older than {'.'.join(map(str, OLDEST))}")


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn what means that Elasticsearch as a whole cannot do it now into a StoreUnavailableError."""
    try:
        yield
    except TransportError as error:  # connections, time-outs, certificates
        raise StoreUnavailableError(f"Elasticsearch is away: {error.message}") from error
    except ApiError as error:
        if waits(error.meta.status):
            raise StoreUnavailableError(f"Elasticsearch cannot do it now: {reason_of(error)}") from error
        raise


def waits(status: int) -> bool:
    """Say whether an answer's status is of the kind that waiting may mend."""
    return status in WAITING or status >= 500  # noqa: PLR2004  the server's own errors


def reason_of(error: ApiError) -> str:
    """Return an answer's status and reason in one line."""
    body = error.body if isinstance(error.body, dict) else {}
    cause = body.get("error")
    said = cause.get("reason") if isinstance(cause, dict) else cause
    return f"{error.meta.status} {said or error.message}".splitlines()[0][:500]


def _host(url: str) -> str:
    if "@" in url.split("://", 1)[-1].split("/", 1)[0]:
        raise SettingsError(
            "NEWSWIRE_STORE holds a user or password: set NEWSWIRE_ELASTICSEARCH_USERNAME and its password"
        )
    return url.strip()
