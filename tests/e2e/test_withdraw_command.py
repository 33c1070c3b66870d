"""``newswire withdraw`` as a user types it."""

import json
from pathlib import Path

import pytest
from e2e.harness import all_of, newswire, on_log, rows

from newswire.envelope import message
from newswire.events import Entry, Page, Withdrawal
from newswire.urls import article_id, registered_domain

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

URL = "https://courier.example/world/bridge"
CANONICAL = "https://courier.example/bridge"


def remembered(folder: Path) -> str:
    """Let the URL memory know the address under another article id; return the id."""
    key = article_id(CANONICAL)
    page = Page(url=URL, article_id=key)
    sent = message(page, URL, source="test", partition_key=registered_domain(URL))
    on_log(folder / "var" / "newswire.db", lambda log: log.publish([sent]))
    return key


def withdrawals(folder: Path) -> list[Withdrawal]:
    """Return what lies on the topic."""
    return list(on_log(folder / "var" / "newswire.db", lambda log: all_of(log, Withdrawal)))


def test_an_article_is_withdrawn_and_lifted_by_any_of_its_addresses(tmp_path: Path) -> None:
    """The command says which article it found and how; a second word replaces the first."""
    (tmp_path / "var").mkdir()
    key = remembered(tmp_path)
    first = newswire(tmp_path, "withdraw", f"{URL}#top", "--reason", "court order", "--by", "desk")
    again = newswire(tmp_path, "withdraw", key, "--reason", "wrong", "--json")
    lifted = newswire(tmp_path, "withdraw", URL, "--lift", "--json")
    found = withdrawals(tmp_path)
    (entry,) = on_log(tmp_path / "var" / "newswire.db", lambda log: all_of(log, Entry))

    assert first.stdout == f"withdrawn: article {key} ({URL}; an address in the URL memory)\n"
    (row,) = rows(again.stdout)
    assert (row["done"], row["article_id"], row["reason"]) == ("withdrawn again", key, "wrong")
    assert (found[0].article_id, found[0].url, found[0].withdrawn_by) == (key, URL, "desk")
    assert found[1].withdrawn_by == row["withdrawn_by"] != ""
    (row,) = rows(lifted.stdout)
    assert (row["done"], row["article_id"], row["entry_id"]) == ("lifted", key, entry.entry_id)
    assert (entry.feed_id, entry.url) == ("manual", URL)


def test_there_may_be_nothing_to_lift(tmp_path: Path) -> None:
    """Exit 1, and nothing is fetched; what was lifted once may be fetched once more."""
    nothing = newswire(tmp_path, "withdraw", URL, "--lift")
    newswire(tmp_path, "withdraw", URL, "--reason", "x")
    twice = [newswire(tmp_path, "withdraw", URL, "--lift", "--json") for _ in range(2)]

    assert (nothing.returncode, nothing.stdout.split(":")[0]) == (1, "not withdrawn")
    entries = [json.loads(each.stdout)["entry_id"] for each in twice]
    assert len(set(entries)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((URL,), "say why with --reason, or let the article come back with --lift"),
        ((URL, "--reason", " "), "say why with --reason"),
        ((URL, "--reason", "x", "--lift"), "one of both"),
        (("mailto:desk", "--reason", "x"), "neither an address nor an article id: mailto:desk"),
    ],
)
def test_a_question_that_is_wrong_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2."""
    done = newswire(tmp_path, "withdraw", *arguments)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr


def test_an_id_without_any_address_is_lifted_by_its_address(tmp_path: Path) -> None:
    """Else nobody would know what to fetch."""
    newswire(tmp_path, "withdraw", "0" * 32, "--reason", "x")
    done = newswire(tmp_path, "withdraw", "0" * 32, "--lift")

    assert done.returncode == 2
    assert "lift it by its address" in done.stderr
