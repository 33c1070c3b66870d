"""One feed of a list: from the words of a file, whatever its format, to a feed to poll."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from newswire.errors import SettingsError
from newswire.events import Feed
from newswire.ids import fold_whitespace
from newswire.urls import BadUrlError, feed_id, normalise

_NO = frozenset({"0", "false", "no", "off"})
_LANGUAGE = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9-]{1,20})?")


class FeedListError(SettingsError):
    """A feed list in which nothing can be read; its text is one line that names the list."""


@dataclass(frozen=True, slots=True)
class FeedList:
    """The feeds of a list, each once, and a line for a person about whatever was passed over."""

    feeds: tuple[Feed, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedRow:
    """What a list says about one feed: where it stands, and words by name (url, title, outlet, ...)."""

    place: str
    words: Mapping[str, str]
    tags: tuple[str, ...] = ()


def feed_list(rows: Iterable[FeedRow]) -> FeedList:
    """Return the feeds of all rows that name one; a feed that stands in several rows has the tags of all."""
    feeds: dict[str, Feed] = {}
    problems: list[str] = []
    for row in rows:
        try:
            feed = _feed(row, problems)
        except BadUrlError as error:
            problems.append(f"{row.place}: {error}")
            continue
        first = feeds.setdefault(feed.feed_id, feed)
        tags = tuple(dict.fromkeys(first.tags + feed.tags))
        feeds[feed.feed_id] = first.model_copy(update={"tags": tags})
    return FeedList(tuple(feeds.values()), tuple(problems))


def _feed(row: FeedRow, problems: list[str]) -> Feed:
    words = row.words
    url = normalise(words.get("url", ""))
    title = fold_whitespace(words.get("title", "")) or None
    return Feed(
        feed_id=feed_id(url),
        url=url,
        title=title,
        outlet=fold_whitespace(words.get("outlet", "")) or title,
        language=_language(words.get("language", ""), row.place, problems),
        interval_seconds=_interval(words.get("interval", ""), row.place, problems),
        tags=row.tags,
        enabled=words.get("enabled", "").strip().lower() not in _NO,
    )


def _language(text: str, place: str, problems: list[str]) -> str | None:
    """Return the ISO 639-1 code of a language tag such as ``en-GB``."""
    if not text.strip():
        return None
    found = _LANGUAGE.fullmatch(text.strip())
    if not found:
        problems.append(f"{place}: not a language code: {text.strip()[:40]}")
    return found[1].lower() if found else None


def _interval(text: str, place: str, problems: list[str]) -> float | None:
    """Return a positive number of seconds."""
    if not text.strip():
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        problems.append(f"{place}: not an interval in seconds: {text.strip()[:40]}")
        return None
    return seconds
