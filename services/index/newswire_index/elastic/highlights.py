"""Passages that matched: how Elasticsearch is asked to mark them, and what is shown of them; pure.

The marks are those of the SQLite store, so that the same code chooses and cuts the passages. Title and text
are marked as written and, the stems of ``in.<language>`` not being kept, by analysing the same text once more
(``matched_fields``). That is done in the article's own language only, so hits are asked about by language.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from newswire_index.elastic.mapping import language_key
from newswire_index.elastic.query import fields
from newswire_index.highlights import END, MAX_LABELS, START, passage_of, variety
from newswire_index.store import Highlight

Json = dict[str, Any]

LONG = 5000  # words of a text, beyond which only its best parts are sent and not all of it: 30 KB
PART, PARTS = 1000, 10  # characters of a part, and how many: Elasticsearch prefers the short to the telling
_UP_TO_THE_LIMIT = -1  # marks what lies before index.highlight.max_analyzed_offset, instead of an error
_PIECES = {"number_of_fragments": 0}  # whole values
_AT_ONCE = 100  # articles that are marked in one request


@dataclass(frozen=True)
class Marked:
    """Articles that are marked in the same way.

    Args:
        languages: the key of theirs under ``in.``, if there is one.
        long: whether their text is.
        portion: which of the requests it is.
    """

    languages: tuple[str, ...]
    long: bool
    portion: int


def kinds_of(page: Iterable[Json]) -> dict[Marked, list[str]]:
    """Return the ids of hits by how they are to be marked."""
    kinds: dict[Marked, list[str]] = {}
    for place, found in enumerate(page):
        source = found["_source"]
        key = language_key(source["language"])
        kind = Marked((key,) if key else (), source.get("words", 0) > LONG, place // _AT_ONCE)
        kinds.setdefault(kind, []).append(found["_id"])
    return kinds


def highlighting(marked: Marked, wanted: Json) -> Json:
    """Return what to mark.

    Args:
        marked: in which articles.
        wanted: the query whose words are marked.
    """
    parts = {"number_of_fragments": PARTS, "fragment_size": PART, "order": "score"}
    return {
        "pre_tags": [START],
        "post_tags": [END],
        "max_analyzed_offset": _UP_TO_THE_LIMIT,
        "highlight_query": wanted,
        "fields": {
            "title": {"matched_fields": fields("title", marked.languages), **_PIECES},
            "text": {
                "matched_fields": fields("text", marked.languages),
                **(parts if marked.long else _PIECES),
            },
            "names": _PIECES,
            "topic_words": _PIECES,
        },
    }


def highlights_of(answer: Json, topics: Sequence[str]) -> tuple[Highlight, ...]:
    """Return the passages of an article, from what was marked in its fields and its topics' ids."""
    return tuple(_passages(answer, topics))


def _passages(answer: Json, topics: Sequence[str]) -> Iterator[Highlight]:
    for field in ("title", "text"):
        if marked := max(answer.get(field, ()), key=variety, default=""):
            yield Highlight(field, passage_of(marked))
    for marked in answer.get("names", ())[:MAX_LABELS]:
        yield Highlight("entities", passage_of(marked))
    for marked in answer.get("topic_words", ())[:MAX_LABELS]:
        yield Highlight("topics", passage_of(_as_id(marked, topics)))


def _as_id(marked: str, topics: Sequence[str]) -> str:
    """Return a marked topic as its id: what is searched has spaces where the id has dashes."""
    words = marked.replace(START, "").replace(END, "")
    letters = iter(next((topic for topic in topics if topic.replace("-", " ") == words), words))
    return "".join(each if each in {START, END} else next(letters) for each in marked)
