"""The checkers of chaos themselves: each fault is seen, and what is legitimate is not complained of."""

from typing import Any

import pytest
from chaos.checks import (
    End,
    Letter,
    Remains,
    Stored,
    Version,
    complaints,
    ended_otherwise,
    ended_twice,
    letters_otherwise,
    repeated,
    shrinking,
    stored_older,
    stored_otherwise,
    twice,
    without_beginning,
)

from newswire.events import OutcomeKind, Reason

pytestmark = pytest.mark.unit

NEW = End("e1", OutcomeKind.INDEXED, Reason.NEW, "a")
UPDATED = End("e2", OutcomeKind.INDEXED, Reason.UPDATED, "a")
SAME = End("e2", OutcomeKind.UNCHANGED, Reason.SAME_CONTENT, "a")
COPY = End("e3", OutcomeKind.DUPLICATE, Reason.OTHER_SOURCE, "a")
GONE = End("e4", OutcomeKind.DISCARDED, Reason.GONE)
SLOW = End("e4", OutcomeKind.DISCARDED, Reason.TIME_OUT)
DEAD = End("k", OutcomeKind.DEAD_LETTERED, Reason.MEMORY_LIMIT)

FIRST = Version("a", 10, 1, "x", "e1")
GROWN = Version("a", 20, 1, "x")
SECOND = Version("a", 30, 2, "y", "e2")
STORED = {"a": Stored(30, "News", "y")}
URLS = {
    "e1": "https://a.example/",
    "e2": "https://a.example/",
    "e3": "https://a.example/",
    "k": "https://k.example/",
}
KILLERS = ["https://k.example/"]


def remains(
    versions: list[Version] | None = None,
    ends: list[End] | None = None,
    letters: list[Letter] | None = None,
    stored: dict[str, Stored] | None = None,
) -> Remains:
    """Return what an undisturbed run leaves, but for what is given."""
    return Remains(
        versions=[FIRST, GROWN, SECOND] if versions is None else versions,
        ends=[NEW, COPY, UPDATED, GONE] if ends is None else ends,
        letters=[] if letters is None else letters,
        stored=STORED if stored is None else stored,
        urls=URLS,
    )


def disturbed(**differing: Any) -> Remains:
    """Return what is left where a killer was planted and found, but for what is given."""
    planted = remains(ends=[NEW, COPY, UPDATED, GONE, DEAD], letters=[Letter(KILLERS[0], "memory-limit")])
    return planted._replace(**differing)


def test_two_runs_that_agree_are_not_complained_of() -> None:
    """The killer stands in the disturbed one only."""
    assert complaints(remains(), disturbed(), KILLERS) == []


@pytest.mark.parametrize(
    ("differing", "said"),
    [
        ({"versions": [FIRST, GROWN, SECOND, SECOND]}, "stands 2 times"),
        ({"versions": [SECOND, FIRST]}, "comes after 30"),
        ({"versions": [FIRST, SECOND._replace(content_hash="x")]}, "the same content"),
        ({"stored": {}}, "is missing: News"),
        ({"stored": {"a": Stored(20, "News", "y")}}, "version 20 is stored, 30 is newest"),
        ({"ends": [NEW, COPY, UPDATED, GONE, DEAD, SAME]}, "ended 2 times: indexed: updated, unchanged"),
        ({"ends": [NEW, COPY, UPDATED, DEAD]}, "e4 (None) never ended"),
        ({"letters": []}, "has 0 dead letters"),
    ],
)
def test_all_checks_are_asked(differing: dict[str, Any], said: str) -> None:
    """Each kind of fault shows in the whole."""
    assert any(said in each for each in complaints(remains(), disturbed(**differing), KILLERS))


def test_a_version_may_stand_on_the_log_once() -> None:
    """Twice is what exactly-once rules out, also with other versions between."""
    assert list(twice([FIRST, SECOND])) == []
    assert len(list(twice([FIRST, SECOND, FIRST]))) == 1


def test_versions_of_one_article_grow_and_others_do_not_count() -> None:
    """Two articles in one partition know nothing of each other."""
    other = Version("b", 5, 1, "z", "e9")

    assert list(shrinking([SECOND, other])) == []
    assert len(list(shrinking([SECOND, other, FIRST]))) == 1


