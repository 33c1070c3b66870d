"""``newswire index rebuild`` and ``newswire index verify`` as a user types them."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import newswire, rows
from e2e.test_elastic import reached
from elasticsearch import Elasticsearch
from servers.elasticsearch import ElasticsearchServer
from unit.scenes import enriched, publish

from newswire.events import Enriched, Outcome, Withdrawal
from newswire.log import Log, open_log
from newswire.log.sqlite import SqliteLog
from newswire.topics import TOPICS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@dataclass
class Place:
    """A folder with a log, and where the commands find the index."""

    folder: Path
    env: dict[str, str]

    @property
    def prefix(self) -> str:
        """What all names begin with."""
        return self.env.get("NEWSWIRE_PREFIX", "")

    def run(self, *arguments: str) -> "tuple[int, str, str]":
        """Return exit code and output of a command about the index."""
        done = newswire(self.folder, *arguments, env=self.env)
        return done.returncode, done.stdout, done.stderr

    def on_log(self, work: Callable[[Log], Awaitable[Any]]) -> Any:
        """Do something on the log."""

        async def run() -> Any:
            log = open_log(f"sqlite:///{self.folder / 'var' / 'newswire.db'}", prefix=self.prefix)
            await log.open(TOPICS)
            try:
                return await work(log)
            finally:
                await log.close()

        return asyncio.run(run())

    def read(self) -> None:
        """Let the index service have read what is there, without one."""
        for topic in (Enriched.topic, Withdrawal.topic):
            self.on_log(partial(_commit, self.prefix, topic))


async def _commit(prefix: str, topic: str, log: Log) -> None:
    assert isinstance(log, SqliteLog)
    ends = await log.end_offsets(topic)
    rows = [(f"{prefix}index", f"{prefix}{topic}", number, end) for number, end in ends.items()]
    await log.write(lambda c: c.executemany("INSERT OR REPLACE INTO log_offsets VALUES (?,?,?,?)", rows))


async def fill(log: Log) -> None:
    """Publish two articles."""
    for name in "ab":
        await publish(
            log, enriched(article_id=name * 32, version=2, canonical_url=f"https://x.example/{name}")
        )


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    """An index in SQLite, filled."""
    (tmp_path / "var").mkdir()
    place = Place(tmp_path, {})
    place.on_log(fill)
    place.run("replay", "--stage", "index")
    return place


@pytest.fixture
def elastic(elasticsearch: ElasticsearchServer, tmp_path: Path) -> Iterator[Place]:
    """An index in Elasticsearch, filled."""
    (tmp_path / "var").mkdir()
    prefix = f"t{uuid.uuid4().hex[:8]}."
    place = Place(tmp_path, {**reached(elasticsearch), "NEWSWIRE_PREFIX": prefix})
    place.on_log(fill)
    place.run("index", "setup")
    place.run("replay", "--stage", "index")
    yield place
    with _client(elasticsearch) as client:
        found = client.indices.resolve_index(name=f"{prefix}*")
        client.indices.delete(index=[each["name"] for each in found["indices"]])
        client.indices.delete_index_template(name=f"{prefix}*")
        client.cluster.delete_component_template(name=f"{prefix}*")


def _client(server: ElasticsearchServer) -> Elasticsearch:
    log_in = {} if server.username is None else {"basic_auth": (server.username, server.password or "")}
    return Elasticsearch(server.url, **log_in)  # type: ignore[arg-type]


def test_an_index_is_rebuilt_verified_and_the_old_one_dropped(elastic: Place) -> None:
    """By the same commands again and again; entries get no outcome."""
    elastic.read()
    code, out, err = elastic.run("index", "rebuild", "--json")
    (done,) = rows(out)
    (month,) = done["months"]
    verified = elastic.run("index", "verify")
    again = elastic.run("index", "rebuild")
    dropped = elastic.run("index", "rebuild", "--drop-old", "--json")
    nothing = elastic.run("index", "rebuild", "--abandon")
    found = rows(elastic.run("search", "talks", "--json")[1])

    assert (code, done["done"], done["counts"], done["resumed"]) == (0, "rebuilt", {"stored": 2}, False)
    assert (month["articles"], month["before"], month["index"][-7:]) == (2, 2, "-000002")
    assert err == "the new indices serve; reading what came meanwhile\n"
    assert verified == (0, "equal: 2 articles\n", "")
    assert again[0] == 0
    assert "rebuilt: stored 2\nold indices, kept until `newswire index rebuild --drop-old`: " in again[1]
    assert [name[-6:] for name in rows(dropped[1])[0]["removed"]] == ["000001", "000002"]
    assert nothing == (0, "removed: nothing\n", "")
    assert len(found) == 2
    assert elastic.on_log(lambda log: log.end_offsets(Outcome.topic)) == dict.fromkeys(range(12), 0)


def test_what_differs_is_named_with_its_address(elastic: Place) -> None:
    """Exit code 1; what the index service has yet to read is in flight."""
    newer = enriched(article_id="a" * 32, version=3, canonical_url="https://x.example/a")
    other = enriched(article_id="c" * 32, version=1, canonical_url="https://x.example/c")
    elastic.on_log(lambda log: publish(log, newer, other))
    before = elastic.run("index", "verify")
    elastic.read()
    code, out, _ = elastic.run("index", "verify")
    (row,) = rows(elastic.run("index", "verify", "--json", "--limit", "1")[1])

    assert before == (0, "equal: 1 articles, 2 in flight\n", "")
    assert code == 1
    assert [line.split("\t")[:3] for line in out.splitlines()[:-1]] == [
        ["stale", "a" * 32, "https://x.example/a"],
        ["missing", "c" * 32, "https://x.example/c"],
    ]
    assert out.splitlines()[-1] == "different: missing 1, stale 1; equal 1"
    assert (row["equal"], row["articles"], row["counts"]) == (False, 1, {"missing": 1, "stale": 1})
    assert [each["kind"] for each in row["differences"]] == ["stale"]


def test_a_refused_rebuild_says_why_and_leaves_the_old_index(elastic: Place) -> None:
    """Exit code 1; allowed, it goes on where it was."""
    elastic.on_log(lambda log: publish(log, enriched(article_id="x" * 600)))
    refused = elastic.run("index", "rebuild")
    drop = elastic.run("index", "rebuild", "--drop-old")
    allowed = elastic.run("index", "rebuild", "--allow-rejected", "--json")

    assert refused[0] == 1
    assert refused[1].startswith("not rebuilt: the store rejects 1 articles: --allow-rejected")
    assert refused[2].startswith("rejected: xxx")
    assert (drop[0], drop[1]) == (2, "")
    assert "a rebuild is not at its end" in drop[2]
    assert rows(allowed[1])[0]["resumed"]
    assert len(rows(allowed[1])[0]["rejected"]) == 1


def test_an_sqlite_index_is_verified_too(sqlite: Place) -> None:
    """The same questions, the same answers; nothing is left in the folder of caches."""
    sqlite.read()
    equal = sqlite.run("index", "verify")
    sqlite.on_log(lambda log: publish(log, Withdrawal(**_withdrawn("b" * 32))))
    in_flight = sqlite.run("index", "verify")

    assert equal == (0, "equal: 2 articles\n", "")
    assert in_flight == (0, "equal: 1 articles, 1 in flight, 1 withdrawn\n", "")
    assert list((sqlite.folder / "var" / "cache" / "verify").iterdir()) == []


def _withdrawn(key: str) -> dict[str, str]:
    return {
        "article_id": key, "withdrawn_at": "2026-11-25T09:00:00Z", "withdrawn_by": "desk", "reason": "wrong",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "an SQLite index is not rebuilt in place: fill a new file"),
        (("--abandon",), "an SQLite index is not rebuilt in place"),
        (("--drop-old", "--abandon"), "give one of them"),
    ],
)
def test_a_question_that_is_wrong_is_refused_in_one_line(
    sqlite: Place, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2."""
    code, out, err = sqlite.run("index", "rebuild", *arguments)

    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


def test_the_way_that_is_told_for_sqlite_works(sqlite: Place) -> None:
    """A new file is filled beside the old one, and verified."""
    sqlite.read()
    sqlite.env["NEWSWIRE_STORE"] = "sqlite:///new.db"
    sqlite.run("replay", "--stage", "index", "--restart")

    assert sqlite.run("index", "verify") == (0, "equal: 2 articles\n", "")
