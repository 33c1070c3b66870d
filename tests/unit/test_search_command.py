"""``newswire search``: lines for programs, a list for people, one line for errors."""

import asyncio
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import typer
from contract.store_contract import SEEN, UKRAINE, ZELENSKYY, article, topics
from rich.console import Console
from servers.ports import free_ports
from typer.testing import CliRunner, Result

from newswire.events import EntityType
from newswire_index.document import Document
from newswire_index.render import print_hits
from newswire_index.search_commands import register_search
from newswire_index.store import (
    STORED,
    Bucket,
    EntityBucket,
    Facets,
    Highlight,
    Hit,
    HitEntity,
    Results,
    open_store,
)

pytestmark = pytest.mark.unit


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a store still to be made, set as the environment's."""
    url = f"sqlite:///{tmp_path}/newswire.db"
    monkeypatch.setenv("NEWSWIRE_STORE", url)
    monkeypatch.delenv("NEWSWIRE_PREFIX", raising=False)
    return url


def fill(url: str, *documents: Document) -> None:
    """Write documents that must all be stored."""

    async def write() -> None:
        store = open_store(url)
        await store.open()
        assert list(await store.write(documents)) == [STORED] * len(documents)
        await store.close()

    asyncio.run(write())


def search(*arguments: str) -> Result:
    """Run the command."""
    app = typer.Typer()
    app.callback()(lambda: None)  # one of several commands, as in the real command line
    register_search(app)
    return CliRunner().invoke(app, ["search", *arguments])


