"""What a write does to the tables of the SQLite store, inside a transaction that the caller holds."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from newswire.ids import digest
from newswire_index.document import Document, DocumentEntity, Removal, fold, is_expired, month_of
from newswire_index.recency import microseconds
from newswire_index.sqlite.revisions import forget, keep
from newswire_index.sqlite.schema import Names
from newswire_index.store import EXPIRED, OLDER, STORED, WITHDRAWN, Verdict

SEPARATOR = " \ue000 "  # a token between names, so that no phrase reaches from one into the next


class Writer:
    """Writes single articles."""

    def __init__(self, connection: sqlite3.Connection, names: Names, retention: timedelta) -> None:
        self._connection = connection
        self._names = names
        self._retention = retention

    def write(self, item: Document | Removal, now: datetime) -> Verdict:
        """Store or remove one article and return its verdict."""
        month = month_of(item.first_seen_at)
        if isinstance(item, Document) and self._is_withdrawn(item.article_id):
            return WITHDRAWN
        known = self._one("SELECT id, version, document FROM {article} WHERE article_id = ?", item.article_id)
        if is_expired(month, self._retention, now):
            if known and isinstance(item, Removal):
                forget(self._connection, self._names, item.article_id)
                self.delete(known[0])
            return EXPIRED
        if known and item.version <= known[1]:
            return OLDER
        if known:
            if isinstance(item, Document):
                keep(self._connection, self._names, known[0], item)
            self.delete(known[0])
        if isinstance(item, Document):
            self._insert(item, month)
        else:
            forget(self._connection, self._names, item.article_id)
            self._bury(item.article_id, item.version, month)
        return STORED

    def withdraw(self, *article_ids: str) -> None:
        """Delete articles and refuse them; once lifted, the very version that went may come back."""
        for article_id in article_ids:
            self._withdraw(article_id)

    def _withdraw(self, article_id: str) -> None:
        self._run("INSERT OR IGNORE INTO {withdrawn} VALUES (?)", article_id)
        known = self._one(
            "SELECT id, version, month FROM {article} WHERE article_id = ? AND document IS NOT NULL",
            article_id,
        )
        if known:
            forget(self._connection, self._names, article_id)
            self.delete(known[0])
            self._bury(article_id, known[1] - 1, known[2])

    def lift(self, *article_ids: str) -> None:
        """Accept articles again."""
        for article_id in article_ids:
            self._run("DELETE FROM {withdrawn} WHERE article_id = ?", article_id)

    def delete(self, row: int) -> None:
        """Forget an article, its version included."""
        self._run("DELETE FROM {words} WHERE rowid = ?", row)
        self._run("DELETE FROM {names} WHERE rowid = ?", row)
        self._run("DELETE FROM {mention} WHERE article = ?", row)
        self._run("DELETE FROM {topic} WHERE article = ?", row)
        self._run("DELETE FROM {article} WHERE id = ?", row)

    def drop_expired(self, now: datetime) -> int:
        """Delete months whose end is older than the retention; returns how many articles went."""
        months = self._connection.execute(self._names.sql("SELECT DISTINCT month FROM {article}")).fetchall()
        dropped = sum(self._drop(month) for (month,) in months if is_expired(month, self._retention, now))
        if dropped:
            self._run("DELETE FROM {entity} WHERE id NOT IN (SELECT entity FROM {mention})")
            self._run("DELETE FROM {label} WHERE entity NOT IN (SELECT id FROM {entity})")
        return dropped

    def _drop(self, month: str) -> int:
        query = self._names.sql("SELECT id, document IS NOT NULL FROM {article} WHERE month = ?")
        rows = self._connection.execute(query, (month,)).fetchall()
        self._run(
            "DELETE FROM {revision} WHERE article_id IN (SELECT article_id FROM {article} WHERE month = ?)",
            month,
        )
        for row, _ in rows:
            self.delete(row)
        return sum(live for _, live in rows)

    def _insert(self, document: Document, month: str) -> None:
        cursor = self._run(
            "INSERT INTO {article} (article_id, version, month, title, content_hash, outlet, outlet_key,"
            " language, dated_at, day, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            document.article_id,
            document.version,
            month,
            document.title,
            document.content_hash,
            document.outlet,
            fold(document.outlet or ""),
            fold(document.language),
            microseconds(document.dated_at),
            document.dated_at.astimezone(UTC).date().isoformat(),
            # the text stands in the full-text table already
            document.model_copy(update={"text": ""}).model_dump_json(exclude_defaults=True),
        )
        self._index(cursor.lastrowid or 0, document)

    def _index(self, row: int, document: Document) -> None:
        """Make an article findable by its words, names, topics and entities."""
        self._run(
            "INSERT INTO {words} (rowid, title, text) VALUES (?, ?, ?)", row, document.title, document.text
        )
        topics = list(dict.fromkeys(topic.id for topic in document.topics))
        self._run(
            "INSERT INTO {names} (rowid, entities, topics) VALUES (?, ?, ?)",
            row,
            SEPARATOR.join(_labels(document.entities)),
            SEPARATOR.join(topics),
        )
        for topic in topics:
            self._run("INSERT INTO {topic} VALUES (?, ?, ?)", row, topic, fold(topic))
        for entity in document.entities:
            self._run("INSERT OR IGNORE INTO {mention} VALUES (?, ?)", row, self._entity(entity))

    def _entity(self, entity: DocumentEntity) -> int:
        """Return the row of an entity with exactly these aliases, made at need."""
        key = digest(entity.type, entity.wikidata or "", entity.name, *entity.aliases)
        known = self._one("SELECT id FROM {entity} WHERE key = ?", key)
        if known:
            return int(known[0])
        cursor = self._run(
            "INSERT INTO {entity} (key, name, type, wikidata) VALUES (?, ?, ?, ?)",
            key,
            entity.name,
            entity.type,
            entity.wikidata,
        )
        row = cursor.lastrowid or 0
        labels = {fold(label) for label in (entity.name, entity.wikidata or "", *entity.aliases)} - {""}
        for label in sorted(labels):
            self._run("INSERT INTO {label} VALUES (?, ?)", label, row)
        return row

    def _bury(self, article_id: str, version: int, month: str) -> None:
        self._run(
            "INSERT INTO {article} (article_id, version, month) VALUES (?, ?, ?)", article_id, version, month
        )

    def _is_withdrawn(self, article_id: str) -> bool:
        return self._one("SELECT 1 FROM {withdrawn} WHERE article_id = ?", article_id) is not None

    def _one(self, template: str, *values: object) -> tuple[int, int, str] | None:
        row: tuple[int, int, str] | None = self._run(template, *values).fetchone()
        return row

    def _run(self, template: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(self._names.sql(template), values)


def _labels(entities: Iterable[DocumentEntity]) -> list[str]:
    """Return each name and alias once, in order."""
    return list(dict.fromkeys(label for entity in entities for label in (entity.name, *entity.aliases)))
