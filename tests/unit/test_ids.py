"""Identifiers: stable for ever, as they stand on topics and in indices."""

import pytest

from newswire.ids import content_hash, digest, fold_whitespace, short_digest

pytestmark = pytest.mark.unit


def test_an_id_is_the_first_half_of_a_sha256() -> None:
    """The well-known hash of abc."""
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223"
    assert short_digest("abc") == "ba7816bf8f01cfea"


def test_parts_do_not_run_together() -> None:
    """Where one ends matters."""
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", "")}) == 4


def test_a_half_character_is_hashed_too() -> None:
    """Broken JSON brings lone surrogates."""
    assert digest("\ud800") != digest("?")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  a \t\n b\u00a0\u2003c ", "a b c"),
        ("", ""),
        (" \n ", ""),
        ("e\u0301", "\u00e9"),
    ],
)
def test_white_space_is_folded(text: str, folded: str) -> None:
    """Every run of it, of every kind; letters are composed."""
    assert fold_whitespace(text) == folded


def test_a_content_hash_is_blind_to_white_space_only() -> None:
    """What is said counts, and what is the title."""
    assert content_hash("A  title", "One\n\ntwo") == content_hash(" A title", "One two ")
    assert content_hash("A title", "One two") != content_hash("A title", "one two")
    assert content_hash("A title One", "two") != content_hash("A title", "One two")
