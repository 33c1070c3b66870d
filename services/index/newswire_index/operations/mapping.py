"""What the three indices of operations hold: feed status, outcomes and dead letters, for dashboards.

Each is closed (``dynamic: strict``): a field that is not named here reaches no index.
"""

from typing import Any

from newswire_index.elastic.names import DEAD_LETTERS, FEED_STATUS, OUTCOMES

LONGEST = 8191  # characters of a keyword: more could be over Lucene's 32,766 bytes

Field = dict[str, Any]

KEYWORD: Field = {"type": "keyword", "ignore_above": LONGEST}
DATE: Field = {"type": "date"}
BOOLEAN: Field = {"type": "boolean"}
INTEGER: Field = {"type": "integer"}
LONG: Field = {"type": "long"}
WORDS: Field = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 1024}}}

FEED_STATUS_FIELDS: dict[str, Field] = {
    "feed_id": KEYWORD,
    "url": KEYWORD,  # where it is polled
    "title": KEYWORD,  # what we call it, else what it calls itself, else its address
    "outlet": KEYWORD,  # as the feed was added, else the domain of its address
    "tags": KEYWORD,
    "language": KEYWORD,
    "enabled": BOOLEAN,
    "polls": LONG,  # 0 where it was not polled yet; then there is no result
    "polled_at": DATE,
    "next_poll_at": DATE,
    "result": KEYWORD,
    "message": WORDS,
    "http_status": INTEGER,
    "failing": BOOLEAN,
    "failures": LONG,  # in a row
    "entries": LONG,  # in the document of this poll
    "new_entries": LONG,  # of this poll
    "last_new_at": DATE,  # the last poll with a new entry; missing where none is known
    "silent_since": DATE,  # that, else the first poll that is known: for sorting
}

OUTCOME_FIELDS: dict[str, Field] = {
    "entry_id": KEYWORD,
    "feed_id": KEYWORD,
    "feed_title": KEYWORD,  # as in the feed status, where the feed is known
    "outlet": KEYWORD,  # likewise
    "kind": KEYWORD,
    "reason": KEYWORD,
    "stage": KEYWORD,
    "at": DATE,
    "url": KEYWORD,
    "domain": KEYWORD,  # the registered domain of the address
    "article_id": KEYWORD,
    "message": WORDS,
}

DEAD_LETTER_FIELDS: dict[str, Field] = {
    "letter_id": KEYWORD,  # partition and offset, as `newswire dead-letters` has it
    "stage": KEYWORD,
    "topic": KEYWORD,  # where the original lay
    "key": KEYWORD,
    "reason": KEYWORD,
    "error": WORDS,
    "at": DATE,
    "attempts": LONG,
    "entry_id": KEYWORD,
    "feed_id": KEYWORD,
    "url": KEYWORD,
    "title": KEYWORD,
    "pointer": BOOLEAN,  # whether the original was too large to keep
    "open": BOOLEAN,  # whether nobody has dealt with it
    "handled": KEYWORD,  # how it was dealt with: replayed or dropped
    "handled_by": KEYWORD,
    "handled_at": DATE,
}


def _closed(fields: dict[str, Field]) -> dict[str, Any]:
    return {"dynamic": "strict", "properties": fields}


OPERATIONS_MAPPINGS: dict[str, dict[str, Any]] = {
    FEED_STATUS: _closed(FEED_STATUS_FIELDS),
    OUTCOMES: _closed(OUTCOME_FIELDS),
    DEAD_LETTERS: _closed(DEAD_LETTER_FIELDS),
}
"""The mapping of each index, by its kind (see ElasticNames)."""

OPERATIONS_SETTINGS: dict[str, Any] = {
    "refresh_interval": "5s",  # dashboards need no more
    "gc_deletes": "1h",  # a removed feed's version is remembered while older news of it may be on its way
}
"""Settings of each, below ``index``; shards and replicas are for whoever makes the index."""
