"""The commands of feeds, filters and the start, as a user types them."""

import gzip
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import children_of_newswire, newswire, rows, started, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

FEED = "https://courier.example/world.xml"
OTHER = "https://gazette.example/feed"

RSS = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>World</title><item>'
    "<title>Talks &amp; bids</title><link>/a</link><guid>1</guid>"
    ""
    "<pubDate>Mon, 23 Nov 2026 10:00:00 +0100</pubDate>"
    "<description>&lt;p&gt;They met.&lt;/p&gt;</description><category>World</category></item></channel></rss>"
)
ATOM = (
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>World</title><id>x</id><entry>'
    '<id>1</id><title>Talks &amp; bids</title><link href="/a"/><updated>2026-11-23T09:30:00Z</updated>'
    "<published>2026-11-23T10:00:00+01:00</published><author><name>A. Writer</name></author></entry></feed>"
)
RDF = (
    '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/"><channel><title>World</title></channel><item rdf:about="/a">'
    "<title>Talks &amp; bids</title><link>/a</link></item></rdf:RDF>"
)
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "World",
        "items": [{"id": "1", "url": "/a", "title": "Talks & bids"}],
    }
)
HTML = "<!doctype html><html><head><title>Not found</title></head><body>Sorry.</body></html>"


def refused(done: Any) -> str:
    """Return the one line in which a command says why it was called wrongly."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines: list[str] = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def page(number: int) -> str:
    """Return a page with an article."""
    text = "".join(
        f"<p>Sentence {n} of article {number} says that the council of Berlin met on Tuesday and agreed on a "
        "budget for the next year after many hours of talks.</p>"
        for n in range(4)
    )
    return (
        f"<html lang='en'><head><title>Article {number}</title></head><body><article>"
        f"<h1>Article {number}</h1>{text}</article></body></html>"
    )


def lines(*items: Any) -> bytes:
    """Return JSON Lines; bytes are taken as they are."""
    return b"".join(
        (each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in items
    )


def test_feeds_are_added_changed_and_removed(tmp_path: Path) -> None:
    """By address or id, and each command says what it did."""
    added = newswire(tmp_path, "feeds", "add", f"{FEED}#top", "--outlet", "The Courier", "--language", "en")
    again = newswire(
        tmp_path, "feeds", "add", FEED, "--outlet", "The Courier", "--language", "en", "--interval", "60"
    )
    newswire(tmp_path, "feeds", "add", OTHER)
    shown = newswire(tmp_path, "feeds", "list")
    listed = rows(newswire(tmp_path, "feeds", "list", "--json").stdout)
    by_id = newswire(tmp_path, "feeds", "remove", listed[0]["feed_id"])
    by_url = newswire(tmp_path, "feeds", "remove", OTHER)
    gone = newswire(tmp_path, "feeds", "remove", OTHER)

    assert added.stdout == f"added: {FEED} ({listed[0]['feed_id']})\n"
    assert again.stdout == f"changed: {FEED} ({listed[0]['feed_id']})\n"
    assert [row["url"] for row in listed] == [FEED, OTHER]
    assert {name: listed[0][name] for name in ("outlet", "language", "interval_seconds", "enabled")} == {
        "outlet": "The Courier", "language": "en", "interval_seconds": 60, "enabled": True,
    }  # fmt: skip
    assert [line.split("\t")[:2] for line in shown.stdout.splitlines()] == [
        [FEED, "The Courier"],
        [OTHER, ""],
    ]
    assert (by_id.returncode, by_url.returncode, by_url.stdout) == (0, 0, f"removed: {OTHER}\n")
    assert (gone.returncode, gone.stderr) == (1, f"no such feed: {OTHER}\n")
    assert newswire(tmp_path, "feeds", "list").stdout == ""


def test_changing_one_thing_of_a_feed_keeps_the_others(tmp_path: Path) -> None:
    """An interval given later does not forget the outlet."""
    newswire(tmp_path, "feeds", "add", FEED, "--outlet", "The Courier", "--language", "en")
    changed = newswire(tmp_path, "feeds", "add", FEED, "--interval", "60")
    again = newswire(tmp_path, "feeds", "add", FEED)
    (feed,) = rows(newswire(tmp_path, "feeds", "list", "--json").stdout)

    assert (changed.stdout.split(":")[0], again.stdout.split(":")[0]) == ("changed", "already there")
    assert (feed["outlet"], feed["language"], feed["interval_seconds"]) == ("The Courier", "en", 60)


def test_a_feed_list_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """Import, export, import elsewhere: the same feeds; a second import changes nothing."""
    (tmp_path / "my.csv").write_text(
        f"url,outlet,language\n{FEED},The Courier,en\n{OTHER},Gazette,\nmailto:x,,\n"
    )
    first = newswire(tmp_path, "feeds", "import", "my.csv")
    second = newswire(tmp_path, "feeds", "import", "my.csv")
    newswire(tmp_path, "feeds", "export", "my.opml")
    to_stdout = newswire(tmp_path, "feeds", "export")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    newswire(elsewhere, "feeds", "import", "../my.opml")

    assert first.stdout.startswith("my.csv: 2 feeds, 2 added, 0 changed; not read: ")
    assert second.stdout.startswith("my.csv: 2 feeds, 0 added, 0 changed")
    assert to_stdout.stdout == (tmp_path / "my.opml").read_text()
    here, there = (newswire(folder, "feeds", "list", "--json") for folder in (tmp_path, elsewhere))
    assert len(rows(here.stdout)) == 2
    names = ("feed_id", "url", "outlet", "language", "enabled")
    assert [[row[n] for n in names] for row in rows(there.stdout)] == [
        [row[n] for n in names] for row in rows(here.stdout)
    ]


def test_a_feed_list_comes_in_through_a_pipe(tmp_path: Path) -> None:
    """Into a container, for one, that sees no file of ours."""
    done = newswire(tmp_path, "feeds", "import", "-", stdin=f"url,outlet\n{FEED},The Courier\n".encode())
    nothing = newswire(tmp_path, "feeds", "import", "-", stdin=b"")

    assert done.stdout == "-: 1 feeds, 1 added, 0 changed\n"
    assert nothing.returncode == 2
    assert "no feed can be read in -" in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("feeds", "add", "mailto:desk@courier.example"), "not the address of a feed: mailto:desk"),
        (("feeds", "import", "missing.opml"), "the feed list missing.opml cannot be read: No such file"),
        (("feeds", "import", "noise.opml"), "the feed list noise.opml: noise.opml is no OPML"),
        (("feeds", "import", "."), "cannot be read: Is a directory"),
        (("feeds", "export", "no/such/folder.opml"), "no/such/folder.opml cannot be written: No such file"),
        (("parse-feed", "missing.xml"), "missing.xml cannot be read: No such file"),
        (("run", "--feeds", "missing.opml"), "the feed list missing.opml cannot be read: No such file"),
        (("run", "--only", "enrich", "--feeds", "noise.opml"), "none of the services run here polls feeds"),
        (("run", "--only", "cook"), "no service named 'cook' is installed; there is enrich, index, ingest"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_command_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and no traceback."""
    (tmp_path / "noise.opml").write_bytes(b"\x00\x01\x02 this is no list")

    assert said in refused(newswire(tmp_path, *arguments))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "NEWSWIRE_INGEST_POLL_SECOND",
            "3",
            "unknown setting NEWSWIRE_INGEST_POLL_SECOND; did you mean NEWSWIRE_INGEST_POLL_SECONDS?",
        ),
        (
            "NEWSWIRE_INGEST_POLL_SECONDS",
            "soon",
            "NEWSWIRE_INGEST_POLL_SECONDS: Input should be a valid number",
        ),
        (
            "NEWSWIRE_INGEST_RESOLVE",
            "courier.example",
            "NEWSWIRE_INGEST_RESOLVE: Value error, expected host=",
        ),
        ("NEWSWIRE_LOG", "ftp://x", "NEWSWIRE_LOG: expected sqlite:///"),
        ("NEWSWIRE_STORE", "ftp://x", "no store can be opened at 'ftp://x'"),
    ],
)
def test_a_wrong_setting_stops_the_start(tmp_path: Path, name: str, value: str, said: str) -> None:
    """In one line that names it."""
    only = ("--only", "index") if name == "NEWSWIRE_STORE" else ()  # else it says that there are no feeds

    assert said in refused(newswire(tmp_path, "run", *only, env={"NEWSWIRE_LOG_LEVEL": "error", name: value}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("topics:\n  - id: nato-bid\n    phrase: [NATO]\n", ("rules.yaml", "nato-bid", "phrase")),
        ("topics: [", ("rules.yaml",)),
        (None, ("rules.yaml",)),
    ],
    ids=["unknown word", "no YAML", "no file"],
)
def test_rules_that_cannot_be_read_stop_the_start_and_the_filter(
    tmp_path: Path, text: str | None, said: tuple[str, ...]
) -> None:
    """The line names the file, and the topic if it is one topic's fault."""
    if text is not None:
        (tmp_path / "rules.yaml").write_text(text)
    env = {"NEWSWIRE_ENRICH_TOPICS": "rules.yaml", "NEWSWIRE_LOG_LEVEL": "error"}
    run = refused(newswire(tmp_path, "run", "--only", "enrich", env=env))
    filtered = refused(newswire(tmp_path, "enrich", "--topics", "rules.yaml", stdin=b""))

    assert [word for word in said if word not in run] == []
    assert [word for word in said if word not in filtered] == []


