"""The mappings: closed, ours, and made of nothing that stock Elasticsearch lacks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newswire.events import EntityType
from newswire_index.elastic.mapping import (
    FOLDED,
    LANGUAGES,
    VERSION,
    analysis,
    article_mappings,
    closed,
    entity_field,
    language_key,
    revision_mappings,
    stemming,
)

pytestmark = pytest.mark.unit

STOCK = {
    "keyword", "text", "date", "long", "integer", "float", "boolean", "nested", "geo_point", "flattened",
}  # fmt: skip


def fields(mappings: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field and multi-field by its path."""
    for inside in ("properties", "fields"):
        for name, field in mappings.get(inside, {}).items():
            yield f"{path}{name}", field
            yield from fields(field, f"{path}{name}.")


@pytest.mark.parametrize("mappings", [article_mappings(), revision_mappings()])
def test_mappings_are_closed_marked_and_of_stock_types(mappings: dict[str, Any]) -> None:
    """No field of its own accord, and no plugin."""
    types = {field["type"] for _, field in fields(mappings) if "type" in field}

    assert mappings["dynamic"] == "strict"
    assert mappings["_meta"] == {"newswire": True, "version": VERSION}
    assert types <= STOCK


@pytest.mark.parametrize("mappings", [article_mappings(), revision_mappings()])
def test_no_string_is_too_long_for_a_term(mappings: dict[str, Any]) -> None:
    """A page's endless keyword is kept and not indexed, instead of the article being refused."""
    longest = {path: field.get("ignore_above") for path, field in fields(mappings)
               if field.get("type") in {"keyword", "flattened"}}  # fmt: skip

    assert {path: limit for path, limit in longest.items() if not limit or limit * 4 > 32766} == {}


def test_title_and_text_stand_under_every_analyzer_and_are_kept_once() -> None:
    """What is shown holds them as they were sent, not a second time for the language."""
    found = dict(fields(article_mappings()))

    of_language = {code: stemming(name) for code, name in LANGUAGES.items()}
    assert {code: found[f"in.{code}.text"]["analyzer"] for code in LANGUAGES} == of_language
    assert {code: found[f"in.{code}.title"]["analyzer"] for code in LANGUAGES} == of_language
    assert {found[name]["analyzer"] for name in ("title", "text", "names", "topic_words")} == {FOLDED}
    assert article_mappings()["_source"] == {"excludes": ["in"]}


def test_names_can_be_compared_folded() -> None:
    """Wherever people type a name that they have not copied."""
    folded = {
        path.removesuffix(".folded") for path, _ in fields(article_mappings()) if path.endswith(".folded")
    }

    assert folded == {"language", "outlet", "authors", "tags", "topics", "entity.name", "entity.aliases"}


def test_what_the_mappings_use_is_defined_beside_them() -> None:
    """Elasticsearch refuses a component template otherwise."""
    found = [field for _, field in fields(article_mappings())]

    assert {field["analyzer"] for field in found if "analyzer" in field} == {*analysis()["analyzer"]}
    assert {field["normalizer"] for field in found if "normalizer" in field} == {*analysis()["normalizer"]}


def test_no_language_drops_words() -> None:
    """In "Die Welt" both are its name, and a phrase with a gap would find "der Welt" as well."""
    analyzers = analysis()["analyzer"]

    assert {analyzers[stemming(name)]["stopwords"] for name in LANGUAGES.values()} == {"_none_"}


@pytest.mark.parametrize(
    ("language", "key"),
    [("en", "en"), ("nb", "no"), ("nn", "no"), ("zh", "zh"), ("pl", None), ("uk", None), ("und", None)],
)
def test_a_language_leads_to_its_field_if_it_has_an_analyzer(language: str, key: str | None) -> None:
    """Others are searched as they are written."""
    assert language_key(language) == key


def test_the_guide_names_the_analyzer_of_each_language() -> None:
    """The table is for people who want to know whether theirs is among them."""
    page = (Path(__file__).parents[2] / "docs/how-to/run-on-elasticsearch.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([a-z]{2}(?:, [a-z]{2})*) \|$", page, re.MULTILINE)

    assert {code: analyzer for analyzer, codes in rows for code in codes.split(", ")} == LANGUAGES


def test_every_entity_type_has_its_field_and_what_comes_later_is_other() -> None:
    """Even a type that is called like one of the fields beside."""
    found = dict(fields(article_mappings()))

    assert {entity_field(kind) for kind in EntityType} == {kind.value for kind in EntityType}
    assert {entity_field(kind) for kind in ("vessel", "name", "key", "location")} == {"other"}
    assert all(f"entities.{entity_field(kind)}" in found for kind in (*EntityType, "vessel"))


def test_other_things_get_closed_mappings_too() -> None:
    """With nothing left out of what is shown."""
    assert closed({"at": {"type": "date"}}) == {
        "dynamic": "strict",
        "_meta": {"newswire": True, "version": VERSION},
        "properties": {"at": {"type": "date"}},
    }


def test_mappings_are_made_anew_for_each_who_asks() -> None:
    """So nobody changes another's."""
    article_mappings()["properties"].clear()

    assert article_mappings()["properties"]
