"""What Elasticsearch knows of articles and their revisions: analysis and mappings, as plain data.

    title, text          unstemmed, folded ── names are found as they are written
    in.en.title, .text   the same strings under the analyzer of the article's language ── its other forms
    entity, topic        nested ── what is said of one entity belongs together
    entities, topics     flat ── what Kibana counts and filters by

Mappings are closed (``dynamic: strict``): a field that stands here is sent, and nothing else. Where users
need freedom there is ``labels``. Only what stock Elasticsearch has is used, no plugin.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from newswire.events import EntityType

Json = dict[str, Any]

VERSION = 1  # of mappings and templates together; grows with every change of either
MARK = "newswire"  # in ``_meta``: this is ours

FOLDED = "newswire_folded"
"""The analyzer of words as they are written, blind to case, accents and apostrophes."""

LANGUAGES: Mapping[str, str] = {
    "ar": "arabic", "bg": "bulgarian", "bn": "bengali", "ca": "catalan", "cs": "czech", "da": "danish",
    "de": "german", "el": "greek", "en": "english", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "gl": "galician", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "ja": "cjk", "ko": "cjk",
    "ku": "sorani", "lt": "lithuanian", "lv": "latvian", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "th": "thai",
    "tr": "turkish", "zh": "cjk",
}  # fmt: skip
"""Elasticsearch's built-in analyzer of each language that it has one for, by ISO 639-1.

From "Language analyzers" in the reference of Elasticsearch 9; ``brazilian`` is left out, as our codes name
no country. Of Kurdish it stems Sorani and leaves Kurmanji as it is. The better analyzers of Chinese,
Japanese and Korean, and any of Polish and Ukrainian, are plugins.
"""

_SAME: Mapping[str, str] = {"nb": "no", "nn": "no"}  # both written forms of Norwegian
_NAME, _URL = 1024, 8191  # characters that are indexed of a name and an address; a term has 32766 bytes
_TYPES = (*(kind.value for kind in EntityType), "other")

# A letter's apostrophe, a dot or an underscore ends a word, as in the SQLite store: "l'OTAN" holds "OTAN",
# "courier.example" holds "courier". Russian prints e for ё as it likes.
_SPLIT = tuple("'’‘ʼ´`.·_＇．")


def language_key(language: str) -> str | None:
    """Return what stands between ``in.`` and ``.text`` for a language; None if it has no analyzer."""
    key = _SAME.get(language, language)
    return key if key in LANGUAGES else None


def stemming(name: str) -> str:
    """Return the analyzer that we make of a built-in one."""
    return f"newswire_{name}"


def analysis() -> Json:
    """Return the analysis that the mappings speak of.

    ``lowercase`` for Greek is that of all scripts, and knows Greek accents and the final sigma besides;
    ``asciifolding`` folds Latin, and the normalizations touch the letters of their own script only.
    """
    return {
        "char_filter": {
            "newswire_marks": {
                "type": "mapping",
                "mappings": [*(f"{mark} => \\u0020" for mark in _SPLIT), "ё => е", "Ё => Е"],
            },
            "newswire_spaces": {"type": "pattern_replace", "pattern": "\\s+", "replacement": " "},
        },
        "filter": {"newswire_lowercase": {"type": "lowercase", "language": "greek"}},
        "analyzer": {
            # no stop words: "die Welt" is a newspaper, and a phrase with a gap would find "der Welt" as well
            **{
                stemming(name): {"type": name, "stopwords": "_none_"}
                for name in dict.fromkeys(LANGUAGES.values())
            },
            FOLDED: {
                "type": "custom",
                "char_filter": ["newswire_marks"],
                "tokenizer": "standard",
                "filter": [
                    "newswire_lowercase",
                    "asciifolding",
                    "decimal_digit",
                    "arabic_normalization",
                    "persian_normalization",
                ],
            },
        },
        "normalizer": {
            FOLDED: {
                "type": "custom",
                "char_filter": ["newswire_spaces"],
                "filter": ["trim", "newswire_lowercase", "asciifolding"],
            }
        },
    }


def article_mappings() -> Json:
    """Return the mappings of the articles' indices."""
    return closed(
        {
            **_stamps("first_seen_at", "fetched_at", "enriched_at", "indexed_at", "dated_at", "published_at"),
            **_keywords("article_id", "published_from", "text_from", "content_hash", "notes"),
            **_keywords("url", "canonical_url", longest=_URL),
            **_names("language", "outlet", "authors", "tags", "topics"),
            "version": {"type": "long"},
            "revision": {"type": "integer"},
            "published_plausible": {"type": "boolean"},
            "paywalled": {"type": "boolean"},
            "words": {"type": "integer"},
            "sources": {"type": "integer"},
            "title": {**_folded_text(), "fields": {"keyword": _keyword()}},
            "text": _folded_text(),
            "names": _folded_text(),
            "topic_words": _folded_text(),
            "in": {"properties": {key: _in_language(stemming(name)) for key, name in LANGUAGES.items()}},
            "entity": _entity(),
            "entities": _entities(),
            "topic": {
                "type": "nested",
                "properties": {**_keywords("id", "by", "evidence"), "score": {"type": "float"}},
            },
            "source": {"properties": {**_keywords("feed_id"), **_keywords("url", longest=_URL),
                                      **_stamps("seen_at")}},
            "lag_ms": {"properties": {lag: {"type": "long"} for lag in LAGS}},
            "labels": {"type": "flattened", "ignore_above": _NAME},
        },
        excludes=["in"],
    )  # fmt: skip


