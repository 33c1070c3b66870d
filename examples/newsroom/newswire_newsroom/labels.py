"""The small print of pages in each language of the newsroom."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Labels:
    """What a page says around its article; plain text that needs no escaping."""

    by: str
    advertisement: str
    cookies: str
    accept: str
    refuse: str
    related: str
    newsletter: str
    subscribe: str
    comments_title: str
    comments: tuple[tuple[str, str], ...]
    paywall: str
    share: str
    imprint: str
    privacy: str


ENGLISH = Labels(
    by="By",
    advertisement="Advertisement",
    cookies="We use cookies to count our readers.",
    accept="Accept all",
    refuse="Only what is needed",
    related="More on this",
    newsletter="Our morning letter, at six, free of charge",
    subscribe="Subscribe",
    comments_title="Readers write",
    comments=(
        ("oldsailor", "Glad that somebody reports this calmly."),
        ("M. T.", "And who pays for it all?"),
    ),
    paywall="The rest of this article is for subscribers.",
    share="Share this page",
    imprint="Imprint",
    privacy="Privacy",
)

GERMAN = Labels(
    by="Von",
    advertisement="Anzeige",
    cookies="Wir verwenden Cookies, um unsere Leser zu zählen.",
    accept="Alle annehmen",
    refuse="Nur notwendige",
    related="Mehr zum Thema",
    newsletter="Unser Morgenbrief, um sechs, kostenlos",
    subscribe="Abonnieren",
    comments_title="Leserstimmen",
    comments=(("Kiebitz", "Endlich einmal nüchtern berichtet."), ("H. B.", "Und wer soll das bezahlen?")),
    paywall="Den ganzen Artikel lesen Abonnenten.",
    share="Seite teilen",
    imprint="Impressum",
    privacy="Datenschutz",
)

UKRAINIAN = Labels(
    by="Автор:",
    advertisement="Реклама",
    cookies="Ми використовуємо файли cookie, щоб рахувати читачів.",
    accept="Прийняти всі",
    refuse="Лише необхідні",
    related="Читайте також",
    newsletter="Ранковий лист о шостій, безкоштовно",
    subscribe="Підписатися",
    comments_title="Відгуки читачів",
    comments=(("Марія", "Дякую за спокійну розповідь."), ("Сусід", "А хто за це платитиме?")),
    paywall="Повний текст доступний передплатникам.",
    share="Поділитися",
    imprint="Редакція",
    privacy="Приватність",
)

BY_LANGUAGE: Mapping[str, Labels] = {"en": ENGLISH, "de": GERMAN, "uk": UKRAINIAN}


def labels(language: str) -> Labels:
    """Return the labels of a language."""
    return BY_LANGUAGE[language]
