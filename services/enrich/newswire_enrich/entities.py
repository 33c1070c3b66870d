"""The entities of a document: who and what it speaks of, each once, with every place where it is named."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass

from newswire.events import Entity, EntityType, Mention
from newswire_enrich import cities, datelines, passages
from newswire_enrich.clusters import Cluster, gather
from newswire_enrich.credible import credible
from newswire_enrich.gazetteer import Alias, Gazetteer, Known
from newswire_enrich.mentions import FieldName, Found, clean, combine
from newswire_enrich.recognise import LANGUAGE, RawMention, Recogniser
from newswire_enrich.tokens import Tokens, tokenise
from newswire_enrich.trie import Match, Trie

_ALIASES = 24  # of an entity in an event, what the document says included
_GENITIVE = frozenset({"de", "sv", "da", "no", "nl"})  # languages whose names take an s without an apostrophe
_CAPITAL_NOUNS = frozenset({"de", "lb"})  # languages where a capital beside a name says nothing
_FORM_FROM = 3  # letters of a one-word name that is sought again where the model missed it


@dataclass(frozen=True, slots=True)
class Document:
    """A title and a text as words, with the text's headings."""

    title: Tokens
    text: Tokens
    headings: list[tuple[int, int]]

    def in_heading(self, position: int) -> bool:
        """Tell whether a position of the text lies in a heading."""
        before = bisect_right(self.headings, position, key=lambda span: span[0])
        return before > 0 and position < self.headings[before - 1][1]


def read(title: str, text: str) -> Document:
    """Return the words and headings of an article."""
    return Document(tokenise(title), tokenise(text), passages.headings(text))


class EntityFinder:
    """Finds entities with one gazetteer and, for English, one recogniser."""

    def __init__(self, gazetteer: Gazetteer, recogniser: Recogniser) -> None:
        self._gazetteer = gazetteer
        self._recogniser = recogniser
        self._demonyms = gazetteer.demonyms()

    def find(self, document: Document, language: str) -> tuple[Entity, ...]:
        """Return the entities of a document, the most salient first."""
        demonyms = {field: list(self._demonyms.find(t)) for field, t in self._fields(document)}
        found = self._mentions(document, language, demonyms["text"])
        clusters = gather(found, self._gazetteer.known, document.text.text)
        _find_again(document, clusters)
        clusters = [c for c in clusters if credible(c, document.text)]
        weights = self._weights(clusters, [m for ms in demonyms.values() for m in ms], document)
        entities = [self._entity(c, weights[id(c)], language) for c in clusters]
        return tuple(sorted(entities, key=lambda e: (-e.salience, e.name)))

    @staticmethod
    def _fields(document: Document) -> tuple[tuple[FieldName, Tokens], ...]:
        return (("title", document.title), ("text", document.text))

    def _mentions(self, document: Document, language: str, demonyms: list[Match[int]]) -> list[Found]:
        """Return the mentions that model and gazetteer find, from title, prose and headings."""
        trie, known = self._gazetteer.trie(language), self._gazetteer.known
        genitive = language in _GENITIVE
        raw: list[RawMention] = []
        lines = [d for d in datelines.find(document.text) if not document.in_heading(d.start)]
        if language == LANGUAGE:
            hidden = sorted([*document.headings, *((d.start, d.end) for d in lines)])
            raw = list(self._recogniser.recognise(passages.prose(document.text.text, hidden)))
        model = clean(document.text, raw, {(m.start, m.end) for m in demonyms})
        model += [_dateline(document.text.text, *span) for line in lines for span in line.places]
        matches = list(trie.find(document.text, genitive=genitive))
        prose = [m for m in matches if not document.in_heading(m.start)]
        wedging = language not in _CAPITAL_NOUNS
        spoken_of = cities.spoken_of(document.text, model, prose, known)
        found = combine(document.text, model, prose, known, cities=spoken_of, wedging=wedging)
        titles = [_headed("title", document.title, m) for m in trie.find(document.title, genitive=genitive)]
        headed = [_headed("text", document.text, m) for m in matches if document.in_heading(m.start)]
        return _settle([*found, *headed, *titles])

    def _weights(
        self, clusters: list[Cluster], demonyms: list[Match[int]], document: Document
    ) -> dict[int, float]:
        """Return the salience of each entity: in the title, early, often; a demonym is half a mention."""
        people = Counter(id(self._gazetteer.known[match.payload]) for match in demonyms)
        counts = {id(c): len(c.found) + 0.5 * people[id(c.known)] for c in clusters}
        most, length = max(counts.values(), default=1), max(1, len(document.text.text))
        weights = {}
        for cluster in clusters:
            titled = any(f.field == "title" for f in cluster.found)
            first = min(
                (f.start for f in cluster.found if f.field == "text"), default=0 if titled else length
            )
            weight = 0.4 * titled + 0.25 * (1 - first / length) + 0.35 * counts[id(cluster)] / most
            weights[id(cluster)] = round(min(1.0, weight), 3)
        return weights

    def _entity(self, cluster: Cluster, salience: float, language: str) -> Entity:
        known = cluster.known or Known("", cluster.type)
        seen = any(f.label is not None and not f.dateline for f in cluster.found)
        by = (
            known.by,
            self._recogniser.version if seen and language == LANGUAGE else "",
            datelines.VERSION if any(f.dateline for f in cluster.found) else "",
        )
        spellings = dict.fromkeys([*(f.text for f in cluster.found), *known.aliases])
        return Entity(
            name=cluster.name,
            type=cluster.type,
            wikidata=known.wikidata,
            aliases=tuple(a for a in spellings if a != cluster.name)[:_ALIASES],
            salience=salience,
            score=_score(cluster, seen=seen),
            mentions=tuple(
                _mention(f) for f in sorted(cluster.found, key=lambda f: (f.field == "text", f.start))
            ),
            by=tuple(x for x in by if x),
            latitude=known.latitude,
            longitude=known.longitude,
        )


