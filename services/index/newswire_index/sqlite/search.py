"""What a search asks of the tables of the SQLite store.

First the rows that fit are put into a temporary table (all words, else any of them); then total, page, facets
and highlights are read from it, all in one read transaction. No word of a user reaches FTS5 unquoted.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from newswire_index.document import Document, fold
from newswire_index.highlights import END, START, labels_of, passage_of
from newswire_index.paging import Position
from newswire_index.recency import factor, microseconds
from newswire_index.sqlite.schema import Names
from newswire_index.store import (
    DAYS,
    FACET_SIZE,
    Bucket,
    EntityBucket,
    Facets,
    Filters,
    Highlight,
    Hit,
    HitEntity,
    Matched,
    Query,
    Results,
    Term,
)

CHUNK = 10_000  # characters that are marked at once: more than nearly all articles have
MAX_MARKED = 1_000_000  # characters of a text in which passages are looked for
MAX_NAMES = 50_000  # characters of an article's names and aliases that are marked
_MATCHING = """
(SELECT rowid FROM {words} WHERE {words} MATCH ? UNION ALL SELECT rowid FROM {names} WHERE {names} MATCH ?)
"""
_WITH_TOPIC = "(SELECT article FROM {topic} WHERE key = ?)"
_WITH_ENTITY = """
(SELECT m.article FROM {label} l JOIN {mention} m ON m.entity = l.entity WHERE l.label = ?)
"""
_FILL = "INSERT INTO temp.selected SELECT a.id FROM {article} a WHERE "

_BY_DATE = """
SELECT s.id, 0.0 AS score, a.dated_at, a.article_id FROM temp.selected s JOIN {article} a ON a.id = s.id
"""
# the plus keeps SQLite from asking FTS5 once for each selected row
_BY_SCORE = """
SELECT f.id, sum(f.score) * recency(a.dated_at) AS score, a.dated_at, a.article_id FROM (
    SELECT rowid AS id, -rank AS score FROM {words}
    WHERE {words} MATCH ? AND +rowid IN (SELECT id FROM temp.selected)
    UNION ALL
    SELECT rowid AS id, -rank AS score FROM {names}
    WHERE {names} MATCH ? AND +rowid IN (SELECT id FROM temp.selected)
) f JOIN {article} a ON a.id = f.id GROUP BY f.id
"""
_TOPICS = """
SELECT t.topic, count(*) AS n FROM {topic} t WHERE t.article IN (SELECT id FROM temp.selected)
GROUP BY t.topic ORDER BY n DESC, t.topic LIMIT ?
"""
_ENTITIES = """
SELECT name, type, wikidata, n FROM (
    SELECT e.name, e.type, e.wikidata, sum(c.n) AS n,
           row_number() OVER (PARTITION BY e.type ORDER BY sum(c.n) DESC, e.name, e.wikidata) AS place
    FROM (SELECT entity, count(*) AS n FROM {mention} WHERE article IN (SELECT id FROM temp.selected)
          GROUP BY entity) c JOIN {entity} e ON e.id = c.entity GROUP BY e.type, e.name, e.wikidata
) WHERE place <= ? ORDER BY type, place
"""
_Condition = tuple[str, tuple[object, ...]]


class Searcher:
    """Answers queries."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        names: Names,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._names = names
        self._clock = clock

    def search(self, query: Query) -> Results:
        """Return one page of what a query finds."""
        position = Position.read(query)
        clock = position.clock if position else microseconds(self._clock())
        total, matched = self._select(query, position.matched if position else None)
        self._prefer_recent(query, clock)
        rows = self._page(query, position)
        hits = tuple(self._hit(query, row, score) for row, score, _ in rows[: query.limit])
        following = None
        if len(rows) > query.limit:
            _, score, dated_at = rows[query.limit - 1]
            following = Position(matched, score, dated_at, hits[-1].article_id, clock).write(query)
        return Results(hits, total, matched, self._facets() if query.facets else None, following)

    def get(self, article_id: str) -> Hit | None:
        """Return one article."""
        found = self._rows(
            "SELECT id FROM {article} WHERE article_id = ? AND document IS NOT NULL", article_id
        )
        return next((self._hit(Query(), row, 0.0) for (row,) in found), None)

    def _select(self, query: Query, known: Matched | None) -> tuple[int, Matched]:
        """Fill the temporary table; return how many fit, and whether by all the words or by any."""
        words = [term for term in query.terms if not term.phrase]
        if known != "any":
            total = self._fill(query, [expression(term) for term in query.terms])
            if total or known == "all" or len(words) < 2:  # noqa: PLR2004  one word is all and any at once
                return total, "all"
        phrases = [expression(term) for term in query.terms if term.phrase]
        return self._fill(query, [*phrases, any_of(words)]), "any"

    def _fill(self, query: Query, expressions: list[str]) -> int:
        conditions = ["a.document IS NOT NULL"]
        values: list[object] = []
        for condition, arguments in (
            *_texts(query, expressions),
            *_having(query),
            *_lacking(query),
            *_dates(query),
        ):
            conditions.append(condition)
            values.extend(arguments)
        self._connection.execute("DELETE FROM temp.selected")
        self._rows(_FILL + " AND ".join(conditions), *values)
        return int(self._rows("SELECT count(*) FROM temp.selected").fetchone()[0])

    def _prefer_recent(self, query: Query, clock: int) -> None:
        """Tell SQLite how much more an article counts that is dated at an instant."""

        def recency(dated_at: int) -> float:
            return factor(dated_at, clock, query.recency)

        self._connection.create_function("recency", 1, recency, deterministic=True)

    def _page(self, query: Query, position: Position | None) -> list[tuple[int, float, int]]:
        """Return row, score and date of the hits of a page, and of one more if there is one."""
        arguments: list[object] = [any_of(query.terms)] * 2 if query.terms else []
        after = ""
        if position:
            after = "WHERE (-score, -dated_at, article_id) > (?, ?, ?)"
            arguments += [-position.score, -position.dated_at, position.article_id]
        scored = _BY_SCORE if query.terms else _BY_DATE
        page = (
            f"SELECT id, score, dated_at FROM ({scored}) {after}"  # noqa: S608  constants only
            " ORDER BY score DESC, dated_at DESC, article_id LIMIT ?"
        )
        return self._rows(page, *arguments, query.limit + 1).fetchall()

    def _hit(self, query: Query, row: int, score: float) -> Hit:
        stored = self._rows("SELECT document FROM {article} WHERE id = ?", row).fetchone()[0]
        document = Document.model_validate_json(stored)
        return Hit(
            article_id=document.article_id,
            version=document.version,
            url=document.canonical_url,
            title=document.title,
            published_at=document.published_at,
            first_seen_at=document.first_seen_at,
            outlet=document.outlet,
            language=document.language,
            score=score,
            highlights=tuple(self._highlights(query, row)),
            entities=tuple(HitEntity(e.name, e.type, e.wikidata) for e in document.entities),
            topics=tuple(topic.id for topic in document.topics),
        )

    def _highlights(self, query: Query, row: int) -> Iterator[Highlight]:
        """Go through the passages of an article that the query's terms match."""
        if not query.terms:
            return
        wanted = any_of(query.terms)
        words = self._rows(
            "SELECT CASE WHEN length(title) <= ?3 THEN highlight({words}, 0, ?1, ?2) END,"
            " CASE WHEN length(text) <= ?3 THEN highlight({words}, 1, ?1, ?2) END"
            " FROM {words} WHERE {words} MATCH ?4 AND rowid = ?5",
            *(START, END, CHUNK, wanted, row),
        ).fetchone()
        for field, text in zip(("title", "text"), words or (), strict=False):
            marked = self._best_chunk(field, row, wanted) if text is None else text
            if START in marked:
                yield Highlight(field, passage_of(marked))
        names = self._rows(
            "SELECT highlight({names}, 0, ?1, ?2), highlight({names}, 1, ?1, ?2) FROM {names}"
            " WHERE {names} MATCH ?3 AND rowid = ?4 AND length(entities) <= ?5",
            *(START, END, wanted, row, MAX_NAMES),
        ).fetchone()
        for field, text in zip(("entities", "topics"), names or (), strict=False):
            yield from (Highlight(field, label) for label in labels_of(text))

    def _best_chunk(self, column: str, row: int, wanted: str) -> str:
        """Return the best part of a long text, marked: marking takes the square of the matches in time."""
        text = self._rows(f"SELECT {column} FROM {{words}} WHERE rowid = ?", row).fetchone()[0][:MAX_MARKED]  # noqa: S608  constants only
        chunks = [(text[begin : begin + CHUNK],) for begin in range(0, len(text), CHUNK)]
        self._connection.executemany("INSERT INTO temp.chunks (text) VALUES (?)", chunks)
        found = self._rows(
            "SELECT highlight(chunks, 0, ?, ?) FROM temp.chunks WHERE chunks MATCH ? ORDER BY rank LIMIT 1",
            *(START, END, wanted),
        ).fetchone()
        self._connection.execute("DELETE FROM temp.chunks")
        return str(found[0]) if found else ""

    def _facets(self) -> Facets:
        entities: dict[str, tuple[EntityBucket, ...]] = {}
        for name, kind, wikidata, count in self._rows(_ENTITIES, FACET_SIZE):
            bucket = EntityBucket(name, kind, wikidata, count)
            entities[bucket.type] = (*entities.get(bucket.type, ()), bucket)
        return Facets(
            topics=tuple(Bucket(*row) for row in self._rows(_TOPICS, FACET_SIZE)),
            entities=entities,
            outlets=self._buckets("outlet", "n DESC, value", FACET_SIZE),
            languages=self._buckets("language", "n DESC, value", FACET_SIZE),
            days=self._buckets("day", "value DESC", DAYS),
        )

    def _buckets(self, column: str, order: str, size: int) -> tuple[Bucket, ...]:
        counted = (
            f"SELECT {column} AS value, count(*) AS n FROM {{article}} WHERE {column} IS NOT NULL"  # noqa: S608  constants only
            f" AND id IN (SELECT id FROM temp.selected) GROUP BY value ORDER BY {order} LIMIT ?"
        )
        return tuple(Bucket(*row) for row in self._rows(counted, size))

    def _rows(self, template: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(self._names.sql(template), values)


def expression(term: Term) -> str:
    """Return a term as an FTS5 string: inside quotation marks nothing is syntax."""
    quoted = '"' + term.text.replace('"', '""') + '"'
    return quoted + " *" if term.prefix else quoted


def any_of(terms: Iterable[Term]) -> str:
    """Return the FTS5 expression that any of the terms fulfils."""
    return " OR ".join(expression(term) for term in terms)


def _texts(query: Query, expressions: list[str]) -> Iterator[_Condition]:
    """Each expression in the text or in the names, and nothing that is excluded."""
    for wanted in expressions:
        yield f"a.id IN {_MATCHING}", (wanted, wanted)
    for term in query.without:
        yield f"a.id NOT IN {_MATCHING}", (expression(term),) * 2


def _having(query: Query) -> Iterator[_Condition]:
    yield from _labelled(query.having, "IN")
    for column, values in _columns(query.having):
        yield f"{column} IN ({', '.join('?' * len(values))})", values


def _lacking(query: Query) -> Iterator[_Condition]:
    yield from _labelled(query.lacking, "NOT IN")
    for column, values in _columns(query.lacking):
        yield f"{column} NOT IN ({', '.join('?' * len(values))})", values


def _labelled(filters: Filters, operator: str) -> Iterator[_Condition]:
    for topic in filters.topics:
        yield f"a.id {operator} {_WITH_TOPIC}", (fold(topic),)
    for entity in filters.entities:
        yield f"a.id {operator} {_WITH_ENTITY}", (fold(entity),)


def _columns(filters: Filters) -> Iterator[_Condition]:
    for column, values in (("a.outlet_key", filters.outlets), ("a.language", filters.languages)):
        if values:
            yield column, tuple(fold(value) for value in values)


def _dates(query: Query) -> Iterator[_Condition]:
    if query.since:
        yield "a.dated_at >= ?", (microseconds(query.since),)
    if query.until:
        yield "a.dated_at < ?", (microseconds(query.until),)
