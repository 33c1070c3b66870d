"""Every release of the contract against today's classes: nothing that was ever published may stop to work.

A failure says that messages which lie on topics, or programs which read them, would break. Make the change a
new version of the event on a new topic, or an optional field. Never change a file of a release.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from newswire import releases, schemas
from newswire.compatibility import document_breaks, reserved_fields
from newswire.errors import SettingsError
from newswire.events import EVENTS, Enriched, Event, Feed, Outcome, Reason
from newswire.schemas import ASYNCAPI, contract_files, schema_of

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "golden"
RELEASES = releases.releases()
NAME = "2027-01-01"
each_release = pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place for releases, with the first in it."""
    releases.release("2026-11-24", contract_files(), tmp_path)
    return tmp_path


def holds(new: Any, old: Any) -> bool:
    """Say whether a value still says all that it said: objects may have gained fields, nothing else."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and holds(new[key], old[key]) for key in old)
    if isinstance(old, list):
        pairs = zip(new, old, strict=True) if isinstance(new, list) and len(new) == len(old) else None
        return pairs is not None and all(holds(after, before) for after, before in pairs)
    return bool(new == old)


def todays(event: type[Event]) -> Iterator[dict[str, Any]]:
    """Yield what today's class writes of its examples."""
    for line in releases.example_lines(event).splitlines():
        yield json.loads(event.from_bytes(line.encode()).to_bytes())


def test_there_is_a_release() -> None:
    """The other tests look at something: each event was in one."""
    released = {path.stem for release in RELEASES for path in release.glob("*.jsonl")}

    assert released == {event.topic for event in EVENTS}


def test_released_files_are_as_they_were() -> None:
    """They may be added to by a new release, and never change."""
    assert releases.tampered() == []


@each_release
@every_event
def test_released_messages_are_read_to_the_same_meaning(release: Path, event: type[Event]) -> None:
    """Whatever lies on a topic says today what it said when it was written."""
    for line in releases.messages(release, event):
        read = event.from_bytes(line)

        assert holds(json.loads(read.to_bytes()), json.loads(line))
        assert event.from_bytes(read.to_bytes()) == read


@each_release
@every_event
def test_what_a_released_message_leaves_out_means_what_it_meant(release: Path, event: type[Event]) -> None:
    """The minimal message and the same as it was written with all its defaults."""
    lines = releases.messages(release, event)

    assert not lines or event.from_bytes(lines[1]) == event.from_bytes(lines[2])


@each_release
@every_event
def test_released_schemas_accept_what_is_written_today(release: Path, event: type[Event]) -> None:
    """A reader who validates with the file that he took then reads on."""
    schema = releases.schema(release, event)
    validator = Draft202012Validator(schema or {}, format_checker=Draft202012Validator.FORMAT_CHECKER)

    assert [error.message for each in todays(event) for error in validator.iter_errors(each)] == []


@each_release
def test_released_schemas_accept_values_of_tomorrow(release: Path) -> None:
    """A reason or a type that is added later must not stop a reader who validates."""
    schema = releases.schema(release, Outcome)
    outcome = {**next(todays(Outcome)), "reason": "of-tomorrow"}
    article = next(todays(Enriched))
    article["entities"][0]["type"] = article["text_from"] = "of-tomorrow"

    assert "of-tomorrow" not in set(Reason)
    Draft202012Validator(schema or {}).validate(outcome)
    Draft202012Validator(releases.schema(release, Enriched) or {}).validate(article)


@each_release
def test_no_reader_and_no_message_of_a_release_would_break(release: Path) -> None:
    """Fields, types, enums, headers, addresses: the structure itself is compared."""
    assert list(releases.breaks_since(release, contract_files())) == []


def test_a_release_holds_what_today_is_published(folder: Path) -> None:
    """Messages, schemas and the document, each file with its sum."""
    names = {path.name for path in (folder / "2026-11-24").iterdir()}
    lines = releases.messages(folder / "2026-11-24", Feed)

    assert names == contract_files().keys() | {f"{event.topic}.jsonl" for event in EVENTS}
    assert [json.loads(line)["feed_id"] for line in lines] == [json.loads(lines[0])["feed_id"]] * 3
    assert releases.tampered(folder) == []


def test_a_release_holds_no_reserved_field(folder: Path) -> None:
    """Nobody writes them yet, so they may be given any type later."""
    reserved = reserved_fields(schema_of(Enriched))

    assert reserved
    for line in releases.messages(folder / "2026-11-24", Enriched):
        assert not json.loads(line).keys() & reserved


