"""Text from outside on a terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.terminal import json_line, plain

pytestmark = pytest.mark.unit

ESCAPE = "\x1b[2J\x1b]0;owned\x07"


def harmless(text: str) -> bool:
    """Tell whether text holds nothing that a terminal would act on."""
    return not any(
        ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029\u202e\u2066\u200f" for c in text
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Talks in Kyiv", "Talks in Kyiv"),
        ("two\nlines\tand\r\na tab", "two lines and  a tab"),
        (ESCAPE, "�[2J�]0;owned�"),
        ("\x9b31mred", "�31mred"),
        ("abc\u202edef", "abc�def"),
        ("half \ud83d", "half �"),
        ("família 🎉 Україна", "família 🎉 Україна"),
    ],
)
def test_control_characters_are_replaced(text: str, shown: str) -> None:
    """Spaces stay spaces; letters and signs of all scripts stay what they are."""
    assert plain(text) == shown


@given(st.text())
def test_nothing_dangerous_is_left(text: str) -> None:
    """Whatever the text."""
    assert harmless(plain(text))
    plain(text).encode()


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_a_line_of_json_says_the_same_and_is_harmless(value: object) -> None:
    """Control characters are escaped, not lost."""
    line = json_line(value)

    assert harmless(line)
    assert json.loads(line) == value
