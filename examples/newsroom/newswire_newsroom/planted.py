"""The planted cases: entries that must not simply become an article, and where each of them should end.

Some are articles with a peculiarity (``articles/*.md`` names the case), others are pages that hold no
article; those are made from ``planted.yaml`` alone, which lists both.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from newswire.events import OutcomeKind, PollResult, Reason
from newswire_newsroom.world import articles


@dataclass(frozen=True)
class Case:
    """An entry of a feed and its expected outcome.

    ``url`` is the entry's link without tracking parameters, None for an entry without a link. ``page`` names
    what the address serves where that is no article. Of cases that share a ``group``, which entry ends how
    depends on who comes first, but together they end as listed. ``expect`` holds fields of the article.
    """

    what: str
    feed: str
    url: str | None
    kind: OutcomeKind
    reason: Reason
    page: str = ""
    native_id: str = ""
    headline: str = ""
    published: datetime | None = None
    edition: int = 1
    group: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedCase:
    """A feed that fails or misbehaves, and what a poll of it should find."""

    what: str
    feed: str
    http_status: int
    results: tuple[PollResult, ...]


@cache
def cases() -> tuple[Case, ...]:
    """Return all planted entries."""
    return tuple(_case(fields) for fields in _listed()["entries"])


def _case(fields: dict[str, Any]) -> Case:
    ends = {"kind": OutcomeKind(fields["kind"]), "reason": Reason(fields["reason"])}
    return Case(**{**fields, **ends})


@cache
def feed_cases() -> tuple[FeedCase, ...]:
    """Return all feeds that do not simply bring entries."""
    return tuple(
        FeedCase(**{**fields, "results": tuple(PollResult(result) for result in fields["results"])})
        for fields in _listed()["feeds"]
    )


@cache
def page_cases() -> Mapping[str, Case]:
    """Return the cases whose address serves something else than an article, by address."""
    return {case.url: case for case in cases() if case.page and case.url}


def expected_outcomes() -> dict[str, dict[str, int]]:
    """Return how many entries of the whole newsroom should end how: kind, reason, count."""
    planted = {(case.feed, case.url) for case in cases()}
    plain = sum(
        (feed.url, article.url) not in planted
        for article in articles()
        for feed in article.outlet.feeds
        if feed.name in article.feeds
    )
    counted = Counter({(OutcomeKind.INDEXED, Reason.NEW): plain})
    counted.update((case.kind, case.reason) for case in cases())
    outcomes: dict[str, dict[str, int]] = {}
    for (kind, reason), count in sorted(counted.items()):
        outcomes.setdefault(kind.value, {})[reason.value] = count
    return outcomes


def _listed() -> dict[str, Any]:
    listed: dict[str, Any] = yaml.safe_load((files(__package__) / "planted.yaml").read_text(encoding="utf-8"))
    return listed