@pytest.mark.parametrize(
    "versions",
    [
        [FIRST, FIRST._replace(version=11)],  # a fetch's result twice, under two versions
        [FIRST, SECOND._replace(revision=1)],  # other content under the same revision
        [FIRST, SECOND._replace(revision=3)],  # a revision was lost
        [FIRST, GROWN._replace(revision=2)],  # a source more is no revision
        [FIRST, GROWN._replace(content_hash="y")],  # nor other content
    ],
)
def test_a_revision_is_made_once_by_one_fetch(versions: list[Version]) -> None:
    """Whatever was decided on stale knowledge shows in the numbers."""
    assert len(list(repeated(versions))) == 1


def test_revisions_and_further_sources_in_order_are_fine() -> None:
    """A compacted topic may have lost the first ones."""
    assert list(repeated([FIRST, GROWN, SECOND, SECOND._replace(version=31, entry_id=None)])) == []
    assert list(repeated([SECOND])) == []


def test_what_is_stored_is_compared_by_title_and_content_and_not_by_version() -> None:
    """Versions are times."""
    assert list(stored_otherwise(STORED, {"a": Stored(99, "News", "y")})) == []
    for found in (
        {"a": Stored(30, "Olds", "y")},
        {"a": Stored(30, "News", "x")},
        {},
        {**STORED, "b": STORED["a"]},
    ):
        assert len(list(stored_otherwise(STORED, found))) == 1


def test_the_newest_version_is_the_stored_one() -> None:
    """Else the index has stopped before the end."""
    assert list(stored_older([FIRST, SECOND], STORED)) == []
    assert len(list(stored_older([FIRST, SECOND, SECOND._replace(version=31)], STORED))) == 1


def test_an_entry_ends_once() -> None:
    """A second outcome is a double, even of the same kind."""
    assert list(ended_twice([NEW, COPY])) == []
    assert len(list(ended_twice([NEW, NEW]))) == 1


def test_a_step_taken_again_is_borne_where_a_broker_died() -> None:
    """Its outcome comes again or says unchanged; one that says something else is still a fault."""
    again = NEW._replace(kind=OutcomeKind.UNCHANGED, reason=Reason.SAME_CONTENT)
    other = NEW._replace(kind=OutcomeKind.DISCARDED, reason=Reason.GONE)

    assert list(ended_twice([NEW, again, NEW], broker_died=True)) == []
    assert len(list(ended_twice([NEW, again]))) == 1
    assert len(list(ended_twice([NEW, other], broker_died=True))) == 1


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (UPDATED, SAME),
        (UPDATED._replace(entry_id="e3"), COPY),
        (NEW, NEW._replace(kind=OutcomeKind.DUPLICATE)),
    ],
)
def test_who_comes_first_may_differ(there: End, here: End) -> None:
    """A lost fetch may have shown the update already; of two feeds either may bring the article."""
    assert list(ended_otherwise(remains(ends=[there]), remains(ends=[here]), ())) == []


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ([GONE], [SLOW]),
        ([NEW], [NEW._replace(kind=OutcomeKind.DISCARDED, reason=Reason.TIME_OUT)]),
        ([NEW], [NEW._replace(kind=OutcomeKind.DEAD_LETTERED, reason=Reason.WALL_LIMIT)]),
        ([NEW, UPDATED], [NEW]),
        ([NEW], [NEW, UPDATED]),
    ],
)
def test_what_is_lost_or_given_up_may_not_differ(there: list[End], here: list[End]) -> None:
    """Nor may an entry be made up."""
    assert len(list(ended_otherwise(remains(ends=there), remains(ends=here), KILLERS))) == 1


def test_an_article_begins_with_one_new_entry() -> None:
    """None is a lost outcome, two are two owners."""
    assert list(without_beginning([NEW, UPDATED], STORED)) == []
    assert len(list(without_beginning([UPDATED], STORED))) == 1
    assert len(list(without_beginning([NEW, NEW._replace(entry_id="e3")], STORED))) == 1


def test_dead_letters_are_those_of_killers_once_each() -> None:
    """A harmless page among them is a fault of ours."""
    killer = Letter(KILLERS[0], "memory-limit")

    assert list(letters_otherwise([killer], KILLERS)) == []
    assert len(list(letters_otherwise([killer, killer], KILLERS))) == 1
    assert len(list(letters_otherwise([killer, Letter("https://a.example/", "wall-limit")], KILLERS))) == 1
    assert len(list(letters_otherwise([], KILLERS))) == 1
