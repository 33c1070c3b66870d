"""What a query is in the language of Elasticsearch; pure.

    all words     each in title, text, names or topics, wherever the others are
    title, text   as written, and by the stems of the article's language; the better of both counts
    names         as written only: "Wells" is not "well"

No word of a user is ever syntax: only queries that take a text as it is are used, never ``query_string``.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from newswire_index.document import fold
from newswire_index.elastic.mapping import language_key
from newswire_index.paging import Position
from newswire_index.recency import microseconds
from newswire_index.store import Filters, Matched, Query, Term

Json = dict[str, Any]

ALL_LANGUAGES = ("*",)
_TITLE, _TEXT, _NAMES, _TOPIC_WORDS = 5.0, 1.0, 1.0, 2.0  # what a match counts; as in the SQLite store
_EXPANSIONS = 1000  # words that the last one of a phrase may be the beginning of
_ONE_WORD = re.compile(r"[^\W_]+")
_MILLISECOND = 1000  # microseconds
_DAY_MS = 86_400_000

SORTED_BY_SCORE: list[Json] = [{"_score": "desc"}, {"dated_at": "desc"}, {"article_id": "asc"}]
SORTED_BY_DATE: list[Json] = [{"dated_at": "desc"}, {"article_id": "asc"}]


def selecting(query: Query, matched: Matched, clock: int) -> Json:
    """Return what finds the articles of a query, and gives them their scores.

    Args:
        query: what is asked for.
        matched: whether by all of its words or by any.
        clock: what is taken for now, in microseconds since 1970.
    """
    languages = languages_of(query)
    required = [term for term in query.terms if matched == "all" or term.phrase]
    loose = [term for term in query.terms if term not in required]
    found: Json = {
        "bool": {
            "must": [of_term(term, languages) for term in required],
            "should": [of_term(term, languages) for term in loose],
            "minimum_should_match": 1 if loose else 0,
            "filter": [*_labelled(query.having), *_listed(query.having), *_dates(query)],
            "must_not": [
                *(of_term(term, languages) for term in query.without),
                *_labelled(query.lacking),
                *_listed(query.lacking),
            ],
        }
    }
    return _recent_first(found, query.recency, clock) if query.terms and query.recency else found


def marking(query: Query, languages: Iterable[str]) -> Json:
    """Return what the marked words of an article match.

    Args:
        query: what was asked for.
        languages: of the article, as in ``in.<language>``.
    """
    return {"bool": {"should": [of_term(term, tuple(languages)) for term in query.terms]}}


def after(query: Query, position: Position | None) -> list[Any] | None:
    """Return after which values of the sort a page begins."""
    if position is None:
        return None
    dated = [position.dated_at // _MILLISECOND, position.article_id]
    return [position.score, *dated] if query.terms else dated


def position_of(matched: Matched, values: list[Any], clock: int) -> Position:
    """Return where a page ended, from the values that its last hit is sorted by."""
    *score, dated_at, article_id = values
    return Position(matched, float(score[0]) if score else 0.0, dated_at * _MILLISECOND, article_id, clock)


def languages_of(query: Query) -> tuple[str, ...]:
    """Return in the stems of which languages to look: those that are asked for, or all."""
    if not query.having.languages:
        return ALL_LANGUAGES
    keys = (language_key(fold(language)) for language in query.having.languages)
    return tuple(dict.fromkeys(key for key in keys if key))


def fields(name: str, languages: Iterable[str]) -> list[str]:
    """Return the fields that hold title or text: as written, and by the stems of languages."""
    return [name, *(f"in.{language}.{name}" for language in languages)]


def of_term(term: Term, languages: tuple[str, ...]) -> Json:
    """Return what finds a word, a phrase or a beginning in any of the fields."""
    if term.prefix:
        should = [_beginning(term.text, name, boost) for name, boost in _AS_WRITTEN]
    else:
        should = [
            _phrase(term.text, fields("title", languages), _TITLE),
            _phrase(term.text, fields("text", languages), _TEXT),
            _phrase(term.text, ["names"], _NAMES),
            _phrase(term.text, ["topic_words"], _TOPIC_WORDS),
        ]
    return {"bool": {"should": should}}


_AS_WRITTEN = (("title", _TITLE), ("text", _TEXT), ("names", _NAMES), ("topic_words", _TOPIC_WORDS))


def _phrase(text: str, names: list[str], boost: float) -> Json:
    """Return what finds words side by side; one that an engine splits, such as "3.5%", is a phrase too."""
    return {"multi_match": {"query": text, "type": "phrase", "fields": names, "boost": boost}}


def _beginning(text: str, field: str, boost: float) -> Json:
    if _ONE_WORD.fullmatch(text):  # this kind has no limit to the words that it finds
        return {"match_bool_prefix": {field: {"query": text, "operator": "and", "boost": boost}}}
    return {"match_phrase_prefix": {field: {"query": text, "max_expansions": _EXPANSIONS, "boost": boost}}}


def _labelled(filters: Filters) -> list[Json]:
    """Return a condition for each topic and entity: a topic's field folds what it is asked for itself."""
    return [
        *({"term": {"topics.folded": topic}} for topic in filters.topics),
        *({"term": {"entities.key": fold(entity)}} for entity in filters.entities),
    ]


def _listed(filters: Filters) -> list[Json]:
    """Return one condition for all outlets, and one for all languages."""
    listed = {"outlet.folded": filters.outlets, "language.folded": filters.languages}
    return [{"terms": {field: list(values)}} for field, values in listed.items() if values]


def _dates(query: Query) -> list[Json]:
    limits = {"gte": query.since, "lt": query.until}
    range_ = {name: _milliseconds(limit) for name, limit in limits.items() if limit}
    return [{"range": {"dated_at": {**range_, "format": "epoch_millis"}}}] if range_ else []


def _milliseconds(moment: datetime) -> int:
    """Return an instant in whole milliseconds, upwards: dates are kept so, and none lies in between."""
    return -(-microseconds(moment) // _MILLISECOND)


def _recent_first(found: Json, half_life: float, clock: int) -> Json:
    """Return the same with scores multiplied as ``recency.factor`` says: 1 and the decay, summed."""
    now = clock // _MILLISECOND
    decay = {"origin": str(now), "scale": f"{max(1, round(half_life * _DAY_MS))}ms", "decay": 0.5}
    ahead = {"range": {"dated_at": {"gt": now, "format": "epoch_millis"}}}
    return {
        "function_score": {
            "query": found,
            "functions": [
                {"weight": 1.0},
                {"filter": {"bool": {"must_not": [ahead]}}, "exp": {"dated_at": decay}},
                {"filter": ahead, "weight": 1.0},
            ],
            "score_mode": "sum",
            "boost_mode": "multiply",
        }
    }