@pytest.mark.parametrize(
    ("kind", "document"), [("rss", RSS), ("atom", ATOM), ("rdf", RDF), ("json", JSON_FEED)]
)
def test_parse_feed_shows_each_format_as_one_row(tmp_path: Path, kind: str, document: str) -> None:
    """Relative links are resolved against the address given; a file and standard input read alike."""
    (tmp_path / "feed").write_text(document)
    options = ("--url", FEED, "--json")
    done = newswire(tmp_path, "parse-feed", "feed", *options)
    piped = newswire(tmp_path, "parse-feed", "-", *options, stdin=document.encode())
    (row,) = rows(done.stdout)
    (entry,) = row["entries"]

    assert (done.returncode, piped.stdout) == (0, done.stdout)
    assert (row["format"], row["title"]) == (kind, "World")
    assert (entry["url"], entry["title"]) == ("https://courier.example/a", "Talks & bids")
    assert set(entry) == {
        "id", "url", "title", "published_at", "updated_at", "authors", "summary", "tags",
    }  # fmt: skip
    if kind in {"rss", "atom"}:
        assert entry["published_at"] == "2026-11-23T10:00:00+01:00"


def test_parse_feed_without_json_is_for_people(tmp_path: Path) -> None:
    """A line for the feed, a line for each entry."""
    done = newswire(tmp_path, "parse-feed", "-", "--url", FEED, stdin=RSS.encode())

    head, entry = done.stdout.splitlines()
    assert head == "World (rss, 1 entries)"
    assert entry.split() == [
        "2026-11-23",
        "10:00:00+01:00",
        "Talks",
        "&",
        "bids",
        "https://courier.example/a",
    ]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b" \n", "empty-body"),
        (HTML.encode(), "html"),
        (b"noise", "not-a-feed"),
        (b"<rss>" * 4_000_000, "too-large"),
    ],
    ids=["nothing", "html", "noise", "too large"],
)
def test_parse_feed_says_what_is_no_feed(tmp_path: Path, document: bytes, code: str) -> None:
    """As an error in a row, with exit code 1; for people on standard error."""
    done = newswire(tmp_path, "parse-feed", "-", "--json", stdin=document)
    plain = newswire(tmp_path, "parse-feed", "-", stdin=document)
    (row,) = rows(done.stdout)

    assert done.returncode == plain.returncode == 1
    assert row["error"]["code"] == code
    assert row["error"]["message"]
    assert (plain.stdout, row["error"]["message"] in plain.stderr) == ("", True)


