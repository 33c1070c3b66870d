"""Mentions in a document: what the model and the gazetteer saw, made one list without overlaps.

Nothing but the gazetteer is believed in headings, where capitals mean nothing. In running prose the longer of
two overlapping readings wins, unless the longer one only adds titles and ordinary words to a known name.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from newswire.events import EntityType
from newswire_enrich import openers
from newswire_enrich.gazetteer import Alias, Known
from newswire_enrich.recognise import RawMention
from newswire_enrich.tokens import Tokens
from newswire_enrich.trie import Match

FieldName = Literal["title", "text"]

TYPES = {
    "PERSON": EntityType.PERSON,
    "ORG": EntityType.ORGANISATION,
    "GPE": EntityType.PLACE,
    "LOC": EntityType.PLACE,
    "FAC": EntityType.PLACE,
    "EVENT": EntityType.EVENT,
    "WORK_OF_ART": EntityType.WORK,
    "LAW": EntityType.WORK,
    "NORP": EntityType.GROUP,
}
"""The model's labels that are entities; dates, numbers, products and languages are not."""

# Words before or inside a name that are not part of it.
ROLES = frozenset(
    re.findall(
        r"\S+",
        """
        president prime minister chancellor premier secretary general senator governor mayor king queen
        prince princess pope sir lord lady mr mrs ms miss dr prof professor judge justice captain colonel
        sergeant lieutenant major ambassador foreign defence defense finance interior deputy vice former
        acting chief leader chairman chairwoman chairperson director representative rep sen gov gen col capt
        lt sgt st ex incoming
        spokesman spokeswoman spokesperson commissioner congressman congresswoman attorney commander admiral
        north south east west northern southern eastern western central the a an and of in at for with from by
        to on
        monday tuesday wednesday thursday friday saturday sunday january february march april june july august
        september october november december
        """,
    )
)
_POSSESSIVE = re.compile(r"(?:['’ʼ]s|['’])$")
_EDGE = " \t\"'“”‘’«»„()[]{}<>,;:.!?-–—*•|/\\"
_STOPPED = re.compile(r"\b(?:[A-Z]\.|Inc\.|Corp\.|Ltd\.|Co\.|Jr\.|Sr\.)$")
_ODD = re.compile(r"[@#<>{}\[\]|\\=_\n]|https?:|www\.")
_TAIL = re.compile(r"(?:[,;]? (?:and|of|the|in|for|at|on|to|with|or|by|van|de|&))+\s*$")
_PARTICLES = frozenset(
    re.findall(
        r"\S+",
        """
        al el bin ibn ben abu von van de der den di da du la le ter
        """,
    )
)
_COMPANY_COMMA = re.compile(r", (?:Inc|Ltd|LLC|Corp|Co|S\.A|Jr|Sr)\b| (?:and|&) ")
_DASH = re.compile(r"\s[-–—]{1,2}\s")
_PLURAL = re.compile(r"[A-Z][a-z’'-]+s$")


@dataclass(slots=True)
class Found:
    """A mention: where it stands, what the model made of it, and whom the gazetteer sees in it."""

    field: FieldName
    start: int
    end: int
    text: str
    label: EntityType | None = None
    known: int | None = None
    unsure: bool = False
    """A spelling that also means something else, and nothing yet says that it does not."""
    dateline: bool = False
    """The place in capitals before a first sentence."""


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without leading article, quotes, final punctuation and possessive ending."""
    start = _left(text, start, end)
    if text[start : start + 4].casefold() == "the " and end - start > len("the "):
        start = _left(text, start + len("the "), end)
    if tail := _TAIL.search(text[start:end]):
        end = start + tail.start()
    while start < end and (text[end - 1] in _EDGE) and not _STOPPED.search(text[start:end]):
        end -= 1
    end -= len(m.group()) if (m := _POSSESSIVE.search(text[start:end])) else 0
    return start, end


def _left(text: str, start: int, end: int) -> int:
    while start < end and text[start] in _EDGE:
        start += 1
    return start


def clean(tokens: Tokens, raw: Iterable[RawMention], demonyms: set[tuple[int, int]]) -> list[Found]:
    """Return the model's mentions that can be entities, trimmed."""
    cleaned = []
    for mention in raw:
        label = TYPES.get(mention.label)
        if label is not None:
            cleaned += [f for f in _names(tokens, mention, label) if plausible(f.text, label)]
    surnames = {f.text.split()[-1] for f in cleaned if f.label is EntityType.PERSON and " " in f.text}
    return [f for f in cleaned if (f.start, f.end) not in demonyms or f.text in surnames]


def _names(tokens: Tokens, mention: RawMention, label: EntityType) -> Iterator[Found]:
    """Yield a mention's name, or those on both sides of a dash."""
    start, text = mention.start, tokens.text
    cuts = [(m.start(), m.end()) for m in _DASH.finditer(text, mention.start, mention.end)]
    for end, after in [*cuts, (mention.end, mention.end)]:
        titled = label in {EntityType.WORK, EntityType.EVENT}  # "After the Storm" is a title
        first, last = trim(text, start if titled else openers.skip(tokens, start, end), end)
        yield Found("text", first, last, text[first:last], label)
        start = after


