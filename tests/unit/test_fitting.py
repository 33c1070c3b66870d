"""Events that are too large for the log: cut where that can be said, and never beyond need."""

from datetime import UTC, datetime
from typing import Any

import pytest

from newswire.events import Article, Enriched, Entity, Entry, Mention, Page, TopicTag, WaitingEntry
from newswire.fitting import (
    EVENT_BYTES,
    FIELD_BYTES,
    MENTIONS,
    TEXT_BYTES,
    cut,
    fit_article,
    fit_enriched,
    fit_entry,
    fit_page,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def article(text: str, **fields: Any) -> Article:
    """Return an article with a text."""
    return Article(
        article_id="a", entry_id="e", feed_id="f", seen_at=NOW, url="https://courier.example/1",
        canonical_url="https://courier.example/1", title="T", text=text, content_hash="h", fetched_at=NOW,
        **fields,
    )  # fmt: skip


def enriched(text: str, **fields: Any) -> Enriched:
    """Return an enriched article with a text."""
    return Enriched(
        article_id="a", version=1, revision=1, first_seen_at=NOW, enriched_at=NOW, language="en",
        url="https://courier.example/1", canonical_url="https://courier.example/1", title="T", text=text,
        content_hash="h", fetched_at=NOW, **fields,
    )  # fmt: skip


def entry(number: int = 0, **fields: Any) -> Entry:
    """Return an entry."""
    return Entry(entry_id=f"e{number}", feed_id="f", url="https://courier.example/1", seen_at=NOW, **fields)


def mentions(count: int, step: int = 10) -> tuple[Mention, ...]:
    """Return mentions that lie one behind the other."""
    return tuple(Mention(field="text", start=n * step, end=n * step + 4, text="Kyiv") for n in range(count))


@pytest.mark.parametrize("letter", ["x", "é", "語", "😀"])
def test_a_text_is_cut_between_characters(letter: str) -> None:
    """Whatever their width, and to the most that fits."""
    shortened = cut(letter * 100, 50)

    assert shortened == letter * (50 // len(letter.encode()))
    assert cut(letter, 50) == letter


def test_what_fits_is_left_alone() -> None:
    """The very same values."""
    small = article("x" * 1000), enriched("x" * 1000), entry(content="<p>x"), Page(url="u")

    assert (fit_article(small[0]), fit_enriched(small[1]), fit_entry(small[2]), fit_page(small[3])) == small


def test_a_long_article_is_cut_and_says_so() -> None:
    """At 900 KB of text, its other notes kept; the hash is that of the whole."""
    fitted = fit_article(article("語" * 500_000, notes=("repaired: p",)))

    assert len(fitted.text.encode()) == TEXT_BYTES
    assert fitted.notes == ("repaired: p", "cut: the text had 1500000 bytes")
    assert fitted.content_hash == "h"


@pytest.mark.parametrize("letter", ['"', "\n", "\\"])
def test_a_text_that_grows_in_json_is_cut_shorter(letter: str) -> None:
    """What counts are the bytes of the event."""
    fitted = fit_article(article(letter * 890_000))

    assert len(fitted.to_bytes()) <= EVENT_BYTES
    assert len(fitted.text) > EVENT_BYTES // 3
    assert fitted.notes == ("cut: the text had 890000 bytes",)


def test_an_entry_with_a_book_in_it_keeps_its_beginning() -> None:
    """Content and summary of the feed."""
    fitted = fit_entry(entry(content="c" * 3_000_000, summary="s" * 2_000_000, title="T"))

    assert len(fitted.to_bytes()) <= EVENT_BYTES
    assert (fitted.content or "").startswith("ccc")
    assert fitted.title == "T"


def test_an_entry_whose_title_is_a_book_fits_too() -> None:
    """Titles, ids, names and tags of a hostile feed."""
    huge, many = "t" * 500_000, ("n" * 2_000,) * 200
    fitted = fit_entry(entry(title=huge, native_id=huge, authors=many, tags=many))

    assert len(fitted.to_bytes()) <= EVENT_BYTES
    assert fitted.title == "t" * FIELD_BYTES
    assert fitted.entry_id == "e0"


def test_a_record_with_many_long_entries_keeps_the_first_ones_texts() -> None:
    """All entries still wait; the first one's text is what a page that cannot be had is replaced by."""
    waiting = tuple(WaitingEntry(entry=entry(n, content="c" * 400_000), not_before=NOW) for n in range(10))
    fitted = fit_page(Page(url="u", waiting=waiting))

    assert len(fitted.to_bytes()) <= EVENT_BYTES
    assert [each.entry.entry_id for each in fitted.waiting] == [f"e{n}" for n in range(10)]
    assert [bool(each.entry.content) for each in fitted.waiting] == [True, True] + [False] * 8


def test_mentions_go_before_text() -> None:
    """The whole text stays if it can."""
    entity = Entity(name="Kyiv", type="place", salience=1, mentions=mentions(20_000))
    fitted = fit_enriched(enriched("x" * 200_000, entities=(entity,)))

    assert len(fitted.to_bytes()) <= EVENT_BYTES
    assert len(fitted.text) == 200_000
    assert fitted.entities[0].mentions == mentions(MENTIONS)
    assert fitted.notes == (f"cut: no more than {MENTIONS} mentions of an entity",)


def test_what_stands_in_text_that_was_cut_goes_with_it() -> None:
    """No mention or evidence points beyond the text."""
    far = mentions(MENTIONS, step=46_000)
    entities = (Entity(name="Kyiv", type="place", salience=1, mentions=far),)
    topics = (TopicTag(id="t", score=1, by="rule@1", evidence=far),)
    tags = tuple(f"{n:0>200}" for n in range(1000))
    fitted = fit_enriched(enriched("x" * 900_000, entities=entities, topics=topics, tags=tags))

    assert len(fitted.to_bytes()) <= EVENT_BYTES
    assert 0 < len(fitted.entities[0].mentions) < MENTIONS
    assert fitted.entities[0].mentions[-1].end <= len(fitted.text)
    assert fitted.topics[0].evidence == fitted.entities[0].mentions
    assert fitted.notes[-1] == "cut: the text had 900000 bytes"
