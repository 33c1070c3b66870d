"""What must hold after chaos: pure functions from what is left to complaints; none is good.

An undisturbed run and a disturbed one may differ in who came first: which of two feeds brought an article,
and whether an update was fetched as one or had been seen by an earlier fetch whose result was lost with its
process. They may not differ in what is discarded or dead-lettered, nor in what is stored.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from newswire.events import OutcomeKind, Reason

GOT_THROUGH = frozenset({OutcomeKind.INDEXED, OutcomeKind.UNCHANGED, OutcomeKind.DUPLICATE})


class Version(NamedTuple):
    """A record of an enriched article; a fetch made it if it has an entry."""

    article_id: str
    version: int
    revision: int
    content_hash: str
    entry_id: str | None = None


class End(NamedTuple):
    """A record of where an entry ended."""

    entry_id: str
    kind: OutcomeKind
    reason: Reason
    article_id: str | None = None


class Stored(NamedTuple):
    """An article in the store."""

    version: int
    title: str
    content_hash: str


class Letter(NamedTuple):
    """A dead letter: the address that its entry led to, and why it is one."""

    url: str
    reason: str


class Remains(NamedTuple):
    """What a run left: records in the order of their partitions, and the store.

    ``urls`` holds the addresses of entries, for complaints.
    """

    versions: Sequence[Version]
    ends: Sequence[End]
    letters: Sequence[Letter]
    stored: Mapping[str, Stored]
    urls: Mapping[str, str]


def complaints(
    expected: Remains, found: Remains, killers: Iterable[str], *, broker_died: bool = False
) -> list[str]:
    """Return all that is wrong with a run; the expected one was undisturbed, and without killers."""
    return [
        *twice(found.versions),
        *shrinking(found.versions),
        *repeated(found.versions),
        *stored_otherwise(expected.stored, found.stored),
        *stored_older(found.versions, found.stored),
        *ended_twice(found.ends, broker_died=broker_died),
        *ended_otherwise(expected, found, killers),
        *without_beginning(found.ends, found.stored),
        *letters_otherwise(found.letters, killers),
    ]


def twice(versions: Iterable[Version]) -> Iterator[str]:
    """Complain of versions that were published twice."""
    for (article_id, version), count in Counter((each.article_id, each.version) for each in versions).items():
        if count > 1:
            yield f"article {article_id}: version {version} stands {count} times on the log"


def shrinking(versions: Iterable[Version]) -> Iterator[str]:
    """Complain of a version that does not grow."""
    for before, after in _pairs(versions):
        if after.version <= before.version:
            yield f"article {after.article_id}: version {after.version} comes after {before.version}"


def repeated(versions: Iterable[Version]) -> Iterator[str]:
    """Complain of a fetch whose result came twice, and of revisions that say nothing new.

    A version without an entry only adds a source: same revision, same content.
    """
    for before, after in _pairs(versions):
        same = after.content_hash == before.content_hash
        step = after.revision - before.revision
        if after.entry_id is not None and (step != 1 or same):
            told = "the same content" if same else "other content"
            yield (
                f"article {after.article_id}: revision {after.revision} with {told} comes after revision"
                f" {before.revision}, made by a fetch"
            )
        if after.entry_id is None and (step != 0 or not same):
            yield f"article {after.article_id}: a source more made revision {after.revision} something else"


def _pairs(versions: Iterable[Version]) -> Iterator[tuple[Version, Version]]:
    """Yield each version of an article with the one before."""
    last: dict[str, Version] = {}
    for each in versions:
        if each.article_id in last:
            yield last[each.article_id], each
        last[each.article_id] = each


def stored_otherwise(expected: Mapping[str, Stored], found: Mapping[str, Stored]) -> Iterator[str]:
    """Complain of articles that are missing, too many, or other than undisturbed."""
    for article_id in sorted(expected.keys() | found.keys()):
        here, there = found.get(article_id), expected.get(article_id)
        if here is None:
            yield f"article {article_id} is missing: {there and there.title}"
        elif there is None:
            yield f"article {article_id} is too many: {here.title}"
        elif here[1:] != there[1:]:
            yield f"article {article_id} is stored as {here[1:]} instead of {there[1:]}"


def stored_older(versions: Iterable[Version], stored: Mapping[str, Stored]) -> Iterator[str]:
    """Complain of articles whose newest version is not the stored one."""
    newest = {each.article_id: each.version for each in versions}
    for article_id, version in newest.items():
        if article_id in stored and stored[article_id].version != version:
            yield f"article {article_id}: version {stored[article_id].version} is stored, {version} is newest"


def ended_twice(ends: Iterable[End], *, broker_died: bool = False) -> Iterator[str]:
    """Complain of entries with more than one outcome.

    A broker that dies may lose track of offsets (docs/design.md, section 9), so that a step is taken
    again: then the same outcome may come again, and an unchanged one beside another, but no two that differ.
    """
    by_entry = defaultdict(list)
    for end in ends:
        by_entry[end.entry_id].append(f"{end.kind}: {end.reason}")
    for entry_id, told in by_entry.items():
        differing = {each for each in told if not each.startswith(OutcomeKind.UNCHANGED)}
        if len(told) > 1 and not (broker_died and len(differing) <= 1):
            yield f"entry {entry_id} ended {len(told)} times: {', '.join(told)}"


def ended_otherwise(expected: Remains, found: Remains, killers: Iterable[str]) -> Iterator[str]:
    """Complain of entries that ended in another way than undisturbed, or of which only one run knows."""
    planted = set(killers)
    there = {end.entry_id: end for end in expected.ends}
    here = {end.entry_id: end for end in found.ends if found.urls.get(end.entry_id) not in planted}
    for entry_id in sorted(there.keys() | here.keys()):
        name = f"entry {entry_id} ({found.urls.get(entry_id) or expected.urls.get(entry_id)})"
        if entry_id not in here:
            yield f"{name} never ended"
        elif entry_id not in there:
            yield f"{name} ended as {here[entry_id].kind}, undisturbed there is none"
        elif not _alike(there[entry_id], here[entry_id]):
            yield f"{name} ended as {_told(here[entry_id])} instead of {_told(there[entry_id])}"


def _alike(there: End, here: End) -> bool:
    """Tell whether two ends differ by no more than who came first."""
    if there.kind in GOT_THROUGH and here.kind in GOT_THROUGH:
        return True
    return (there.kind, there.reason) == (here.kind, here.reason)


def _told(end: End) -> str:
    return f"{end.kind}: {end.reason}"


def without_beginning(ends: Iterable[End], stored: Mapping[str, Stored]) -> Iterator[str]:
    """Complain of articles that not exactly one entry made new."""
    new = Counter(end.article_id for end in ends if end.reason is Reason.NEW)
    for article_id in sorted(stored):
        if new[article_id] != 1:
            yield f"article {article_id} was made new by {new[article_id]} entries"


def letters_otherwise(letters: Iterable[Letter], killers: Iterable[str]) -> Iterator[str]:
    """Complain of dead letters of harmless pages, and of killers without exactly one."""
    counted = Counter(letter.url for letter in letters)
    reasons = {letter.url: letter.reason for letter in letters}
    for url in sorted(counted.keys() | set(killers)):
        if url not in set(killers):
            yield f"{url} is dead-lettered ({reasons[url]})"
        elif counted[url] != 1:
            yield f"the killer {url} has {counted[url]} dead letters"