def test_a_feed_without_items_is_a_feed(tmp_path: Path) -> None:
    """No entries, exit code 0."""
    empty = b'<?xml version="1.0"?><rss version="2.0"><channel><title>World</title></channel></rss>'
    done = newswire(tmp_path, "parse-feed", "-", "--json", stdin=empty)

    assert (done.returncode, rows(done.stdout)) == (0, [{"format": "rss", "title": "World", "entries": []}])


def test_extract_answers_every_line_in_order(tmp_path: Path) -> None:
    """Two hundred pages over two processes; a bad line gets an error, and the next one its article."""
    (tmp_path / "page.html").write_text(page(1))
    (tmp_path / "page.html.gz").write_bytes(gzip.compress(page(2).encode()))
    good = [{"id": n, "url": f"https://courier.example/{n}", "html": page(n)} for n in range(200)]
    special: list[Any] = [
        {"id": "file", "url": FEED, "html_path": "page.html"},
        {"id": "gz", "url": FEED, "html_path": "page.html.gz"},
        b"no JSON",
        {"id": "no-url", "html": page(1)},
        {"id": "no-html", "url": FEED},
        {"id": "no-file", "url": FEED, "html_path": "missing.html"},
        {"id": "bad-url", "url": "mailto:x", "html": page(1)},
        {"id": "short", "url": FEED, "html": "<html><p>Short.</p></html>"},
    ]
    stdin = lines(*good[:100], *special, *good[100:])
    done = newswire(tmp_path, "extract", "--workers", "2", stdin=stdin)
    answers = rows(done.stdout)
    named = {row["id"]: row for row in answers}

    ids = [None if isinstance(each, bytes) else each["id"] for each in special]
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in answers] == [*range(100), *ids, *range(100, 200)]
    assert all(f"article {row['id']} " in row["text"] for row in answers if isinstance(row["id"], int))
    assert (named["file"]["title"], named["gz"]["title"]) == ("Article 1", "Article 2")
    codes = {row["id"]: row["error"]["code"] for row in answers if "error" in row}
    assert codes == {
        None: "not-json", "no-url": "missing-field", "no-html": "missing-field", "no-file": "unreadable-file",
        "bad-url": "bad-url", "short": "no-text",
    }  # fmt: skip
    assert set(named[0]) == {
        "id", "url", "canonical_url", "title", "authors", "published_at", "published_from", "language",
        "text", "tags", "paywalled", "notes",
    }  # fmt: skip


