"""The events on Newswire's topics: immutable models, one class per version.

Readers ignore unknown fields and accept unknown values of open enums. A change that old readers or old
messages would not survive is a new class and a new topic. The JSON Schema of each class is checked in under
``shared/schemas``.
"""

from newswire.events.articles import (
    Article,
    Enriched,
    Entity,
    Mention,
    Sighting,
    Source,
    TextFrom,
    TopicTag,
    Withdrawal,
)
from newswire.events.base import Event, Moment, Open, Part
from newswire.events.enums import EntityType, OutcomeKind, PollResult, Reason
from newswire.events.feeds import Entry, Feed, FeedSeen, FeedStatus, SeenEntry
from newswire.events.pages import DEAD_LETTERS, FetchFailure, Outcome, Page, WaitingEntry

EVENTS: tuple[type[Event], ...] = (
    Feed, FeedStatus, FeedSeen, Entry, Page, Article, Sighting, Enriched, Withdrawal, Outcome,
)  # fmt: skip

__all__ = [
    "DEAD_LETTERS",
    "EVENTS",
    "Article",
    "Enriched",
    "Entity",
    "EntityType",
    "Entry",
    "Event",
    "Feed",
    "FeedSeen",
    "FeedStatus",
    "FetchFailure",
    "Mention",
    "Moment",
    "Open",
    "Outcome",
    "OutcomeKind",
    "Page",
    "Part",
    "PollResult",
    "Reason",
    "SeenEntry",
    "Sighting",
    "Source",
    "TextFrom",
    "TopicTag",
    "WaitingEntry",
    "Withdrawal",
]
