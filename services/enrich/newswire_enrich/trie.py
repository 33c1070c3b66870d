"""A trie over words: finds thousands of phrases in a text in one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from newswire_enrich.tokens import Tokens, tokenise

Payload = TypeVar("Payload")

_GENITIVE_FROM = 4
"""Shortest word (letters) whose genitive s is cut: "Berlins" is Berlin, "Gas" is not "Ga"."""


@dataclass(frozen=True, slots=True)
class Match(Generic[Payload]):
    """A phrase found: its first and last word, its characters, and what it stands for."""

    first: int
    last: int
    start: int
    end: int
    payload: Payload


class Trie(Generic[Payload]):
    """Phrases by their words; case counts, white space and kinds of apostrophe do not."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def add(self, phrase: str, payload: Payload) -> bool:
        """Put a phrase in; says no, and changes nothing, if it is there or holds no word."""
        tokens = tokenise(phrase)
        if not len(tokens):
            return False
        node = self._root
        for index in range(len(tokens)):
            key = tokens.words[0] if index == 0 else tokens.key(index)
            node = node.setdefault(key, {})
        if "" in node:
            return False
        node[""] = payload
        return True

    def find(self, tokens: Tokens, *, genitive: bool = False) -> Iterator[Match[Payload]]:
        """Yield the longest phrase at each place, from the left, none overlapping.

        With ``genitive`` a name may carry an s that its span leaves out ("Berlins").
        """
        index, root = 0, self._root
        while index < len(tokens):
            word = tokens.words[index]
            found = None
            if word in root or (genitive and word[-1] == "s"):
                found = self._longest(tokens, index, genitive=genitive)
            if found is None:
                index += 1
                continue
            yield found
            index = found.last + 1

    def _longest(self, tokens: Tokens, first: int, *, genitive: bool) -> Match[Payload] | None:
        node, best = self._root, None
        for index in range(first, len(tokens)):
            key = tokens.words[index] if index == first else tokens.key(index)
            if genitive and key[-1] == "s" and len(key) > _GENITIVE_FROM:
                ended = node.get(key[:-1])
                if ended is not None and "" in ended:
                    best = Match(first, index, tokens.starts[first], tokens.ends[index] - 1, ended[""])
            step = node.get(key)
            if step is None:
                break
            node = step
            if "" in node:
                best = Match(first, index, tokens.starts[first], tokens.ends[index], node[""])
        return best