LAGS = (
    "published_to_seen", "seen_to_fetched", "fetched_to_enriched", "enriched_to_indexed",
    "published_to_indexed",
)  # fmt: skip
"""From which moment to which, in ``lag_ms``."""


def revision_mappings() -> Json:
    """Return the mappings of the superseded revisions' indices; their words are kept, not searched."""
    return closed(
        {
            **_stamps("first_seen_at", "fetched_at", "superseded_at"),
            **_keywords("article_id", "content_hash", "outlet", "language"),
            **_keywords("url", "canonical_url", longest=_URL),
            "revision": {"type": "integer"},
            "version": {"type": "long"},
            "title": {"type": "text", "index": False},
            "text": {"type": "text", "index": False},
        }
    )


def closed(properties: Json, *, excludes: Iterable[str] = ()) -> Json:
    """Return mappings that take these fields and no other, marked as ours.

    Args:
        properties: the fields.
        excludes: fields that can be searched, and are not kept in what is shown.
    """
    unkept = sorted(excludes)
    return {
        "dynamic": "strict",
        "_meta": mark(),
        **({"_source": {"excludes": unkept}} if unkept else {}),
        "properties": properties,
    }


def mark() -> Json:
    """Return the ``_meta`` of everything that is ours."""
    return {MARK: True, "version": VERSION}


def entity_field(kind: str) -> str:
    """Return the field of ``entities`` that names of a type stand in; a type that came later is ``other``."""
    return kind if kind in _TYPES else "other"


def _entity() -> Json:
    return {
        "type": "nested",
        "properties": {
            **_names("name", "aliases"),
            **_keywords("type", "wikidata", "by"),
            "salience": {"type": "float"},
            "score": {"type": "float"},
            "mentions": {"type": "integer"},
            "location": {"type": "geo_point"},
        },
    }


def _entities() -> Json:
    return {
        "properties": {
            **_keywords(*_TYPES, "name", "wikidata", "key"),
            "location": {"type": "geo_point"},
        }
    }


def _in_language(analyzer: str) -> Json:
    text = {"type": "text", "analyzer": analyzer}
    return {"properties": {"title": text, "text": dict(text)}}


def _folded_text() -> Json:
    return {"type": "text", "analyzer": FOLDED}


def _stamps(*names: str) -> Json:
    return {name: {"type": "date"} for name in names}


def _keywords(*names: str, longest: int = _NAME) -> Json:
    return {name: _keyword(longest) for name in names}


def _keyword(longest: int = _NAME) -> Json:
    return {"type": "keyword", "ignore_above": longest}


def _names(*names: str) -> Json:
    """Return keywords that can also be compared without case and accents."""
    return {
        name: {**_keyword(), "fields": {"folded": {**_keyword(), "normalizer": FOLDED}}} for name in names
    }
