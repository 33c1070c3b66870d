"""What the topic says of each article, in a file on disk: as many as there may be, memory holds only a few.

enriched.v1, withdrawals.v1 ──put──► rows by article id ──in order──► compared with the index
                                     suspects of each round, until they are confirmed or gone
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from newswire.events import Enriched
from newswire.ids import short_digest
from newswire.log.port import Record
from newswire_index.document import clean, month_of
from newswire_index.stage import removal_from

LARGEST = 2**63 - 1  # of a number in SQLite; no store takes a version above it
FETCHED = 1000  # rows held at once

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE article (
        key TEXT PRIMARY KEY, version INTEGER, month TEXT, live INTEGER, title TEXT, hash TEXT, url TEXT,
        number INTEGER, place INTEGER, look INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE withdrawal (
        key TEXT PRIMARY KEY, holds INTEGER, number INTEGER, place INTEGER, look INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE suspect (
        key TEXT, kind TEXT, held INTEGER, why TEXT, url TEXT, round INTEGER,
        PRIMARY KEY (key, kind, held, round)
    ) WITHOUT ROWID;
"""
_ARTICLE = """
    INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (key) DO UPDATE SET
        version = excluded.version, month = excluded.month, live = excluded.live, title = excluded.title,
        hash = excluded.hash, url = coalesce(excluded.url, url)
    WHERE excluded.version >= version
"""  # as the store does it: the highest version wins, wherever it lies
_MOVED = "UPDATE article SET place = ?, look = ? WHERE key = ?"
_WITHDRAWAL = "INSERT OR REPLACE INTO withdrawal VALUES (?, ?, ?, ?, ?)"
_ROWS = """
    SELECT key, version, month, live, title, hash, url, article.number, article.place,
        coalesce(holds, 0), withdrawal.number, withdrawal.place
    FROM article LEFT JOIN withdrawal USING (key) ORDER BY key
"""
_ACQUIT = """
    DELETE FROM suspect WHERE key IN (
        SELECT suspect.key FROM suspect JOIN article USING (key) WHERE article.look = ?1
        UNION SELECT suspect.key FROM suspect JOIN withdrawal USING (key) WHERE withdrawal.look = ?1
    )
"""


class Row(NamedTuple):
    """An article as the topics have it; ``place`` is the offset of the last word on it in its partition."""

    article_id: str
    version: int
    month: str
    live: int
    title: str
    content_hash: str
    url: str | None
    number: int
    place: int
    withdrawn: int
    withdrawn_number: int | None
    withdrawn_place: int | None


class Suspect(NamedTuple):
    """A difference that may be one; ``held`` is the version in the index, 0 if there is none.

    If that is another one in the next look, the index is at work on it.
    """

    article_id: str
    kind: str
    held: int
    why: str
    url: str | None


@dataclass(frozen=True)
class Read:
    """How far the index service has read the two topics, or how far we have."""

    articles: Mapping[int, int]
    withdrawals: Mapping[int, int]

    def covers(self, row: Row) -> bool:
        """Tell whether all that the topics say of an article was read."""
        withdrawn = row.withdrawn_number is None or self.has(row.withdrawn_number, row.withdrawn_place or 0)
        return row.place < self.articles.get(row.number, 0) and withdrawn

    def has(self, number: int, place: int) -> bool:
        """Tell whether a withdrawal, or its lift, was read."""
        return place < self.withdrawals.get(number, 0)


class TopicRows:
    """The rows; nothing in them needs to live longer than the process.

    Args:
        path: a file that is not there yet.

    Attributes:
        look: which look at the topics what is put comes from; a later one has a greater number.
        unreadable: records that were no event.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(_SCHEMA)
        self.look = 0
        self.unreadable = 0

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def put(self, records: Sequence[Record]) -> None:
        """Take over enriched articles and tombstones, in order; what is no event is counted."""
        rows = [row for record in records if (row := self._row(record)) is not None]
        self._connection.execute("BEGIN")
        self._connection.executemany(_ARTICLE, rows)
        self._connection.executemany(_MOVED, [(r.offset, self.look, r.key) for r in records])
        self._connection.execute("COMMIT")

    def put_withdrawals(self, records: Sequence[Record]) -> None:
        """Take over withdrawals and lifts, in order."""
        self._connection.execute("BEGIN")
        self._connection.executemany(
            _WITHDRAWAL, [(r.key, r.value is not None, r.partition, r.offset, self.look) for r in records]
        )
        self._connection.execute("COMMIT")

    def _row(self, record: Record) -> tuple[object, ...] | None:
        at = (record.partition, record.offset)
        if record.value is None:
            gone = removal_from(record)
            version = min(gone.version, LARGEST)
            return (record.key, version, month_of(gone.first_seen_at), 0, "", "", None, *at)
        try:
            event = Enriched.from_bytes(record.value)
        except ValidationError:  # its dead letter tells the rest
            self.unreadable += 1
            return None
        return (
            record.key, min(event.version, LARGEST), month_of(event.first_seen_at), 1,
            fingerprint(clean(event.title)), event.content_hash, clean(event.canonical_url), *at,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Row]:
        """Go through all articles, by id."""
        cursor = self._connection.execute(_ROWS)
        while rows := cursor.fetchmany(FETCHED):
            yield from (Row(*row) for row in rows)

    def withdrawn(self, article_id: str) -> tuple[int, int] | None:
        """Return partition and offset of the withdrawal that holds for an article, if one does."""
        found = self._connection.execute(
            "SELECT number, place FROM withdrawal WHERE key = ? AND holds", (article_id,)
        ).fetchone()
        return found and (int(found[0]), int(found[1]))

    def suspect(self, found: Iterable[Suspect], number: int) -> None:
        """Remember suspects of a round."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO suspect VALUES (?, ?, ?, ?, ?, ?)", [(*each, number) for each in found]
        )

    def suspects(self, number: int) -> Iterator[Suspect]:
        """Go through what was suspected in a round and in all before, by article id."""
        cursor = self._connection.execute(
            "SELECT key, kind, held, why, url FROM suspect AS last WHERE round = ?1 AND ?1 = (SELECT count(*)"
            " FROM suspect WHERE key = last.key AND kind = last.kind AND held = last.held AND round <= ?1)"
            " ORDER BY key, kind",
            (number,),
        )
        while rows := cursor.fetchmany(FETCHED):
            yield from (Suspect(*row) for row in rows)

    def acquit(self, look: int) -> int:
        """Forget suspects of which something was put in that look; returns how many articles these were."""
        suspects = "SELECT count(DISTINCT key) FROM suspect"
        (before,) = self._connection.execute(suspects).fetchone()
        self._connection.execute(_ACQUIT, (look,))
        (after,) = self._connection.execute(suspects).fetchone()
        return int(before - after)


def fingerprint(title: str) -> str:
    """Return what stands for a title, as titles may be long and many."""
    return short_digest(title)
