"""Dead letters as they lie on their topic, each with what became of it.

The topic is only added to. A letter that was sent back or dropped is followed by a mark: a record without a
value under the same key, so in the same partition, whose headers name the letter. A mark is younger than its
letter, so it stays on the topic at least as long.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from newswire.envelope import ENTRY, HANDLED, POINTER, attempts_before
from newswire.errors import SettingsError
from newswire.events import DEAD_LETTERS
from newswire.log.port import Log, Record
from newswire.log.reading import records_from

LETTER_ID = re.compile(r"\d{1,6}-\d{1,19}")


class How(StrEnum):
    """What can become of a dead letter."""

    REPLAYED = "replayed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Mark:
    """That a dead letter was dealt with."""

    how: str
    by: str
    at: str


@dataclass(frozen=True)
class Letter:
    """A dead letter; ``mark`` says what became of it, if it was dealt with."""

    record: Record
    mark: Mark | None = None

    @property
    def id(self) -> str:
        """Its name: partition and offset on the topic of dead letters."""
        return f"{self.record.partition}-{self.record.offset}"

    @property
    def stage(self) -> str:
        """Who gave up."""
        return self.record.headers.get("dl_stage", "")

    @property
    def reason(self) -> str:
        """Why, in a word."""
        return self.record.headers.get("dl_reason", "")

    @property
    def error(self) -> str:
        """Why, in full."""
        return self.record.headers.get("dl_error", "")

    @property
    def topic(self) -> str:
        """Where the original lay."""
        return self.record.headers.get("dl_topic", "")

    @property
    def attempts(self) -> int:
        """How often it was tried, all in all."""
        return attempts_before(self.record.headers)

    @property
    def at(self) -> datetime:
        """When it died."""
        try:
            return datetime.fromisoformat(self.record.headers.get("dl_at", ""))
        except ValueError:
            return datetime.fromtimestamp(self.record.timestamp_ms / 1000, UTC)

    @property
    def entry_id(self) -> str | None:
        """The entry that it is about, if there is one."""
        return self.record.headers.get(ENTRY)

    @property
    def is_pointer(self) -> bool:
        """Whether only a description is left of an original that was too large."""
        return POINTER in self.record.headers

    @property
    def original(self) -> Any:
        """The original as JSON, None if it is none."""
        try:
            return json.loads(self.record.value or b"")
        except (ValueError, RecursionError):
            return None

    def told(self, *names: str) -> str:
        """Return the first of these fields of the original that has text; empty if there is none."""
        original = self.original
        fields = original if isinstance(original, dict) else {}
        return next((str(fields[name]) for name in names if isinstance(fields.get(name), str)), "")

    def row(self) -> dict[str, Any]:
        """Return it as a JSON row."""
        return {
            "id": self.id, "at": self.at.isoformat(), "stage": self.stage, "reason": self.reason,
            "error": self.error, "attempts": self.attempts, "topic": self.topic, "key": self.record.key,
            "entry_id": self.entry_id, "url": self.told("url") or None, "title": self.told("title") or None,
            "pointer": self.is_pointer, "handled": self.mark and vars(self.mark),
        }  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Which dead letters are meant; what is not given does not choose.

    Attributes:
        ids: these, and no others.
        stages: who gave up.
        reasons: why.
        since: died then or later.
        until: died before.
        handled: those too that were dealt with.
    """

    ids: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    handled: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether nothing was given to choose by."""
        return self == replace(Selection(), handled=self.handled)

    def has(self, letter: Letter) -> bool:
        """Tell whether a letter is meant."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.stages or letter.stage in self.stages)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
            and (self.handled or letter.mark is None)
        )


def letter_ids(given: Iterable[str]) -> frozenset[str]:
    """Return ids as they were typed; raises SettingsError for what is none."""
    ids = frozenset(given)
    for each in sorted(ids):
        if not LETTER_ID.fullmatch(each):
            raise SettingsError(f"not the id of a dead letter: {each[:100]!r}; it looks like 3-1042")
    return ids


async def letters_on(log: Log, selection: Selection | None = None) -> list[Letter]:
    """Return the dead letters that are meant, in the order in which they died, key by key in any case."""
    chosen = selection or Selection()
    found: list[Letter] = []
    for number in range(log.partitions):
        found += [letter for letter in await _of_partition(log, number) if chosen.has(letter)]
    # Within a partition by offset and not by the clock of whoever wrote: a key keeps its order.
    return sorted(found, key=lambda letter: (letter.record.partition, letter.record.offset))


async def _of_partition(log: Log, number: int) -> list[Letter]:
    letters: dict[str, Letter] = {}
    async for record in records_from(log, DEAD_LETTERS, number):
        marked = record.headers.get(HANDLED)
        if marked is None:
            letter = Letter(record)
            letters[letter.id] = letter
        elif marked in letters:
            headers = record.headers
            mark = Mark(headers.get("dl_how", ""), headers.get("dl_by", ""), headers.get("dl_at", ""))
            letters[marked] = replace(letters[marked], mark=mark)
    return list(letters.values())
