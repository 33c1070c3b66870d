"""What the newsroom publishes: outlets, their feeds, and articles, read from the files beside this module.

``outlets.yaml`` lists outlets and feeds; ``articles/*.md`` hold an article each: YAML front matter, a blank
line, then paragraphs and ``## `` subheadings. A paragraph that opens with ``<p`` is served as the broken tag
that it shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

EDITIONS = 3  # each feed brings something new this many times

FeedFormat = Literal["rss", "atom", "rdf", "json"]
BlockKind = Literal["p", "h2", "broken"]


@dataclass(frozen=True)
class FeedSpec:
    """A feed of an outlet; ``fault`` names what is wrong with it for ever, if anything."""

    name: str
    url: str
    format: FeedFormat
    full: bool
    title: str
    tracking: str = ""
    fault: str = ""

    @property
    def normal(self) -> bool:
        """Whether a poll of the feed can bring entries."""
        return self.fault in ("", "broken-xml")


@dataclass(frozen=True)
class Outlet:
    """Who publishes: one host with a language, a page layout, sections and feeds."""

    name: str
    host: str
    title: str
    language: str
    layout: str
    sections: tuple[str, ...]
    feeds: tuple[FeedSpec, ...]

    @property
    def origin(self) -> str:
        """Scheme and host of every address of the outlet."""
        return f"https://{self.host}"


@dataclass(frozen=True)
class Block:
    """A paragraph, a subheading, or a paragraph whose opening tag lost its ``>``."""

    kind: BlockKind
    text: str


@dataclass(frozen=True)
class Update:
    """The second version of an article: when its feed may show it, and what it says."""

    edition: int
    at: datetime
    headline: str
    text: str


@dataclass(frozen=True)
class Article:
    """An article as written; ``case`` names the planted case that it is, if it is one."""

    slug: str
    outlet: Outlet
    path: str
    headline: str
    byline: str
    published: datetime
    language: str
    tags: tuple[str, ...]
    layout: str
    feeds: tuple[str, ...]
    edition: int
    story: str
    blocks: tuple[Block, ...]
    update: Update | None = None
    case: str = ""
    canonical: str = ""
    charset: str = "utf-8"
    charset_in: Literal["header", "meta", "both"] = "both"
    updated: datetime | None = None

    @property
    def url(self) -> str:
        """The article's own address."""
        return self.outlet.origin + self.path

    @property
    def canonical_url(self) -> str:
        """What the page claims as ``rel=canonical``."""
        return self.outlet.origin + (self.canonical or self.path)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The texts of all paragraphs, without subheadings."""
        return tuple(block.text for block in self.blocks if block.kind != "h2")

    @property
    def words(self) -> int:
        """How many words the text has."""
        return sum(len(block.text.split()) for block in self.blocks)

    def second_version(self) -> "Article":
        """Return the article as updated: the new text leads, and perhaps the headline is another."""
        if self.update is None:
            return self
        lead = Block("p", self.update.text)
        return replace(
            self,
            headline=self.update.headline,
            blocks=(lead, *self.blocks),
            updated=self.update.at,
            update=None,
        )


def parse_blocks(body: str) -> tuple[Block, ...]:
    """Return the blocks of a text whose paragraphs are parted by blank lines."""
    return tuple(_block(" ".join(part.split())) for part in body.split("\n\n") if part.strip())


def _block(text: str) -> Block:
    if text.startswith("## "):
        return Block("h2", text.removeprefix("## "))
    if text.startswith("<p"):
        return Block("broken", text.removeprefix("<p"))
    return Block("p", text)


@cache
def outlets() -> Mapping[str, Outlet]:
    """Return all outlets by name."""
    listed = yaml.safe_load(_data("outlets.yaml"))
    return {name: _outlet(name, fields) for name, fields in listed.items()}


def _outlet(name: str, fields: dict[str, Any]) -> Outlet:
    origin = f"https://{fields['host']}"
    feeds = tuple(_feed(feed_name, origin, feed) for feed_name, feed in fields["feeds"].items())
    return Outlet(
        name=name,
        host=fields["host"],
        title=fields["title"],
        language=fields["language"],
        layout=fields["layout"],
        sections=tuple(fields["sections"]),
        feeds=feeds,
    )


def _feed(name: str, origin: str, fields: dict[str, Any]) -> FeedSpec:
    return FeedSpec(
        name=name,
        url=origin + fields["path"],
        format=fields["format"],
        full=fields.get("full", False),
        title=fields["title"],
        tracking=fields.get("tracking", ""),
        fault=fields.get("fault", ""),
    )


@cache
def articles() -> tuple[Article, ...]:
    """Return all articles in the order of their publication."""
    folder = files(__package__) / "articles"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".md"))
    texts = {name.removesuffix(".md"): _data(f"articles/{name}") for name in names}
    written = [_article(slug, texts) for slug in texts]
    return tuple(sorted(written, key=lambda article: (article.published, article.slug)))


def _article(slug: str, texts: Mapping[str, str]) -> Article:
    fields, body = _split(texts[slug])
    if "text_of" in fields:  # a syndicated copy says the same under its own address
        original, body = _split(texts[fields["text_of"]])
        fields = {"headline": original["headline"], "byline": original["byline"], **fields}
    outlet = outlets()[fields["outlet"]]
    return Article(
        slug=slug,
        outlet=outlet,
        path=fields["path"],
        headline=fields["headline"],
        byline=fields["byline"],
        published=fields["published"],
        language=fields.get("language", outlet.language),
        tags=tuple(fields.get("tags", ())),
        layout=fields.get("layout", outlet.layout),
        feeds=tuple(fields["feeds"]),
        edition=fields["edition"],
        story=fields["story"],
        blocks=parse_blocks(body),
        update=_update(fields),
        case=fields.get("case", ""),
        canonical=fields.get("canonical", ""),
        charset=fields.get("charset", "utf-8"),
        charset_in=fields.get("charset_in", "both"),
    )


def _update(fields: dict[str, Any]) -> Update | None:
    update = fields.get("update")
    if update is None:
        return None
    return Update(
        edition=update.get("edition", fields["edition"]),
        at=update["at"],
        headline=update.get("headline", fields["headline"]),
        text=update["text"].strip(),
    )


def _split(source: str) -> tuple[dict[str, Any], str]:
    _, front, body = source.split("---\n", 2)
    return yaml.safe_load(front), body


def _data(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


@cache
def articles_by_url() -> Mapping[str, Article]:
    """Return all articles by their own address."""
    return {article.url: article for article in articles()}
