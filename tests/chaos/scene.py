"""The newsroom many times over, what services need to work on it, and what they leave."""

import asyncio
import http.client
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from chaos.backing import Backing, read_committed
from chaos.checks import End, Letter, Remains, Stored, Version
from e2e.harness import newsroom, newswire

from newswire.drain import Drain
from newswire.events import DEAD_LETTERS, Enriched, Entry, Outcome
from newswire.ledger import Balance, Ledger
from newswire.log.port import Log, Record
from newswire.log.reading import records_from
from newswire.run import opened
from newswire.settings import Settings
from newswire_index.store import open_store

WORLD = re.compile(r"(?<!deadweight)-(\d+)\.example")  # in the host of all worlds but the first
HASTE = {"NEWSWIRE_INGEST_PAGE_TIMEOUT_SECONDS": "4"}  # where nothing is disturbed
PATIENCE = {  # a page that was slow because its process was frozen or the machine busy is tried again
    "NEWSWIRE_INGEST_PAGE_TIMEOUT_SECONDS": "5",
    "NEWSWIRE_INGEST_FETCH_ATTEMPTS": "4",
    "NEWSWIRE_INGEST_POLL_RETRY_SECONDS": "1",
}

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """How much there is to do: worlds, killers, and seconds between two polls of a feed."""

    worlds: int
    killers: int
    interval_seconds: float


@dataclass
class Scene:
    """A newsroom that is being served, and the settings of services that work on it.

    Attributes:
        folder: where everything works.
        backing: where the log is.
        env: settings of the services.
        origin: where the newsroom answers.
    """

    folder: Path
    backing: Backing
    env: Mapping[str, str]
    origin: str
    _feeds: dict[int, list[ET.Element]] = field(default_factory=dict)

    @property
    def worlds(self) -> int:
        """How many worlds there are."""
        return max(self._lists)

    @property
    def _lists(self) -> dict[int, list[ET.Element]]:
        """The feeds of each world, as lines of a feed list."""
        if not self._feeds:
            by_world: dict[int, list[ET.Element]] = defaultdict(list)
            tree = ET.parse(self.folder / "newsroom.opml")  # noqa: S314  our own file
            for outline in tree.iter("outline"):
                found = WORLD.search(outline.get("xmlUrl") or "")
                by_world[int(found.group(1)) if found else 1].append(outline)
            self._feeds = dict(by_world)
        return self._feeds

    @property
    def killers(self) -> list[str]:
        """The addresses of the pages that kill."""
        hosts = {urlsplit(each.get("xmlUrl") or "").hostname or "" for each in self._lists[1]}
        path = "/registers/all-ballast-ever-shipped"
        return sorted(f"https://{host}{path}" for host in hosts if host.startswith("deadweight-"))

    def feeds_of(self, world: int) -> list[str]:
        """The addresses of a world's feeds."""
        return [each.get("xmlUrl") or "" for each in self._lists[world]]

    def add_feeds(self, world: int) -> bool:
        """Add the feeds of a world; return whether that worked, as the log may be away."""
        opml = ET.Element("opml", version="2.0")
        ET.SubElement(opml, "body").extend(self._lists[world])
        file = self.folder / f"world-{world}.opml"
        ET.ElementTree(opml).write(file, encoding="utf-8", xml_declaration=True)
        done = newswire(self.folder, "feeds", "import", file.name, env=self.env)
        return done.returncode == 0

    def status(self) -> dict[str, Any]:
        """Return what the newsroom says it has shown so far."""
        status: dict[str, Any] = self._ask("/-/status")
        return status

    def polls(self) -> list[dict[str, Any]]:
        """Return the newsroom's list of polls."""
        polls: list[dict[str, Any]] = self._ask("/-/polls")
        return polls

    def _ask(self, path: str) -> Any:
        connection = http.client.HTTPConnection(self.origin.removeprefix("http://"), timeout=20)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def on_log(self, work: Callable[[Log], Coroutine[Any, Any, T]]) -> T:
        """Return what a coroutine makes of the log."""

        async def run() -> T:
            async with opened(Settings(log=self.backing.log, prefix=self.backing.prefix)) as log:
                return await work(log)

        return asyncio.run(run())

    def until_drained(self, seconds: float) -> Balance:
        """Wait until the newsroom has shown everything, all feeds were polled since, and nothing is left."""

        async def wait(log: Log) -> Balance:
            try:
                async with asyncio.timeout(seconds):
                    while not (await asyncio.to_thread(self.status))["complete"]:
                        await asyncio.sleep(0.5)
                    return await Drain(log).wait()
            except TimeoutError:
                balance = await Ledger(log).balance()
                raise AssertionError(
                    f"not drained in {seconds} s: newsroom complete: {self.status()['complete']},"
                    f" {balance.seen} seen, {balance.in_flight} in flight, {len(balance.lost)} lost"
                ) from None

        return self.on_log(wait)

    def _let_be_found(self) -> None:
        """See that what was written to the store can be read."""
        if self.backing.elasticsearch is not None:
            refreshed = self.backing.elasticsearch.ask(
                f"/{self.backing.prefix}newswire-articles/_refresh", "POST"
            )
            assert refreshed.status == HTTPStatus.OK

    async def _enriched(self, log: Log) -> list[bytes]:
        """Return the enriched articles as anybody may read them."""
        if self.backing.broker is not None:
            return await read_committed(self.backing.broker.bootstrap, self.backing.prefix + Enriched.topic)
        return [record.value async for record in _records(log, Enriched.topic) if record.value is not None]

    def remains(self) -> Remains:
        """Return what is on the log and in the store."""
        self._let_be_found()

        async def read(log: Log) -> Remains:
            entries = {each.entry_id: each.url for each in await _events(log, Entry)}
            outcomes = await _events(log, Outcome)
            return Remains(
                versions=[_version(Enriched.from_bytes(value)) for value in await self._enriched(log)],
                ends=[End(each.entry_id, each.kind, each.reason, each.article_id) for each in outcomes],
                letters=await _letters(log),
                stored=await _stored(self.env["NEWSWIRE_STORE"], self.backing.prefix),
                urls=entries,
            )

        return self.on_log(read)


