"""Enriched articles on the way back to their owner."""

import pytest
from unit.scenes import NOW, URL, enriched

from newswire.envelope import ENTRY, FEED, REENRICH, REPLAY, REPLAY_VERSION
from newswire.events import Article
from newswire.republish import back_to_owner

pytestmark = pytest.mark.unit


def test_an_enriched_article_becomes_an_article_again() -> None:
    """With all that both have; the header says that it is no fetch, and which version it was."""
    event = enriched(version=7, entry_id="e1", tags=["t"], notes=["n"], authors=["A"], paywalled=True)
    sent = back_to_owner(event, REENRICH, source="replay")
    read = Article.from_bytes(sent.value or b"")

    assert (sent.topic, sent.key) == (Article.topic, "a")
    assert (sent.headers[REPLAY], sent.headers[REPLAY_VERSION]) == ("enrich", "7")
    assert ENTRY not in sent.headers
    assert FEED not in sent.headers
    for name in (
        "url",
        "title",
        "text",
        "content_hash",
        "fetched_at",
        "tags",
        "notes",
        "authors",
        "paywalled",
    ):
        assert getattr(read, name) == getattr(event, name)
    assert (read.entry_id, read.feed_id, read.seen_at) == ("", "", NOW)


def test_it_may_be_for_an_entry() -> None:
    """Which then ends with the new version."""
    event = enriched(sources=[{"feed_id": "g", "seen_at": NOW, "url": URL}])
    sent = back_to_owner(event, REENRICH, source="x", entry_id="e2", feed_id="f")

    assert (sent.headers[ENTRY], sent.headers[FEED]) == ("e2", "f")
    assert Article.from_bytes(sent.value or b"").entry_id == "e2"
    assert Article.from_bytes(back_to_owner(event, REENRICH, source="x").value or b"").feed_id == "g"
