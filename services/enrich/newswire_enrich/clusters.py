"""Mentions gathered into entities of the document: variants merged, types voted."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from newswire.events import EntityType
from newswire_enrich import datelines
from newswire_enrich.gazetteer import Known, phrase
from newswire_enrich.mentions import Found

# Legal forms that come and go behind a company's name.
_COMPANY = frozenset(
    re.findall(
        r"\S+",
        """
        inc corp corporation co company ltd limited plc llc gmbh ag sa nv spa ab asa oyj lp
        group holdings holding
        """,
    )
)
# What clubs put before or behind a town's name, and companies behind theirs.
_CLUB = frozenset(
    {"AC", "AFC", "AS", "BK", "CF", "FC", "FF", "FK", "IF", "RC", "SC", "SK", "SV", "VfB", "VfL"}
)
_FORMS = frozenset(
    {
        "AB",
        "AG",
        "ASA",
        "Co",
        "Corp",
        "GmbH",
        "Inc",
        "KG",
        "LLC",
        "LLP",
        "Ltd",
        "NV",
        "Oyj",
        "PLC",
        "Plc",
        "Re",
        "SA",
        "SE",
        "SpA",
        "plc",
    }
)
_ACRONYM = re.compile(r"\s?\(([A-Z][A-Za-z.]{1,9})\)")


_FULL = 3  # words of a person's name at most


@dataclass(slots=True)
class Cluster:
    """One entity of the document with all its mentions."""

    known: Known | None = None
    found: list[Found] = field(default_factory=list)

    @property
    def type(self) -> EntityType:
        """The gazetteer's type, else the one most mentions were given."""
        if self.known:
            return self.known.type
        if any(_incorporated(f.text) for f in self.found):
            return EntityType.ORGANISATION
        votes = Counter(f.label for f in self.found if f.label is not None)
        return votes.most_common(1)[0][0] if votes else EntityType.ORGANISATION

    @property
    def name(self) -> str:
        """The gazetteer's name, else a person's fullest or a thing's most frequent one that is no acronym."""
        if self.known:
            return self.known.name
        forms = Counter(" ".join(f.text.split()) for f in self.found)
        if self.type is EntityType.PERSON:
            return max(forms, key=lambda n: (n.count(" "), forms[n]))
        spelled_out = [n for n in forms if not n.isupper()]
        if not spelled_out and any(f.dateline for f in self.found):
            return datelines.title_case(forms.most_common(1)[0][0])
        spelled_out = [n for n in forms if _club(n)] or spelled_out or list(forms)
        return max(spelled_out, key=lambda n: (forms[n], len(n)))


def _club(name: str) -> bool:
    """Tell whether a name of several words begins or ends like a club's ("FC Northbrook")."""
    words = name.split()
    return len(words) > 1 and not _CLUB.isdisjoint((words[0], words[-1]))


def _incorporated(name: str) -> bool:
    """Tell whether a name is a club's or ends like a company's."""
    words = name.rstrip(".").split()
    return len(words) > 1 and (words[-1] in _FORMS or _club(name))


def gather(found: Iterable[Found], known: list[Known], text: str) -> list[Cluster]:
    """Return the entities that the mentions speak of."""
    groups: dict[str, Cluster] = {}
    for one in found:
        key = f"#{one.known}" if one.known is not None else phrase(one.text)
        group = groups.setdefault(key, Cluster(known[one.known] if one.known is not None else None))
        group.found.append(one)
    _join_acronyms(groups, text)
    _join_companies(groups)
    _join_people(groups)
    return [g for g in groups.values() if g.found]


def _words(cluster: Cluster) -> list[str]:
    return phrase(cluster.name).split()


def _move(source: Cluster, target: Cluster) -> None:
    if source is not target:
        target.found += source.found
        source.found = []


def _join_acronyms(groups: dict[str, Cluster], text: str) -> None:
    """Join "World Food Programme (WFP)" and every later "WFP"."""
    for group in list(groups.values()):
        for one in [f for f in group.found if f.field == "text"]:
            bracket = _ACRONYM.match(text, one.end)
            if bracket is None or not _abbreviates(bracket.group(1), one.text):
                continue
            other = groups.get(phrase(bracket.group(1)))
            if other is not None and other.known is None:
                _move(other, group)


def _abbreviates(acronym: str, name: str) -> bool:
    """Tell whether an acronym begins like the name and takes at least half its letters from its capitals."""
    initials = [w[0] for w in name.split() if w[0].isupper()]
    letters = acronym.replace(".", "")
    return (
        len(initials) > 1
        and letters[0] == initials[0]
        and sum(c in letters for c in initials) * 2 >= len(letters)
    )


def _join_companies(groups: dict[str, Cluster]) -> None:
    """Join "Paxar" and "Paxar Corp"."""
    for key, group in list(groups.items()):
        bare = key.split()
        while len(bare) > 1 and bare[-1] in _COMPANY:
            bare.pop()
        if len(bare) > 1 and any(f.text.split()[-1] in _CLUB for f in group.found):
            bare.pop()
        short = groups.get(" ".join(bare))
        if short is not None and short is not group and group.known is None and short.known is None:
            _move(short, group)


def _join_people(groups: dict[str, Cluster]) -> None:
    """Join surnames and shorter forms to the one person of the document who bears them."""
    named = [(g, _words(g)) for g in groups.values() if g.found]
    people = [(g, words) for g, words in named if g.type is EntityType.PERSON and len(words) > 1]
    alike = _by(people, lambda words: f"{words[0]} {words[-1]}")
    for group, words in people:
        if group.known is None:
            others = alike[f"{words[0]} {words[-1]}"]
            _join_one(group, [p for p, w in others if p is not group and p.found and set(words) < set(w)])
    people = [(g, words) for g, words in people if g.found]
    last, first = _by(people, lambda words: words[-1]), _by(people, lambda words: words[0])
    for group, words in named:
        if group.found and group.known is None and len(words) == 1:
            bearers = last.get(words[0]) or (
                first.get(words[0], []) if group.type is EntityType.PERSON else []
            )
            _join_one(group, [p for p, _ in bearers])
    _namesakes(people, _by(named, lambda words: words[-1]))


Named = tuple[Cluster, list[str]]


def _by(people: list[Named], key: Callable[[list[str]], str]) -> dict[str, list[Named]]:
    """Return people by a key made of the words of their names."""
    table: dict[str, list[Named]] = {}
    for person in people:
        table.setdefault(key(person[1]), []).append(person)
    return table


def _join_one(group: Cluster, bearers: list[Cluster]) -> None:
    if len(bearers) == 1:
        _move(group, bearers[0])


def _namesakes(people: list[Named], last: dict[str, list[Named]]) -> None:
    """Give a surname that the gazetteer claimed to the one person of the document named in full."""
    for famous, words in people:
        if famous.known is None or any(" " in f.text.strip() for f in famous.found):
            continue
        others = [
            g for g, w in last.get(words[-1], ()) if g.known is None and g.found and 1 < len(w) <= _FULL
        ]
        if len(others) == 1:
            _move(famous, others[0])
            for found in others[0].found:
                found.label = EntityType.PERSON
