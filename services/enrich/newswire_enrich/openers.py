"""Words that open a sentence with a capital and are no part of the name after them ("Inside Ukraine, …")."""

import re

from newswire_enrich.tokens import Tokens

OPENERS = frozenset(
    re.findall(
        r"\S+",
        """
        aboard about above across after against ahead along alongside although amid amidst among amongst and
        around as at because before behind below beneath beside besides between beyond both but by despite
        during earlier elsewhere even except following for from given hence here how however if in including
        inside instead into later like meanwhile near nearby neither nor now of off on once only onto or
        otherwise outside over perhaps previously recently regarding since so soon still than then there
        therefore though through throughout thus till to today tomorrow toward towards under unless unlike
        until upon versus via was were what when whenever where whereas wherever whether while who whose why
        with within without yesterday yet
        """,
    )
)
"""Prepositions, conjunctions, adverbs and question words, in small letters."""

_LOOKED_AT = 8  # occurrences of a name, to see whether one stands inside a sentence


def skip(tokens: Tokens, start: int, end: int) -> int:
    """Return where a name begins that was read from a sentence's first words; the end if nothing is left.

    A name that the text writes the same way inside a sentence ("Under Armour") is left whole.
    """
    first = tokens.at(start)
    if first == len(tokens) or not tokens.opens_sentence(first):
        return start
    after = first
    while after < len(tokens) and tokens.starts[after] < end and tokens.words[after].casefold() in OPENERS:
        after += 1
    if after == first or _stands_inside(tokens, tokens.text[start:end]):
        return start
    return tokens.starts[after] if after < len(tokens) and tokens.starts[after] < end else end


def _stands_inside(tokens: Tokens, name: str) -> bool:
    """Tell whether a name of several words occurs where its first capital is not the sentence's."""
    if " " not in name:
        return False
    at = -1
    for _ in range(_LOOKED_AT):
        at = tokens.text.find(name, at + 1)
        if at < 0:
            return False
        index = tokens.at(at)
        if index < len(tokens) and tokens.starts[index] == at and not tokens.opens_sentence(index):
            return True
    return False
