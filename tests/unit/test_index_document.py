"""An enriched event becomes a document field by field."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from newswire.events import Enriched, Entity, EntityType, Mention, Source, TopicTag
from newswire_index.document import (
    Document,
    clean,
    dated_at,
    document_from,
    fold,
    is_expired,
    month_end,
    month_of,
)

pytestmark = pytest.mark.unit

SEEN = datetime(2026, 11, 20, 9, tzinfo=UTC)
MENTION = Mention(field="text", start=0, end=4, text="NATO")


def event(**changes: Any) -> Enriched:
    """Return an enriched event with these fields."""
    fields: dict[str, Any] = {
        "article_id": "a",
        "version": 3,
        "revision": 2,
        "entry_id": "e",
        "first_seen_at": SEEN,
        "enriched_at": SEEN,
        "fetched_at": SEEN,
        "url": "https://courier.example/a?x=1",
        "canonical_url": "https://courier.example/a",
        "title": "Title",
        "text": "Text",
        "content_hash": "h",
        "language": "en",
    }
    return Enriched(**(fields | changes))


def test_every_field_that_the_store_knows_is_carried_over() -> None:
    """Entities keep aliases and place, topics their evidence, sources their feed."""
    full = event(
        outlet="courier.example",
        authors=("Ann",),
        tags=("world",),
        notes=("markup-repaired",),
        paywalled=True,
        text_from="feed-summary",
        published_at=date(2026, 11, 19),
        published_from="json-ld",
        published_plausible=True,
        entities=(
            Entity(
                name="NATO",
                type=EntityType.ORGANISATION,
                wikidata="Q7184",
                aliases=("OTAN",),
                salience=0.5,
                score=0.9,
                mentions=(MENTION, MENTION),
                by=("gazetteer 1",),
                latitude=1.0,
                longitude=2.0,
            ),
        ),
        topics=(TopicTag(id="nato-bid", score=0.8, by="rules 1", evidence=(MENTION, MENTION)),),
        sources=(Source(feed_id="f", seen_at=SEEN, url="https://courier.example/a"),),
    )
    document = document_from(full).model_dump()

    assert document.pop("dated_at") == datetime(2026, 11, 19, tzinfo=UTC)
    assert document.pop("entities")[0] == {
        "name": "NATO",
        "type": EntityType.ORGANISATION,
        "wikidata": "Q7184",
        "aliases": ("OTAN",),
        "salience": 0.5,
        "score": 0.9,
        "mentions": 2,
        "by": ("gazetteer 1",),
        "latitude": 1.0,
        "longitude": 2.0,
    }
    assert document.pop("topics") == (
        {"id": "nato-bid", "score": 0.8, "by": "rules 1", "evidence": ("NATO",)},
    )
    assert {name: getattr(full, name) for name in document if name != "sources"} == {
        name: value for name, value in document.items() if name != "sources"
    }
    assert document["sources"] == ({"feed_id": "f", "seen_at": SEEN, "url": "https://courier.example/a"},)


def test_an_unknown_field_never_passes() -> None:
    """Neither what a later producer adds nor what is only reserved reaches a document."""
    later = event(story={"id": 1}, embedding=[0.1]).model_dump(mode="json")
    later |= {"mood": "grim", "entities": [{"name": "X", "type": "person", "salience": 1, "mood": "grim"}]}
    document = document_from(Enriched.model_validate(later)).model_dump_json()

    assert "mood" not in document
    assert "story" not in document
    assert "embedding" not in document


def test_a_document_refuses_what_it_does_not_know() -> None:
    """A document cannot be made with a field that is not named in its class."""
    with pytest.raises(ValidationError, match="mood"):
        Document.model_validate(document_from(event()).model_dump() | {"mood": "grim"})


def test_hostile_strings_lose_what_steers_a_terminal() -> None:
    """Control characters go from every string that is shown."""
    hostile = "a\x1b[2J\x00\x9bb\ud800\x7f"
    document = document_from(
        event(
            title=hostile,
            text=hostile + "\n\tline",
            outlet=hostile,
            entities=(Entity(name=hostile, type=EntityType.PERSON, salience=1, aliases=(hostile,)),),
        )
    )

    assert document.title == "a[2Jb"
    assert document.text == "a[2Jb\n\tline"
    assert document.outlet == "a[2Jb"
    assert (document.entities[0].name, document.entities[0].aliases) == ("a[2Jb", ("a[2Jb",))


@pytest.mark.parametrize(
    ("published", "plausible", "expected"),
    [
        (None, None, SEEN),
        (date(2026, 11, 18), None, datetime(2026, 11, 18, tzinfo=UTC)),
        (datetime.fromisoformat("2026-11-18T01:00:00+02:00"), True, datetime(2026, 11, 17, 23, tzinfo=UTC)),
        (datetime(2031, 1, 1, tzinfo=UTC), False, SEEN),
        (datetime.fromisoformat("0001-01-01T00:00:00+02:00"), None, SEEN),
        (datetime.fromisoformat("9999-12-31T23:00:00-02:00"), None, SEEN),
    ],
)
def test_an_article_is_dated_by_a_publication_that_is_believed(
    published: datetime | date | None, plausible: bool | None, expected: datetime
) -> None:
    """A missing, implausible or impossible date gives way to first sight."""
    assert dated_at(event(published_at=published, published_plausible=plausible)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Volodymyr  ZELENSKYY ", "volodymyr zelenskyy"),
        ("Zürich", "zurich"),
        ("Straße", "strasse"),
        ("ЗЕЛЕНСКИЙ", "зеленскии"),
        ("Q212", "q212"),
        ("", ""),
    ],
)
def test_folding_is_blind_to_case_accents_and_space(text: str, expected: str) -> None:
    """Names are compared folded."""
    assert fold(text) == expected


@given(st.text())
def test_cleaning_and_folding_twice_change_nothing_more(text: str) -> None:
    """Both are idempotent, and what they give can be encoded."""
    assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)
    assert clean(text).encode().decode() == clean(text)


@pytest.mark.parametrize(
    ("moment", "month", "end"),
    [
        ("2026-11-30T23:59:59+00:00", "2026-11", "2026-12-01T00:00:00+00:00"),
        ("2026-12-01T00:30:00+01:00", "2026-11", "2026-12-01T00:00:00+00:00"),
        ("2026-12-31T23:30:00-01:00", "2027-01", "2027-02-01T00:00:00+00:00"),
        ("2026-12-05T00:00:00+00:00", "2026-12", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_months_are_those_of_utc(moment: str, month: str, end: str) -> None:
    """An article belongs to the month of its first sight in UTC."""
    assert month_of(datetime.fromisoformat(moment)) == month
    assert month_end(month) == datetime.fromisoformat(end)


def test_a_month_expires_when_its_end_is_older_than_the_retention() -> None:
    """On the retention's last instant the month is still kept."""
    end, retention = datetime(2026, 12, 1, tzinfo=UTC), timedelta(days=30)

    assert not is_expired("2026-11", retention, end + retention)
    assert is_expired("2026-11", retention, end + retention + timedelta(seconds=1))
