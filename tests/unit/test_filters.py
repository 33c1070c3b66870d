"""Filters: which events a reader wants."""

from typing import Any

import pytest
from unit.scenes import article, enriched, outcome

from newswire.errors import SettingsError
from newswire.events import Article, Enriched, Outcome
from newswire.filters import Filters

pytestmark = pytest.mark.unit

UKRAINE = {"name": "Ukraine", "type": "place", "wikidata": "Q212", "aliases": ["Україна"], "salience": 1}
STRASSE = {"name": "Bahnhofstraße", "type": "place", "salience": 0.1}


def tagged(*topics: str, **fields: Any) -> Enriched:
    """Return an article about Ukraine with topics."""
    tags = [{"id": topic, "score": 1, "by": "r"} for topic in topics]
    return enriched(**{"topics": tags, "entities": [UKRAINE, STRASSE], **fields})


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters.of(), True),
        (Filters.of(topics=["a"]), True),
        (Filters.of(topics=["A "]), True),
        (Filters.of(topics=["c"]), False),
        (Filters.of(topics=["c", "b"]), True),
        (Filters.of(entities=["Q212"]), True),
        (Filters.of(entities=["q212"]), True),
        (Filters.of(entities=["ukraine"]), True),
        (Filters.of(entities=["УКРАЇНА"]), True),
        (Filters.of(entities=["BAHNHOFSTRASSE"]), True),
        (Filters.of(entities=["Ukrain"]), False),
        (Filters.of(entities=["Q2120"]), False),
        (Filters.of(languages=["en"]), True),
        (Filters.of(languages=["de"]), False),
        (Filters.of(languages=["de", "EN"]), True),
        (Filters.of(["a"], ["Q212"], ["en"]), True),
        (Filters.of(["a"], ["Q212"], ["de"]), False),
        (Filters.of(["c"], ["Q212"], ["en"]), False),
    ],
)
def test_any_of_a_kind_and_all_kinds(filters: Filters, *, wanted: bool) -> None:
    """Case does not count, parts of names do not match."""
    assert filters.match(tagged("a", "b")) is wanted


def test_a_null_passes_every_filter() -> None:
    """Whoever showed the article before must hear that it was taken back."""
    assert Filters.of(["a"], ["b"], ["c"]).match(None)


@pytest.mark.parametrize(
    ("given", "language", "wanted"),
    [
        ("en", "en-GB", True),
        ("en", "en_US", True),
        ("en-gb", "en-GB", True),
        ("en-gb", "en-US", False),
        ("en-gb", "en", False),
        ("en", None, False),
        ("en", "eng", False),
    ],
)
def test_a_language_finds_its_regions(given: str, language: str | None, *, wanted: bool) -> None:
    """Articles carry what the page declares; a page that declares nothing is in no language."""
    assert Filters.of(languages=[given]).match(article(language=language)) is wanted


def test_an_entity_without_wikidata_is_not_found_by_nothing() -> None:
    """An id that is not there matches no word."""
    assert not Filters.of(entities=["none"]).match(tagged("a"))


@pytest.mark.parametrize("words", ["nato-bid", ["a", ""], [" "]])
def test_words_that_cannot_be_meant_are_refused(words: Any) -> None:
    """A lone string would be a list of its letters, an empty word would never match."""
    with pytest.raises(SettingsError, match="topics"):
        Filters.of(topics=words)


def test_a_filter_that_a_topic_has_no_field_for_is_refused() -> None:
    """Nothing would ever match, or everything: neither is what was meant."""
    Filters.of(languages=["en"]).check(Article.topic, Article)
    Filters.of(["a"], ["b"], ["en"]).check(Enriched.topic, Enriched)
    Filters.of().check("newswire.dead-letters.v1", None)
    with pytest.raises(SettingsError, match=r"outcomes.*by entity"):
        Filters.of(entities=["a"]).check(Outcome.topic, Outcome)
    with pytest.raises(SettingsError, match=r"articles.*by topic"):
        Filters.of(topics=["a"]).check(Article.topic, Article)
    with pytest.raises(SettingsError, match=r"dead-letters.*by language"):
        Filters.of(languages=["a"]).check("newswire.dead-letters.v1", None)


def test_an_event_without_the_fields_does_not_match() -> None:
    """Even where nobody checked before."""
    assert not Filters.of(topics=["a"]).match(outcome())
    assert not Filters.of(languages=["a"]).match(outcome())
