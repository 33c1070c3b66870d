"""What a search gives, whatever the engine; and, as a table, what engines cannot do alike.

Beside ``StoreContract``, which has the plain cases. An adapter's test module makes a class of
``SearchContract`` that says which column of the table is its own.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from contract.store_contract import (
    BERLIN,
    NATO,
    NOW,
    UKRAINE,
    ZELENSKYY,
    StoreTests,
    World,
    article,
    ids,
    topics,
)

from newswire.events import Entity, EntityType
from newswire_index.document import Document
from newswire_index.query import parse_query
from newswire_index.store import DAYS, FACET_SIZE, Bucket, Facets, Filters, Hit, Query, Store

Engine = Literal["sqlite", "elasticsearch"]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Difference:
    """What one engine finds and the other does not.

    Args:
        why: in a few words; docs/discussions/search.md says more.
        written: fields of the article.
        sought: the query.
        found_by: the engine that finds it.
    """

    why: str
    written: dict[str, Any]
    sought: str
    found_by: Engine


def title(text: str, language: str = "en") -> dict[str, Any]:
    """Return the fields of an article with nothing but a title."""
    return {"title": text, "text": "", "language": language}


DIFFERENCES = (
    Difference("a German plural", title("Die Häuser brennen", "de"), "haus", "elasticsearch"),
    Difference("a French plural", title("Les journaux du matin", "fr"), "journal", "elasticsearch"),
    Difference("a Russian case", title("Исход переговоров", "ru"), "переговоры", "elasticsearch"),
    Difference("an accent in Greek", title("Στην Αθήνα", "el"), "αθηνα", "elasticsearch"),
    Difference("a letter with a stroke", title("W Łodzi", "pl"), "lodzi", "elasticsearch"),
    Difference("a sharp s", title("Große Koalition", "de"), "grosse", "elasticsearch"),
    Difference("a letter that Russian may print bare", title("Приём", "ru"), "прием", "elasticsearch"),
    Difference("words without spaces", title("北京会谈开始", "zh"), "会谈", "elasticsearch"),
    Difference("English stems in a German text", title("Das Boxing beginnt", "de"), "boxed", "sqlite"),
    Difference("a stem below an accent", title("Two exposés"), "expose", "sqlite"),
    Difference("a beginning below a stem", title("They are negotiating"), "negotiator*", "sqlite"),
    Difference("a breve in Cyrillic", {"outlet": "Новый День"}, 'outlet:"новыи день"', "sqlite"),
    Difference(
        "less than a millisecond",
        {"published_at": datetime(2026, 11, 20, 9, 0, 0, 400, tzinfo=UTC)},
        "date:<2026-11-20T09:00:00.000300Z",
        "elasticsearch",
    ),
)


class SearchContract(StoreTests):
    """The suite."""

    engine: Engine = "sqlite"

    async def facets(self, store: Store, text: str = "") -> Facets:
        """Return the facets of a query string."""
        found = (await store.search(parse_query(text, facets=True))).facets
        assert found is not None
        return found

    async def shown(self, store: Store, text: str) -> dict[str, list[str]]:
        """Return the passages of the only hit, by field."""
        (hit,) = (await store.search(parse_query(text))).hits
        fields = dict.fromkeys(highlight.field for highlight in hit.highlights)
        return {field: [each.text for each in hit.highlights if each.field == field] for field in fields}

    async def paged(self, store: Store, text: str, **options: Any) -> list[Hit]:
        """Return all hits of a query string, two a page."""
        hits: list[Hit] = []
        cursor: str | None = None
        while True:
            results = await store.search(parse_query(text, limit=2, cursor=cursor, **options))
            hits += results.hits
            cursor = results.next_cursor
            if cursor is None:
                return hits

    # Where engines differ

    @pytest.mark.parametrize("case", DIFFERENCES, ids=lambda case: case.why)
    async def test_engines_differ_where_the_docs_say_so(self, world: World, case: Difference) -> None:
        """One engine finds it; the day that the other does so too, the documentation is wrong."""
        store = await world()
        await self.fill(store, article("a", **case.written), article("b", title="Something else", text=""))

        assert ("a" in await self.find(store, case.sought)) == (case.found_by == self.engine)

    # Words

    @pytest.mark.parametrize(
        ("language", "written", "sought"),
        [
            ("de", "Die Häuser brennen", "HÄUSER"),
            ("fr", "L'OTAN se réunit à l’aube", "otan aube reunit"),
            ("ru", "Новый приём в Кремле", "НОВЫЙ кремле приём"),
            ("uk", "Переговори у Києві", "ПЕРЕГОВОРИ києві"),
            ("uk", "Переговори у Києві", "перегов*"),
            ("el", "Οι συνομιλίες στην Αθήνα", "ΣΥΝΟΜΙΛΊΕΣ αθήνα"),
            ("tr", "Görüşmeler başladı", "gorusmeler"),
            ("pl", "Rozmowy w Łodzi", "ROZMOWY łodzi"),
            ("pl", "Spotkanie w Gdańsku", "gdansku"),
            ("xx", "Zebras in no language", "zebras"),
        ],
    )
    async def test_every_language_is_found_as_it_is_written(
        self, world: World, language: str, written: str, sought: str
    ) -> None:
        """Also one without stems of its own, such as Ukrainian, and one that nobody knows."""
        store = await world()
        await self.fill(store, article("a", title=written, text="", language=language), article("b"))

        for query in (sought, f"{sought} language:{language}"):
            results = await store.search(parse_query(query))
            assert (ids(results), results.matched) == (["a"], "all")

    async def test_a_language_without_stems_has_no_other_forms(self, world: World) -> None:
        """Ukrainian is found as it is written, and by its beginning."""
        store = await world()
        await self.fill(store, article("a", title="Переговори у Києві", text="", language="uk"))

        assert await self.find(store, "переговорів") == []
        assert await self.find(store, "переговор*") == ["a"]

    async def test_all_words_may_stand_anywhere(self, world: World) -> None:
        """One in the title, one in the text, one a name, one of a topic, one a form of a word."""
        store = await world()
        whole = article(
            "a",
            title="Envoys meet",
            text="The sides were negotiating.",
            entities=(ZELENSKYY,),
            topics=topics("nato-bid"),
        )
        await self.fill(store, whole, article("b", title="Envoys", topics=topics("nato-bid")))
        results = await store.search(parse_query("envoys negotiated selenskyj bid"))

        assert (ids(results), results.matched) == (["a"], "all")

    async def test_a_phrase_keeps_its_small_words(self, world: World) -> None:
        """No word is too common to count: "die Welt" is not "der Welt"."""
        store = await world()
        await self.fill(
            store,
            article("a", title="Kommentar: Die Welt", text="", language="de"),
            article("b", title="Probleme in der Welt", text="", language="de"),
            article("c", title="Talks on peace", text=""),
            article("d", title="Talks for peace", text=""),
        )

        assert await self.find(store, '"die welt"') == ["a"]
        assert await self.find(store, '"talks on peace"') == ["c"]
        assert await self.find(store, "die welt") == ["a"]

    async def test_a_phrase_has_the_forms_of_its_words(self, world: World) -> None:
        """Quotation marks ask for the order, not for the endings."""
        store = await world()
        await self.fill(store, article("a", text="They discussed prisoner exchanges."))

        assert await self.find(store, '"prisoners exchanged"') == ["a"]

    async def test_a_beginning_finds_however_many_words_begin_so(self, world: World) -> None:
        """No engine's limit on the words that a star stands for leaves any out."""
        store = await world()
        await self.fill(
            store, *(article(f"a{number:03}", title=f"pre{number}x", text="") for number in range(150))
        )

        assert (await store.search(parse_query("pre*"))).total == 150
        assert (await store.search(parse_query("pre1*"))).total == 61
        assert (await store.search(parse_query("talks -pre*"))).total == 0

    async def test_a_beginning_may_be_of_several_words(self, world: World) -> None:
        """What an engine splits is a phrase whose last word only begins."""
        store = await world()
        await self.fill(store, article("a", topics=topics("nato-bid")), article("b", title="Bids of nato"))

        assert await self.find(store, "nato-bi*") == ["a"]

    async def test_excluded_words_have_all_their_forms(self, world: World) -> None:
        """A minus is as wide as a plus."""
        store = await world()
        await self.fill(store, article("a", text="Negotiating."), article("b", text="Waiting."))

        assert await self.find(store, "talks -negotiated") == ["b"]

    async def test_a_word_in_more_fields_counts_more(self, world: World) -> None:
        """Title and text, or a name, add up."""
        store = await world()
        await self.fill(
            store,
            *(article(f"f{number}", title="Sport", text="Goals.") for number in range(9)),
            article("text", title="News of today", text="A summit in Berlin begins."),
            article("both", title="Berlin hosts", text="A summit in Berlin begins."),
            article("named", title="News of today", text="A summit in Berlin begins.", entities=(BERLIN,)),
        )
        results = await store.search(parse_query("berlin"))
        scores = {hit.article_id: hit.score for hit in results.hits}

        assert ids(results)[0] == "both"
        assert scores["named"] > scores["text"] > 0

    async def test_scores_do_not_depend_on_the_month(self, world: World) -> None:
        """Months are kept apart, and compared all the same: a word is as rare as in all of them together."""
        store = await world()
        october = datetime(2026, 10, 5, tzinfo=UTC)
        many = [article(f"n{number}", title="Zebra again", text="") for number in range(5)]
        old = article("old", title="Zebra again", text="", first_seen_at=october, published_at=october)
        await self.fill(store, *many, old)
        results = await store.search(parse_query("zebra"))

        assert ids(results)[-1] == "old"
        assert len({round(hit.score, 6) for hit in results.hits}) == 1

    # Order and recency

    async def test_of_equal_matches_the_newest_comes_first(self, world: World) -> None:
        """With or without a recency, and ids decide last."""
        store = await world()
        dated = [
            article(article_id, published_at=NOW - DAY * age)
            for article_id, age in (("c", 1), ("a", 9), ("b", 1), ("d", 0))
        ]
        await self.fill(store, *dated)

        for recency in (0, 7):
            results = await store.search(parse_query("talks", recency=recency))
            assert ids(results) == ["d", "b", "c", "a"]
            assert [hit.article_id for hit in await self.paged(store, "talks", recency=recency)] == ids(
                results
            )

    async def test_recency_multiplies_scores_by_age(self, world: World) -> None:
        """Twice for now and what lies ahead, one and a half times after a half-life, once for the old."""
        store = await world()
        ages = {"ahead": -2, "now": 0, "week": 7, "fortnight": 14, "old": 3650}
        await self.fill(store, *(article(name, published_at=NOW - DAY * age) for name, age in ages.items()))
        plain = await store.search(parse_query("talks"))
        recent = await store.search(parse_query("talks", recency=7))
        without = {hit.article_id: hit.score for hit in plain.hits}
        factors = {hit.article_id: hit.score / without[hit.article_id] for hit in recent.hits}

        assert factors == pytest.approx(
            {"ahead": 2.0, "now": 2.0, "week": 1.5, "fortnight": 1.25, "old": 1.0}, rel=1e-5
        )

    async def test_a_much_better_match_wins_over_a_recent_one(self, world: World) -> None:
        """Recency is a boost, no order by date."""
        store = await world()
        filler = [article(f"f{number}", title="Sport", text="Goals.") for number in range(6)]
        await self.fill(
            store,
            *filler,
            article("better", title="Zebra, zebra", text="Zebra.", published_at=NOW - DAY * 300),
            article("recent", title="News", text="A zebra " + "was seen " * 40, published_at=NOW),
        )

        assert ids(await store.search(parse_query("zebra", recency=1))) == ["better", "recent"]

    async def test_recency_changes_nothing_without_words(self, world: World) -> None:
        """The newest come first, with a score of nothing."""
        store = await world()
        await self.fill(store, article("a", published_at=NOW - DAY), article("b", published_at=NOW))
        results = await store.search(parse_query("", recency=7))

        assert [(hit.article_id, hit.score) for hit in results.hits] == [("b", 0.0), ("a", 0.0)]

    async def test_the_shortest_half_life_is_no_error(self, world: World) -> None:
        """However little it is, it only means that nothing is recent."""
        store = await world()
        await self.fill(store, article())

        assert (await store.search(parse_query("talks", recency=1e-300))).total == 1

    # Pages

    async def test_what_comes_in_between_pages_makes_no_double(self, world: World) -> None:
        """Newer articles stand before the cursor; those after it are shown once each, removed ones not."""
        store = await world()
        await self.fill(store, *(article(f"a{day}", published_at=date(2026, 11, day)) for day in range(1, 8)))
        first = await store.search(parse_query("", limit=3))
        await self.fill(store, article("new", published_at=date(2026, 11, 22)))
        rest = await store.search(parse_query("", limit=10, cursor=first.next_cursor))

        assert ids(first) == ["a7", "a6", "a5"]
        assert ids(rest) == ["a4", "a3", "a2", "a1"]
        assert rest.total == 8

    async def test_a_cursor_outlives_the_store_that_gave_it(self, world: World) -> None:
        """Another process, later, goes on with it."""
        one = await world()
        await self.fill(one, *(article(f"a{number}", title="Talks " * number) for number in range(1, 6)))
        first = await one.search(parse_query("talks", limit=2, recency=7))
        whole = await one.search(parse_query("talks", recency=7))
        await one.close()
        rest = await (await world()).search(parse_query("talks", cursor=first.next_cursor, recency=7))

        assert ids(first) + ids(rest) == ids(whole)
        assert [hit.score for hit in rest.hits] == [hit.score for hit in whole.hits[2:]]

    async def test_the_largest_page_is_had(self, world: World) -> None:
        """A thousand hits at once, with passages."""
        store = await world()
        await self.fill(store, *(article(f"a{number:04}") for number in range(1005)))
        results = await store.search(parse_query("talks", limit=1000))
        rest = await store.search(parse_query("talks", limit=1000, cursor=results.next_cursor))

        assert (len(results.hits), len(rest.hits), results.total) == (1000, 5, 1005)
        assert all(hit.highlights for hit in results.hits)

    # Filters

    @pytest.mark.parametrize(
        ("having", "found"),
        [
            (Filters(topics=("Nato Bid",)), []),
            (Filters(topics=(" NATO-BID ",)), ["a"]),
            (Filters(entities=("  volodymyr   ZELENSKYY ",)), ["a"]),
            (Filters(entities=("владимир зеленский",)), ["a"]),
            (Filters(outlets=("GROSSE  strasse.example",)), ["a"]),
            (Filters(outlets=("große straße.example", "none")), ["a"]),
            (Filters(languages=("DE",)), ["a"]),
            (Filters(outlets=("x" * 5000,)), []),
            (Filters(entities=("*",)), []),
        ],
    )
    async def test_filters_are_blind_to_case_accents_and_white_space(
        self, world: World, having: Filters, found: list[str]
    ) -> None:
        """Whole values are compared, and nothing in them is syntax."""
        store = await world()
        whole = article(
            "a",
            language="de",
            outlet="Große Straße.example",
            entities=(ZELENSKYY,),
            topics=topics("nato-bid"),
        )
        await self.fill(store, whole, article("b"))

        assert ids(await store.search(Query(having=having))) == found

    # Facets

    async def test_facets_are_the_ten_commonest_and_ties_go_by_name(self, world: World) -> None:
        """Equal counts come in the order of their letters, in every engine."""
        store = await world()
        names = ["b", "B", "ä", "Z", *(f"t{number:02}" for number in range(12))]
        await self.fill(
            store,
            article("all", topics=topics(*names), outlet="z.example"),
            article("one", topics=topics("t11")),
        )
        facets = await self.facets(store)

        assert facets.topics == (
            Bucket("t11", 2),
            *(Bucket(name, 1) for name in sorted(names) if name != "t11"),
        )[:FACET_SIZE]  # fmt: skip
        assert facets.outlets == (Bucket("courier.example", 1), Bucket("z.example", 1))

    async def test_namesakes_are_told_apart_in_facets(self, world: World) -> None:
        """An entity is a name and a Wikidata id, or a name without one; types come by name."""
        store = await world()
        paris = Entity(name="Paris", type=EntityType.PLACE, wikidata="Q90", salience=1)
        texas = Entity(name="Paris", type=EntityType.PLACE, wikidata="Q830149", salience=1)
        hilton = Entity(name="Paris", type=EntityType.PERSON, salience=1)
        nobody = Entity(name="Paris", type=EntityType.PLACE, salience=1)
        await self.fill(
            store,
            article("a", entities=(paris, hilton, NATO)),
            article("b", entities=(paris, texas)),
            article("c", entities=(nobody, UKRAINE)),
        )
        entities = (await self.facets(store)).entities

        assert list(entities) == [EntityType.ORGANISATION, EntityType.PERSON, EntityType.PLACE]
        assert [(each.name, each.wikidata, each.count) for each in entities[EntityType.PLACE]] == [
            ("Paris", "Q90", 2),
            ("Paris", None, 1),
            ("Paris", "Q830149", 1),
            ("Ukraine", "Q212", 1),
        ]
        assert [each.type for each in entities[EntityType.PERSON]] == [EntityType.PERSON]

    async def test_days_are_the_newest_of_utc(self, world: World) -> None:
        """A month of them, none without an article, also long before there were computers."""
        store = await world()
        first = date(2026, 9, 1)
        days = [article(f"a{number:02}", published_at=first + DAY * number) for number in range(40)]
        night = datetime.fromisoformat("2026-10-11T00:30:00+02:00")
        await self.fill(store, *days, article("night", published_at=night))
        found = (await self.facets(store)).days

        assert found[0] == Bucket("2026-10-10", 2)
        assert found[1:] == tuple(Bucket(f"{first + DAY * number}", 1) for number in range(38, 8, -1))
        assert len(found) == DAYS

    async def test_a_date_of_long_ago_is_a_day_like_any_other(self, world: World) -> None:
        """Found, counted and sorted."""
        store = await world()
        await self.fill(store, article("old", published_at=date(1869, 5, 10)), article("new"))

        assert await self.find(store, "date:1869-05-10") == ["old"]
        assert ids(await store.search(parse_query("talks"))) == ["new", "old"]
        assert (await self.facets(store)).days[-1] == Bucket("1869-05-10", 1)

    async def test_facets_of_the_fall_back_count_what_it_found(self, world: World) -> None:
        """Where none has all the words, those with any are counted; where none has any, nothing."""
        store = await world()
        await self.fill(store, article("a", title="Zebra", topics=topics("x")), article("b", title="Giraffe"))

        assert (await self.facets(store, "zebra unicorn")).topics == (Bucket("x", 1),)
        assert await self.facets(store, "unicorn") == Facets()
        assert await self.facets(store, "unicorn dragon") == Facets()

    # Passages and hits

    async def test_a_phrase_and_a_beginning_are_marked(self, world: World) -> None:
        """A phrase as one, a beginning as the whole word that begins so."""
        store = await world()
        await self.fill(store, article(title="Prisoners freed", text="A prisoner exchange was agreed."))

        assert await self.shown(store, '"prisoner exchange" agr*') == {
            "text": ["A <em>prisoner exchange</em> was <em>agreed</em>."]
        }

    async def test_a_few_names_and_topics_are_shown(self, world: World) -> None:
        """Those that matched, as they are written, and not fifty spellings."""
        store = await world()
        spelt = Entity(
            name="Alpha One",
            type=EntityType.PERSON,
            aliases=tuple(f"Alpha {n}" for n in range(9)),
            salience=1,
        )
        await self.fill(
            store, article(entities=(spelt, NATO), topics=topics("alpha-bid", "other", "x-y-alpha"))
        )
        shown = await self.shown(store, "alpha")

        assert shown["entities"] == ["<em>Alpha</em> One", "<em>Alpha</em> 0", "<em>Alpha</em> 1"]
        assert shown["topics"] == ["<em>alpha</em>-bid", "x-y-<em>alpha</em>"]

    async def test_excluded_words_are_not_marked(self, world: World) -> None:
        """Only what was asked for stands out."""
        store = await world()
        await self.fill(store, article(title="Talks of zebras", text=""))

        assert await self.shown(store, "zebras -giraffe") == {"title": ["Talks of <em>zebras</em>"]}

    async def test_the_best_passage_of_a_long_text_is_shown(self, world: World) -> None:
        """The one with most of the words, wherever it is."""
        store = await world()
        filler = "Nothing of note was said. " * 500
        text = f"A zebra came. {filler}The zebra met a giraffe at noon. {filler}A giraffe left."
        await self.fill(store, article(text=text))
        (passage,) = (await self.shown(store, "zebra giraffe"))["text"]

        assert "The <em>zebra</em> met a <em>giraffe</em> at noon." in passage
        assert len(passage) < 400

    async def test_a_match_at_the_very_end_is_marked(self, world: World) -> None:
        """Of a short text and of a long one."""
        store = await world()
        await self.fill(store, article("a", text="word " * 5000 + "zebra"), article("b", text="A zebra"))
        hits = (await store.search(parse_query("zebra"))).hits

        assert all(hit.highlights[0].text.endswith("<em>zebra</em>") for hit in hits)

    @pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
    async def test_a_text_without_end_is_searched_and_shown(self, world: World) -> None:
        """Two million characters are no error; what is marked may lie in the first million."""
        store = await world()
        text = "A zebra. " + "other " * 350_000 + "giraffe"
        await self.fill(store, article(text=text))

        assert await self.find(store, "giraffe") == ["a"]
        assert "A <em>zebra</em>." in (await self.shown(store, "zebra giraffe"))["text"][0]

    async def test_a_hit_says_what_the_article_said(self, world: World) -> None:
        """Offsets, bare days, entities in their order and topics come back as they went in."""
        store = await world()
        offset = datetime.fromisoformat("2026-11-20T12:30:00+02:00")
        whole = article(
            "a", 7, published_at=offset, entities=(UKRAINE, ZELENSKYY), topics=topics("z", "a"), outlet=None
        )
        await self.fill(
            store, whole, article("day", published_at=date(2026, 11, 20)), article("none", published_at=None)
        )
        hits = {hit.article_id: hit for hit in (await store.search(parse_query("talks"))).hits}
        got = await store.get("a")

        assert str(hits["a"].published_at) == "2026-11-20 12:30:00+02:00"
        assert hits["day"].published_at == date(2026, 11, 20)
        assert not isinstance(hits["day"].published_at, datetime)
        assert hits["none"].published_at is None
        assert (hits["a"].version, hits["a"].outlet, hits["a"].topics) == (7, None, ("z", "a"))
        assert [(each.name, each.type, each.wikidata) for each in hits["a"].entities] == [
            ("Ukraine", EntityType.PLACE, "Q212"),
            ("Volodymyr Zelenskyy", EntityType.PERSON, "Q3874799"),
        ]
        assert got is not None
        assert (got.score, got.highlights, got.entities) == (0.0, (), hits["a"].entities)


def some(count: int) -> list[Document]:
    """Return a few plain articles."""
    return [article(f"a{number:02}", title="Talks " * (number % 3 + 1)) for number in range(count)]
