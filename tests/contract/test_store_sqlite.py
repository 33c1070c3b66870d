"""The SQLite store fulfils the contract, and what only a file can get wrong."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from contract.store_contract import NOW, StoreContract, World, article, topics
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswire.errors import SettingsError
from newswire_index.query import parse_query
from newswire_index.sqlite.schema import Names, connect
from newswire_index.sqlite.search import Searcher
from newswire_index.sqlite.store import SqliteStore
from newswire_index.sqlite.write import Writer
from newswire_index.store import (
    RETENTION,
    STORED,
    QueryError,
    Store,
    StoreMissingError,
    StoreUnavailableError,
    open_store,
)

pytestmark = pytest.mark.contract

BATCH = 7
HOSTILE = "ab\"'*:-.><=^(){}+ \x00\ud800\ue000ORNEAT,"
WRITER = """
import asyncio, itertools, os, signal, sys
from contract.store_contract import article
from newswire_index.store import open_store

statements = itertools.count(1)

def kill(statement):
    if next(statements) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = open_store(sys.argv[1])
    await store.open()
    await store._call(lambda: store._opened.set_trace_callback(kill))
    for batch in range(10_000):
        await store.write([article(f"{batch:05}-{number}") for number in range(7)])
        print(batch, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store's file is, in a folder still to be made."""
    return tmp_path / "var" / "newswire.db"


@pytest.fixture
async def world(path: Path) -> AsyncIterator[World]:
    """Open stores in one file."""
    opened: list[Store] = []

    async def open_one(prefix: str = "", retention: timedelta = RETENTION) -> Store:
        store = SqliteStore(f"sqlite:///{path}", prefix=prefix, retention=retention, clock=lambda: NOW)
        opened.append(store)
        await store.open()
        return store

    yield open_one
    for store in opened:
        await store.close()


class TestSqliteStore(StoreContract):
    """The contract on SQLite."""


async def test_the_file_may_be_shared_with_tables_of_others(path: Path, world: World) -> None:
    """Tables that somebody else keeps in the file stay as they are."""
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE article (x)")
        connection.execute("INSERT INTO article VALUES (1)")
    connection.close()
    store = await world()

    assert list(await store.write([article()])) == [STORED]
    with sqlite3.connect(path) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
        kept = connection.execute("SELECT x FROM article").fetchall()
    connection.close()
    assert kept == [(1,)]
    assert all(name == "article" or "store_" in name for name in names)


async def test_a_missing_file_is_said_in_one_line_and_not_made(path: Path) -> None:
    """A search before anything was indexed says what to do and makes no file."""
    store = open_store(f"sqlite:///{path}", create=False)

    with pytest.raises(StoreMissingError, match=r"no index yet at .*newswire\.db: run `newswire run`"):
        await store.open()
    assert not path.parent.exists()


async def test_a_file_without_our_tables_has_no_index_yet(path: Path) -> None:
    """The log's file before the index service ran is no index."""
    path.parent.mkdir()
    sqlite3.connect(path).close()

    with pytest.raises(StoreMissingError, match="no index yet"):
        await open_store(f"sqlite:///{path}", create=False).open()


async def test_a_search_needs_only_what_is_there(world: World, path: Path) -> None:
    """A store opened to be read finds what another process's store holds."""
    await (await world()).write([article()])
    reader = open_store(f"sqlite:///{path}", create=False)
    await reader.open()

    assert (await reader.search(parse_query("talks"))).total == 1
    await reader.close()


async def test_a_locked_file_is_unavailable_and_nothing_is_half_written(
    world: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that lasts is an outage of the store, not the fault of an item."""
    monkeypatch.setattr("newswire_index.sqlite.schema.BUSY_SECONDS", 0.05)
    store = await world()
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailableError, match="locked"):
        await store.write([article()])
    locker.execute("ROLLBACK")
    locker.close()
    assert await store.count() == 0
    assert list(await store.write([article()])) == [STORED]


async def test_a_full_disk_is_unavailable_and_loses_nothing(world: World) -> None:
    """A batch that finds no room leaves what was there, and may be written again."""
    store = await world()
    await store.write([article()])
    assert isinstance(store, SqliteStore)
    pages = await store._call(lambda: store._connection.execute("PRAGMA page_count").fetchone()[0])
    await store._call(lambda: store._connection.execute(f"PRAGMA max_page_count = {pages + 1}"))

    with pytest.raises(StoreUnavailableError, match="full"):
        await store.write([article(f"b{number}", text="word " * 2000) for number in range(50)])
    assert await store.count() == 1


async def test_a_file_that_is_no_database_is_unavailable(path: Path, world: World) -> None:
    """Whatever lies at the address is not written over."""
    letter = b"a letter to the editor, of more than a hundred characters " * 50
    await asyncio.to_thread(path.parent.mkdir)
    await asyncio.to_thread(path.write_bytes, letter)

    with pytest.raises(StoreUnavailableError, match="not a database"):
        await world()
    assert await asyncio.to_thread(path.read_bytes) == letter


async def test_a_closed_store_is_unavailable(world: World) -> None:
    """A call after closing raises the port's error."""
    store = await world()
    await store.close()

    with pytest.raises(StoreUnavailableError, match="not open"):
        await store.count()


async def test_an_index_of_another_form_stops_the_start(world: World, path: Path) -> None:
    """An index that a newer program made is not touched."""
    await (await world()).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE store_meta SET value = '99'")
    connection.close()

    with pytest.raises(SettingsError, match="has form 99"):
        await world()


async def test_an_index_from_before_revisions_is_taken_over(world: World, path: Path) -> None:
    """It is read as it is, and written to once the table for revisions has been made."""
    store = await world()
    await store.write([article(title="First")])
    await store.close()
    with sqlite3.connect(path) as connection:  # as the program before left it
        connection.execute("DROP TABLE store_revision")
        connection.execute("UPDATE store_meta SET value = '1'")
    connection.close()
    reader = open_store(f"sqlite:///{path}", create=False)
    await reader.open()
    assert (await reader.count(), list(await reader.revisions("a"))) == (1, [])
    await reader.close()
    stores = [await world() for _ in range(2)]
    await stores[0].write([article(version=2, revision=2)])

    assert [each.title for each in await stores[1].revisions("a")] == ["First"]


@pytest.mark.parametrize("url", ["sqlite:///", "mongodb://x", "ftp://http://", "", "sqlite:////"])
def test_an_address_that_names_no_store_is_a_wrong_setting(url: str) -> None:
    """Each is refused with the address in the message."""
    with pytest.raises(SettingsError, match=r"address|names no file"):
        open_store(url)


@pytest.mark.parametrize("prefix", ['x"; DROP', "a b", "é", "x" * 65])
def test_a_prefix_is_plain(prefix: str) -> None:
    """A prefix that is no plain name is refused."""
    with pytest.raises(SettingsError, match="prefix"):
        open_store("sqlite:///x.db", prefix=prefix)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """Return what answers queries on one article, without a thread, so that thousands may be asked."""
    names = Names("any.")
    connection = connect(tmp_path_factory.mktemp("any") / "newswire.db", names, create=True)
    Writer(connection, names, RETENTION).write(article(title="ab a b", topics=topics("a-b")), NOW)
    yield Searcher(connection, names)
    connection.close()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80) | st.text(alphabet=HOSTILE, max_size=80))
