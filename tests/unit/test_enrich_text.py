"""Words, tries, headings and case forms: what the enrich service's finders stand on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_enrich import inflection, passages
from newswire_enrich.tokens import tokenise
from newswire_enrich.trie import Trie

pytestmark = pytest.mark.unit


def found(phrases: list[str], text: str, *, genitive: bool = False) -> list[str]:
    """Return what a trie of phrases finds in a text, as it stands there."""
    trie: Trie[str] = Trie()
    for phrase in phrases:
        trie.add(phrase, phrase)
    return [text[m.start : m.end] for m in trie.find(tokenise(text), genitive=genitive)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Kyiv’s plan", ["Kyiv", "s", "plan"]),
        ("the U.S. Senate", ["the", "US", "Senate"]),
        ("Washington, D.C.", ["Washington", "DC"]),
        ("Saint-Denis 2024", ["Saint", "Denis", "2024"]),
        ("", []),
        ("…—!", []),
    ],
)
def test_words_are_letters_and_digits_and_abbreviations_lose_their_dots(text: str, words: list[str]) -> None:
    """Punctuation parts words, except inside a dotted abbreviation."""
    assert tokenise(text).words == words


@given(st.text(max_size=200))
def test_offsets_of_words_match_the_text(text: str) -> None:
    """Each word stands in the text where its offsets say, whatever the text."""
    tokens = tokenise(text)

    for start, end, word in zip(tokens.starts, tokens.ends, tokens.words, strict=True):
        assert text[start:end].replace(".", "") == word


@pytest.mark.parametrize(
    ("phrases", "text", "expected"),
    [
        (["New York", "New York Times"], "the New York Times of New York", ["New York Times", "New York"]),
        (["Côte d'Ivoire"], "in Côte d’Ivoire today", ["Côte d’Ivoire"]),
        (["Security Council"], "on security. Council members", []),
        (["New York"], "New. York", []),
        (["New York"], "New\nYork", []),
        (["New York"], "New-York", ["New-York"]),
        (["New York"], "New – York", []),
        (["US"], "They told us", []),
        (["Tel Aviv"], "Tel Aviv-based", ["Tel Aviv"]),
    ],
)
def test_a_trie_finds_the_longest_phrase_within_a_clause(
    phrases: list[str], text: str, expected: list[str]
) -> None:
    """Case counts, kinds of apostrophe and hyphen do not, and no phrase reaches over a sentence end."""
    assert found(phrases, text) == expected


def test_a_genitive_s_is_left_out_of_the_span_where_the_language_has_one() -> None:
    """German "Berlins" is a mention of Berlin without its s; elsewhere it is another word."""
    assert found(["Berlin"], "Berlins Mitte", genitive=True) == ["Berlin"]
    assert found(["Berlin"], "Berlins Mitte") == []


def test_a_phrase_is_added_once_and_only_if_it_holds_a_word() -> None:
    """The first meaning of a spelling stays."""
    trie: Trie[int] = Trie()

    assert trie.add("Paris", 1)
    assert not trie.add("Paris", 2)
    assert not trie.add("…", 3)
    assert [m.payload for m in trie.find(tokenise("Paris"))] == [1]


ARTICLE = (
    "The Long Way Home\n"
    "The first paragraph is written as a sentence and ends with a full stop.\n"
    "What Comes Next?\n"
    "“It is over,” she said.\n"
    "Is it really so, they asked?\n"
    "Next steps\n"
    "Another sentence ends here."
)


def test_short_lines_without_final_punctuation_are_headings() -> None:
    """Title-case questions are headings too; spoken sentences and plain questions are prose."""
    spans = passages.headings(ARTICLE)

    assert [ARTICLE[a:b] for a, b in spans] == ["The Long Way Home", "What Comes Next?", "Next steps"]


def test_headings_are_blanked_in_place() -> None:
    """Prose keeps every offset."""
    spans = passages.headings(ARTICLE)
    prose = passages.prose(ARTICLE, spans)

    assert len(prose) == len(ARTICLE)
    assert prose.index("The first") == ARTICLE.index("The first")
    assert "Long Way" not in prose


def test_a_single_line_and_hard_wrapped_text_have_no_headings() -> None:
    """Where lines end at a column, a missing full stop says nothing."""
    wrapped = "\n".join(["The committee has met again this week to talk about the budget of"] * 6)

    assert passages.headings("Just one line without a stop") == []
    assert passages.headings(wrapped) == []


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Москва", "Москве"),
        ("Киев", "Киеве"),
        ("Россия", "России"),
        ("Зеленский", "Зеленского"),
        ("Київ", "Києві"),
        ("Львів", "Львові"),
        ("Владимир Зеленский", "Владимиру Зеленскому"),
    ],
)
def test_case_forms_of_slavic_names_are_made(name: str, form: str) -> None:
    """Every word of a name is inflected."""
    assert form in inflection.phrase_forms(name)


@pytest.mark.parametrize("name", ["НАТО", "США", "Сочи"])
def test_abbreviations_and_names_without_cases_stay(name: str) -> None:
    """Nothing is added to a name that does not change."""
    assert inflection.phrase_forms(name) == (name,)
