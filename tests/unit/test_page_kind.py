"""Walls, bot checks and shells told from articles."""

from datetime import UTC, datetime

import pytest

from newswire.events import Reason
from newswire_ingest.extract import Extraction, NotAnArticle, extract
from newswire_ingest.page_kind import looks_like_bot_check

pytestmark = pytest.mark.unit

FETCHED = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENTENCE = "The harbour council voted on Tuesday to dredge the old channel before winter sets in. "
BANNER = (
    '<div id="cookie-consent"><h2>We value your privacy</h2><p>We and our partners store and/or access'
    " information on a device. Accept all or manage preferences to continue with personalised ads.</p>"
    "<button>Accept all</button><button>Reject all</button></div>"
)


def read(
    title: str, body: str, url: str = "https://herald.example/world/harbour-vote"
) -> Extraction | NotAnArticle:
    """Extract a page of this title and body."""
    html = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    return extract(html.encode(), url, "utf-8", FETCHED)


@pytest.mark.parametrize(
    ("title", "body", "reason"),
    [
        (
            "Just a moment...",
            "<p>Verify you are human by completing the action below.</p>",
            Reason.BOT_CHECK,
        ),
        (
            "herald.example",
            "<h1>Un momento</h1><p>Verifica di non essere un robot per andare avanti.</p>",
            Reason.BOT_CHECK,
        ),
        (
            "Проверка",
            "<p>Подтвердите, что вы не робот, чтобы перейти на сайт. Это займет секунду.</p>",
            Reason.BOT_CHECK,
        ),
        (
            "herald.example",
            "<script src='https://geo.captcha-delivery.com/c.js'></script><p>Wait</p>",
            Reason.BOT_CHECK,
        ),
        (
            "Zustimmung",
            (
                "<main><h1>Zustimmung</h1><p>Wir und unsere Partner verarbeiten Daten, um "
                "Werbung zu zeigen. Mit Werbung weiterlesen oder Pur abonnieren, beides ist "
                "möglich.</p></main>"
            ),
            Reason.CONSENT_WALL,
        ),
        (
            "Le Héraut",
            (
                "<main><p>Avec votre accord, nous et nos partenaires utilisons des cookies pour "
                "stocker des données personnelles. Tout accepter ou continuer sans "
                "accepter.</p></main>"
            ),
            Reason.CONSENT_WALL,
        ),
        (
            "Twoja prywatność",
            (
                "<main><p>My i nasi partnerzy przechowujemy informacje na urządzeniu, aby "
                "pokazywać reklamy. Zaakceptuj wszystko i przejdź do serwisu.</p></main>"
            ),
            Reason.CONSENT_WALL,
        ),
        (
            "Privacy",
            (
                "<main><p>Wij en onze partners gebruiken cookies om advertenties te tonen die "
                "bij u passen. Alles accepteren of instellingen beheren.</p></main>"
            ),
            Reason.CONSENT_WALL,
        ),
        (
            "Log in",
            "<h1>Log in</h1><form><input name=u><input type=password name=p></form>",
            Reason.LOGIN_WALL,
        ),
        (
            "Вісник",
            (
                "<main><p>Увійдіть, щоб прочитати цей матеріал повністю. Забули пароль? Напишіть "
                "нам листа, і ми допоможемо вам повернути доступ.</p></main>"
            ),
            Reason.LOGIN_WALL,
        ),
        (
            "Página no encontrada",
            (
                "<h1>Página no encontrada</h1><p>La página que buscas ya no está aquí, prueba "
                "con nuestro buscador o vuelve a la portada del diario.</p>"
            ),
            Reason.NOT_AN_ARTICLE,
        ),
        (
            "404",
            (
                "<h1>404</h1><p>Sorry, the page you are looking for has moved or never was. Try "
                "our search.</p>"
            ),
            Reason.NOT_AN_ARTICLE,
        ),
        (
            "App",
            ("<div id=root></div><noscript>You need to enable JavaScript to run this app.</noscript>"),
            Reason.NO_TEXT,
        ),
        (
            "Short",
            "<p>Too little.</p>",
            Reason.NO_TEXT,
        ),
        ("Before you continue", f"<main>{BANNER}</main>", Reason.CONSENT_WALL),
    ],
)
def test_walls_are_recognised(title: str, body: str, reason: Reason) -> None:
    """Each kind of wall ends with its own reason, in the languages of the world."""
    result = read(title, body)

    assert isinstance(result, NotAnArticle)
    assert result.reason is reason
    assert result.message


@pytest.mark.parametrize("sentences", [2, 8, 60])
def test_article_with_a_consent_banner_is_an_article(sentences: int) -> None:
    """What the banner says is not what the article says."""
    article = f"<article><h1>Harbour vote</h1><p>{SENTENCE * sentences}</p></article>"
    result = read("Harbour vote", BANNER + article)

    assert isinstance(result, Extraction)
    assert "partners" not in result.text


def test_article_about_walls_is_an_article() -> None:
    """An article may speak of cookies, captchas and passwords."""
    text = "We use cookies, says the banner; accept all, it begs. " + SENTENCE * 8
    result = read(
        "Why sites ask to accept all", f"<article><h1>Why sites ask</h1><p>{text}</p><p>{text}x</p></article>"
    )

    assert isinstance(result, Extraction)


def test_listing_is_no_article() -> None:
    """A page that is nothing but links to other pages has no text of its own."""
    links = "".join(
        f'<li><a href="/{n}">Story number {n} of the day, told at length here</a></li>' for n in range(50)
    )
    result = read("World", f"<main><ul>{links}</ul></main>", "https://herald.example/world")

    assert isinstance(result, NotAnArticle)
    assert result.reason in {Reason.NOT_AN_ARTICLE, Reason.NO_TEXT}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<html><head><title>Just a moment...</title>", True),
        (b"<script>window._cf_chl_opt={}</script>", True),
        (b"<script src=https://ct.captcha-delivery.com/i.js>", True),
        (b"<h1>403 Forbidden</h1><hr>nginx", False),
        (b"<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script><p>text", False),
        (b"", False),
    ],
)
def test_bot_check_is_seen_in_the_bytes(body: bytes, expected: bool) -> None:
    """A refused request tells by its body whether a robot was suspected."""
    assert looks_like_bot_check(body) is expected
