"""Which events a reader wants: by an editor's topic, by entity, by language. Pure functions of an event.

Of one kind any may match, and each kind that is given must: ``--topic a --topic b --language en`` is (a or b)
and English. Case does not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from newswire.errors import SettingsError
from newswire.events import Event

FIELDS = {"topics": "topic", "entities": "entity", "languages": "language"}
"""Of the filters, with what they are called one by one."""
HOLDS = {"topics": "topics", "entities": "entities", "languages": "language"}
"""The field of an event that each filter looks at."""


@dataclass(frozen=True)
class Filters:
    """What an event must have to be wanted; nothing given lets everything pass.

    Attributes:
        topics: ids of an editor's topics, such as ``nato-bid``.
        entities: Wikidata ids, names or aliases.
        languages: ISO 639-1 codes; ``en`` also finds ``en-GB``.
    """

    topics: frozenset[str] = field(default_factory=frozenset)
    entities: frozenset[str] = field(default_factory=frozenset)
    languages: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(
        cls, topics: Iterable[str] = (), entities: Iterable[str] = (), languages: Iterable[str] = ()
    ) -> Self:
        """Return filters for words as people write them; SettingsError for one that is empty or no list."""
        given = {"topics": topics, "entities": entities, "languages": languages}
        return cls(**{name: _folded(name, words) for name, words in given.items()})

    @property
    def given(self) -> list[str]:
        """The kinds of filters that there are."""
        return [name for name in FIELDS if getattr(self, name)]

    def check(self, topic: str, event: type[Event] | None) -> None:
        """Raise SettingsError if what lies on a topic has nothing that the filters could look at."""
        for name in self.given:
            if event is None or HOLDS[name] not in event.model_fields:
                raise SettingsError(f"{topic} cannot be filtered by {FIELDS[name]}: its messages have none")

    def match(self, event: Event | None) -> bool:
        """Tell whether an event is wanted; a null, which takes something back, always is."""
        if event is None:
            return True
        return (
            (not self.topics or any(tag.id.casefold() in self.topics for tag in _all(event, "topics")))
            and (not self.entities or any(self._names(entity) for entity in _all(event, "entities")))
            and (not self.languages or self._speaks(getattr(event, "language", None)))
        )

    def _names(self, entity: Any) -> bool:
        names = (entity.wikidata or "", entity.name, *entity.aliases)
        return any(name.casefold() in self.entities for name in names if name)

    def _speaks(self, language: str | None) -> bool:
        code = (language or "").casefold().replace("_", "-")
        return code in self.languages or code.partition("-")[0] in self.languages


def _all(event: Event, name: str) -> Iterable[Any]:
    found: Iterable[Any] = getattr(event, name, ())
    return found


def _folded(name: str, words: Iterable[str]) -> frozenset[str]:
    """Return words without regard to case; a lone string would be taken for a list of its letters."""
    found = [words] if isinstance(words, str) else list(words)
    if isinstance(words, str) or not all(word.strip() for word in found):
        raise SettingsError(f"the filter {name} is a list of words that are not empty, not {words!r}")
    return frozenset(word.strip().casefold() for word in found)
