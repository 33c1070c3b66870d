"""How everything that Newswire keeps in Elasticsearch is called.

newswire-articles                      read alias: all months
newswire-articles-2026.11              write alias of a month
newswire-articles-2026.11-000001       its index; a rebuild makes 000002 and moves both aliases
newswire-revisions, …-2026.11, …-000001        superseded revisions, likewise
newswire-feed-status, newswire-outcomes, newswire-dead-letters       aliases of one index each, …-000001
newswire-rebuild                       index with how far a rebuild is
"""

import re
from dataclasses import dataclass

from newswire.errors import SettingsError

ARTICLES, REVISIONS = "articles", "revisions"
FEED_STATUS, OUTCOMES, DEAD_LETTERS = "feed-status", "outcomes", "dead-letters"
REBUILD = "rebuild"
_MONTHLY = re.compile(r"-(\d{4})\.(\d{2})-(\d{6})$")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]*|")


@dataclass(frozen=True)
class ElasticNames:
    """Names of indices, aliases, templates, policies and roles.

    Args:
        prefix: ``NEWSWIRE_PREFIX``; stands before all of them.
    """

    prefix: str = ""

    def __post_init__(self) -> None:
        """Refuse what Elasticsearch takes for no index name."""
        if not _PREFIX.fullmatch(self.prefix):
            raise SettingsError(
                f"NEWSWIRE_PREFIX {self.prefix!r} cannot begin the name of an index: "
                "small letters, digits, dot, dash and underscore, the first a letter or digit"
            )

    def of(self, kind: str) -> str:
        """Return the read alias of a kind, which is also the name of its templates and policy."""
        return f"{self.prefix}newswire-{kind}"

    def month(self, kind: str, month: str) -> str:
        """Return the write alias of a month such as ``2026-11``."""
        return f"{self.of(kind)}-{month.replace('-', '.')}"

    def index(self, alias: str, generation: int = 1) -> str:
        """Return the index that a generation of an alias is kept in."""
        return f"{alias}-{generation:06}"

    def pattern(self, kind: str) -> str:
        """Return the pattern that matches all indices of a kind, and nothing else of ours."""
        return f"{self.of(kind)}-*"


def month_of_index(index: str) -> str | None:
    """Return the month of an index, such as ``2026-11``; None if it is not one of a month."""
    found = _MONTHLY.search(index)
    return f"{found[1]}-{found[2]}" if found else None


def generation_of(index: str) -> int:
    """Return the generation of an index; 0 if its name has none."""
    tail = index.rpartition("-")[2]
    return int(tail) if re.fullmatch(r"\d{6}", tail) else 0
