"""``newswire replay`` as a user types it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from e2e.harness import all_of, newswire, on_log, rows, started, until
from unit.scenes import enriched, publish

from newswire.events import Article, Outcome, Withdrawal
from newswire.log import Log

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose log holds enriched articles, one of them withdrawn, and no index."""
    (tmp_path / "var").mkdir()

    async def fill(log: Log) -> None:
        for number in range(3):
            topic = [{"id": f"topic-{number}", "score": 1, "by": "r"}]
            await publish(log, enriched(article_id=f"a{number}", title=f"Talks {number}", topics=topic))
        gone = Withdrawal(
            article_id="a2", withdrawn_at=datetime.now(UTC), withdrawn_by="desk", reason="court order"
        )
        await publish(log, gone)

    on_log(tmp_path / "var" / "newswire.db", fill)
    return tmp_path


def test_history_goes_back_to_the_owners_of_the_articles(folder: Path) -> None:
    """All of it, or what is asked for; the latest version of each."""
    done = newswire(folder, "replay", "--stage", "enrich", "--rate", "1000", "--json")
    one = newswire(folder, "replay", "--stage", "enrich", "--article", "a1")
    by_topic = newswire(folder, "replay", "--stage", "enrich", "--topic", "topic-0", "--since", "2h")
    none = newswire(folder, "replay", "--stage", "enrich", "--topic", "other")
    sent = [
        each.article_id for each in on_log(folder / "var" / "newswire.db", lambda log: all_of(log, Article))
    ]

    assert rows(done.stdout) == [{"stage": "enrich", "replayed": 3, "counts": {"sent": 3}}]
    assert one.stdout == by_topic.stdout == "replayed through enrich: sent 1\n"
    assert none.stdout == "replayed through enrich: nothing\n"
    assert sorted(sent) == ["a0", "a0", "a1", "a1", "a2"]
    assert (done.stderr, list((folder / "var" / "cache" / "replay").glob("*"))) == ("", [])


def test_history_fills_an_index_that_was_lost(folder: Path) -> None:
    """Without any service running; what is withdrawn stays out, and a second time all is there."""
    first = newswire(folder, "replay", "--stage", "index")
    second = newswire(folder, "replay", "--stage", "index")
    found = rows(newswire(folder, "search", "talks", "--json").stdout)

    assert (first.returncode, first.stdout) == (0, "replayed through index: stored 2, withdrawn 1\n")
    assert second.stdout == "replayed through index: there already 2, withdrawn 1\n"
    assert sorted(row["title"] for row in found) == ["Talks 0", "Talks 1"]
    assert on_log(folder / "var" / "newswire.db", lambda log: all_of(log, Outcome)) == []


def test_an_interrupted_replay_goes_on(folder: Path) -> None:
    """It says so; begun anew it does not."""
    states = folder / "var" / "cache" / "replay"
    with started(folder, "replay", "--stage", "enrich", "--rate", "0.01"):  # the second one after 100 s
        until(lambda: any(states.glob("enrich-*.json")))
    (state,) = states.glob("enrich-*.json")
    saved = state.read_text()
    resumed = newswire(folder, "replay", "--stage", "enrich")
    state.write_text(saved)
    anew = newswire(folder, "replay", "--stage", "enrich", "--restart")

    assert resumed.stderr == "going on where it stopped; --restart begins anew\n"
    assert (anew.stderr, anew.stdout) == ("", "replayed through enrich: sent 3\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stage", "ingest"), "nothing can be replayed through ingest; there is enrich, index"),
        (("--stage", "cook"), "no service named 'cook' is installed"),
        (("--stage", "enrich", "--since", "soon"), "no time: 'soon'"),
    ],
)
def test_a_question_that_is_wrong_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2."""
    done = newswire(tmp_path, "replay", *arguments)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr
