"""Character references to halves of surrogate pairs, which old systems write for emoji."""

import pytest

from newswire_ingest.feeds import parse_feed

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A &#55357;&#56832; B", "A \U0001f600 B"),
        ("A &#xD83D;&#xde00; B", "A \U0001f600 B"),
        ("A &#55357; B", "A \ufffd B"),
        ("A &#56832;&#55357; B", "A \ufffd\ufffd B"),
        ("A &#57344; B", "A \ue000 B"),
        ("A &#8364; B", "A € B"),
    ],
    ids=["pair", "pair in hex", "half", "wrong order", "just above", "ordinary"],
)
def test_halves_of_characters_do_not_make_a_feed_invalid(written: str, read: str) -> None:
    """A pair is the character that it means, a lone half is replaced, all else is as it was."""
    item = f"<item><title>{written}</title><link>https://a.example/1</link></item>"
    feed = parse_feed(f'<rss version="2.0"><channel><title>T</title>{item}</channel></rss>'.encode())

    assert [entry.title for entry in feed.entries] == [read]
