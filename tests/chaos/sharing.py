"""How feeds are shared: pure functions from the newsroom's list of polls to complaints."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

EARLY = 0.7  # a poll so much before its time, as a share of the interval, has no business there


class Window(NamedTuple):
    """A span of time, in seconds of the epoch, with nothing going on."""

    start: float
    end: float


def shared_badly(
    polls: Iterable[Mapping[str, Any]],
    feeds: Sequence[str],
    window: Window,
    interval_seconds: float,
    slack_seconds: float,
) -> list[str]:
    """Complain of feeds that not exactly one replica polls at their interval.

    Args:
        polls: what the newsroom was asked: ``at``, ``feed``, ``user_agent``.
        feeds: that should be polled.
        window: in which to look.
        interval_seconds: of the feeds.
        slack_seconds: by which a poll may come late, for jitter and a busy machine.
    """
    by_feed: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for poll in polls:
        if window.start <= poll["at"] <= window.end:
            by_feed[poll["feed"]].append((poll["at"], poll["user_agent"]))
    return [
        said
        for feed in feeds
        for said in _feed_badly(feed, by_feed[feed], window, interval_seconds, slack_seconds)
    ]


def _feed_badly(
    feed: str, polls: list[tuple[float, str]], window: Window, interval_seconds: float, slack_seconds: float
) -> Iterator[str]:
    askers = {asker for _, asker in polls}
    if not askers:
        yield f"{feed} was polled by nobody"
        return
    if len(askers) > 1:
        yield f"{feed} was polled by {', '.join(sorted(askers))}"
    moments = [window.start, *sorted(at for at, _ in polls), window.end]
    longest = max(after - before for before, after in pairwise(moments))
    if longest > interval_seconds + slack_seconds:
        yield f"{feed} was not polled for {longest:.1f} s"
    shortest = min((after - before for before, after in pairwise(moments[1:-1])), default=interval_seconds)
    if shortest < interval_seconds * EARLY:
        yield f"{feed} was polled again after {shortest:.1f} s"


def askers_of(polls: Iterable[Mapping[str, Any]], window: Window) -> set[str]:
    """Return who polled anything in a window."""
    return {poll["user_agent"] for poll in polls if window.start <= poll["at"] <= window.end}
