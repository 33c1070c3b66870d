"""KQL as Elasticsearch gets it from Kibana: the part of the language that our objects use.

What is not known here is refused, so that no query passes unchecked. As in Kibana, ``and`` binds closer than
``or``, words in quotes are a phrase, ``*`` asks for any value.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Query = dict[str, Any]

_TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>[()]|:|[<>]=?)|(?P<word>[^\s()":<>]+))', re.DOTALL
)
_RANGES = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_RESERVED = frozenset({"and", "or", "not"})


class UnknownKqlError(ValueError):
    """A query uses more of KQL than is known here."""


@dataclass(frozen=True)
class Token:
    """A word, phrase or sign of a query."""

    kind: str
    text: str

    def says(self, word: str) -> bool:
        """Say whether it is this sign or reserved word."""
        return self.kind != "quoted" and self.text.lower() == word


def to_query(kql: str) -> Query:
    """Return the query that Kibana sends for KQL; everything for an empty one."""
    if not kql.strip():
        return {"match_all": {}}
    return _Reader(list(_tokens(kql)), kql).whole()


def fields_of(kql: str) -> set[str]:
    """Return the fields that a query speaks of."""
    return set(_fields(to_query(kql)))


def _fields(query: Query) -> Iterator[str]:
    for kind, inner in query.items():
        if kind == "bool":
            for clause in ("filter", "should", "must_not"):
                for each in inner.get(clause, ()):
                    yield from _fields(each)
        elif kind == "exists":
            yield inner["field"]
        elif kind not in {"match_all", "multi_match"}:
            yield from inner


def _tokens(kql: str) -> Iterator[Token]:
    at, end = 0, len(kql.rstrip())
    while at < end:
        found = _TOKEN.match(kql, at)
        if found is None:
            raise UnknownKqlError(f"not understood: {kql[at:]!r}")
        at = found.end()
        kind = str(found.lastgroup)
        yield Token(kind, found[kind])


class _Reader:
    """Reads tokens from the left."""

    def __init__(self, tokens: list[Token], kql: str) -> None:
        self._tokens = tokens
        self._kql = kql

    def whole(self) -> Query:
        found = self._either()
        if self._tokens:
            raise self._unknown()
        return found

    def _either(self) -> Query:
        found = [self._both()]
        while self._took("or"):
            found.append(self._both())
        return found[0] if len(found) == 1 else _any_of(found)

    def _both(self) -> Query:
        found = [self._one()]
        while self._took("and"):
            found.append(self._one())
        return found[0] if len(found) == 1 else {"bool": {"filter": found}}

    def _one(self) -> Query:
        if self._took("not"):
            return {"bool": {"must_not": [self._one()]}}
        if self._took("("):
            return self._closed(self._either)
        if self._tokens and self._tokens[0].kind == "quoted":
            return self._anywhere(self._phrase(), "phrase")
        word = self._word()
        if any(self._tokens and self._tokens[0].says(sign) for sign in (":", *_RANGES)):
            return self._about(word)
        return self._anywhere(word, "best_fields")

    def _anywhere(self, words: str, kind: str) -> Query:
        if "*" in words or (self._tokens and self._tokens[0].kind == "quoted"):
            raise self._unknown()
        return {"multi_match": {"type": kind, "query": words, "lenient": True}}

    def _closed(self, inside: Callable[[], Query]) -> Query:
        found = inside()
        if not self._took(")"):
            raise self._unknown()
        return found

    def _about(self, field: str) -> Query:
        if "*" in field:
            raise self._unknown()
        for sign, name in _RANGES.items():
            if self._took(sign):
                return {"range": {field: {name: self._word()}}}
        self._took(":")
        if self._took("("):
            return self._closed(lambda: self._values(field))
        return self._value(field)

    def _values(self, field: str) -> Query:
        found = [self._value(field)]
        while self._took("or"):
            found.append(self._value(field))
        return _any_of(found)

    def _value(self, field: str) -> Query:
        if self._tokens and self._tokens[0].kind == "quoted":
            return {"match_phrase": {field: self._phrase()}}
        word = self._word()
        if word == "*":
            return {"exists": {"field": field}}
        if "*" in word:
            raise self._unknown()
        return {"match": {field: word}}

    def _phrase(self) -> str:
        return re.sub(r"\\(.)", r"\1", self._tokens.pop(0).text[1:-1])

    def _word(self) -> str:
        if not self._tokens or self._tokens[0].kind != "word" or self._tokens[0].text.lower() in _RESERVED:
            raise self._unknown()
        return self._tokens.pop(0).text

    def _took(self, word: str) -> bool:
        if self._tokens and self._tokens[0].says(word):
            self._tokens.pop(0)
            return True
        return False

    def _unknown(self) -> UnknownKqlError:
        return UnknownKqlError(f"not understood in {self._kql!r}: {[each.text for each in self._tokens]}")


def _any_of(queries: list[Query]) -> Query:
    return {"bool": {"should": queries, "minimum_should_match": 1}}
