"""Words of a text with their offsets, in the shape that phrase tries and topic rules match on.

A word is a run of letters and digits; a dotted abbreviation ("U.S.") is one word without its dots. What
stands between two words is kept as one character, so that "Côte d’Ivoire" and "Cote d'Ivoire" differ only in
their letters and a phrase never reaches across a full stop or a line end.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+")
BREAK = "\n"
"""Between two words that belong to different clauses."""

_APOSTROPHES = "'’‘ʼʽ`´"
_HYPHENS = "-‐‑–"
_DASHES = frozenset({"-", "–", "—", "--"})  # between spaces: behind a dateline
_OPENERS = frozenset('\n.!?:;…"“„«([•')


def _gap(between: str) -> str:
    """Return the class of what stands between two words: space, apostrophe, comma, stop … or break."""
    if "\n" in between:
        return BREAK
    bare = between.strip()
    if bare == "" or (len(between) == 1 and bare in _HYPHENS):
        return " "
    if len(bare) == 1 and bare in _APOSTROPHES:
        return "'"
    return bare if bare in {",", ".", "&", "/"} else BREAK


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a text: parallel lists, one item a word."""

    text: str
    starts: list[int]
    ends: list[int]
    words: list[str]
    gaps: list[str]
    """What stands before each word; a break before the first."""

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self.words)

    def key(self, index: int) -> str:
        """Return the word with what stands before it, as tries hold all words of a phrase but the first."""
        return self.gaps[index] + self.words[index]

    def at(self, position: int) -> int:
        """Return the index of the first word that starts at a position or after it."""
        return bisect_left(self.starts, position)

    def covered(self, spans: Iterable[tuple[int, int]]) -> set[int]:
        """Return the indices of the words that stand in spans of characters, whole or in part."""
        return {
            index
            for start, end in spans
            for index in range(bisect_right(self.ends, start), bisect_left(self.starts, end))
        }

    def opens_sentence(self, index: int) -> bool:
        """Tell whether a word is the first of the text, of a line, a sentence or a quotation."""
        if index == 0:
            return True
        between = self.text[self.ends[index - 1] : self.starts[index]]
        if not _OPENERS.isdisjoint(between) or self.text[self.ends[index - 1] - 1] == ".":
            return True
        return self.words[index - 1].isupper() and between.strip() in _DASHES and between[0].isspace()


def tokenise(text: str) -> Tokens:
    """Return the words of a text."""
    starts: list[int] = []
    ends: list[int] = []
    words: list[str] = []
    gaps: list[str] = []
    known: dict[str, str] = {}  # few different gaps occur, many times each
    last = -1
    for found in WORD.finditer(text):
        start, end = found.span()
        between = text[last:start] if last >= 0 else BREAK
        gap = known.get(between)
        if gap is None:
            gap = known[between] = _gap(between)
        word = found.group()
        starts.append(start)
        ends.append(end)
        words.append(word.replace(".", "") if "." in word else word)
        gaps.append(gap)
        last = end
    return Tokens(text, starts, ends, words, gaps)
