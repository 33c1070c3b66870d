"""The grammar of topic rules, and what a wrong file is told."""

from pathlib import Path

import pytest

from newswire.errors import SettingsError
from newswire.events import Entity, EntityType, Mention
from newswire_enrich.entities import read
from newswire_enrich.rules import RuleError, load, parse
from newswire_enrich.topics import Tagger

pytestmark = pytest.mark.unit

HEAD = "topics:\n  - id: probe\n    name: Probe\n    version: 3\n"


def rule(when: str, extra: str = "") -> bytes:
    """Return a rule file with one topic, its condition in YAML's flow style."""
    return f"{HEAD}{extra}    when: {when}\n".encode()


def fires(when: str, text: str, *, title: str = "", extra: str = "", language: str = "en") -> bool:
    """Tell whether a condition holds for a text, in which NATO is a known entity."""
    at = text.find("NATO")
    mentions = (Mention(field="text", start=at, end=at + 4, text="NATO"),) if at >= 0 else ()
    nato = Entity(
        name="NATO", type=EntityType.ORGANISATION, wikidata="Q7184", salience=0.5, mentions=mentions
    )
    tags = Tagger(parse(rule(when, extra), "rules.yaml")).tag(
        read(title, text), language, [nato] if mentions else []
    )
    return [tag.id for tag in tags] == ["probe"]


@pytest.mark.parametrize(
    ("when", "text", "expected"),
    [
        ("bread", "Fresh Bread!", True),
        ("bread", "breadth", False),
        ("{phrases: [bread*]}", "breadth", True),
        ("{phrases: ['peace talk*']}", "peace-talks", True),
        ("{phrases: ['peace talk*']}", "peace. Talks", False),
        ("{phrases: ['sal* t']}", "salty t", True),
        ("{phrases: ['=AI']}", "AI", True),
        ("{phrases: ['=AI']}", "ai", False),
        ("{phrases: [bread], min: 2}", "bread", False),
        ("{phrases: [bread], min: 2}", "bread and bread", True),
        ("{phrases: [bread, salt], different: 2}", "bread and bread", False),
        ("{phrases: [bread, salt], different: 2}", "bread and salt", True),
        ("{any: [bread, salt]}", "salt", True),
        ("{any: [bread, salt]}", "sugar", False),
        ("{all: [bread, salt]}", "bread and salt", True),
        ("{all: [bread, salt]}", "bread", False),
        ("{all: [bread, {none: [salt]}]}", "bread", True),
        ("{all: [bread, {none: [salt]}]}", "bread and salt", False),
        ("{near: {terms: [bread, salt], within: 2}}", "bread and salt", True),
        ("{near: {terms: [bread, salt], within: 2}}", "salt and bread", True),
        ("{near: {terms: [bread, salt], within: 2}}", "bread and much more salt", False),
        ("{near: {terms: [bread, salt], within: 2}}", "bread\nsalt", False),
        ("{near: {terms: [bread, [salt, oil], wine], within: 3}}", "oil, bread, wine", True),
        ("{near: {terms: [{entity: Q7184}, [bid]], within: 3}}", "NATO bid", True),
        ("{near: {terms: [{entity: Q7184}, [bid]], within: 3}}", "a bid", False),
        ("{entity: Q7184}", "NATO met", True),
        ("{entity: nato}", "NATO met", True),
        ("{entity: [Q1, Q7184]}", "NATO met", True),
        ("{entity: Q7184}", "nobody met", False),
        ("{entity: Q7184, min: 2}", "NATO met", False),
        ("{phrases: [bread], where: title}", "bread", False),
    ],
)
def test_each_operator_holds_when_it_says(when: str, text: str, expected: bool) -> None:
    """Phrases, near, entity, any, all, none, with min, different and where."""
    assert fires(when, text) is expected


def test_where_looks_in_one_field_only() -> None:
    """A title's word makes a title condition hold, and not a text condition."""
    assert fires("{phrases: [bread], where: title}", "salt", title="Bread")
    assert not fires("{phrases: [bread], where: text}", "salt", title="Bread")


def test_a_topic_can_be_bound_to_languages() -> None:
    """Elsewhere it does not fire."""
    assert fires("bread", "bread", extra="    languages: [en]\n")
    assert not fires("bread", "bread", extra="    languages: [de]\n")


def test_a_tag_carries_version_evidence_and_score() -> None:
    """Evidence stands where it says; a word in the title makes the tag surer."""
    tagger = Tagger(parse(rule("bread"), "rules.yaml"))
    [plain] = tagger.tag(read("News", "Fresh bread and more bread."), "en", [])
    [titled] = tagger.tag(read("Bread", "Fresh bread and more bread."), "en", [])

    assert plain.by == "topics/probe@3"
    assert [(m.field, m.start, m.end, m.text) for m in plain.evidence] == [
        ("text", 6, 11, "bread"),
        ("text", 21, 26, "bread"),
    ]
    assert 0 < plain.score < titled.score <= 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"topics: [", "not YAML"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"- a list", "must hold 'topics:'"),
        (b"topic: []", "unknown key or operator 'topic'"),
        (rule("{phrase: [bread]}"), "topic probe: when: unknown key or operator 'phrase'"),
        (rule("{any: [{fuzzy: [bread]}]}"), "unknown key or operator 'fuzzy'"),
        (rule("{near: {terms: [a, b], distance: 3}}"), "unknown key or operator 'distance'"),
        (rule("bread", "    colour: red\n"), "topic probe: unknown key or operator 'colour'"),
        (rule("{phrases: [a], entity: Q1}"), "exactly one of"),
        (rule("{min: 2}"), "exactly one of"),
        (rule("{any: [a], min: 2}"), "not with any"),
        (rule("{entity: Q1, different: 2}"), "different goes with phrases only"),
        (rule("{phrases: ['…']}"), "holds no word"),
        (rule("{phrases: ['one. Two; three']}"), "punctuation that ends a phrase"),
        (rule("{phrases: []}"), "topic probe: when.phrases"),
        (rule("{near: {terms: [bread]}}"), "topic probe: when.near.terms"),
        (rule("bread") + rule("salt").removeprefix(b"topics:\n"), "topic probe: the id is given twice"),
        (b"topics:\n  - {id: Bad Id, name: x, version: 1, when: bread}", "topic Bad Id: id"),
        (b"topics:\n  - {name: x, version: 1, when: bread}", "topic number 1: id: Field required"),
        (b"topics:\n  - {id: x, name: x, version: 1}", "topic x: when: Field required"),
        (b"topics:\n  - just a string", "topic number 1"),
    ],
)
def test_a_wrong_file_is_told_in_one_line_where_and_what(content: bytes, fault: str) -> None:
    """The line begins with the file and names topic, place and fault."""
    with pytest.raises(RuleError) as caught:
        parse(content, "rules.yaml")

    assert str(caught.value).startswith("rules.yaml: ")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    """A missing file is a settings error that names it."""
    with pytest.raises(SettingsError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")
