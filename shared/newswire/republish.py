"""Enriched articles on the way back to their owner, through the topic of articles.

Nobody but the owner writes enriched articles. What asks him for a new version lies on the topic of articles
with the header ``replay``; it is no fetch, and its language is what was found and not what a page declared.
"""

from dataclasses import replace

from newswire.envelope import REPLAY, REPLAY_VERSION, message
from newswire.events import Article, Enriched
from newswire.log.port import Headers, Message


def back_to_owner(
    enriched: Enriched,
    how: str,
    *,
    source: str,
    entry_id: str | None = None,
    feed_id: str | None = None,
    cause: Headers | None = None,
) -> Message:
    """Return the message that asks the owner of an article for a new version.

    Args:
        enriched: the article as somebody knows it; the owner may know a newer version.
        how: what is asked, a value of the header ``replay``.
        source: who asks.
        entry_id: the entry that ends with the new version, if one does.
        feed_id: that entry's feed.
        cause: headers of the message that led to this one.
    """
    article = _as_article(enriched, entry_id or "", feed_id)
    sent = message(
        article, enriched.article_id, source=source, cause=cause, entry_id=entry_id, feed_id=feed_id
    )
    asked = {REPLAY: how, REPLAY_VERSION: str(enriched.version)}
    return replace(sent, headers={**sent.headers, **asked})


def _as_article(enriched: Enriched, entry_id: str, feed_id: str | None) -> Article:
    shared = Article.model_fields.keys() & Enriched.model_fields.keys() - {"entry_id"}
    first = enriched.sources[0].feed_id if enriched.sources else ""
    return Article(
        **{name: getattr(enriched, name) for name in shared},
        entry_id=entry_id,
        feed_id=feed_id or first,
        seen_at=enriched.first_seen_at,
    )
