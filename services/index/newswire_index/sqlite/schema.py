"""The tables of the SQLite store, and the connection to them.

    article ── one row for each article id; a row without a document remembers a removal's version
    words   ── FTS5 of title and text, stemmed
    names   ── FTS5 of entity names with aliases and of topics, unstemmed
    entity, label, mention ── each distinct entity once, what it is called, which articles speak of it
    topic   ── which articles have it
    withdrawn ── article ids that are refused
    revision ── what later revisions of an article superseded

Text is stemmed for English (``porter``); in other languages that only folds what happens to end like
English, on both sides alike, so a word is always found as it is written, and ``begin*`` finds its other
forms. Names are never stemmed: "Wells" is not "well". Both are blind to case and, in Latin script, to
accents.
"""

import re
import sqlite3
import time
from pathlib import Path

from newswire.errors import SettingsError
from newswire_index.store import StoreMissingError, StoreUnavailableError

SCHEMA_VERSION = "2"
BEFORE_REVISIONS = "1"  # a file of this form is taken over when it is opened to be written to
BUSY_SECONDS = 10.0  # the event log may share the file; its commits take milliseconds, our batches under one
TABLES = ("meta", "article", "words", "names", "entity", "label", "mention", "topic", "withdrawn", "revision")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,64}")

_STEMMED = "tokenize = 'porter unicode61 remove_diacritics 2'"  # as the table of words
# rank: BM25 with a title worth five times the text, and a topic twice an entity
_SCHEMA = """
CREATE TABLE IF NOT EXISTS {meta} (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS {article} (
    id INTEGER PRIMARY KEY, article_id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, month TEXT NOT NULL,
    title TEXT, content_hash TEXT, outlet TEXT, outlet_key TEXT NOT NULL DEFAULT '', language TEXT,
    dated_at INTEGER, day TEXT, document TEXT);
CREATE INDEX IF NOT EXISTS {article_dated_at} ON {article} (dated_at);
CREATE INDEX IF NOT EXISTS {article_month} ON {article} (month);
CREATE VIRTUAL TABLE IF NOT EXISTS {words} USING fts5
    (title, text, tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE IF NOT EXISTS {names} USING fts5
    (entities, topics, tokenize = 'unicode61 remove_diacritics 2');
CREATE TABLE IF NOT EXISTS {entity} (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL, wikidata TEXT);
CREATE TABLE IF NOT EXISTS {label} (label TEXT, entity INTEGER, PRIMARY KEY (label, entity)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS {mention} (
    article INTEGER, entity INTEGER, PRIMARY KEY (article, entity)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS {mention_entity} ON {mention} (entity, article);
CREATE TABLE IF NOT EXISTS {topic} (
    article INTEGER, topic TEXT, key TEXT NOT NULL, PRIMARY KEY (article, topic)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS {topic_key} ON {topic} (key, article);
CREATE TABLE IF NOT EXISTS {withdrawn} (article_id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_REVISION = """
CREATE TABLE IF NOT EXISTS {revision} (
    article_id TEXT, revision INTEGER, version INTEGER NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
    content_hash TEXT NOT NULL, fetched_at TEXT NOT NULL, superseded_at TEXT NOT NULL,
    PRIMARY KEY (article_id, revision))
"""
_RANKS = (
    "INSERT INTO {words} ({words}, rank) VALUES ('rank', 'bm25(5.0, 1.0)')",
    "INSERT INTO {names} ({names}, rank) VALUES ('rank', 'bm25(1.0, 2.0)')",
)


class Names:
    """The names of the tables of one world, quoted, to be put into SQL."""

    def __init__(self, prefix: str) -> None:
        """Refuse a prefix that is more than letters, digits, dots, dashes and underscores."""
        if not _PREFIX.fullmatch(prefix):
            raise SettingsError(f"prefix {prefix!r}: only letters, digits, '.', '-' and '_' may stand in it")
        indices = ("article_dated_at", "article_month", "mention_entity", "topic_key")
        self._quoted = {name: f'"{prefix}store_{name}"' for name in (*TABLES, *indices)}
        self.meta = f"{prefix}store_meta"
        self.revision = f"{prefix}store_revision"

    def sql(self, template: str) -> str:
        """Return the template with each ``{table}`` by its full name."""
        return template.format_map(self._quoted)


def path_of(url: str) -> Path:
    """Return the file that ``sqlite:///relative`` or ``sqlite:////absolute`` names."""
    name = url.removeprefix("sqlite:///")
    if not name or name == "/":
        raise SettingsError(f"{url!r} names no file")
    return Path(name)


def connect(path: Path, names: Names, *, create: bool) -> sqlite3.Connection:
    """Return a connection whose tables are there; raises StoreMissingError where they may not be made."""
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise StoreMissingError(missing(path))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _prepare(connection, path, names, create=create)
    except BaseException:
        connection.close()
        raise
    return connection


def missing(path: Path) -> str:
    """Return what to tell somebody who searches before anything was indexed."""
    return f"no index yet at {path}: run `newswire run` or `newswire demo` first"


def _prepare(connection: sqlite3.Connection, path: Path, names: Names, *, create: bool) -> None:
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA synchronous = FULL")  # the log moves its offset on the word of our commit
    if create:
        _use_wal(connection)
        _make(connection, names)
    elif not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (names.meta,)).fetchone():
        raise StoreMissingError(missing(path))
    form = _form(connection, names)
    if form not in {SCHEMA_VERSION, BEFORE_REVISIONS}:
        raise SettingsError(f"the index at {path} has form {form}, this program writes form {SCHEMA_VERSION}")
    connection.execute("CREATE TEMP TABLE selected (id INTEGER PRIMARY KEY)")
    connection.execute(f"CREATE VIRTUAL TABLE temp.chunks USING fts5 (text, {_STEMMED})")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite does not wait for others who do the same at this moment, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _form(connection: sqlite3.Connection, names: Names) -> str | None:
    """Return the form of what is there; None if nothing is."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (names.meta,)).fetchone():
        return None
    (form,) = connection.execute(names.sql("SELECT value FROM {meta} WHERE key = 'schema'")).fetchone()
    return str(form)


def _make(connection: sqlite3.Connection, names: Names) -> None:
    if _form(connection, names) not in {None, BEFORE_REVISIONS}:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        form = _form(connection, names)  # another process may have been quicker
        if form is None:
            for statement in names.sql(_SCHEMA).split(";\n"):
                connection.execute(statement)
            for statement in _RANKS:
                connection.execute(names.sql(statement))
        if form in {None, BEFORE_REVISIONS}:
            connection.execute(names.sql(_REVISION))
            connection.execute(
                names.sql("INSERT OR REPLACE INTO {meta} VALUES ('schema', ?)"), (SCHEMA_VERSION,)
            )
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def unavailable(path: Path, error: sqlite3.Error | OSError) -> StoreUnavailableError:
    """Return the port's error for one of SQLite's or of the file system's."""
    return StoreUnavailableError(f"the index at {path} cannot be used: {error}")
