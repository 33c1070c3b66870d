"""How Elasticsearch marks what matched, and what is shown of it."""

from typing import Any

import pytest

from newswire_index.elastic.highlights import LONG, Marked, highlighting, highlights_of, kinds_of
from newswire_index.highlights import END, MAX_LABELS, START
from newswire_index.store import Highlight

pytestmark = pytest.mark.unit


def marked(text: str) -> str:
    """Return a text with what stands in square brackets marked."""
    return text.replace("[", START).replace("]", END)


def hit(article_id: str, language: str = "en", words: int = 5) -> dict[str, Any]:
    """Return a hit of a page."""
    return {"_id": article_id, "_source": {"language": language, "words": words}}


def test_hits_are_marked_by_language_and_length() -> None:
    """Each analysed in its own language; a language without stems is like no other."""
    page = [hit("a"), hit("b", "de"), hit("c"), hit("d", "en", LONG + 1), hit("e", "uk"), hit("f", "xx")]

    assert kinds_of(page) == {
        Marked(("en",), long=False, portion=0): ["a", "c"],
        Marked(("de",), long=False, portion=0): ["b"],
        Marked(("en",), long=True, portion=0): ["d"],
        Marked((), long=False, portion=0): ["e", "f"],
    }


def test_a_large_page_is_marked_in_portions() -> None:
    """No answer holds the texts of a thousand articles."""
    kinds = kinds_of(hit(str(number)) for number in range(250))

    assert [len(ids) for ids in kinds.values()] == [100, 100, 50]


@pytest.mark.parametrize(("long", "pieces"), [(False, 0), (True, 10)])
def test_a_text_comes_whole_unless_it_is_long(long: bool, pieces: int) -> None:
    """And is analysed as written and in its language."""
    text = highlighting(Marked(("de",), long, 0), {})["fields"]["text"]

    assert text["number_of_fragments"] == pieces
    assert text["matched_fields"] == ["text", "in.de.text"]


def test_the_part_with_most_different_words_is_shown() -> None:
    """Not the first and not the one with most marks."""
    parts = [marked(text) for text in ("[a] [a] [A]", "an [a] and a [b]", "[b]")]

    assert highlights_of({"text": parts}, ()) == (Highlight("text", "an <em>a</em> and a <em>b</em>"),)


def test_topics_are_shown_as_their_ids() -> None:
    """Dashes come back where they were, and only there."""
    found = highlights_of(
        {"topic_words": [marked("[nato bid] x"), marked("odd [one]")]}, ("other", "nato-bid x", "odd-one")
    )

    assert found == (
        Highlight("topics", "<em>nato-bid</em> x"),
        Highlight("topics", "odd-<em>one</em>"),
    )


def test_fields_come_in_order_and_names_are_few() -> None:
    """Title, text, names, topics; escaped."""
    answer = {
        "names": [marked(f"[n{number}] & co") for number in range(9)],
        "title": [marked("<b> [t]")],
        "topic_words": [marked("[x]")],
        "text": [marked("[t]")],
    }
    found = highlights_of(answer, ("x",))

    assert [each.field for each in found] == ["title", "text", *["entities"] * MAX_LABELS, "topics"]
    assert found[0].text == "&lt;b&gt; <em>t</em>"
    assert found[2].text == "<em>n0</em> &amp; co"


def test_nothing_marked_shows_nothing() -> None:
    """Such as of an article that was removed in the meantime."""
    assert highlights_of({}, ()) == ()
