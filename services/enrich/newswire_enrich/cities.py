"""Cities that the model took for a person or an organisation ("the railway between Bologna and Padua").

Measured on news: a lone city's name so misread is a place where a preposition of place stands before it, and
mostly a surname, a club or a company elsewhere. What one mention shows holds for the whole document, unless a
person or an organisation of the document bears the name.
"""

import re
from collections.abc import Iterable, Sequence

from newswire.events import EntityType
from newswire_enrich.gazetteer import Alias, Known
from newswire_enrich.mentions import Found
from newswire_enrich.tokens import Tokens
from newswire_enrich.trie import Match

_PREPOSITIONS = frozenset({"around", "between", "from", "in", "inside", "near", "outside", "within"})
_LINKS = frozenset({"and", "or"})
_OF = re.compile(r"\b(?:at|for|in|of) (.+)$")
_BEARERS = frozenset({EntityType.PERSON, EntityType.ORGANISATION})


def spoken_of(
    tokens: Tokens, model: Sequence[Found], matches: Sequence[Match[Alias]], known: list[Known]
) -> set[int]:
    """Return which cities a document speaks of as places, whatever the model made of some mentions."""
    labels = {(f.start, f.end): f.label for f in model}
    read = [(m, labels.get((m.start, m.end))) for m in matches if m.payload.city]
    if not any(label in _BEARERS for _, label in read):
        return set()
    located, borne = _located(tokens, model, matches, known), _borne(model)
    return {
        match.payload.known
        for match, label in read
        if tokens.text[match.start : match.end] not in borne
        and (label is EntityType.PLACE or (label in _BEARERS and match.last in located))
    }


def _located(
    tokens: Tokens, model: Iterable[Found], matches: Iterable[Match[Alias]], known: list[Known]
) -> set[int]:
    """Return the last words of the places that follow a preposition of place, alone or one after another."""
    places = {(m.first, m.last) for m in matches if known[m.payload.known].type is EntityType.PLACE}
    for found in (f for f in model if f.label is EntityType.PLACE):
        words = tokens.covered([(found.start, found.end)])
        places |= {(min(words), max(words))} if words else set()
    located: set[int] = set()
    for first, last in sorted(places):
        before = first - 1
        linked = before >= 1 and tokens.words[before] in _LINKS and before - 1 in located
        listed = before >= 0 and tokens.gaps[first] == "," and before in located
        spaced = before >= 0 and tokens.gaps[first] == " "
        if linked or listed or (spaced and tokens.words[before].casefold() in _PREPOSITIONS):
            located |= set() if _possessive(tokens, last) else {last}
    return located


def _possessive(tokens: Tokens, last: int) -> bool:
    """Tell whether a name owns what follows ("in Jackson's view")."""
    return last + 1 < len(tokens) and tokens.gaps[last + 1] == "'" and tokens.words[last + 1] == "s"


def _borne(model: Iterable[Found]) -> set[str]:
    """Return the words that people and organisations of the document bear in their longer names."""
    borne: set[str] = set()
    for found in model:
        if found.label in _BEARERS and " " in found.text:
            # The University of Bologna is in the city; Bologna FC bears its name.
            bare = _OF.sub("", found.text) if found.label is EntityType.ORGANISATION else found.text
            borne |= {bare, *bare.split()}
    return borne
