"""The enums of events.

Where a field holds one as ``Open[...]``, more values may come and readers must cope with them.
"""

from enum import StrEnum


class OutcomeKind(StrEnum):
    """The five ends of an entry."""

    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    DISCARDED = "discarded"
    DEAD_LETTERED = "dead-lettered"


class Reason(StrEnum):
    """Why an entry ended as it did, or a message was dead-lettered."""

    # indexed
    NEW = "new"
    UPDATED = "updated"
    # unchanged
    SAME_CONTENT = "same-content"
    KNOWN_SOURCE = "known-source"
    OLDER_FETCH = "older-fetch"
    FEED_TEXT = "feed-text"
    # duplicate
    OTHER_SOURCE = "other-source"
    # discarded: the address
    NO_LINK = "no-link"
    BAD_URL = "bad-url"
    EXCLUDED = "excluded"
    PRIVATE_ADDRESS = "private-address"
    # discarded: the connection
    DNS_FAILURE = "dns-failure"
    CONNECTION_FAILED = "connection-failed"
    TIME_OUT = "time-out"
    TOO_LARGE = "too-large"
    REDIRECT_LOOP = "redirect-loop"
    BAD_ENCODING = "bad-encoding"
    # discarded: the answer
    NOT_FOUND = "not-found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    CLIENT_ERROR = "client-error"
    SERVER_ERROR = "server-error"
    # discarded: the page
    NOT_HTML = "not-html"
    CONSENT_WALL = "consent-wall"
    BOT_CHECK = "bot-check"
    LOGIN_WALL = "login-wall"
    NOT_AN_ARTICLE = "not-an-article"
    NO_TEXT = "no-text"
    # discarded: the house
    WITHDRAWN = "withdrawn"
    ARTICLE_UNAVAILABLE = "article-unavailable"
    # dead-lettered
    UNREADABLE = "unreadable"
    CHILD_KILLED = "child-killed"
    CPU_LIMIT = "cpu-limit"
    WALL_LIMIT = "wall-limit"
    MEMORY_LIMIT = "memory-limit"
    HANDLER_FAILED = "handler-failed"
    STORE_REJECTED = "store-rejected"


class PollResult(StrEnum):
    """What a poll of a feed met."""

    NEW = "new"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    INVALID = "invalid"
    BLOCKED = "blocked"
    THROTTLED = "throttled"
    GONE = "gone"
    UNREACHABLE = "unreachable"


class EntityType(StrEnum):
    """What kind of thing an entity is."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    EVENT = "event"
    WORK = "work"
    GROUP = "group"
