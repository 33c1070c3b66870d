"""The gazetteer: its own files, and what they know."""

import re
from collections import Counter
from pathlib import Path

import pytest

from newswire.events import EntityType
from newswire_enrich.gazetteer import Gazetteer
from newswire_enrich.tokens import tokenise

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    """Return the gazetteer of the package."""
    return Gazetteer()


def names(gazetteer: Gazetteer, text: str, language: str = "en") -> list[str]:
    """Return the names of what the sure spellings in a text stand for."""
    matches = gazetteer.trie(language).find(tokenise(text))
    return [gazetteer.known[m.payload.known].name for m in matches if not m.payload.unsure]


@pytest.mark.parametrize(
    ("spelling", "language", "name", "wikidata"),
    [
        ("NATO", "en", "NATO", "Q7184"),
        ("OTAN", "fr", "NATO", "Q7184"),
        ("НАТО", "ru", "NATO", "Q7184"),
        ("Kiew", "de", "Kyiv", "Q1899"),
        ("Киеве", "ru", "Kyiv", "Q1899"),
        ("Zelensky", "en", "Volodymyr Zelenskyy", "Q3874799"),
        ("Selenskyj", "de", "Volodymyr Zelenskyy", "Q3874799"),
        ("MOSCOW", "en", "Moscow", "Q649"),
        ("Bogota", "en", "Bogotá", "Q2841"),
        ("U.S.", "en", "United States", "Q30"),
        ("Großbritannien", "de", "United Kingdom", "Q145"),
        ("Österreich", "de", "Austria", "Q40"),
        ("Denmark", "en", "Denmark", "Q35"),
        ("Europa", "es", "Europe", "Q46"),
    ],
)
def test_spellings_lead_to_one_entity(
    gazetteer: Gazetteer, spelling: str, language: str, name: str, wikidata: str
) -> None:
    """Each language's spelling finds the same name and Wikidata id."""
    match = next(gazetteer.trie(language).find(tokenise(spelling)))
    known = gazetteer.known[match.payload.known]

    assert (known.name, known.wikidata) == (name, wikidata)


@pytest.mark.parametrize(
    "text", ["Of course", "Reading is fun", "Mobile phones", "Nice weather", "who are us"]
)
def test_common_words_are_no_places_by_themselves(gazetteer: Gazetteer, text: str) -> None:
    """Cities named like words wait for the model to agree."""
    assert names(gazetteer, text) == []


def test_no_wikidata_id_is_given_twice(gazetteer: Gazetteer) -> None:
    """Two entries with one id would make two entities of one."""
    counts = Counter(known.wikidata for known in gazetteer.known if known.wikidata)

    assert [wikidata for wikidata, count in counts.items() if count > 1] == []
    assert all(re.fullmatch(r"Q[1-9]\d*", wikidata) for wikidata in counts)


def test_it_knows_at_least_150_named_organisations_people_and_cities(gazetteer: Gazetteer) -> None:
    """The curated part is large enough for world news, every type in it."""
    curated = [k for k in gazetteer.known if k.by == gazetteer.version and k.wikidata]
    types = Counter(known.type for known in curated)

    assert types[EntityType.ORGANISATION] >= 100
    assert types[EntityType.PERSON] >= 60
    assert types[EntityType.PLACE] >= 400


def test_cities_have_coordinates(gazetteer: Gazetteer) -> None:
    """Latitude and longitude are those of the city in its own country."""
    kyiv = next(k for k in gazetteer.known if k.wikidata == "Q1899")

    assert kyiv.latitude == pytest.approx(50.45, abs=0.1)
    assert kyiv.longitude == pytest.approx(30.52, abs=0.1)


def test_another_file_replaces_the_gazetteer(tmp_path: Path) -> None:
    """An editor's own file is used instead, with its version; countries stay."""
    path = tmp_path / "gazetteer.yaml"
    path.write_text("version: 7\norganisations:\n  Guild of Bakers: {aliases: [GoB]}\n", encoding="utf-8")
    own = Gazetteer(path)

    assert own.version == "gazetteer-7"
    assert names(own, "The GoB met in Austria") == ["Guild of Bakers", "Austria"]
