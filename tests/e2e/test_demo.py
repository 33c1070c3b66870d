"""``newswire demo``: every planted case ends where it should, and the golden article's news is right."""

from collections import Counter

import pytest
from e2e.conftest import Demo, run_demo
from e2e.harness import articles, children_of_newswire, ends, newswire, on_log, rows

from newswire.events import Enriched, FeedStatus
from newswire.ledger import latest
from newswire.urls import feed_id
from newswire_newsroom.planted import Case, FeedCase, cases, expected_outcomes, feed_cases

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

GOLDEN = "https://courier.example/world/ukraine-nato-berlin"
ENTITIES = {
    "Volodymyr Zelenskyy": ("person", "Q3874799"),
    "Ukraine": ("place", "Q212"),
    "NATO": ("organisation", "Q7184"),
    "Berlin": ("place", "Q64"),
    "Kyiv": ("place", "Q1899"),
    "Moscow": ("place", "Q649"),
    "Russia": ("place", "Q159"),
    "Europe": ("place", "Q46"),
}
TOPICS = {"nato-bid", "berlin-talks", "security-guarantees", "ceasefire", "prisoner-exchange"}
QUERIES = ["NATO bid", "Berlin talks", "Zelensky", '"prisoner exchanges"']


def golden(demo: Demo) -> Enriched:
    """Return the article of the golden example's news."""
    (found,) = [each for each in articles(demo.log).values() if each.canonical_url == GOLDEN]
    return found


def test_the_demo_ends_well_and_leaves_nothing_running(demo: Demo) -> None:
    """Exit code 0, nothing said on standard error, no process left."""
    assert (demo.code, demo.stderr) == (0, "")
    assert children_of_newswire(demo.folder) == []


def test_the_outcomes_are_those_of_the_planted_world(demo: Demo) -> None:
    """All entries of the newsroom, by kind and reason."""
    expected = {str(kind): dict(reasons) for kind, reasons in expected_outcomes().items()}

    assert demo.sums["outcomes"] == expected
    assert demo.sums["seen"] == sum(sum(reasons.values()) for reasons in expected.values())
    assert demo.sums["articles_per_second"] > 0