def found(*arguments: str) -> list[str]:
    """Return the ids of the lines of JSON."""
    result = search("--json", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


def test_a_line_of_json_has_exactly_the_fields_promised(address: str) -> None:
    """The line has the fields of the command's table, and no other."""
    fill(address, article(entities=(ZELENSKYY,), topics=topics("nato-bid"), title="Talks in Kyiv"))
    result = search("talks", "--json")
    line = json.loads(result.stdout)

    assert line.pop("score") > 0
    assert line == {
        "id": "a",
        "url": "https://courier.example/a",
        "title": "Talks in Kyiv",
        "published_at": "2026-11-20T09:00:00+00:00",
        "outlet": "courier.example",
        "language": "en",
        "highlights": [
            {"field": "title", "text": "<em>Talks</em> in Kyiv"},
            {"field": "text", "text": "The <em>talks</em> have opened."},
        ],
        "entities": [{"name": "Volodymyr Zelenskyy", "type": "person", "wikidata": "Q3874799"}],
        "topics": ["nato-bid"],
    }
    assert result.stderr == ""


def test_options_filter_and_may_be_repeated(address: str) -> None:
    """Each option narrows; topics and entities all, outlets and languages any."""
    fill(
        address,
        article("a", topics=topics("x", "y"), entities=(UKRAINE,), published_at=date(2026, 11, 20)),
        article("b", topics=topics("x"), language="de", outlet="b.example", published_at=date(2026, 11, 21)),
    )

    assert found("talks", "--topic", "x", "--topic", "y") == ["a"]
    assert found("talks", "--entity", "Q212") == ["a"]
    assert found("talks", "--outlet", "b.example") == ["b"]
    assert sorted(found("talks", "--language", "de", "--language", "en")) == ["a", "b"]
    assert found("talks", "--since", "2026-11-21") == ["b"]
    assert found("talks", "--until", "2026-11-20") == ["a"]
    assert found("--limit", "1") == ["b"]
    assert found("talks", "language:de") == ["b"]
    assert found("--", "-language:de") == ["a"]


def test_recent_articles_count_more_if_the_setting_or_the_option_says_so(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option wins over the setting, and nothing is preferred unless one of them says so."""
    old = datetime(1900, 1, 1, tzinfo=UTC)
    sport = [article(f"f{number}", title="Sport", text="Goals.") for number in range(9)]
    better = article("better", title="Zebra talks", text="Sport.", published_at=old)
    fill(address, *sport, better, article("recent", title="Talks about a zebra", text="Sport."))
    plain = ["better", "recent"]

    assert found("zebra") == plain
    assert found("zebra", "--recency", "3650") == plain[::-1]
    monkeypatch.setenv("NEWSWIRE_INDEX_RECENCY", "3650")
    assert found("zebra") == plain[::-1]
    assert found("zebra", "--recency", "0") == plain


def test_the_store_option_overrides_the_setting(address: str, tmp_path: Path) -> None:
    """An address on the command line wins."""
    other = f"sqlite:///{tmp_path}/other.db"
    fill(address, article("a"))
    fill(other, article("b"))

    assert found("talks", "--store", other) == ["b"]


def test_the_prefix_of_the_settings_is_used(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search in another world does not see this one."""
    fill(address, article("a"))
    monkeypatch.setenv("NEWSWIRE_PREFIX", "other.")
    result = search("talks")

    assert result.exit_code == 1
    assert "no index yet" in result.stderr


def test_a_missing_index_is_one_line_and_exit_1(address: str) -> None:
    """The line says where it was looked for and what to do."""
    result = search("talks")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert f"no index yet at {address.removeprefix('sqlite:///')}: run" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ['"open'],
        ["x", "--since", "soon"],
        ["x", "--limit", "0"],
        ["x", "--recency", "-1"],
        ["x", "--store", "foo://"],
    ],
)
def test_a_wrong_question_is_one_line_and_exit_2(address: str, arguments: list[str]) -> None:
    """Queries, dates, limits and addresses that are none."""
    fill(address, article())
    result = search(*arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith("newswire search: ")
    assert len(result.stderr.splitlines()) == 1


def test_an_elasticsearch_that_is_away_is_one_line_and_exit_1() -> None:
    """At once, and the line says where it was looked for."""
    (port,) = free_ports(1)
    result = search("talks", "--store", f"http://127.0.0.1:{port}")

    assert result.exit_code == 1
    assert result.stderr.startswith("newswire search: Elasticsearch is away: ")
    assert str(port) in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_nothing_found_is_said_and_no_failure(address: str) -> None:
    """People get a line, programs an empty output."""
    fill(address, article())

    assert search("zebra").stdout == "nothing found for zebra\n"
    assert search("zebra").exit_code == 0
    assert found("zebra") == []


def test_people_see_titles_passages_and_facets(address: str) -> None:
    """The list has the title, address, passage and counts, without colour where there is no terminal."""
    fill(address, article(entities=(ZELENSKYY,), topics=topics("nato-bid")), article("b", title="Other"))
    shown = search("talks zelensky").stdout

    assert "1 article for talks zelensky" in shown
    assert "Talks open\n  https://courier.example/a\n" in shown
    assert "courier.example · 2026-11-20 09:00 UTC · en · #nato-bid" in shown
    assert "The talks have opened." in shown
    assert "named: Zelensky" in shown
    assert "person  Volodymyr Zelenskyy 1" in shown
    assert "\x1b" not in shown


def test_people_are_told_of_the_fall_back(address: str) -> None:
    """Where no article has all the words, the list says so."""
    fill(address, article())

    assert "none has all the words" in search("talks zebra").stdout


def test_help_shows_an_example() -> None:
    """The help has an example and every option."""
    shown = search("--help").stdout

    assert "Example: newswire search" in shown
    assert "--language" in shown


def results() -> Results:
    """Return one hit with hostile strings."""
    hit = Hit(
        article_id="a",
        version=1,
        url="https://courier.example/a",
        title="[red]zebra[/red] & <b>",
        published_at=None,
        first_seen_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
        outlet=None,
        language="en",
        score=1.0,
        highlights=(Highlight("title", "[red]<em>zebra</em>[/red] &amp; &lt;b&gt;"),),
        entities=(HitEntity("[bold]", EntityType.PERSON, None),),
        topics=(),
    )
    facets = Facets(
        topics=(Bucket("[bold]", 2),),
        entities={EntityType.PERSON: (EntityBucket("[/bold]", EntityType.PERSON, None, 1),)},
    )
    return Results(hits=(hit,), total=30, facets=facets)


def test_an_article_cannot_inject_markup() -> None:
    """Square brackets and angle brackets are shown as they are."""
    output = io.StringIO()
    print_hits(results(), "zebra", Console(file=output, highlight=False, width=100))
    shown = output.getvalue()

    assert "30 articles for zebra, the first 1 shown" in shown
    assert "[red]zebra[/red] & <b>" in shown
    assert "[bold] 2" in shown
    assert "[/bold] 1" in shown


def test_matches_stand_out_on_a_terminal() -> None:
    """On a terminal the matching word has a colour of its own."""
    output = io.StringIO()
    terminal = Console(file=output, force_terminal=True, color_system="standard", width=100, highlight=False)
    print_hits(results(), "zebra", terminal)

    assert "\x1b[1;33mzebra\x1b[0m" in output.getvalue()


def test_the_first_seen_date_is_shown_where_there_is_no_other() -> None:
    """An article without a publication date shows when it was first seen."""
    output = io.StringIO()
    print_hits(results(), "", Console(file=output, highlight=False, width=100))

    assert f"{SEEN:%Y-%m-%d %H:%M} UTC" in output.getvalue()