def test_enrich_answers_every_line_in_order(tmp_path: Path) -> None:
    """Likewise; its rows are those of the design."""
    good = [
        {"id": n, "title": f"Article {n}", "text": f"Article {n} says that Berlin hosted the talks."}
        for n in range(200)
    ]
    special: list[Any] = [b"[]", b"\xff\xfe", {"id": "no-text", "title": "T"}]
    done = newswire(tmp_path, "enrich", "--workers", "2", stdin=lines(*good[:100], *special, *good[100:]))
    answers = rows(done.stdout)

    assert done.returncode == 0, done.stderr
    kinds = [row["id"] if "error" not in row else "error" for row in answers]
    assert kinds == [*range(100), "error", "error", "error", *range(100, 200)]
    assert answers[102]["id"] == "no-text"
    first = answers[0]
    assert set(first) == {"id", "language", "entities", "topics"}
    (berlin,) = [each for each in first["entities"] if each["name"] == "Berlin"]
    assert set(berlin) == {"name", "type", "wikidata", "salience", "mentions", "by"}
    (mention,) = berlin["mentions"]
    assert good[0][mention["field"]][mention["start"] : mention["end"]] == mention["text"] == "Berlin"  # type: ignore[index]


def test_a_filter_with_nothing_to_do_ends_well(tmp_path: Path) -> None:
    """No line, no answer."""
    done = newswire(tmp_path, "extract", "--workers", "1", stdin=b"\n\n")

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("only", [(), ("--only", "enrich")], ids=["all", "enrich alone"])
def test_run_ends_well_on_sigterm_and_leaves_no_child(tmp_path: Path, only: tuple[str, ...]) -> None:
    """All services, or one by itself."""
    env = {"NEWSWIRE_WORKERS": "1"}
    log = tmp_path / "run.log"
    with started(tmp_path, "run", *only, env=env) as process:
        until(lambda: "services.started" in log.read_text(), 60)
        children = children_of_newswire(tmp_path)
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)

    assert code == 0, log.read_text()
    assert len(children) == (1 if only else 2)
    assert children_of_newswire(tmp_path) == []
    assert "services.stopped" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert ("enrich" in log.read_text(), "ingest" in log.read_text()) == (True, not only)
    assert ("no feeds yet" in log.read_text()) is not bool(only)
