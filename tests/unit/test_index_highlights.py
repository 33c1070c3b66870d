"""Passages that matched are cut well and escaped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_index.highlights import END, MAX_LABELS, START, WIDTH, labels_of, passage_of
from newswire_index.sqlite.write import SEPARATOR

pytestmark = pytest.mark.unit


def mark(text: str) -> str:
    """Return a text with its words in square brackets marked as matches."""
    return text.replace("[", START).replace("]", END)


def test_a_short_text_is_shown_whole_on_one_line() -> None:
    """White space is folded and everything but the marks is escaped."""
    assert passage_of(mark("a\n\n <b>  [c&d]\te")) == "a &lt;b&gt; <em>c&amp;d</em> e"


def test_a_long_text_is_cut_around_the_match_between_words() -> None:
    """Dots stand where something was left out."""
    shown = passage_of(mark("before " * 100 + "[zebra] " + "after " * 100))

    assert shown.startswith("… before before")
    assert "<em>zebra</em> after" in shown
    assert shown.endswith("after…")


def test_the_passage_with_most_different_words_is_chosen() -> None:
    """Two words together say more than one word often."""
    gap = "x " * 300
    shown = passage_of(mark("[zebra] [zebra] [Zebra] " + gap + "[zebra] met [giraffe] " + gap + "[giraffe]"))

    assert "<em>zebra</em> met <em>giraffe</em>" in shown


@given(
    st.lists(
        st.sampled_from(["[a]", "[bb]", "c", " ", "[" + "d" * 400 + "]", "e" * 200, "<", "\n"]), max_size=60
    )
)
def test_marks_are_always_balanced(parts: list[str]) -> None:
    """However a text is cut, each mark that opens closes, and nothing else is markup."""
    shown = passage_of(mark("".join(parts)))
    depth = 0
    for piece in shown.split("<")[1:]:
        depth += 1 if piece.startswith("em>") else -1
        assert depth in {0, 1}

    assert depth == 0
    assert START not in shown
    assert END not in shown
    assert ("<em>" in shown) == any("[" in part for part in parts)


@given(st.text(alphabet="a [] ", max_size=WIDTH * 3))
def test_stray_marks_break_nothing(text: str) -> None:
    """Marks that do not belong together give as many ends as beginnings, or more."""
    shown = passage_of(mark(text))

    assert shown.count("<em>") <= shown.count("</em>")


def test_only_the_first_few_matching_names_are_shown() -> None:
    """Names without a match are left out."""
    names = SEPARATOR.join(mark(f"[Name] {number}") for number in range(9))

    assert list(labels_of("Other" + SEPARATOR + names)) == [f"<em>Name</em> {n}" for n in range(MAX_LABELS)]
