"""Topic rules as an editor writes them: the shape of the file, and errors that a person understands.

The grammar is told in ``docs/how-to/write-a-topic-rule.md``.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from newswire.errors import SettingsError
from newswire_enrich.tokens import BREAK, tokenise

OPERATORS = ("phrases", "near", "entity", "any", "all", "none")
_FILE_LIMIT = 2_000_000  # bytes; a rule file is written by hand


class RuleError(SettingsError):
    """A rule file that cannot be read; the message is one line that names file, topic and fault."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _phrase(value: Any) -> Any:
    """Refuse a phrase that could never be found."""
    if not isinstance(value, str):
        return value
    tokens = tokenise(value.replace("*", "").lstrip("="))
    if not len(tokens):
        raise ValueError(f"the phrase {value!r} holds no word")
    if BREAK in tokens.gaps[1:]:
        raise ValueError(f"the phrase {value!r} holds punctuation that ends a phrase")
    return value


Phrase = Annotated[str, BeforeValidator(_phrase)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_listed), Field(min_length=1)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntityTerm(_Strict):
    """A term of ``near`` that is an entity instead of words."""

    entity: Names


class Near(_Strict):
    """Two or more terms, each any one of its alternatives, within so many words of a paragraph."""

    terms: tuple[EntityTerm | Phrases, ...] = Field(min_length=2)
    within: int = Field(default=8, ge=1, le=100)


def _condition(value: Any) -> Any:
    """Read a plain string as a condition with this one phrase."""
    return {"phrases": [value]} if isinstance(value, str) else value


class Condition(_Strict):
    """One operator, and how much of it is asked for."""

    phrases: Phrases | None = None
    near: Near | None = None
    entity: Names | None = None
    any: "tuple[Nested, ...] | None" = Field(default=None, min_length=1)
    all: "tuple[Nested, ...] | None" = Field(default=None, min_length=1)
    none: "tuple[Nested, ...] | None" = Field(default=None, min_length=1)
    where: Literal["title", "text"] | None = None
    min: int = Field(default=1, ge=1, le=50, description="Mentions")
    different: int = Field(default=1, ge=1, le=50, description="Different spellings of the list")

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        given = [name for name in OPERATORS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a condition needs exactly one of {', '.join(OPERATORS)}; found {given or 'none'}"
            )
        if given[0] in {"any", "all", "none"} and {"where", "min", "different"} & self.model_fields_set:
            raise ValueError(
                f"where, min and different go with phrases, near and entity, not with {given[0]}"
            )
        if self.different > 1 and given[0] != "phrases":
            raise ValueError("different goes with phrases only")
        return self


Nested = Annotated[Condition, BeforeValidator(_condition)]


class Topic(_Strict):
    """An editor's topic: when it holds, in which languages, and which version of the rule this is."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: str
    version: int = Field(ge=1)
    description: str = ""
    languages: tuple[str, ...] = Field(default=(), description="ISO 639-1; empty: every language")
    when: Nested


class RuleFile(_Strict):
    """A whole file of topics."""

    topics: tuple[Topic, ...]


def load(path: Path) -> tuple[Topic, ...]:
    """Return the topics of a rule file; raises ``RuleError``."""
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_LIMIT + 1)
    except OSError as error:
        raise RuleError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(content) > _FILE_LIMIT:
        raise RuleError(f"{path}: larger than {_FILE_LIMIT} bytes")
    return parse(content, str(path))


def parse(content: bytes, name: str) -> tuple[Topic, ...]:
    """Return the topics of a rule file's content; raises ``RuleError``, naming the file as told."""
    import yaml  # noqa: PLC0415 - only where rules are read

    try:
        data = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RuleError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise RuleError(f"{name}: must hold 'topics:' with a list")
    try:
        topics = RuleFile.model_validate(data).topics
    except ValidationError as error:
        raise RuleError(f"{name}: {_explain(error, data)}") from error
    except RecursionError as error:
        raise RuleError(f"{name}: conditions are nested too deeply") from error
    twice = [i for i, n in Counter(t.id for t in topics).items() if n > 1]
    if twice:
        raise RuleError(f"{name}: topic {twice[0]}: the id is given twice")
    return topics


def _explain(error: ValidationError, data: dict[str, Any]) -> str:
    """Return what is wrong in one line: topic, place in it, fault."""
    fault = min(error.errors(), key=lambda e: (e["type"] != "extra_forbidden", -len(e["loc"])))
    place = [str(p) for p in fault["loc"]]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = f"unknown key or operator {place.pop()!r}"
    where = ""
    if len(place) > 1 and place[0] == "topics":
        where = f"topic {_topic_name(data, int(place[1]))}: "
        place = place[2:]
    at = ".".join(
        p for p in place if p[0].islower() and p not in {"function-before", "tuple"} and "[" not in p
    )
    return f"{where}{f'{at}: ' if at else ''}{message}"


def _topic_name(data: dict[str, Any], index: int) -> str:
    """Return a topic's id, or its number where it has none."""
    row = data["topics"][index]
    return str(row["id"]) if isinstance(row, dict) and row.get("id") else f"number {index + 1}"
