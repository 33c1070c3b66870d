"""Finds the phrases of all topic rules in one pass over the words of a document.

A phrase ignores case; a word's trailing ``*`` stands for any ending, a leading ``=`` asks for this very case.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from newswire_enrich.tokens import Tokens, tokenise

Span = tuple[int, int]
"""First and last word of a phrase found."""


@dataclass(slots=True)
class _Node:
    words: dict[str, "_Node"] = field(default_factory=dict)
    stems: dict[str, "_Node"] = field(default_factory=dict)
    stem_sizes: list[int] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)

    def step(self, word: str, *, stem: bool) -> "_Node":
        """Return the node behind a word or the beginning of one, made if it is new."""
        table = self.stems if stem else self.words
        node = table.get(word)
        if node is None:
            node = table[word] = _Node()
            if stem:
                self.stem_sizes = sorted({*self.stem_sizes, len(word)})
        return node

    def follow(self, word: str) -> list["_Node"]:
        """Return the nodes that a word leads to."""
        found = []
        if (node := self.words.get(word)) is not None:
            found.append(node)
        for size in self.stem_sizes:
            if size > len(word):
                break
            if (node := self.stems.get(word[:size])) is not None:
                found.append(node)
        return found


class PhraseFinder:
    """The phrases of all rules, compiled."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._root = _Node()
        for phrase in set(phrases):
            self._add(phrase)

    def find(self, tokens: Tokens) -> dict[str, list[Span]]:
        """Return each phrase that occurs, with every place where it does."""
        found: dict[str, list[Span]] = defaultdict(list)
        folded = [word.casefold() for word in tokens.words]
        for first, word in enumerate(folded):
            nodes, last = self._root.follow(word), first
            while nodes:
                for phrase in (p for node in nodes for p in node.phrases):
                    if _case_agrees(phrase, tokens, first):
                        found[phrase].append((first, last))
                last += 1
                if last == len(folded):
                    break
                key = tokens.gaps[last] + folded[last]
                nodes = [after for node in nodes for after in node.follow(key)]
        return dict(found)

    def _add(self, phrase: str) -> None:
        bare, stems = _without_stars(phrase.lstrip("="))
        tokens, node = tokenise(bare), self._root
        for index, word in enumerate(tokens.words):
            gap = tokens.gaps[index] if index else ""
            node = node.step(gap + word.casefold(), stem=tokens.ends[index] in stems)
        node.phrases.append(phrase)


def _without_stars(phrase: str) -> tuple[str, set[int]]:
    """Return a phrase without its stars, and the places in it where they stood."""
    parts = phrase.split("*")
    stems, length = set(), 0
    for part in parts[:-1]:
        length += len(part)
        stems.add(length)
    return "".join(parts), stems


def _case_agrees(phrase: str, tokens: Tokens, first: int) -> bool:
    """Tell whether a phrase that asks for its very case stands in it."""
    if not phrase.startswith("="):
        return True
    wanted = tokenise(phrase[1:].replace("*", "")).words
    return all(tokens.words[first + i].startswith(word) for i, word in enumerate(wanted))