def test_a_release_is_never_rewritten(folder: Path) -> None:
    """A second one of the same name is refused, and nothing is touched."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(SettingsError, match="is there already"):
        releases.release("2026-11-24", contract_files(), folder)

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "x y"])
def test_a_release_has_a_name_for_a_folder(name: str, tmp_path: Path) -> None:
    """It becomes one."""
    with pytest.raises(SettingsError, match="is named with"):
        releases.release(name, contract_files(), tmp_path)


def test_a_release_that_breaks_an_earlier_one_is_refused(folder: Path) -> None:
    """The message says what would break, and for whom."""
    files = contract_files()
    schema = schema_of(Feed)
    del schema["properties"]["title"]
    files[f"{Feed.topic}.json"] = json.dumps(schema)
    del files[f"{Outcome.topic}.json"]
    with pytest.raises(SettingsError) as caught:
        releases.release(NAME, files, folder)

    assert "2026-11-24 newswire.feeds.v1 $.title: was removed" in str(caught.value)
    assert "2026-11-24 newswire.outcomes.v1.json: was removed" in str(caught.value)
    assert not (folder / NAME).exists()


def test_a_second_release_is_added(folder: Path) -> None:
    """Sums of both stand in one file."""
    releases.release(NAME, contract_files(), folder)

    assert [path.name for path in releases.releases(folder)] == ["2026-11-24", NAME]
    assert releases.tampered(folder) == []


def test_a_changed_a_missing_and_a_new_file_are_found(folder: Path) -> None:
    """Whatever is done to a release is seen."""
    release = folder / "2026-11-24"
    (release / f"{Feed.topic}.jsonl").write_text("{}\n", encoding="utf-8")
    (release / f"{Feed.topic}.json").unlink()
    (release / "slipped-in.jsonl").write_text("{}\n", encoding="utf-8")

    assert releases.tampered(folder) == [
        f"2026-11-24/{Feed.topic}.json",
        f"2026-11-24/{Feed.topic}.jsonl",
        "2026-11-24/slipped-in.jsonl",
    ]


def test_the_command_refuses_a_release_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line, no traceback."""
    code = schemas.main(["--release", RELEASES[0].name])

    assert code == 2
    assert "is there already" in capsys.readouterr().err


def channel(name: str = "newswire.x.v1", policy: str = "compact", *messages: str) -> dict[str, Any]:
    """Return a channel of an AsyncAPI document."""
    return {
        "address": name,
        "messages": {key: {} for key in messages or ("x",)},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": [policy]}}},
    }


def headers(*required: str, **properties: str) -> dict[str, Any]:
    """Return an AsyncAPI document's schemas with one of headers."""
    return {
        "h": {
            "type": "object",
            "required": list(required),
            "properties": {name: {"type": kind} for name, kind in properties.items()},
        }
    }


def described(channels: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared of an AsyncAPI document."""
    return {"channels": channels, "components": {"schemas": schemas}}


@pytest.mark.parametrize(
    ("channels", "schemas", "said"),
    [
        ({}, headers("a", a="string"), ["the channel x was removed"]),
        ({"x": channel("y")}, headers("a", a="string"), ["x: the address was newswire.x.v1, is y"]),
        (
            {"x": channel("newswire.x.v1", "delete")},
            headers("a", a="string"),
            ["x: cleanup.policy was ['compact'], is ['delete']"],
        ),
        (
            {"x": channel("newswire.x.v1", "compact", "y")},
            headers("a", a="string"),
            ["x: the message x was removed"],
        ),
        ({"x": channel()}, headers(a="string"), ["h $.a: became optional"]),
        ({"x": channel()}, headers("a", a="integer"), ["h $.a: type was string, is integer"]),
        ({"x": channel()}, {}, ["the schema h was removed"]),
        ({"x": channel(), "y": channel("y")}, headers("a", a="string", b="string"), []),
    ],
)
def test_breaks_of_the_document_are_found(
    channels: dict[str, Any], schemas: dict[str, Any], said: list[str]
) -> None:
    """Addresses, nulls, headers and compaction are part of what readers rely on; new ones are not missed."""
    old = described({"x": channel()}, headers("a", a="string"))

    assert document_breaks(old, described(channels, schemas)) == said


def test_the_document_is_released_too() -> None:
    """Each release has one."""
    assert all((release / ASYNCAPI).is_file() for release in RELEASES)
