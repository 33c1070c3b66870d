"""Topics of a document by an editor's rules, each with score, rule version and the words that fired."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newswire.events import Entity, Mention, TopicTag
from newswire_enrich.entities import Document
from newswire_enrich.mentions import FieldName
from newswire_enrich.phrases import PhraseFinder
from newswire_enrich.rules import Condition, EntityTerm, Near, Topic

if TYPE_CHECKING:
    from newswire_enrich.tokens import Tokens

EVIDENCE = 12
"""Mentions that a tag shows at most."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A place that made a condition hold: field, first and last word."""

    field: FieldName
    first: int
    last: int


class _Facts:
    """What a document offers the rules: places of phrases and of entities, by field."""

    def __init__(self, document: Document, finder: PhraseFinder, entities: Iterable[Entity]) -> None:
        self.tokens: dict[FieldName, Tokens] = {"title": document.title, "text": document.text}
        self._phrases = {name: finder.find(tokens) for name, tokens in self.tokens.items()}
        self._entities: dict[str, list[Hit]] = {}
        for entity in entities:
            hits = [self._hit(mention) for mention in entity.mentions]
            for key in {entity.wikidata or "", entity.name.casefold()} - {""}:
                self._entities.setdefault(key, []).extend(hits)
        self._lines: dict[str, list[int]] = {}

    def phrase(self, phrase: str) -> list[Hit]:
        """Return where a phrase stands."""
        return [Hit(name, *span) for name, found in self._phrases.items() for span in found.get(phrase, ())]

    def entity(self, name: str) -> list[Hit]:
        """Return where an entity is named, by Wikidata id or name."""
        return self._entities.get(name, None) or self._entities.get(name.casefold(), [])

    def line(self, hit: Hit) -> int:
        """Return the number of the line that a hit stands in."""
        if hit.field not in self._lines:
            text = self.tokens[hit.field].text
            self._lines[hit.field] = [i for i, char in enumerate(text) if char == "\n"]
        return bisect_left(self._lines[hit.field], self.tokens[hit.field].starts[hit.first])

    def mention(self, hit: Hit) -> Mention:
        """Return a hit with its offsets in characters."""
        tokens = self.tokens[hit.field]
        start, end = tokens.starts[hit.first], tokens.ends[hit.last]
        return Mention(field=hit.field, start=start, end=end, text=tokens.text[start:end])

    def _hit(self, mention: Mention) -> Hit:
        tokens = self.tokens[mention.field]
        first = max(0, bisect_left(tokens.starts, mention.start))
        return Hit(mention.field, first, max(first, bisect_left(tokens.starts, mention.end) - 1))


class Tagger:
    """Compiled topic rules."""

    def __init__(self, topics: tuple[Topic, ...]) -> None:
        self.topics = topics
        self._finder = PhraseFinder(p for topic in topics for p in _phrases(topic.when))

    def tag(self, document: Document, language: str, entities: Iterable[Entity]) -> tuple[TopicTag, ...]:
        """Return the topics whose rules hold, in the order of the rule file."""
        facts = _Facts(document, self._finder, entities)
        tags = []
        for topic in self.topics:
            if topic.languages and language not in topic.languages:
                continue
            hits = evaluate(topic.when, facts)
            if hits is not None:
                tags.append(_tag(topic, sorted(set(hits), key=_order), facts))
        return tuple(tags)


def evaluate(condition: Condition, facts: _Facts) -> list[Hit] | None:
    """Return the places that make a condition hold, or nothing if it does not."""
    if condition.any is not None:
        results = [evaluate(c, facts) for c in condition.any]
        held = [r for r in results if r is not None]
        return [hit for r in held for hit in r] if held else None
    if condition.all is not None:
        results = [evaluate(c, facts) for c in condition.all]
        return None if None in results else [hit for r in results if r for hit in r]
    if condition.none is not None:
        return None if any(evaluate(c, facts) is not None for c in condition.none) else []
    return _leaf(condition, facts)


def _leaf(condition: Condition, facts: _Facts) -> list[Hit] | None:
    """Evaluate phrases, near or entity, with where, min and different."""
    if condition.near is not None:
        groups = [_near(condition.near, facts)]
    elif condition.entity is not None:
        groups = [[hit for name in condition.entity for hit in facts.entity(name)]]
    else:
        groups = [facts.phrase(p) for p in condition.phrases or ()]
    wanted = [[h for h in group if condition.where in {None, h.field}] for group in groups]
    hits = {hit for group in wanted for hit in group}
    enough = len(hits) >= condition.min and sum(bool(g) for g in wanted) >= condition.different
    return sorted(hits, key=_order) if enough else None


def _near(near: Near, facts: _Facts) -> list[Hit]:
    """Return the stretches of one line in which all terms stand within so many words."""
    terms = [sorted(set(_term(term, facts)), key=_order) for term in near.terms]
    stretches = []
    for anchor in terms[0]:
        first, last = anchor.first, anchor.last
        for others in terms[1:]:
            close = _closest(anchor, others, near.within, facts)
            if close is None:
                break
            first, last = min(first, close.first), max(last, close.last)
        else:
            stretches.append(Hit(anchor.field, first, last))
    return stretches


def _term(term: EntityTerm | tuple[str, ...], facts: _Facts) -> Iterator[Hit]:
    if isinstance(term, EntityTerm):
        yield from (hit for name in term.entity for hit in facts.entity(name))
    else:
        yield from (hit for phrase in term for hit in facts.phrase(phrase))


def _closest(anchor: Hit, others: list[Hit], within: int, facts: _Facts) -> Hit | None:
    """Return the place of another term nearest to the anchor, in its line and reach, not on it."""
    middle = bisect_left(others, _order(anchor), key=_order)
    best, reach = None, within
    for other in others[max(0, middle - 3) : middle + 3]:
        if other.field != anchor.field or (other.first <= anchor.last and other.last >= anchor.first):
            continue
        distance = other.first - anchor.last if other.first > anchor.last else anchor.first - other.last
        if distance <= reach and facts.line(other) == facts.line(anchor):
            best, reach = other, distance
    return best


def _order(hit: Hit) -> tuple[bool, int, int]:
    """Sort the title's hits before the text's, then by place."""
    return (hit.field == "text", hit.first, hit.last)


def _tag(topic: Topic, hits: list[Hit], facts: _Facts) -> TopicTag:
    """Return the tag: surer with the title's word and with more evidence."""
    titled = any(hit.field == "title" for hit in hits)
    score = min(1.0, 0.5 + 0.25 * titled + 0.05 * max(0, len(hits) - 1))
    return TopicTag(
        id=topic.id,
        score=round(score, 3),
        by=f"topics/{topic.id}@{topic.version}",
        evidence=tuple(facts.mention(hit) for hit in hits[:EVIDENCE]),
    )


def _phrases(condition: Condition) -> Iterator[str]:
    """Yield every phrase of a condition and those inside it."""
    yield from condition.phrases or ()
    if condition.near is not None:
        yield from (p for term in condition.near.terms if not isinstance(term, EntityTerm) for p in term)
    for inner in (*(condition.any or ()), *(condition.all or ()), *(condition.none or ())):
        yield from _phrases(inner)
