"""A document enriched: language, entities and topics, with the versions of what said so."""

from dataclasses import dataclass
from pathlib import Path

from newswire.events import Entity, TopicTag
from newswire_enrich import language as languages
from newswire_enrich import rules
from newswire_enrich.entities import EntityFinder, read
from newswire_enrich.gazetteer import Gazetteer
from newswire_enrich.recognise import Recogniser
from newswire_enrich.topics import Tagger

TEXT_LIMIT = 200_000
"""Characters of a text that are looked at; an article is a tenth of that."""
TITLE_LIMIT = 2_000
"""Characters of a title that are looked at."""


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What was found in a document."""

    language: str
    language_confidence: float
    entities: tuple[Entity, ...]
    topics: tuple[TopicTag, ...]


class Enricher:
    """Everything loaded once, for many documents; making one takes about two seconds."""

    def __init__(self, topics_path: Path | None = None, gazetteer_path: Path | None = None) -> None:
        """Load the model, the gazetteer and the rules; without a rule file there are no topics.

        Raises ``rules.RuleError`` if the rule file cannot be read.
        """
        topics = rules.load(topics_path) if topics_path else ()
        self._tagger = Tagger(topics)
        gazetteer, recogniser = Gazetteer(gazetteer_path), Recogniser()
        self._finder = EntityFinder(gazetteer, recogniser)
        self.versions = {
            "gazetteer": gazetteer.version,
            "recogniser": recogniser.version,
            **{f"topics/{topic.id}": str(topic.version) for topic in topics},
        }

    def enrich(self, title: str, text: str, language: str | None = None) -> Enrichment:
        """Return language, entities and topics.

        A declared language is a prior; offsets are Python string offsets into title and text.
        """
        title, text = title[:TITLE_LIMIT], text[:TEXT_LIMIT]
        said = languages.detect(f"{title}\n{text}", language)
        document = read(title, text)
        entities = self._finder.find(document, said.code)
        topics = self._tagger.tag(document, said.code, entities)
        return Enrichment(said.code, round(said.confidence, 3), entities, topics)
