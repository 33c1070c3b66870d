"""JSON-LD of a page, read forgivingly and flattened: publishers write it by template, and wrongly."""

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

Node = dict[str, Any]

MAX_SCRIPTS = 50
MAX_SCRIPT_LENGTH = 2_000_000  # characters
MAX_NODES = 2_000

_WRAPPER = re.compile(r"\A\s*(?:<!\[CDATA\[|<!--|//\s*<!\[CDATA\[)|(?:\]\]>|-->|//\s*\]\]>)\s*\Z|;\s*\Z")
_TRAILING_COMMA = re.compile(r",(?=\s*+[}\]])")
_TAG = re.compile(r"<[^<>]{1,200}>")
_ARTICLE_TYPES = frozenset({"blogposting", "liveblogposting", "report", "review", "analysisnewsarticle"})


def read_nodes(scripts: Iterable[str]) -> tuple[Node, ...]:
    """Return all objects in the JSON-LD scripts of a page, in order, nested ones after their parents."""
    nodes: list[Node] = []
    for number, script in enumerate(scripts):
        if number >= MAX_SCRIPTS:
            break
        if len(script) <= MAX_SCRIPT_LENGTH:
            nodes.extend(_flatten(_load(script), MAX_NODES - len(nodes)))
    return tuple(nodes)


def _load(script: str) -> Any:
    """Read JSON, also with raw line breaks, comment marks around it or commas too many; else None."""
    for text in (script, _TRAILING_COMMA.sub("", _WRAPPER.sub("", script))):
        try:
            value = json.loads(text, strict=False)
            if "\\ud" in text.lower():  # half a surrogate pair is no character, and cannot be written
                value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        return value
    return None


def _flatten(value: Any, limit: int) -> Iterator[Node]:
    waiting, found = [value], 0
    while waiting and found < limit:
        current = waiting.pop()
        if isinstance(current, dict):
            found += 1
            yield current
            waiting.extend(reversed(list(current.values())))
        elif isinstance(current, list):
            waiting.extend(reversed(current))


def types_of(node: Node) -> frozenset[str]:
    """Return the types of a node, in lower case, without the address of their vocabulary."""
    names = node.get("@type")
    names = names if isinstance(names, list) else [names]
    return frozenset(name.rsplit("/", 1)[-1].lower() for name in names if isinstance(name, str))


def is_article(node: Node) -> bool:
    """Tell whether a node describes an article of any kind."""
    return any(name in _ARTICLE_TYPES or name.endswith("article") for name in types_of(node))


def article_node(nodes: Iterable[Node], titles: Iterable[str]) -> Node:
    """Return the node of the page's own article: with the page's title, else the fullest; or empty."""
    articles = [node for node in nodes if is_article(node)]
    known = {title.casefold() for title in titles}
    keys = ("headline", "datePublished", "author", "articleBody", "publisher")

    def rank(node: Node) -> tuple[bool, int]:
        return text_of(node.get("headline")).casefold() in known, sum(1 for key in keys if node.get(key))

    return max(articles, key=rank, default={})


def text_of(value: Any) -> str:
    """Return a value as one line of plain text: entities resolved, tags cut; empty if it holds no text."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or ""
    if not isinstance(value, str):
        return ""
    return " ".join(_TAG.sub(" ", html.unescape(value)).split())


def resolve(value: Any, nodes: Iterable[Node]) -> Any:
    """Return the node that a bare reference (``{"@id": …}``) points at, else the value itself."""
    if isinstance(value, dict) and "name" not in value and "@id" in value:
        same = (node for node in nodes if node.get("@id") == value["@id"] and "name" in node)
        return next(same, value)
    return value