@contextmanager
def scene(folder: Path, size: Size, backing: Backing, env: Mapping[str, str] = PATIENCE) -> Iterator[Scene]:
    """A newsroom served so many times over, and what services need to work on it."""
    arguments = ("--worlds", size.worlds, "--killers", size.killers, "--interval", size.interval_seconds)
    with newsroom(folder, *(str(each) for each in arguments)) as settings:
        origin = settings["NEWSWIRE_INGEST_RESOLVE"].partition("=")[2]
        own = {**settings, "NEWSWIRE_WORKERS": "1", **env, **backing.settings(folder)}
        yield Scene(folder, backing, own, origin)


class Importer(threading.Thread):
    """Adds the feeds of one world after the other, so that there is work to do all the time.

    Args:
        scene: the newsroom.
        seconds: over which the worlds are spread.
    """

    def __init__(self, scene: Scene, seconds: float) -> None:
        super().__init__(daemon=True)
        self._scene = scene
        self._seconds = seconds
        self.added = 0

    def run(self) -> None:
        """Add them all, each as often as it takes."""
        started = time.monotonic()
        for number in range(1, self._scene.worlds + 1):
            due = started + self._seconds * (number - 1) / self._scene.worlds
            time.sleep(max(0.0, due - time.monotonic()))
            while not self._scene.add_feeds(number):
                time.sleep(0.5)
            self.added += 1


async def _records(log: Log, topic: str) -> AsyncIterator[Record]:
    for number in range(log.partitions):
        async for record in records_from(log, topic, number):
            yield record


async def _events(log: Log, event: Any) -> list[Any]:
    """Return all events of a topic, by partition and offset; a null is left out."""
    return [
        event.from_bytes(record.value)
        async for record in _records(log, event.topic)
        if record.value is not None
    ]


def _version(each: Enriched) -> Version:
    return Version(each.article_id, each.version, each.revision, each.content_hash, each.entry_id)


async def _letters(log: Log) -> list[Letter]:
    return [
        Letter(json.loads(record.value or b"{}").get("url", record.key), record.headers.get("dl_reason", ""))
        async for record in _records(log, DEAD_LETTERS)
    ]


async def _stored(address: str, prefix: str) -> dict[str, Stored]:
    store = open_store(address, prefix=prefix, create=False)
    await store.open()
    try:
        return {each[0]: Stored(*each[1:]) async for each in store.items()}
    finally:
        await store.close()
