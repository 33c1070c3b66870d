"""What Kibana searches: articles, feed status, outcomes and dead letters, and how their fields are shown."""

from dataclasses import dataclass, field

from newswire_index.elastic.mapping import LAGS
from newswire_index.elastic.names import ARTICLES, DEAD_LETTERS, FEED_STATUS, OUTCOMES, ElasticNames
from newswire_index.kibana.form import View, duration, link, link_to, moment, number

WIKIDATA = "https://www.wikidata.org/wiki/{{value}}"


@dataclass(frozen=True)
class Views:
    """The data views of one deployment.

    Args:
        prefix: ``NEWSWIRE_PREFIX``; stands before ids too, so that one Kibana may show several.
    """

    prefix: str = ""
    _names: ElasticNames = field(init=False)

    def __post_init__(self) -> None:
        """Refuse a prefix that cannot begin an index's name."""
        object.__setattr__(self, "_names", ElasticNames(self.prefix))

    def id(self, kind: str, name: str) -> str:
        """Return the id of a saved object of ours."""
        return f"{self.prefix}newswire-{kind}-{name}"

    def title(self, name: str) -> str:
        """Return a title as people see it; the prefix tells deployments apart."""
        deployment = self.prefix.strip("._-")
        return f"Newswire{f' {deployment}' if deployment else ''}: {name}"

    def all(self) -> tuple[View, ...]:
        """Return all of them, the default one first."""
        return (self.articles, self.arrivals, self.feeds, self.outcomes, self.dead_letters)

    @property
    def articles(self) -> View:
        """Articles by their date, which is when they were published where that is believable."""
        return self._of_articles("articles", "Articles", time="dated_at")

    @property
    def arrivals(self) -> View:
        """The same articles by when they became searchable: what operations look at."""
        return self._of_articles("arrivals", "Articles by arrival", time="indexed_at")

    def _of_articles(self, id_: str, name: str, time: str) -> View:
        days = ("dated_at", "first_seen_at", "fetched_at", "enriched_at", "indexed_at", "source.seen_at")
        formats = {
            **dict.fromkeys(("url", "canonical_url", "source.url"), link()),
            **dict.fromkeys(days, moment()),
            **{f"lag_ms.{step}": duration() for step in LAGS},
            "entities.wikidata": link_to(WIKIDATA),
            **dict.fromkeys(("words", "sources"), number()),
        }
        hidden = ("in.*", "names", "topic_words", "entities.key", "*.folded")
        return View(self.id("view", id_), self._names.of(ARTICLES), self.title(name), time, formats, hidden)

    @property
    def feeds(self) -> View:
        """The latest status of each feed. Without a time, as silent feeds must show in any range."""
        formats = {
            "url": link(),
            **dict.fromkeys(("polled_at", "next_poll_at", "last_new_at", "silent_since"), moment()),
        }
        return View(self.id("view", "feeds"), self._names.of(FEED_STATUS), self.title("Feeds"), None, formats)

    @property
    def outcomes(self) -> View:
        """Where entries ended."""
        formats = {"url": link(), "at": moment()}
        return View(
            self.id("view", "outcomes"), self._names.of(OUTCOMES), self.title("Outcomes"), "at", formats
        )

    @property
    def dead_letters(self) -> View:
        """What could not be handled."""
        formats = {"url": link(), **dict.fromkeys(("at", "handled_at"), moment())}
        index = self._names.of(DEAD_LETTERS)
        return View(self.id("view", "dead-letters"), index, self.title("Dead letters"), "at", formats)
