"""Case forms of Russian and Ukrainian names, good enough to find them in running text.

More forms are made than the language has: a form that nobody writes finds nothing.
"""

from itertools import islice, product

LANGUAGES = frozenset({"ru", "uk"})
_SHORTEST = 4  # letters; shorter names and abbreviations stay as they are
_MOST = 150  # forms of one phrase

# The longest ending that fits is replaced by each of its forms.
_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ский", ("ского", "скому", "ским", "ском")),
    ("ський", ("ського", "ському", "ським")),
    ("ая", ("ой", "ую")),
    ("ия", ("ии", "ию", "ией")),
    ("ія", ("ії", "ію", "ією")),
    ("ое", ("ого", "ому", "ым", "ом")),
    ("не", ("ного", "ному", "ним")),
    ("ые", ("ых", "ым", "ыми")),
    ("ий", ("ого", "его", "ому", "им", "ия", "ию", "ием")),
    ("ый", ("ого", "ому", "ым", "ом")),
    ("ів", ("ова", "ову", "ові", "овом", "єва", "єву", "єві", "євом", "ева", "еву", "еві", "евом")),
    ("їв", ("єва", "єву", "єві", "євом")),
    ("ець", ("ця", "цю", "цем", "ці", "цьку", "цька", "цьком")),
    ("а", ("ы", "и", "е", "у", "ой", "ою", "і")),
    ("я", ("и", "ю", "е", "ей", "ею", "і")),
    ("ь", ("я", "ю", "ем", "е", "и", "ью", "ём", "і")),
    ("й", ("я", "ю", "ем", "е", "єм", "ї")),
)
_CONSONANT = ("а", "у", "ом", "е", "ым", "им", "ові", "ою", "і")
_CONSONANTS = "бвгґджзклмнпрстфхцчшщ"


def forms(word: str) -> tuple[str, ...]:
    """Return a word and its case forms."""
    if len(word) < _SHORTEST or word.isupper() or not word[0].isupper():
        return (word,)
    for ending, others in _ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            return (word, *(stem + other for other in others))
    return (word, *(word + other for other in _CONSONANT)) if word[-1] in _CONSONANTS else (word,)


def phrase_forms(phrase: str) -> tuple[str, ...]:
    """Return a phrase with each of its words in every form."""
    combined = product(*(forms(word) for word in phrase.split(" ")))
    return tuple(" ".join(words) for words in islice(combined, _MOST))