def test_two_undisturbed_runs_give_the_same_table(
    demo: Demo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """And the same articles with the same content."""
    again = run_demo(tmp_path_factory.mktemp("again"))
    one, two = articles(demo.log), articles(again.log)

    assert (again.sums["seen"], again.sums["outcomes"]) == (demo.sums["seen"], demo.sums["outcomes"])
    assert {key: a.content_hash for key, a in two.items()} == {key: a.content_hash for key, a in one.items()}


def test_the_ledger_balances(demo: Demo) -> None:
    """Everything that was seen has ended, nothing is in flight, nothing lost."""
    done = newswire(demo.folder, "ledger", "--json", env={"NEWSWIRE_LOG": demo.address})
    (row,) = rows(done.stdout)

    assert done.returncode == 0
    assert (row["seen"], row["outcomes"]) == (demo.sums["seen"], demo.sums["outcomes"])
    assert (row["in_flight"], row["lost"], row["lost_entries"]) == (0, 0, [])
    assert sum(feed["seen"] for feed in row["feeds"].values()) == row["seen"]
    assert set(row["feeds"]) >= {case.feed for case in cases()}


@pytest.mark.parametrize("case", [case for case in cases() if not case.group], ids=lambda case: case.what)
def test_each_planted_case_ends_where_it_should(demo: Demo, case: Case) -> None:
    """By address and feed."""
    found = ends(demo.log)[case.url, feed_id(case.feed)]

    assert (case.kind, case.reason) in found
    assert len(found) == sum(1 for each in cases() if (each.url, each.feed) == (case.url, case.feed))


@pytest.mark.parametrize("group", sorted({case.group for case in cases() if case.group}))
def test_cases_that_belong_together_end_together(demo: Demo, group: str) -> None:
    """Which entry is first is chance, how they end in all is not."""
    together = [case for case in cases() if case.group == group]
    found = ends(demo.log)
    ended = Counter(end for key in {(c.url, feed_id(c.feed)) for c in together} for end in found[key])

    assert ended == Counter((case.kind, case.reason) for case in together)


@pytest.mark.parametrize("case", [case for case in cases() if case.expect], ids=lambda case: case.what)
def test_the_fields_of_a_planted_article_are_right(demo: Demo, case: Case) -> None:
    """Title, identity, paywall, date, text: whatever the case is about."""
    found = [a for a in articles(demo.log).values() if case.url in {a.url, a.canonical_url}]

    assert len(found) == 1
    for field, expected in case.expect.items():
        assert getattr(found[0], field) == expected, field


@pytest.mark.parametrize("case", feed_cases(), ids=lambda case: case.what)
def test_a_feed_that_fails_has_a_status_that_says_so(demo: Demo, case: FeedCase) -> None:
    """Unreachable, invalid and empty are told apart; a failure has words for a person."""
    statuses = {each.url: each for each in on_log(demo.log, lambda log: latest(log, FeedStatus))}
    status: FeedStatus = statuses[case.feed]

    assert status.result in case.results
    assert status.polls >= 4
    assert status.message or not status.failures


def test_the_feed_list_says_how_the_last_poll_of_each_went(demo: Demo) -> None:
    """A feed that fails is not one without news."""
    shown = newswire(demo.folder, "feeds", "list", env={"NEWSWIRE_LOG": demo.address}).stdout.splitlines()
    listed = rows(newswire(demo.folder, "feeds", "list", "--json", env={"NEWSWIRE_LOG": demo.address}).stdout)
    results = {row["url"]: row["status"]["result"] for row in listed}

    for case in feed_cases():
        (line,) = [line for line in shown if line.startswith(f"{case.feed}\t")]
        assert results[case.feed] in case.results
        assert results[case.feed] in line
    assert any("html: an HTML page, not a feed" in line for line in shown)


def test_the_golden_articles_news_has_its_entities_with_their_ids(demo: Demo) -> None:
    """All of them, and nothing that only the headline's capitals make a name."""
    found = {entity.name: (str(entity.type), entity.wikidata) for entity in golden(demo).entities}

    assert {name: found.get(name) for name in ENTITIES} == ENTITIES
    assert not {"Inside Ukraine", "Ukraine sets", "Berlin Peace Talks", "Kyiv’s"} & set(found)


def test_mentions_stand_where_they_say(demo: Demo) -> None:
    """Offsets are those of Python strings, in every article and language."""
    for article in articles(demo.log).values():
        for entity in article.entities:
            for mention in entity.mentions:
                where = article.title if mention.field == "title" else article.text
                assert where[mention.start : mention.end] == mention.text


def test_a_surname_alone_is_the_same_person(demo: Demo) -> None:
    """Both forms are mentions of one entity."""
    (person,) = [entity for entity in golden(demo).entities if entity.wikidata == "Q3874799"]

    assert {"Volodymyr Zelenskyy", "Zelenskyy"} <= {mention.text for mention in person.mentions}


def test_the_golden_articles_news_has_its_topics(demo: Demo) -> None:
    """Each with its rule, version and evidence; sport and markets are not among them."""
    tags = {tag.id: tag for tag in golden(demo).topics}

    assert set(tags) >= TOPICS
    assert not {"sport", "markets"} & set(tags)
    assert all("@" in tag.by and tag.evidence for tag in tags.values())


def test_the_swallowed_paragraph_is_rescued_and_the_repair_noted(demo: Demo) -> None:
    """The broken tag leaves no trace in the text."""
    article = golden(demo)

    assert any(note.startswith("repaired") for note in article.notes)
    assert "\nInside Ukraine" in article.text
    assert "<p" not in article.text
    assert "pInside" not in article.text


@pytest.mark.parametrize("query", QUERIES)
def test_search_finds_the_golden_articles_news(demo: Demo, query: str) -> None:
    """By the topic's words, by an alias, by a phrase; with what matched marked."""
    done = newswire(demo.folder, "search", query, "--json", env={"NEWSWIRE_STORE": demo.address})
    (hit,) = [row for row in rows(done.stdout) if row["url"] == GOLDEN]

    assert hit["highlights"]
    assert hit["outlet"] == "The Courier"
    assert set(hit["topics"]) >= TOPICS
    assert {"name": "NATO", "type": "organisation", "wikidata": "Q7184"} in hit["entities"]


def test_trace_tells_the_path_through_all_stages(demo: Demo) -> None:
    """From the entry to the outcome; an unknown address has exit code 1."""
    done = newswire(demo.folder, "trace", GOLDEN, "--json", env={"NEWSWIRE_LOG": demo.address})
    topics = [row["topic"] for row in rows(done.stdout)]
    unknown = newswire(demo.folder, "trace", "https://nowhere.example/", env={"NEWSWIRE_LOG": demo.address})

    assert [topic.split(".")[1] for topic in topics if "pages" not in topic] == [
        "entries", "articles", "enriched", "outcomes"
    ]  # fmt: skip
    assert unknown.returncode == 1
    assert "nothing is known" in unknown.stdout


def test_the_demo_refuses_a_log_that_is_not_empty(demo: Demo) -> None:
    """Its sums would not be the demo's; another prefix is fine."""
    done = newswire(demo.folder, "demo", "--log", demo.address)

    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert "--prefix" in done.stderr


def test_the_demo_without_json_shows_the_table_and_a_search(tmp_path_factory: pytest.TempPathFactory) -> None:
    """For people: outcomes, speed, and what is found for NATO bid; no colour outside a terminal."""
    done = newswire(tmp_path_factory.mktemp("people"), "demo")

    assert done.returncode == 0
    assert "redirect-loop" in done.stdout
    assert "articles indexed in" in done.stdout
    assert GOLDEN in done.stdout
    assert "\x1b[" not in done.stdout