def plausible(name: str, label: EntityType) -> bool:
    """Tell whether a span looks like the name of something of the type."""
    words = name.split()
    if len(name) < 2 or not words or not (words[0][0].isupper() or words[-1][0].isupper()):  # noqa: PLR2004
        return False
    if _ODD.search(name) or all(w.casefold().strip(".") in ROLES for w in words):
        return False
    if "," in name and not _COMPANY_COMMA.search(name):
        return False  # a list of names read as one
    if label is EntityType.PERSON:
        first = re.split(r"[-\s]", words[0])[0]
        believable = first[0].isupper() or first in _PARTICLES
        return believable and not any(c.isdigit() for c in name) and words[0].casefold() not in {"a", "an"}
    return label is not EntityType.GROUP or bool(_PLURAL.fullmatch(words[-1]))


def combine(
    tokens: Tokens,
    model: list[Found],
    matches: Iterable[Match[Alias]],
    known: list[Known],
    *,
    cities: set[int],
    wedging: bool,
) -> list[Found]:
    """Return the mentions in prose without overlaps, those of unsure spellings among them.

    The model need not agree on those of the cities.
    """
    taken, dropped = [], set()
    spans = sorted(model, key=lambda f: f.start)
    named = tokens.covered((f.start, f.end) for f in spans)
    at = 0
    for match in matches:
        while at < len(spans) and spans[at].end <= match.start:
            at += 1
        over = [f for f in spans[at : at + 4] if f.start < match.end and f.end > match.start]
        entity = known[match.payload.known]
        found = _weigh(tokens, match, over, entity)
        if found is not None and over and found.known in cities:
            found.unsure = False
        if found is None:
            continue
        if not over and wedging and _wedged(tokens, match, named):
            continue
        taken.append(found)
        if not found.unsure:
            dropped |= {id(f) for f in over}
    return apart(tokens, [*taken, *(f for f in spans if id(f) not in dropped)])


def _weigh(tokens: Tokens, match: Match[Alias], over: list[Found], entity: Known) -> Found | None:
    """Return the mention that a match makes against the model's readings of the same words, if any."""
    text = tokens.text
    start, end, label = match.start, match.end, over[0].label if over else None
    agrees = any(f.label is entity.type for f in over)
    for other in over:
        if other.start <= start and other.end >= end and (other.start, other.end) != (start, end):
            if other.label is entity.type is EntityType.PERSON and _same_person(other.text, entity):
                start, end = other.start, other.end
            elif not _ordinary(text[other.start : start] + " " + text[end : other.end]):
                return None
    unsure = match.payload.unsure and not agrees
    return Found("text", start, end, text[start:end], label, match.payload.known, unsure)


def _same_person(name: str, entity: Known) -> bool:
    """Tell whether a longer form begins and ends like a known name ("Donald J. Trump")."""
    words, others = name.split(), entity.name.split()
    return words[0] == others[0] and words[-1] == others[-1]


def _ordinary(extra: str) -> bool:
    """Tell whether words around a known name are titles, directions or no names at all."""
    words = re.findall(r"[^\W_]+", extra)
    return all(w.casefold() in ROLES or w[0].islower() for w in words)


def _wedged(tokens: Tokens, match: Match[Alias], named: set[int]) -> bool:
    """Tell whether a one-word match stands beside a capitalised word that may belong to a longer name."""
    if match.first != match.last or tokens.words[match.first].isupper():
        return False
    return _name_word(tokens, match.first - 1, match.first, named) or _name_word(
        tokens, match.last + 1, match.last + 1, named
    )


def _name_word(tokens: Tokens, index: int, gap: int, named: set[int]) -> bool:
    """Tell whether a word joined by a space is capitalised, no title, no sentence start, no other name."""
    if not 0 <= index < len(tokens) or tokens.gaps[gap] != " ":
        return False
    word = tokens.words[index]
    if (
        tokens.text[tokens.ends[gap - 1] : tokens.starts[gap]] != " "
        or not word[0].isupper()
        or word.isupper()
    ):
        return False
    if word.casefold() in ROLES or tokens.opens_sentence(index):
        return False
    return index not in named


def apart(tokens: Tokens, found: list[Found]) -> list[Found]:
    """Return mentions without overlaps: sure ones before unsure ones, known ones and longer ones first."""
    kept: list[Found] = []
    taken: set[int] = set()
    for one in sorted(found, key=lambda f: (f.unsure, f.known is None, f.start - f.end, f.start)):
        words = tokens.covered([(one.start, one.end)])
        if taken.isdisjoint(words):
            kept.append(one)
            taken |= words
    return sorted(kept, key=lambda f: f.start)
