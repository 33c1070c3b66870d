"""Datelines: the place in capitals before an article's first sentence ("KOUROU, French Guiana – A rocket …").

The recogniser takes a dateline for the beginning of the sentence, so it is read here and kept from the model.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from newswire_enrich.tokens import Tokens

VERSION = "datelines-1"

_LINE = re.compile(r"[^\n]+")
_DASH = re.compile(r"\s[-–—]{1,2}\s")
_PLACE = re.compile(r"[^\W\d_][^\d_/,(]*")
_LONGEST = 70  # characters before the dash
_SENTENCE = 40  # characters behind it at least
_LETTERS_FROM = 4  # shorter capitals are rather an abbreviation
_MOST_WORDS = 4
# What editors put before a dash in capitals instead of a place.
_KICKERS = frozenset(
    re.findall(
        r"\S+",
        """
        advertisement advisory alert analysis audio breaking clarification column comment commentary
        correction corrected editorial essay exclusive explained explainer factbox feature flash graphic guide
        headlines interview investigation letter letters live news newsletter obituary opinion photos podcast
        poll preview profile quiz recap refile report results review sponsored summary timeline transcript
        update updated updates urgent video voices warning watch
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Dateline:
    """Where a dateline stands, its dash included, and the places in capitals that it names."""

    start: int
    end: int
    places: tuple[tuple[int, int], ...]


def find(tokens: Tokens) -> list[Dateline]:
    """Return the datelines of a text, each at the beginning of a line."""
    found, words = [], Counter(tokens.words)
    for line in _LINE.finditer(tokens.text):
        start = line.start()
        dash = _DASH.search(tokens.text, start, min(line.end(), start + _LONGEST))
        if dash is None or line.end() - dash.end() < _SENTENCE:
            continue
        spans = list(_places(tokens.text, start, dash.start()))
        names = [tokens.text[a:b] for a, b in spans]
        if names and all(_believable(name, words) for name in names):
            found.append(Dateline(start, dash.end(), tuple(spans)))
    return found


def title_case(name: str) -> str:
    """Return a name in capitals as it is written in a sentence."""
    return name.title()


def _places(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of "BERLIN/PARIS", without the region, date and agency behind a comma or bracket."""
    cut = re.search(r"[,(]", text[start:end])
    end = start + cut.start() if cut else end
    for match in _PLACE.finditer(text, start, end):
        yield match.start(), match.start() + len(match.group().rstrip())


def _believable(name: str, words: Counter[str]) -> bool:
    """Tell whether words in capitals can be a place: no acronym of the text, no common word, no kicker."""
    parts = re.findall(r"[^\W\d_]+", name)
    if not name.isupper() or not 0 < len(parts) <= _MOST_WORDS or max(map(len, parts)) < _LETTERS_FROM:
        return False
    if any(part.casefold() in _KICKERS for part in parts):
        return False
    return len(parts) > 1 or (words[name] == 1 and not words[name.lower()])