def test_no_string_of_a_user_breaks_a_search(searcher: Searcher, text: str) -> None:
    """Whatever is typed is searched for or refused by a QueryError, with facets and highlights."""
    try:
        query = parse_query(text, facets=True)
    except QueryError:
        return
    assert searcher.search(query).total in {0, 1}


@pytest.mark.timeout(10)
async def test_a_page_that_repeats_a_word_endlessly_holds_nobody_up(world: World) -> None:
    """The time to mark matches does not grow with their square, in text, title and names."""
    store = await world()
    text = "other " * 300_000 + '"zebra ' * 100_000
    await store.write([article(text=text, title="zebra " * 100_000)])
    highlights = (await store.search(parse_query("zebra"))).hits[0].highlights

    assert [highlight.field for highlight in highlights] == ["title"]
    assert "<em>zebra</em> <em>zebra</em>" in highlights[0].text


async def test_many_may_open_a_new_file_at_once(path: Path) -> None:
    """Stores that are opened at the same moment all find the tables."""
    stores = [open_store(f"sqlite:///{path}") for _ in range(8)]
    await asyncio.gather(*(store.open() for store in stores))

    assert [await store.count() for store in stores] == [0] * 8
    for store in stores:
        await store.close()


@pytest.mark.parametrize("statements", [3, 40, 333, 500, 777, 1001])
async def test_a_killed_writer_leaves_whole_batches(world: World, path: Path, statements: int) -> None:
    """After kill -9 at any statement, each batch is there whole or not at all; none answered is missing."""
    answered = await asyncio.to_thread(run_writer, path, statements)
    store = await world()
    batches = Counter([article_id.split("-")[0] async for article_id, *_ in store.items()])

    assert set(batches.values()) <= {BATCH}
    assert len(batches) - answered in {0, 1}
    assert (await store.search(parse_query("talks"))).total == await store.count()


def run_writer(path: Path, statements: int) -> int:
    """Run a writer that is killed at its n-th statement; return how many batches were answered."""
    writer = subprocess.run(
        [sys.executable, "-c", WRITER, f"sqlite:///{path}", str(statements)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
    )
    assert writer.returncode == -signal.SIGKILL
    return len(writer.stdout.split())
