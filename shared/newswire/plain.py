"""Strings of strangers on a terminal: what could steer it is shown as an escape."""


def plain(text: str) -> str:
    """Return a text in one line whose control and formatting characters are escapes."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def plain_lines(text: str) -> str:
    """Return a text whose line ends stay."""
    return "\n".join(plain(line) for line in text.split("\n"))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
