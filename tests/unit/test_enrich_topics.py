"""The default topics: what each fires on, and what it leaves alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newswire_enrich import rules
from newswire_enrich.document import Enricher

pytestmark = pytest.mark.unit

RULES = Path(__file__).parents[2] / "deploy" / "topics.yaml"

# topic: (texts that it is about, texts that only use its words)
EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "nato-bid": (
        ["Ukraine gives up its NATO membership goal.", "Finland's bid to join NATO was accepted.",
         "Der NATO-Beitritt der Ukraine ist vom Tisch.", "Киев отказался от вступления в НАТО."],
        ["NATO soldiers trained in Norway.", "The bank's bid for its rival failed."],
    ),
    "berlin-talks": (
        ["Peace talks in Berlin entered a second day.",
         "Envoys and diplomats left the Berlin talks without a word.",
         "In Berlin begannen Friedensgespräche mit Moskau.",
         "Delegations came to Berlin on Sunday for five days of talks on ending the war.",
         "У Берліні почалися переговори: делегації обговорюють припинення вогню."],
        ["У Берліні тривають переговори про оренду житла.",
         "Berlin's housing talks stalled again.", "A film about peace was shown in Berlin."],
    ),
    "security-guarantees": (
        ["Kyiv wants security guarantees.",
         "Kiew fordert Sicherheitsgarantien.", "Киев ждёт гарантий безопасности."],
        ["The guard guarantees that security is fun.", "The bank guarantees the loan."],
    ),
    "ceasefire": (
        ["A ceasefire took hold at dawn.", "Die Waffenruhe hält.", "Стороны обсуждают прекращение огня."],
        ["The fire brigade ceased its work.", "Fire!"],
    ),
    "prisoner-exchange": (
        ["Both sides agreed on prisoner exchanges.", "Forty prisoners were exchanged at the border.",
         "Ein Gefangenenaustausch ist geplant.", "Состоялся обмен пленными."],
        ["Prisoners wrote to the stock exchange.", "The exchange student left."],
    ),
    "ukraine-war": (
        ["Russian troops and artillery shelled Kharkiv.", "Der Krieg in der Ukraine dauert an."],
        ["Ukraine won the song contest.", "Troops and artillery paraded in Chile."],
    ),
    "middle-east": (
        ["Israel and Hamas agreed on a truce, and hostages came home.", "The war in Gaza goes on."],
        ["Israel exports oranges.", "The truce in the office held."],
    ),
    "nuclear-weapons": (
        ["North Korea tested a nuclear weapon.", "Iran setzt die Urananreicherung fort."],
        ["The nuclear family is shrinking.", "The album is called Atomic Bomb."],
    ),
    "terrorism": (
        ["A suicide bomber struck the market.", "Nach dem Terroranschlag wurde ermittelt."],
        ["The film is a terror to sit through.", "A bath bomb and a car."],
    ),
    "elections": (
        ["The presidential election is on Sunday.", "Die Bundestagswahl rückt näher."],
        ["The club elected a new treasurer.", "Polls of readers are fun."],
    ),
    "european-union": (
        ["The European Commission made a proposal.", "Der EU-Gipfel begann."],
        ["Europe is a continent.", "The students' union met."],
    ),
    "un-security-council": (
        ["The UN Security Council voted.", "Der UN-Sicherheitsrat tagt."],
        ["The town council hired security.", "The UN sent food."],
    ),
    "sanctions": (
        ["New sanctions against Russia were agreed.", "Die EU beschloss ein Sanktionspaket."],
        ["The referee may sanction the player.", "The bishop gave his sanction."],
    ),
    "human-rights": (
        ["Human rights groups protested.", "Menschenrechtler wurden verhaftet."],
        ["The human right hand has five fingers.", "All rights reserved."],
    ),
    "migration": (
        ["Asylum seekers crossed the sea.", "Flüchtlinge kamen an."],
        ["The birds crossed the border.", "Data was moved to the cloud."],
    ),
    "protests": (
        ["Riot police used tear gas.", "Tausende Demonstranten zogen durch die Stadt."],
        ["He left under protest.", "The rally driver won."],
    ),
    "corruption": (
        ["The mayor was charged with bribery.", "Wegen Korruption wurde ermittelt."],
        ["The file was corrupt.", "She bribed the cat with cream."],
    ),
    "markets": (
        ["Shares fell and the Dow Jones closed lower.", "An der Börse hofften Anleger auf den Dax."],
        ["The markets of Kyiv reopened.", "The farmer sold his stock at the market."],
    ),
    "central-banks": (
        ["The European Central Bank left interest rates alone.", "Die EZB senkt den Leitzins.",
         "ЄЦБ залишив ставку без змін.", "ЕЦБ сохранил ставку.",
         "Європейський центральний банк залишив ставку на рівні двох відсотків."],
        ["Він зробив ставку на коня.", "The bank is central to the village.", "The hotel's rates rose."],
    ),
    "trade": (
        ["A trade war looms over import tariffs.", "Das Handelsabkommen wurde unterzeichnet."],
        ["He learned a trade.", "Players were traded."],
    ),
    "energy": (
        ["The oil price rose.", "Die Strompreise steigen."],
        ["The children were full of energy.", "Fry it in oil."],
    ),
    "labour": (
        ["The trade union called for strike action.", "Die Gewerkschaft ruft zum Warnstreik auf.",
         "The pilots called off a strike; the overtime ban stays.", "Профспілки оголосили страйк."],
        ["Die Gewerkschaften begrüßten die Zinspause.", "Growth was slow and unemployment low.",
         "Lightning will strike the labourer.", "The union of two families."],
    ),
    "climate": (
        ["Climate change melts the ice.", "Der Klimawandel schreitet voran.",
         "На конференції ООН з клімату говорили про гроші.", "Кліматичний саміт завершився."],
        ["Інвестиційний клімат поліпшився.",
         "The climate in the office is good.", "Global sales are warming."],
    ),
    "floods": (
        ["Floods hit the valley, and flood warnings and flooding went on.", "Hochwasser auf Hochwasser.",
         "The crest of the flood on the river passed, and the dykes held after eight days of rain.",
         "Villages were evacuated as the flooded river rose behind its embankments.",
         "Water seeped through the dykes after the rain, and sandbags were laid before the river's crest."],
        ["A flood of letters arrived.", "Floodlights lit the pitch.",
         "A flood of refugees crossed the river by night, and villages were evacuated.",
         "Traders flooded the market with rice that had come down the river.",
         "Heavy rain fell on the river, and the regatta was put off."],
    ),
    "earthquakes": (
        ["A powerful earthquake struck the island.", "Nach dem Erdbeben gab es Nachbeben."],
        ["The news was a political earthquake.", "She quaked with fear."],
    ),
    "natural-disasters": (
        ["The hurricane was followed by landslides.", "Waldbrände und Dürre plagen das Land."],
        ["They won by a landslide.", "The meeting was a disaster."],
    ),
    "artificial-intelligence": (
        ["Artificial intelligence writes letters.", "Künstliche Intelligenz hilft Ärzten."],
        ["The flowers were artificial.", "An intelligence officer spoke."],
    ),
    "cybersecurity": (
        ["A ransomware gang hit the hospital.", "Ein Cyberangriff legte die Stadt lahm.",
         "Premiums for cyber insurance have fallen.",
         "The intruders knew a password, and the directive on network security did not help."],
        ["He forgot his password again.", "She hacked at the wood.", "Security was tight."],
    ),
    "space": (
        ["Two astronauts reached the space station.", "Die Raumstation wurde geräumt.",
         "Eine Trägerrakete brachte den Satelliten in eine Umlaufbahn.",
         "Ракета-носій вивела супутник на орбіту.", "Ракета-носитель вывела спутник на орбиту."],
        ["Eine Rakete traf das Haus.", "Ракета влучила в будинок.",
         "There is no parking space.", "The play ran for a space of weeks."],
    ),
    "health": (
        ["Health officials fear an outbreak of cholera.", "Die Pandemie wurde mit Impfstoff bekämpft."],
        ["He is in good health.", "A rash of robberies."],
    ),
    "aviation": (
        ["Nobody survived the plane crash.", "Nach der Notlandung wurde der Flugschreiber geborgen."],
        ["The computer crashed.", "Time flies."],
    ),
    "crime-and-justice": (
        ["She was sentenced to ten years in prison.", "Die Staatsanwaltschaft fordert eine Haftstrafe."],
        ["The sentence was long.", "He was a prisoner of habit."],
    ),
    "sport": (
        ["The striker and the goalkeeper left the stadium.", "In der Bundesliga traf der Stürmer."],
        ["The talks ended in a draw, and both teams went home.", "A marathon session in parliament."],
    ),
}  # fmt: skip

Topics = Callable[[str], set[str]]


@pytest.fixture(scope="module")
def topics() -> Topics:
    """Return a function from a text to the topics that the default rules give it."""
    enricher = Enricher(RULES)
    return lambda text: {tag.id for tag in enricher.enrich("", text).topics}


def test_every_default_topic_has_an_example_of_what_it_is_and_is_not() -> None:
    """No rule goes untried, and there are enough for world news."""
    ids = [topic.id for topic in rules.load(RULES)]

    assert set(ids) == set(EXAMPLES)
    assert len(ids) >= 25


@pytest.mark.parametrize(("topic", "text"), [(t, x) for t, (yes, _) in EXAMPLES.items() for x in yes])
def test_a_topic_fires_on_what_it_is_about(topics: Topics, topic: str, text: str) -> None:
    """In every language that its rule knows."""
    assert topic in topics(text)


@pytest.mark.parametrize(("topic", "text"), [(t, x) for t, (_, no) in EXAMPLES.items() for x in no])
def test_a_topic_leaves_passing_words_alone(topics: Topics, topic: str, text: str) -> None:
    """A rule's words in another sense are not its topic."""
    assert topic not in topics(text)


def test_news_of_diplomacy_is_neither_sport_nor_markets(topics: Topics) -> None:
    """Goals, moves and pressure are everyday words."""
    text = (
        "The goal of the talks is a ceasefire. Both sides gained time, the market in the old town reopened, "
        "and the winner of the day was patience. Their teams play for time, and the pressure rose."
    )

    assert topics(text) == {"ceasefire"}