def _mention(found: Found) -> Mention:
    return Mention(field=found.field, start=found.start, end=found.end, text=found.text)


def _score(cluster: Cluster, *, seen: bool) -> float:
    """Return how far an entity can be trusted: known and recognised, known, recognised, recognised once."""
    if cluster.known:
        return 0.95 if seen else 0.85
    return 0.75 if len(cluster.found) > 1 else 0.6


def _headed(field: FieldName, tokens: Tokens, match: Match[Alias]) -> Found:
    """Return a mention in a title or heading."""
    text = tokens.text[match.start : match.end]
    return Found(field, match.start, match.end, text, None, match.payload.known, match.payload.unsure)


def _dateline(text: str, start: int, end: int) -> Found:
    """Return the mention that a dateline's place makes."""
    return Found("text", start, end, text[start:end], EntityType.PLACE, dateline=True)


def _settle(found: list[Found]) -> list[Found]:
    """Return the mentions without the unsure ones whose entity the document names nowhere else."""
    established = {f.known for f in found if not f.unsure}
    return [f for f in found if not f.unsure or f.known in established]


def _find_again(document: Document, clusters: list[Cluster]) -> None:
    """Add the places where an unknown entity is named by a form that the document showed elsewhere."""
    trie: Trie[Cluster] = Trie()
    ordinary = {w for w in document.text.words if w.islower()}
    for cluster in (c for c in clusters if c.known is None):
        for form in {f.text for f in cluster.found if f.label is not None}:
            if " " in form or (
                len(form) >= _FORM_FROM and form[0].isupper() and form.casefold() not in ordinary
            ):
                trie.add(form, cluster)
        if any(f.dateline for f in cluster.found):
            trie.add(cluster.name, cluster)
    fields: tuple[tuple[FieldName, Tokens], ...] = (("title", document.title), ("text", document.text))
    for field, tokens in fields:
        taken = tokens.covered((f.start, f.end) for c in clusters for f in c.found if f.field == field)
        for match in trie.find(tokens):
            if taken.isdisjoint(range(match.first, match.last + 1)):
                text = tokens.text[match.start : match.end]
                match.payload.found.append(Found(field, match.start, match.end, text))
