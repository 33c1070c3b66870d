"""The language of a text."""

import pytest

from newswire_enrich.language import UNKNOWN, detect, normalise

pytestmark = pytest.mark.unit

TEXTS = {
    "en": "The ministers will meet again on Thursday to decide how the new bridge is paid for.",
    "de": "Die Minister treffen sich am Donnerstag erneut, um zu entscheiden, wer die Brücke bezahlt.",
    "fr": "Les ministres se réuniront jeudi pour décider de la manière de financer le nouveau pont.",
    "es": "Los ministros se reunirán el jueves para decidir cómo se pagará el nuevo puente.",
    "ru": "Министры снова встретятся в четверг, чтобы решить, как будет оплачен новый мост.",
    "uk": "Міністри знову зустрінуться у четвер, щоб вирішити, як буде оплачено новий міст.",
}
LONG = " ".join([TEXTS["en"]] * 3)


@pytest.mark.parametrize("code", TEXTS)
def test_a_sentence_is_enough_to_tell_common_languages(code: str) -> None:
    """The code is ISO 639-1, and the confidence a share of one."""
    said = detect(TEXTS[code])

    assert said.code == code
    assert 0.5 < said.confidence <= 1


@pytest.mark.parametrize(
    ("text", "declared", "code"),
    [
        ("OK", "de", "de"),
        ("Berlin", "fr-FR", "fr"),
        ("", "en", "en"),
        ("12:30 – 14:00", "pt_BR", "pt"),
        ("", None, UNKNOWN),
        ("", "english", UNKNOWN),
        (LONG, "en-GB", "en"),
        (LONG, "de", "en"),
        (LONG, "nonsense", "en"),
    ],
)
def test_a_declared_language_holds_unless_a_long_text_says_otherwise(
    text: str, declared: str | None, code: str
) -> None:
    """A page's declaration is a prior, not a fact."""
    assert detect(text, declared).code == code


@pytest.mark.parametrize(
    ("declared", "code"),
    [("en-GB", "en"), ("pt_BR", "pt"), ("iw", "he"), ("nb-NO", "no"), ("x", None), ("", None), (None, None)],
)
def test_language_tags_are_cut_to_iso_639_1(declared: str | None, code: str | None) -> None:
    """Regions go, withdrawn codes are renewed, and what is no tag is nothing."""
    assert normalise(declared) == code


def test_addresses_in_a_text_do_not_decide_its_language() -> None:
    """A German text full of links stays German."""
    links = " ".join(f"https://www.example.com/the-latest-news-from-the-world/{n}" for n in range(20))

    assert detect(f"{links} {TEXTS['de']}").code == "de"
