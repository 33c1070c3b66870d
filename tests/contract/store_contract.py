"""What every store must do, whatever stands behind it.

An adapter's test module makes a class of ``StoreContract`` and gives the fixture ``world``; it overrides
``settle`` if what was written is not to be found at once.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import pytest

from newswire.events import Enriched, Entity, EntityType, Mention, TopicTag
from newswire_index.document import Document, Removal, document_from
from newswire_index.query import parse_query
from newswire_index.store import (
    EXPIRED,
    OLDER,
    RETENTION,
    STORED,
    WITHDRAWN,
    Filters,
    QueryError,
    Results,
    Revision,
    Store,
    VerdictKind,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEEN = datetime(2026, 11, 20, 9, tzinfo=UTC)

ZELENSKYY = Entity(
    name="Volodymyr Zelenskyy",
    type=EntityType.PERSON,
    wikidata="Q3874799",
    aliases=("Zelensky", "Wolodymyr Selenskyj", "Владимир Зеленский"),
    salience=0.9,
    mentions=(Mention(field="text", start=0, end=9, text="Zelenskyy"),),
)
UKRAINE = Entity(name="Ukraine", type=EntityType.PLACE, wikidata="Q212", aliases=("Ukraina",), salience=0.8)
BERLIN = Entity(name="Berlin", type=EntityType.PLACE, wikidata="Q64", salience=0.5)
NATO = Entity(name="NATO", type=EntityType.ORGANISATION, wikidata="Q7184", salience=0.7)


class World(Protocol):
    """Opens stores in one place, all closed at the end of the test."""

    def __call__(self, prefix: str = "", retention: timedelta = RETENTION) -> Awaitable[Store]:
        """Return an open store that takes ``NOW`` for the time."""


def article(article_id: str = "a", version: int = 1, **changes: Any) -> Document:
    """Return a document made of an event with these fields."""
    fields: dict[str, Any] = {
        "article_id": article_id,
        "version": version,
        "revision": 1,
        "first_seen_at": SEEN,
        "enriched_at": SEEN,
        "fetched_at": SEEN,
        "url": f"https://courier.example/{article_id}?x=1",
        "canonical_url": f"https://courier.example/{article_id}",
        "title": "Talks open",
        "text": "The talks have opened.",
        "content_hash": f"hash-{article_id}-{version}",
        "language": "en",
        "outlet": "courier.example",
        "published_at": SEEN,
    }
    return document_from(Enriched(**(fields | changes)))


def topics(*ids: str) -> tuple[TopicTag, ...]:
    """Return topic tags."""
    return tuple(TopicTag(id=topic, score=1.0, by="rules 1") for topic in ids)


def removal(article_id: str = "a", version: int = 2, first_seen_at: datetime = SEEN) -> Removal:
    """Return the removal of an article."""
    return Removal(article_id=article_id, version=version, first_seen_at=first_seen_at)


def ids(results: Results) -> list[str]:
    """Return the ids of the hits, in order."""
    return [hit.article_id for hit in results.hits]


class StoreTests:
    """What tests of a store do again and again."""

    async def settle(self, store: Store) -> None:
        """Wait until what was written can be found."""

    async def fill(self, store: Store, *documents: Document | Removal) -> None:
        """Write documents that must all be stored."""
        verdicts = await store.write(documents)
        assert list(verdicts) == [STORED] * len(documents)
        await self.settle(store)

    async def find(self, store: Store, text: str, **options: Any) -> list[str]:
        """Return the sorted ids that a query string finds."""
        return sorted(ids(await store.search(parse_query(text, **options))))


class StoreContract(StoreTests):
    """The suite."""

    async def stored(self, store: Store) -> list[tuple[str, int, str, str]]:
        """Return all items."""
        await self.settle(store)
        return [item async for item in store.items()]

    # Writing

    async def test_a_written_article_is_found_and_listed(self, world: World) -> None:
        """A written article is counted, listed, had by its id and found."""
        store = await world()
        await self.fill(store, article())
        hit = await store.get("a")

        assert await self.stored(store) == [("a", 1, "Talks open", "hash-a-1")]
        assert await store.count() == 1
        assert hit is not None
        assert (hit.url, hit.outlet, hit.published_at) == (
            "https://courier.example/a",
            "courier.example",
            SEEN,
        )
        assert await self.find(store, "talks") == ["a"]

    async def test_what_is_not_there_is_none(self, world: World) -> None:
        """An unknown article is None, an empty store has no items and finds nothing."""
        store = await world()

        assert await store.get("a") is None
        assert await self.stored(store) == []
        assert (await store.search(parse_query("talks"))).total == 0
        assert list(await store.write([])) == []

    async def test_a_second_write_of_the_same_version_changes_nothing(self, world: World) -> None:
        """Delivering a batch twice is harmless: the second time all are older."""
        store = await world()
        batch = [article("a"), article("b")]
        await self.fill(store, *batch)

        assert list(await store.write(batch)) == [OLDER, OLDER]
        assert [item[0] for item in await self.stored(store)] == ["a", "b"]

    async def test_a_newer_version_replaces_all_of_the_older(self, world: World) -> None:
        """Words, topics and entities of the older version are no longer found."""
        store = await world()
        await self.fill(store, article(title="Zebra", topics=topics("sport"), entities=(BERLIN,)))
        await self.fill(store, article(version=2, title="Giraffe", entities=(NATO,)))

        assert await self.find(store, "zebra") == []
        assert await self.find(store, "topic:sport") == []
        assert await self.find(store, "entity:Q64") == []
        assert await self.find(store, "giraffe entity:nato") == ["a"]
        assert await store.count() == 1

    async def test_an_older_version_never_wins(self, world: World) -> None:
        """A late delivery of an older version leaves the newer one."""
        store = await world()
        await self.fill(store, article(version=7, title="Newer"))

        assert list(await store.write([article(version=6, title="Older")])) == [OLDER]
        assert (await self.stored(store))[0][1:3] == (7, "Newer")

    async def test_one_batch_may_hold_conflicts_of_its_own(self, world: World) -> None:
        """Each item of a batch has its own verdict, in order."""
        store = await world()
        await self.fill(store, article("a", 5))
        batch: list[Document | Removal] = [
            article("a", 4),
            article("b", 2),
            article("b", 1),
            article("b", 3),
            removal("a", 6),
        ]

        assert list(await store.write(batch)) == [OLDER, STORED, OLDER, STORED, STORED]
        assert [item[:2] for item in await self.stored(store)] == [("b", 3)]

    async def test_one_bad_item_is_rejected_alone(self, world: World) -> None:
        """An item that no store can hold has a reason; its neighbours are stored."""
        store = await world()
        bad = article("bad").model_copy(update={"title": "half a character \ud800"})
        verdicts = await store.write([article("a"), bad, article("b")])

        assert [verdict.kind for verdict in verdicts] == [
            VerdictKind.STORED,
            VerdictKind.REJECTED,
            VerdictKind.STORED,
        ]
        assert verdicts[1].reason
        assert [item[0] for item in await self.stored(store)] == ["a", "b"]

    # Removals, withdrawals, retention

    async def test_a_removal_keeps_what_is_older_away(self, world: World) -> None:
        """After a removal only a newer version comes in, and an older removal removes nothing."""
        store = await world()
        await self.fill(store, article(version=1), removal(version=3))

        assert await store.get("a") is None
        assert list(await store.write([article(version=2), article(version=3)])) == [OLDER, OLDER]
        assert list(await store.write([article(version=4), removal(version=3)])) == [STORED, OLDER]
        await self.settle(store)
        assert await store.count() == 1

    async def test_a_removal_of_an_unknown_article_counts_too(self, world: World) -> None:
        """A removal that overtakes its article keeps it away."""
        store = await world()
        await self.fill(store, removal(version=3))

        assert list(await store.write([article(version=2)])) == [OLDER]
        assert await store.count() == 0

    async def test_a_withdrawn_article_is_gone_and_refused(self, world: World) -> None:
        """A withdrawal deletes at once and refuses even newer versions, again and again."""
        store = await world()
        await self.fill(store, article(), article("b"))
        await store.withdraw("a")
        await store.withdraw("a")
        await self.settle(store)

        assert list(await store.write([article(version=9), article("c")])) == [WITHDRAWN, STORED]
        await self.settle(store)
        assert await store.get("a") is None
        assert await self.find(store, "talks") == ["b", "c"]

    async def test_a_withdrawal_may_come_before_its_article(self, world: World) -> None:
        """An article that was never stored is refused after its withdrawal."""
        store = await world()
        await store.withdraw("a")

        assert list(await store.write([article()])) == [WITHDRAWN]

    async def test_a_lifted_article_may_come_back(self, world: World) -> None:
        """After the withdrawal is lifted, a newer version may come back, an older one not."""
        store = await world()
        await self.fill(store, article(version=5))
        await store.withdraw("a")
        await store.lift("a")
        await self.settle(store)

        assert await store.get("a") is None
        assert list(await store.write([article(version=4), article(version=6)])) == [OLDER, STORED]

    async def test_many_are_withdrawn_and_lifted_at_once(self, world: World) -> None:
        """All that are named, whether they are there or not, and no others."""
        store = await world()
        await self.fill(store, article("a"), article("b"), article("c"))
        await store.withdraw("a", "b", "unknown")
        await store.lift("b", "c")
        await store.withdraw()

        assert [item[0] for item in await self.stored(store)] == ["c"]
        assert list(await store.write([article("a", 2), article("b", 2)])) == [WITHDRAWN, STORED]

    async def test_lifting_what_is_not_withdrawn_is_harmless(self, world: World) -> None:
        """An article that was never withdrawn stays as it is."""
        store = await world()
        await self.fill(store, article())
        await store.lift("a")

        assert await store.count() == 1

    async def test_a_month_beyond_the_retention_is_not_taken_in(self, world: World) -> None:
        """What counts is the end of the month of first sight."""
        store = await world(retention=timedelta(days=30))
        september = article("s", first_seen_at=datetime(2026, 9, 30, 23, tzinfo=UTC))
        october = article("o", first_seen_at=datetime(2026, 10, 1, tzinfo=UTC))

        assert list(await store.write([september, october])) == [EXPIRED, STORED]
        assert list(await store.write([removal("s", 2, september.first_seen_at)])) == [EXPIRED]
        assert [item[0] for item in await self.stored(store)] == ["o"]

    async def test_expired_months_are_dropped_whole(self, world: World) -> None:
        """Dropping deletes the months that have ended too long ago, and says how many articles went."""
        store = await world(retention=timedelta(days=60))
        october = datetime(2026, 10, 31, tzinfo=UTC)
        await self.fill(
            store,
            article("o", first_seen_at=october, entities=(BERLIN,)),
            article("p", first_seen_at=october),
        )
        await self.fill(store, article("n", entities=(NATO,)), removal("o", 2, october))

        assert await store.drop_expired(NOW) == 0
        assert await store.drop_expired(datetime(2026, 12, 31, 1, tzinfo=UTC)) == 1
        assert [item[0] for item in await self.stored(store)] == ["n"]
        assert await self.find(store, "entity:nato") == ["n"]

    # Revisions

    async def test_what_a_later_revision_supersedes_is_kept(self, world: World) -> None:
        """Each superseded revision as it was, oldest first; the newest is the article itself."""
        store = await world()
        later = SEEN + timedelta(hours=1)
        await self.fill(store, article(version=1, title="First", text="One.", fetched_at=SEEN))
        await self.fill(
            store,
            article(version=2, revision=2, title="Second", text="Two.", fetched_at=later),
            article("other", version=2),
            article(version=3, revision=3, title="Third", text="Three.", fetched_at=NOW),
        )

        assert list(await store.revisions("a")) == [
            Revision(1, 1, "First", "One.", "hash-a-1", SEEN, later),
            Revision(2, 2, "Second", "Two.", "hash-a-2", later, NOW),
        ]
        assert await store.count() == 2
        assert list(await store.revisions("other")) == []
        assert list(await store.revisions("unknown")) == []

    async def test_another_version_of_the_same_revision_supersedes_nothing(self, world: World) -> None:
        """An article that was only enriched anew has no more revisions; the last enrichment is kept."""
        store = await world()
        await self.fill(store, article(version=1), article(version=2))

        assert list(await store.revisions("a")) == []
        await self.fill(store, article(version=5, revision=2, title="Later"))
        assert [(r.revision, r.version) for r in await store.revisions("a")] == [(1, 2)]

    async def test_what_is_older_supersedes_nothing(self, world: World) -> None:
        """Late and repeated deliveries leave the revisions as they are."""
        store = await world()
        first, second, third = (article(version=v, revision=v, title=f"No. {v}") for v in (1, 2, 3))
        await self.fill(store, first, third)
        await store.write([second, first, third])
        await self.settle(store)

        assert [(r.revision, r.title) for r in await store.revisions("a")] == [(1, "No. 1")]

    @pytest.mark.parametrize("how", ["removal", "withdrawal", "both"])
    async def test_the_revisions_of_what_goes_go_too(self, world: World, how: str) -> None:
        """Nothing of a removed or withdrawn article is kept, and it comes back without a past."""
        store = await world()
        await self.fill(store, article(), article(version=2, revision=2), article("b"))
        await self.fill(store, article(version=3, revision=3), article("b", 2, revision=2))
        if how in {"withdrawal", "both"}:
            await store.withdraw("a")
        if how in {"removal", "both"}:
            await store.write([removal(version=4)])
        await self.settle(store)

        assert list(await store.revisions("a")) == []
        await store.lift("a")
        await self.fill(store, article(version=5, revision=9))
        assert list(await store.revisions("a")) == []
        assert [r.revision for r in await store.revisions("b")] == [1]

    async def test_an_article_and_its_end_in_one_batch_leave_no_revisions(self, world: World) -> None:
        """What a removal in the same batch takes away is not kept."""
        store = await world()
        await self.fill(store, article(), article(version=2, revision=2), removal(version=3))
        await self.fill(store, article(version=4, revision=4))

        assert list(await store.revisions("a")) == []

    async def test_revisions_go_with_their_month(self, world: World) -> None:
        """Dropping a month leaves nothing of its articles."""
        store = await world(retention=timedelta(days=60))
        october = datetime(2026, 10, 31, tzinfo=UTC)
        await self.fill(store, article(), article(version=2, revision=2))
        await self.fill(store, *(article("o", v, revision=v, first_seen_at=october) for v in (1, 2)))

        assert await store.drop_expired(datetime(2026, 12, 31, 1, tzinfo=UTC)) == 1
        await self.settle(store)
        assert list(await store.revisions("o")) == []
        assert len(await store.revisions("a")) == 1

    # Words

    async def test_all_words_are_meant(self, world: World) -> None:
        """Unquoted words mean all of them, in title, text or names, adjacent or not."""
        store = await world()
        await self.fill(
            store,
            article("both", title="Berlin hosts", text="Envoys meet for talks."),
            article("one", title="Berlin", text="A marathon."),
        )
        results = await store.search(parse_query("berlin talks"))

        assert ids(results) == ["both"]
        assert results.matched == "all"

    async def test_any_word_will_do_where_none_has_all(self, world: World) -> None:
        """Where all words find nothing, any of them do, and the result says so."""
        store = await world()
        await self.fill(store, article("a", title="Zebra"), article("b", title="Giraffe"), article("c"))
        results = await store.search(parse_query("zebra giraffe"))

        assert sorted(ids(results)) == ["a", "b"]
        assert (results.matched, results.total) == ("any", 2)

    async def test_the_fall_back_keeps_phrases_and_filters(self, world: World) -> None:
        """Only the unquoted words are loosened."""
        store = await world()
        await self.fill(
            store,
            article("a", text="A prisoner exchange for the zebra."),
            article("b", text="A giraffe."),
            article("c", text="A prisoner exchange for the giraffe.", language="de"),
        )

        assert await self.find(store, '"prisoner exchange" zebra giraffe language:en') == ["a"]

    async def test_a_phrase_means_its_words_in_order(self, world: World) -> None:
        """Quoted words must stand side by side."""
        store = await world()
        await self.fill(
            store,
            article("a", text="They discussed prisoner exchanges."),
            article("b", text="Exchanges, said the prisoner, are rare."),
        )

        assert await self.find(store, '"prisoner exchanges"') == ["a"]
        assert await self.find(store, "prisoner exchanges") == ["a", "b"]

    async def test_a_phrase_never_reaches_from_one_name_into_the_next(self, world: World) -> None:
        """Two entities that stand side by side in the list are no phrase."""
        store = await world()
        await self.fill(store, article(entities=(UKRAINE, BERLIN), topics=topics("nato-bid", "sport")))

        assert await self.find(store, '"Ukraina Berlin"') == []
        assert await self.find(store, '"bid sport"') == []

    async def test_excluded_words_and_phrases_are_not_found(self, world: World) -> None:
        """A minus excludes a word or phrase, in text and names alike, and may stand alone."""
        store = await world()
        await self.fill(
            store, article("a", text="Talks on peace."), article("b", text="Talks.", entities=(NATO,))
        )

        assert await self.find(store, "talks -nato") == ["a"]
        assert await self.find(store, '-"on peace"') == ["b"]

    async def test_english_words_are_stemmed(self, world: World) -> None:
        """Other forms of an English word are found."""
        store = await world()
        await self.fill(store, article(text="Negotiators were negotiating an exchange."))

        assert await self.find(store, "negotiated exchanges") == ["a"]

    async def test_names_are_not_stemmed(self, world: World) -> None:
        """A name is found as it is written and not by a word that looks alike."""
        store = await world()
        wells = Entity(name="H. G. Wells", type=EntityType.PERSON, salience=1)
        await self.fill(store, article(entities=(wells,)))

        assert await self.find(store, "Wells") == ["a"]
        assert await self.find(store, "well") == []

    async def test_an_alias_finds_the_article(self, world: World) -> None:
        """An article that says Zelenskyy is found by other spellings of a linked name."""
        store = await world()
        await self.fill(store, article(text="Zelenskyy spoke.", entities=(ZELENSKYY,)), article("b"))

        for spelling in ("Zelensky", "selenskyj", "Зеленский", '"Wolodymyr Selenskyj"'):
            assert await self.find(store, spelling) == ["a"]

    async def test_the_words_of_a_topic_find_its_articles(self, world: World) -> None:
        """NATO bid finds what is tagged nato-bid although the text says it otherwise."""
        store = await world()
        await self.fill(store, article(text="Membership of the alliance.", topics=topics("nato-bid")))

        assert await self.find(store, "NATO bid") == ["a"]
        assert await self.find(store, "nato-bid") == ["a"]

    @pytest.mark.parametrize(
        ("written", "sought"),
        [
            ("Neues aus Kyjiw heute", "kyjiw"),
            ("Gipfel in Zürich", "Zurich"),
            ("Gipfel in Zürich", "ZÜRICH"),
            ("Die Gespräche beginnen", "Gespräche"),
            ("Die Gespräche beginnen", "gespräch*"),
            ("Visite à São Tomé", "sao tome"),
            ("Переговоры начались", "переговоры"),
            ("Переговоры начались", "ПЕРЕГОВОР*"),
            ("Владимир Зеленский", "зеленский"),
            ("Cafe\u0301 in Lie\u0300ge", "café liège"),
            ("AT&T's deal: 3.5% up", "AT&T deal 3.5%"),
        ],
    )
    async def test_words_of_many_languages_are_found(self, world: World, written: str, sought: str) -> None:
        """Case and accents do not count, and a star finds other endings."""
        store = await world()
        await self.fill(store, article(title=written), article("b"))

        assert await self.find(store, sought) == ["a"]

    async def test_a_title_counts_more_than_the_text(self, world: World) -> None:
        """The best match comes first, and all have a score above nothing."""
        store = await world()
        filler = [article(f"f{number}", title="Sport", text="Goals.") for number in range(6)]
        await self.fill(
            store,
            *filler,
            article("text", title="News of today", text="There was a zebra in it."),
            article("title", title="Zebra at large", text="It was seen in it."),
        )
        results = await store.search(parse_query("zebra"))

        assert ids(results) == ["title", "text"]
        assert results.hits[0].score > results.hits[1].score > 0

    @pytest.mark.parametrize(
        "text",
        [
            'a" OR b',
            "NEAR(a b)",
            "title:x",
            "^a",
            "a AND",
            "*",
            "-",
            "a*b",
            "(((",
            "'; --",
            "{}",
            "a + b",
            "\x00",
        ],
    )
    async def test_the_syntax_of_an_engine_is_only_text(self, world: World, text: str) -> None:
        """What an engine would take for syntax is looked for or refused with one line, nothing else."""
        store = await world()
        await self.fill(store, article())
        refused = ""
        try:
            await store.search(parse_query(text))
        except QueryError as error:
            refused = str(error)

        assert "\n" not in refused

    # Filters

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("topic:nato-bid", ["de", "en"]),
            ("topic:nato-bid topic:berlin-talks", ["en"]),
            ("topic:NATO-bid -topic:berlin-talks", ["de"]),
            ("entity:Q212", ["en", "ru"]),
            ("entity:q212 entity:Q64", ["en"]),
            ('entity:"volodymyr zelenskyy"', ["en"]),
            ("entity:Zelensky", ["en"]),
            ("entity:Volodymyr", []),
            ("-entity:Ukraine", ["de"]),
            ("outlet:courier.example", ["en"]),
            ("outlet:Zürich.example outlet:courier.example", ["de", "en"]),
            ("outlet:zurich.example", ["de"]),
            ("-outlet:courier.example", ["de", "ru"]),
            ("language:de language:RU", ["de", "ru"]),
            ("-language:de -language:ru", ["en"]),
            ("talks language:en topic:nato-bid entity:Q64", ["en"]),
            ("talks language:fr", []),
        ],
    )
    async def test_filters_narrow(self, world: World, query: str, found: list[str]) -> None:
        """All topics and entities named, any of the outlets and languages, none of the excluded."""
        store = await world()
        await self.fill(
            store,
            article("en", topics=topics("nato-bid", "berlin-talks"), entities=(ZELENSKYY, UKRAINE, BERLIN)),
            article("de", language="de", outlet="zürich.example", topics=topics("nato-bid")),
            article("ru", language="ru", outlet=None, entities=(UKRAINE,)),
        )

        assert await self.find(store, query) == found

    async def test_filters_of_options_and_of_the_string_add_up(self, world: World) -> None:
        """Options narrow what the string says."""
        store = await world()
        await self.fill(store, article("a", topics=topics("x", "y")), article("b", topics=topics("x")))

        assert await self.find(store, "topic:x", having=Filters(topics=("y",))) == ["a"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("date:2026-11-20", ["day", "first"]),
            ("date:2026-11-19", ["before"]),
            ("date:2026-11-20..2026-11-21", ["day", "first", "last"]),
            ("date:>2026-11-20", ["last", "later"]),
            ("date:>=2026-11-20", ["day", "first", "last", "later"]),
            ("date:<2026-11-20", ["before"]),
            ("date:<=2026-11-20", ["before", "day", "first"]),
            ("date:..2026-11-19", ["before"]),
            ("date:2026-11-22..", ["later"]),
            ("date:2026-11-20T00:00:00Z", ["day", "first"]),
            ("date:>2026-11-20T00:00:00Z", ["last", "later"]),
            ("date:2026-11-20T01:30+02:00..2026-11-20T01:30+02:00", ["before"]),
            ("date:2026-11-21..2026-11-20", []),
        ],
    )
    async def test_dates_are_days_of_utc_to_the_last_moment(
        self, world: World, query: str, found: list[str]
    ) -> None:
        """Offsets are heeded, ends are inclusive, and a bare date is midnight UTC."""
        store = await world()
        await self.fill(
            store,
            article("before", published_at=datetime.fromisoformat("2026-11-20T01:30:00+02:00")),
            article("first", published_at=datetime.fromisoformat("2026-11-19T19:00:00-05:00")),
            article("day", published_at=date(2026, 11, 20)),
            article("last", published_at=datetime.fromisoformat("2026-11-21T23:59:59.999000+00:00")),
            article("later", published_at=datetime.fromisoformat("2026-11-22T00:00:00+00:00")),
        )

        assert await self.find(store, query) == found

    async def test_first_sight_stands_in_for_a_date_that_is_not_believed(self, world: World) -> None:
        """An article without a date, or with an implausible one, is found by the day it was first seen."""
        store = await world()
        future = datetime(2031, 1, 1, tzinfo=UTC)
        await self.fill(
            store,
            article("none", published_at=None),
            article("future", published_at=future, published_plausible=False),
        )

        assert await self.find(store, "date:2026-11-20") == ["future", "none"]
        assert await self.find(store, "", since="2030-01-01") == []

    async def test_without_words_the_newest_come_first(self, world: World) -> None:
        """Filters alone sort by date, newest first."""
        store = await world()
        await self.fill(
            store,
            *(article(f"d{day}", published_at=datetime(2026, 11, day, tzinfo=UTC)) for day in (3, 9, 5)),
        )

        assert ids(await store.search(parse_query("language:en"))) == ["d9", "d5", "d3"]

    # Pages, facets, highlights

    @pytest.mark.parametrize("text", ["talks", "", "talks zebra"])
    async def test_pages_follow_without_gaps_or_doubles(self, world: World, text: str) -> None:
        """Cursors lead through all hits in order, equal scores and dates included, in the fall-back too."""
        store = await world()
        await self.fill(
            store, *(article(f"a{number:02}", title="Talks " * (number % 3 + 1)) for number in range(23))
        )
        whole = ids(await store.search(parse_query(text, limit=100)))
        paged: list[str] = []
        cursor, pages = None, 0
        while pages == 0 or cursor:
            results = await store.search(parse_query(text, limit=5, cursor=cursor))
            paged += ids(results)
            cursor, pages = results.next_cursor, pages + 1
            assert results.total == 23

        assert paged == whole
        assert len(set(paged)) == 23
        assert pages == 5

    @pytest.mark.parametrize(
        "cursor", ["x", "", "W10=", "bnVsbA==", "WyJhbGwiLCAiTmFOIiwgImEiLCAieCJd", "é", "[" * 5000]
    )
    async def test_a_foreign_cursor_is_refused(self, world: World, cursor: str) -> None:
        """A cursor that no page gave is an error of the query."""
        store = await world()

        with pytest.raises(QueryError, match="cursor"):
            await store.search(parse_query("talks", cursor=cursor))

    async def test_a_cursor_is_good_for_its_query_only(self, world: World) -> None:
        """The cursor of another query is refused."""
        store = await world()
        await self.fill(store, article("a"), article("b"))
        first = await store.search(parse_query("talks", limit=1))

        with pytest.raises(QueryError, match="another query"):
            await store.search(parse_query("opened", limit=1, cursor=first.next_cursor))

    async def test_facets_count_among_all_hits(self, world: World) -> None:
        """Facets count every article found, whatever the page, and no other."""
        store = await world()
        await self.fill(
            store,
            article("a", topics=topics("x", "y"), entities=(UKRAINE, NATO)),
            article(
                "b", topics=topics("x"), entities=(UKRAINE, ZELENSKYY), language="de", outlet="b.example"
            ),
            article("c", outlet=None, published_at=datetime(2026, 11, 21, 1, tzinfo=UTC)),
            article("other", title="Zebra", text="", topics=topics("z"), entities=(BERLIN,)),
        )
        facets = (await store.search(parse_query("talks", limit=1, facets=True))).facets

        assert facets is not None
        assert [(b.value, b.count) for b in facets.topics] == [("x", 2), ("y", 1)]
        assert [(b.value, b.count) for b in facets.outlets] == [("b.example", 1), ("courier.example", 1)]
        assert [(b.value, b.count) for b in facets.languages] == [("en", 2), ("de", 1)]
        assert [(b.value, b.count) for b in facets.days] == [("2026-11-21", 1), ("2026-11-20", 2)]
        assert {
            kind: [(b.name, b.wikidata, b.count) for b in found] for kind, found in facets.entities.items()
        } == {
            EntityType.PLACE: [("Ukraine", "Q212", 2)],
            EntityType.ORGANISATION: [("NATO", "Q7184", 1)],
            EntityType.PERSON: [("Volodymyr Zelenskyy", "Q3874799", 1)],
        }

    async def test_one_entity_with_other_aliases_is_one_in_the_facets(self, world: World) -> None:
        """Aliases that differ from article to article do not split an entity."""
        store = await world()
        bare = UKRAINE.model_copy(update={"aliases": ()})
        await self.fill(store, article("a", entities=(UKRAINE,)), article("b", entities=(bare,)))
        facets = (await store.search(parse_query("", facets=True))).facets

        assert facets is not None
        assert [(b.name, b.count) for b in facets.entities[EntityType.PLACE]] == [("Ukraine", 2)]
        assert await self.find(store, "entity:Ukraina") == ["a"]

    async def test_an_entity_of_a_type_nobody_knows_yet_is_counted(self, world: World) -> None:
        """Types may grow: a document made by a newer enrich is stored and found like any other."""
        store = await world()
        newer = Entity.model_validate({"name": "Gripen", "type": "of-tomorrow", "salience": 0.5})
        await self.fill(store, article("a", entities=(newer,)))
        results = await store.search(parse_query("", facets=True))

        assert results.facets is not None
        assert [bucket.name for bucket in results.facets.entities["of-tomorrow"]] == ["Gripen"]
        assert [entity.type for entity in results.hits[0].entities] == ["of-tomorrow"]

    async def test_facets_are_counted_only_if_asked(self, world: World) -> None:
        """A query without facets has none."""
        store = await world()

        assert (await store.search(parse_query("talks"))).facets is None

    async def test_highlights_mark_what_matched(self, world: World) -> None:
        """Passages of title, text, names and topics are marked as written."""
        store = await world()
        await self.fill(
            store,
            article(
                title="Talks in Kyiv",
                text="The NATO talking point.",
                entities=(ZELENSKYY,),
                topics=topics("peace-talks"),
            ),
        )
        hit = (await store.search(parse_query("talks selenskyj"))).hits[0]

        assert {highlight.field: highlight.text for highlight in hit.highlights} == {
            "title": "<em>Talks</em> in Kyiv",
            "text": "The NATO <em>talking</em> point.",
            "entities": "Wolodymyr <em>Selenskyj</em>",
            "topics": "peace-<em>talks</em>",
        }

    async def test_highlights_escape_the_article(self, world: World) -> None:
        """Nothing that an article says is markup in a highlight."""
        store = await world()
        await self.fill(store, article(title="<script>zebra</script> & <em>co</em>", text='a "zebra" <b>'))
        hit = (await store.search(parse_query("zebra"))).hits[0]
        shown = {highlight.field: highlight.text for highlight in hit.highlights}

        assert shown["title"] == "&lt;script&gt;<em>zebra</em>&lt;/script&gt; &amp; &lt;em&gt;co&lt;/em&gt;"
        assert shown["text"] == "a &quot;<em>zebra</em>&quot; &lt;b&gt;"
        assert hit.title == "<script>zebra</script> & <em>co</em>"

    async def test_a_passage_is_short_however_long_the_text(self, world: World) -> None:
        """A passage is cut from a long text, even if its words are endless."""
        store = await world()
        await self.fill(store, article("a", text="word " * 5000 + "zebra " + "word " * 5000))
        await self.fill(store, article("b", text="zebra " + "x" * 100_000))
        hits = (await store.search(parse_query("zebra"))).hits

        assert all(len(hit.highlights[0].text) < 1200 for hit in hits)
        assert all("<em>zebra</em>" in hit.highlights[0].text for hit in hits)

    # Worlds and company

    async def test_worlds_with_different_prefixes_do_not_meet(self, world: World) -> None:
        """Two prefixes in one place are two stores."""
        one, other = await world(prefix="one."), await world(prefix="other-2.")
        await self.fill(one, article("a"))
        await one.withdraw("b")
        await self.fill(other, article("b"))

        assert await self.find(one, "talks") == ["a"]
        assert await self.find(other, "talks") == ["b"]

    async def test_reading_goes_on_while_another_writes(self, world: World) -> None:
        """A reader sees more and more articles, never an error, while a writer writes."""
        writer, reader = await world(), await world()
        counts: list[int] = []

        async def read() -> None:
            while not counts or counts[-1] < 100:
                counts.append((await reader.search(parse_query("talks"))).total)
                await self.settle(reader)

        async def write() -> None:
            for batch in range(20):
                await writer.write([article(f"a{batch}-{number}") for number in range(5)])

        await asyncio.wait_for(asyncio.gather(read(), write()), 20)

        assert counts == sorted(counts)

    async def test_two_writers_end_with_the_newest(self, world: World) -> None:
        """Two writers of the same articles leave the newest version of each, whoever came last."""
        stores: Sequence[Store] = (await world(), await world())

        async def write(store: Store, versions: range) -> None:
            for version in versions:
                await store.write([article("a", version), article("b", version)])

        await asyncio.gather(write(stores[0], range(1, 41, 2)), write(stores[1], range(40, 0, -2)))

        assert [item[:2] for item in await self.stored(stores[0])] == [("a", 40), ("b", 40)]

    async def test_closing_twice_is_harmless(self, world: World) -> None:
        """A store may be closed again and opened again."""
        store = await world()
        await self.fill(store, article())
        await store.close()
        await store.close()
        await store.open()

        assert await store.count() == 1
