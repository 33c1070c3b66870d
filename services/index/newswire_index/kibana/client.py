"""Kibana's HTTP API, as far as bringing it our saved objects needs it."""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from newswire.backoff import Backoff
from newswire.credentials import secret_from
from newswire.errors import SettingsError, UnavailableError
from newswire.kibana_settings import KibanaSettings

OLDEST = (9, 0)  # major and minor; older ones refuse the form that our objects have
REQUEST_SECONDS = 60.0  # an import of some dozen objects takes a few seconds
LOGIN = {401: "refuses the log-in", 403: "does not let this user"}
FILE = "newswire.ndjson"  # Kibana goes by the ending


class KibanaError(SettingsError):
    """Kibana answers, and says no; asking again would not help."""


class KibanaUnavailableError(UnavailableError):
    """Kibana does not answer, or is not ready yet."""


class Kibana:
    """The API of one Kibana, in one of its spaces.

    Args:
        session: what speaks HTTP.
        settings: where Kibana is.
    """

    def __init__(self, session: aiohttp.ClientSession, settings: KibanaSettings) -> None:
        """Ask nothing yet."""
        self._session = session
        self._settings = settings
        self._base = settings.url.rstrip("/")
        self._space = f"/s/{settings.space}" if settings.space else ""

    async def ready(self) -> str | None:
        """Wait until Kibana is available; return its version, None if it keeps that from us."""
        deadline, attempt, backoff = time.monotonic() + self._settings.wait_seconds, 0, Backoff(0.2, 3.0)
        while True:
            try:
                return await self._status()
            except KibanaUnavailableError:
                attempt += 1
                pause = backoff.seconds(attempt)
                if time.monotonic() + pause > deadline:
                    raise
                await asyncio.sleep(pause)

    async def _status(self) -> str | None:
        status, body = await self._ask("GET", "/api/status", space="", allowed=(503,))
        found = body if isinstance(body, dict) else {}
        overall = found.get("status", {}).get("overall", {})
        if status == 503 or overall.get("level") not in {"available", "degraded"}:  # noqa: PLR2004
            said = overall.get("summary") or overall.get("level") or status
            raise KibanaUnavailableError(f"Kibana at {self._base} is not ready: {said}")
        number = found.get("version", {}).get("number")
        if number is not None and tuple(int(part) for part in number.split(".")[:2]) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise KibanaError(f"Kibana {number} at {self._base} is older than {oldest}")
        return None if number is None else str(number)

    async def import_objects(self, ndjson: str) -> Mapping[str, Any]:
        """Import saved objects in place of those that are there; return Kibana's answer."""
        form = aiohttp.FormData()
        form.add_field("file", ndjson.encode(), filename=FILE, content_type="application/ndjson")
        _, body = await self._ask("POST", "/api/saved_objects/_import?overwrite=true", data=form)
        return _object(body, "the import")

    async def default_view(self) -> str:
        """Return the id of the space's default data view; empty if it has none."""
        _, body = await self._ask("GET", "/api/data_views/default")
        return str(_object(body, "the default data view").get("data_view_id") or "")

    async def set_default_view(self, id_: str) -> None:
        """Make a data view the default one, unless there is one."""
        await self._ask("POST", "/api/data_views/default", json={"data_view_id": id_, "force": False})

    async def _ask(
        self, verb: str, path: str, *, space: str | None = None, allowed: tuple[int, ...] = (), **options: Any
    ) -> tuple[int, Any]:
        where = f"{self._base}{self._space if space is None else space}{path}"
        try:
            async with self._session.request(verb, where, allow_redirects=False, **options) as answer:
                body, elsewhere = _parsed(await answer.text()), answer.headers.get("Location")
        except (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError) as error:
            raise KibanaError(f"the certificate of Kibana at {self._base} is not trusted: {error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or type(error).__name__
            raise KibanaUnavailableError(f"Kibana at {self._base} does not answer: {said}") from error
        if elsewhere:
            raise KibanaError(
                f"{self._base} leads to {elsewhere}: set NEWSWIRE_KIBANA_URL to where Kibana is"
            )
        if answer.status not in allowed:
            self._refuse(answer.status, path, body)
        return answer.status, body

    def _refuse(self, status: int, path: str, body: Any) -> None:
        """Raise for an answer that is none."""
        if status < 400:  # noqa: PLR2004
            return
        said = body.get("message") if isinstance(body, dict) else None
        line = str(said or body or "no reason given").splitlines()[0][:500]
        if status in LOGIN:
            raise KibanaError(f"Kibana at {self._base} {LOGIN[status]}: {status} {line}")
        if status == 429 or status >= 500:  # noqa: PLR2004
            raise KibanaUnavailableError(f"Kibana at {self._base} cannot do it now: {status} {line}")
        asked = path.partition("?")[0]
        raise KibanaError(f"Kibana at {self._base} refuses {asked}: {status} {line}")


@asynccontextmanager
async def kibana_at(settings: KibanaSettings) -> AsyncIterator[Kibana]:
    """Open a connection to Kibana; raises SettingsError for secrets and certificates that cannot be read."""
    password = secret_from("NEWSWIRE_KIBANA_PASSWORD", settings.password, settings.password_file)
    if "@" in settings.url.split("://", 1)[-1].split("/", 1)[0]:
        raise SettingsError("NEWSWIRE_KIBANA_URL holds a user or password: set NEWSWIRE_KIBANA_USERNAME")
    async with aiohttp.ClientSession(
        headers={"kbn-xsrf": "newswire"} | _login(settings.username, password),
        timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        connector=aiohttp.TCPConnector(ssl=_trusted(settings.ca_file)),
    ) as session:
        yield Kibana(session, settings)


def _login(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    secret = base64.b64encode(f"{username}:{password or ''}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


def _trusted(file: Path | None) -> ssl.SSLContext | bool:
    if file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(file))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"NEWSWIRE_KIBANA_CA_FILE {file} cannot be used: {error}") from error


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _object(body: Any, what: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise KibanaError(f"what answers is no Kibana: {what} came back as {str(body)[:100]!r}")
    return body
