"""Which lines of an article are running prose, and which are headings whose capitals mean nothing."""

import re

_LINE = re.compile(r"[^\n]+")
_ENDED = re.compile(r"[.!…:;,][\"'’”»)\]]*$|[”\"»]$")
_LONGEST = 110  # characters of a heading
_MOST_WORDS = 16
_WRAPPED_FROM, _WRAPPED_TO = 50, 90  # characters of a line in a text with hard line ends
_MOSTLY = 0.6  # share of a heading's long words that are capitalised


def headings(text: str) -> list[tuple[int, int]]:
    """Return the spans of the lines that look like headings; a text of one line has none."""
    lines = [(m.start(), m.end()) for m in _LINE.finditer(text) if m.group().strip()]
    if len(lines) <= 1 or _hard_wrapped(text, lines):
        return []
    return [span for span in lines if is_heading(text[slice(*span)].strip())]


def is_heading(line: str) -> bool:
    """Tell whether a line is short and not ended as a sentence, or written in title case."""
    words = line.split()
    if len(line) > _LONGEST or len(words) > _MOST_WORDS:
        return False
    return not (line[-1] == "?" and not title_case(line)) and (not _ENDED.search(line))


def title_case(line: str) -> bool:
    """Tell whether most long words of a line begin with a capital."""
    long = list(re.findall(r"[^\W\d_]{4,}", line))
    return bool(long) and sum(w[0].isupper() for w in long) >= _MOSTLY * len(long)


def prose(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the text with headings blanked out, every character in its place."""
    parts, last = [], 0
    for start, end in spans:
        parts += [text[last:start], " " * (end - start)]
        last = end
    return "".join([*parts, text[last:]])


def _hard_wrapped(text: str, lines: list[tuple[int, int]]) -> bool:
    """Tell whether lines end where the column ends, not where the sentence does."""
    wide = [text[a:b].rstrip() for a, b in lines if _WRAPPED_FROM <= b - a <= _WRAPPED_TO]
    open_ended = [line for line in wide if not _ENDED.search(line) and line[-1] != "?"]
    return len(open_ended) > len(lines) / 2
