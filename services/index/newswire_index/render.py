"""Search results for people and for programs.

Everything is put together as styled text, never as markup: a title may hold square brackets, or worse.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import unescape
from typing import Any

from rich.console import Console
from rich.text import Text

from newswire_index.store import Bucket, Facets, Highlight, Hit, Results

_MARK = re.compile(r"<em>(.*?)</em>")
_DAYS_SHOWN = 7
_MATCH, _DIM, _LINK = "bold yellow", "dim", "blue underline"


def hit_as_dict(hit: Hit) -> dict[str, Any]:
    """Return a hit as ``newswire search --json`` writes it; highlights are HTML as in the port."""
    return {
        "id": hit.article_id,
        "url": hit.url,
        "title": hit.title,
        "published_at": hit.published_at.isoformat() if hit.published_at else None,
        "outlet": hit.outlet,
        "language": hit.language,
        "score": float(f"{hit.score:.6g}"),  # what all articles say counts a millionth
        "highlights": [{"field": highlight.field, "text": highlight.text} for highlight in hit.highlights],
        "entities": [{"name": e.name, "type": str(e.type), "wikidata": e.wikidata} for e in hit.entities],
        "topics": list(hit.topics),
    }


def print_lines(results: Results) -> None:
    """Write each hit as a line of JSON to stdout."""
    for hit in results.hits:
        print(json.dumps(hit_as_dict(hit), ensure_ascii=False))  # noqa: T201  stdout is the interface


def print_hits(results: Results, asked: str, console: Console | None = None) -> None:
    """Write what was found as a list with facets below; colour only on a terminal."""
    console = console or Console(highlight=False)
    console.print(_headline(results, asked), soft_wrap=True)
    for hit in results.hits:
        console.print()
        for line in _lines(hit):
            console.print(line, soft_wrap=not console.is_terminal)
    if results.facets and results.hits:
        console.print()
        for line in _facets(results.facets):
            console.print(line, soft_wrap=not console.is_terminal)


def _headline(results: Results, asked: str) -> Text:
    sought = f" for {asked}" if asked else ""
    if not results.hits:
        return Text(f"nothing found{sought}")
    found = "1 article" if results.total == 1 else f"{results.total} articles"
    shown = f", the first {len(results.hits)} shown" if len(results.hits) < results.total else ""
    how = "; none has all the words, these have some" if results.matched == "any" else ""
    return Text(f"{found}{sought}{shown}{how}")


def _lines(hit: Hit) -> Iterable[Text]:
    titles = [h for h in hit.highlights if h.field == "title"]
    yield _marked(titles[0], "bold") if titles else Text(hit.title, style="bold")
    yield Text(f"  {hit.url}", style=_LINK)
    about = [hit.outlet, _day(hit), hit.language, *(f"#{topic}" for topic in hit.topics)]
    yield Text("  " + " · ".join(part for part in about if part), style=_DIM)
    for highlight in hit.highlights:
        if highlight.field == "text":
            yield Text("  ").append_text(_marked(highlight, ""))
    names = [h for h in hit.highlights if h.field == "entities"]
    if names:
        yield Text("  named: ", style=_DIM).append_text(Text(", ").join(_marked(name, "") for name in names))


def _day(hit: Hit) -> str:
    moment = hit.published_at or hit.first_seen_at.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M %Z}".strip() if isinstance(moment, datetime) else moment.isoformat()


def _marked(highlight: Highlight, style: str) -> Text:
    """Return a highlight as text with its matches in a style of their own."""
    text = Text(style=style)
    for place, part in enumerate(_MARK.split(highlight.text)):  # every second part stood between the marks
        text.append(unescape(part), style=_MATCH if place % 2 else None)
    return text


def _facets(facets: Facets) -> Iterable[Text]:
    rows = [
        ("topics", _counts(facets.topics)),
        *((kind, [f"{e.name} {e.count}" for e in found]) for kind, found in facets.entities.items()),
        ("outlets", _counts(facets.outlets)),
        ("languages", _counts(facets.languages)),
        ("days", _counts(facets.days[:_DAYS_SHOWN])),
    ]
    for name, counts in rows:
        if counts:
            yield Text(f"{name:>12}  ", style=_DIM).append(" · ".join(counts))


def _counts(buckets: Iterable[Bucket]) -> list[str]:
    return [f"{bucket.value} {bucket.count}" for bucket in buckets]
