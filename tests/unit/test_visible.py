"""Strings of strangers on a terminal."""

import pytest

from newswire.terminal import visible, visible_lines

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Über Berlin – 東京 👍", "Über Berlin – 東京 👍"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202etxt", r"abc\u202etxt"),
        ("\ud800", r"\ud800"),
        ("\u2028", r"\u2028"),
    ],
    ids=["letters", "escape", "line ends", "C1", "right to left", "half a surrogate pair", "separator"],
)
def test_what_could_steer_a_terminal_is_an_escape(text: str, shown: str) -> None:
    """Letters of all scripts stay."""
    assert visible(text) == shown
    shown.encode()


def test_line_ends_stay_where_there_are_lines() -> None:
    """And nothing else."""
    assert visible_lines("a\nb\x1b\rc") == "a\nb\\x1b\\rc"
