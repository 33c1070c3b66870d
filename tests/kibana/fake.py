"""A Kibana that is none: the few calls of its API that a set-up makes, and what it would complain about."""

import asyncio
import base64
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import BodyPartReader, web

Json = dict[str, Any]

NEWEST = {"index-pattern": (8, 0), "search": (10, 5), "map": (8, 4), "dashboard": (10, 2)}
"""The newest form of each type that Kibana 9.0 knows: major and minor."""


class FakeKibana:
    """Keeps what is imported, by space; behaves as its attributes say.

    Attributes:
        version: that it claims to be; None keeps it to itself.
        starting: how many times it says that it is not ready yet.
        login: user and password that it asks for.
        forbidden: whether the user may not write.
        refused: ids that it does not take, with the error.
        broken: an answer in place of every one of the API.
    """

    def __init__(self) -> None:
        self.version: str | None = "9.0.0"
        self.starting = 0
        self.login: tuple[str, str] | None = None
        self.forbidden = False
        self.refused: dict[str, Json] = {}
        self.broken: web.Response | None = None
        self.objects: dict[str, dict[tuple[str, str], Json]] = {}
        self.default: dict[str, str] = {}
        self.url = ""

    def app(self) -> web.Application:
        """Return what serves it."""
        found = web.Application(middlewares=[self._door], client_max_size=8 << 20)
        found.router.add_get("/api/status", self._status)
        for space in ("", "/s/{space}"):
            found.router.add_post(f"{space}/api/saved_objects/_import", self._import)
            found.router.add_get(f"{space}/api/data_views/default", self._default)
            found.router.add_post(f"{space}/api/data_views/default", self._set_default)
        return found

    @web.middleware
    async def _door(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if self.login:
            secret = base64.b64encode(":".join(self.login).encode()).decode()
            if request.headers.get("Authorization") != f"Basic {secret}":
                return _no(401, "[security_exception]: unable to authenticate user")
        if request.method == "POST" and "kbn-xsrf" not in request.headers:
            return _no(400, "Request must contain a kbn-xsrf header.")
        if self.broken is not None and request.path != "/api/status":
            return _again(self.broken)
        return await handler(request)

    async def _status(self, _: web.Request) -> web.Response:
        if self.starting:
            self.starting -= 1
            return web.Response(status=503, text="Kibana server is not ready yet")
        overall = {"level": "available", "summary": "All services are available"}
        version = {"version": {"number": self.version}} if self.version else {}
        return web.json_response({"status": {"overall": overall}} | version)

    async def _import(self, request: web.Request) -> web.Response:
        if self.forbidden:
            return _no(403, "Unable to bulk_create dashboard")
        if not request.content_type.startswith("multipart/"):
            return _no(415, "Unsupported Media Type")
        part = await (await request.multipart()).next()
        if not isinstance(part, BodyPartReader) or part.name != "file":
            return _no(400, "[request body.file]: expected value of type [Stream] but got [undefined]")
        if not (part.filename or "").endswith(".ndjson"):
            return _no(400, "Invalid file extension")
        lines = (await part.read(decode=True)).decode().splitlines()
        kept = self.objects.setdefault(request.match_info.get("space", ""), {})
        return web.json_response(
            self._taken([json.loads(line) for line in lines], kept, request.query.get("overwrite") == "true")
        )

    def _taken(self, brought: list[Json], kept: dict[tuple[str, str], Json], overwrite: bool) -> Json:
        """Take objects as Kibana does: all that are fit, with an error for each other."""
        known = kept.keys() | {(each["type"], each["id"]) for each in brought}
        done, wrong = [], []
        for each in brought:
            key = (each["type"], each["id"])
            error = self.refused.get(each["id"]) or _error(each, known)
            if error is None and key in kept and not overwrite:
                error = {"type": "conflict"}
            result = {"type": key[0], "id": key[1], "meta": {"title": each["attributes"]["title"]}}
            if error:
                wrong.append(result | {"error": error})
                continue
            done.append(result | ({"overwrite": True} if key in kept else {}))
            kept[key] = each
        answer: Json = {"success": not wrong, "successCount": len(done), "warnings": []}
        return answer | ({"successResults": done} if done else {}) | ({"errors": wrong} if wrong else {})

    async def _default(self, request: web.Request) -> web.Response:
        return web.json_response({"data_view_id": self.default.get(request.match_info.get("space", ""), "")})

    async def _set_default(self, request: web.Request) -> web.Response:
        asked, space = await request.json(), request.match_info.get("space", "")
        if asked["force"] or not self.default.get(space):
            self.default[space] = asked["data_view_id"]
        return web.json_response({"acknowledged": True})


def _error(saved: Json, known: set[tuple[str, str]]) -> Json | None:
    newest = NEWEST.get(saved["type"])
    if newest is None:
        return {"type": "unsupported_type"}
    form = tuple(int(part) for part in saved["typeMigrationVersion"].split(".")[:2])
    if form > newest:
        return {"type": "unknown", "message": "belongs to a more recent version of Kibana", "statusCode": 422}
    missing = [
        {"type": each["type"], "id": each["id"]}
        for each in saved["references"]
        if (each["type"], each["id"]) not in known
    ]
    return {"type": "missing_references", "references": missing} if missing else None


def _no(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)


def _again(response: web.Response) -> web.Response:
    headers = {name: response.headers[name] for name in ("Location",) if name in response.headers}
    return web.Response(status=response.status, text=response.text, headers=headers)


@contextmanager
def serving(kibana: FakeKibana, context: ssl.SSLContext | None = None) -> Iterator[FakeKibana]:
    """Serve it from a thread, as a command runs an event loop of its own."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(kibana.app())

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        kibana.url = f"{'https' if context else 'http'}://127.0.0.1:{port}"
        yield kibana
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
