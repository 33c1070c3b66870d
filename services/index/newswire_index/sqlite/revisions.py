"""Superseded revisions in the SQLite store; its caller holds a transaction."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from newswire_index.document import Document
from newswire_index.sqlite.schema import Names
from newswire_index.store import Revision


def keep(connection: sqlite3.Connection, names: Names, row: int, successor: Document) -> None:
    """Keep the article in a row if what is to replace it is a later revision."""
    found = connection.execute(
        names.sql(
            "SELECT version, document, words.title, text, content_hash FROM {article}"
            " JOIN {words} AS words ON words.rowid = id WHERE id = ? AND document IS NOT NULL"
        ),
        (row,),
    ).fetchone()
    if found is None:
        return
    version, document, title, text, content_hash = found
    told = json.loads(document)
    revision = told.get("revision", 1)  # defaults are not written
    if revision < successor.revision:
        connection.execute(
            names.sql("INSERT OR REPLACE INTO {revision} VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
            (
                successor.article_id, revision, version, title, text, content_hash, told["fetched_at"],
                successor.fetched_at.isoformat(),
            ),
        )  # fmt: skip


def forget(connection: sqlite3.Connection, names: Names, article_id: str) -> None:
    """Delete all revisions of an article."""
    connection.execute(names.sql("DELETE FROM {revision} WHERE article_id = ?"), (article_id,))


def revisions(connection: sqlite3.Connection, names: Names, article_id: str) -> Sequence[Revision]:
    """Return the superseded revisions of an article, oldest first."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (names.revision,)).fetchone():
        return ()  # a file of an older form, opened to be read
    rows = connection.execute(
        names.sql(
            "SELECT revision, version, title, text, content_hash, fetched_at, superseded_at FROM {revision}"
            " WHERE article_id = ? ORDER BY revision"
        ),
        (article_id,),
    ).fetchall()
    return [
        Revision(
            revision, version, title, text, content_hash, datetime.fromisoformat(fetched_at),
            datetime.fromisoformat(superseded_at),
        )
        for revision, version, title, text, content_hash, fetched_at, superseded_at in rows
    ]  # fmt: skip
