"""Sending dead letters back to the stage that they came from, and dropping them.

    ingest ── the entry ──► entries        enrich ── the article or sighting ──► where it lay
    index ─── the article, for its owner to give it a new version ──► articles

What is sent and the marks that it was are published together, all or nothing: a death in the middle neither
loses a letter nor sends it twice.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError

from newswire.envelope import (
    AGAIN,
    ATTEMPTS,
    ENTRY,
    FEED,
    HANDLED,
    OUTCOMES_END,
    REINDEX,
    REPLAY,
)
from newswire.events import DEAD_LETTERS, Article, Enriched, Entry, Outcome, Sighting, Withdrawal
from newswire.letters import How, Letter
from newswire.log.port import Log, Message
from newswire.republish import back_to_owner

SOURCE = "dead-letters"
CHUNK = 50  # letters published together
CHUNK_BYTES = 4_000_000
AS_IT_WAS = frozenset({Entry.topic, Article.topic, Sighting.topic})


@dataclass(frozen=True)
class Refusal:
    """Why a letter cannot be sent back."""

    why: str


@dataclass
class Tally:
    """What became of the letters that were meant.

    Attributes:
        done: by stage.
        refused: letters with the reason why they stay as they are.
    """

    done: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[Letter, str]] = field(default_factory=list)


def sent_back(letter: Letter) -> Message | Refusal:
    """Return the message that gives a letter another chance, or why there is none."""
    if letter.topic == Enriched.topic:
        return _to_owner(letter)
    if letter.topic == Withdrawal.topic:
        return Refusal("an old withdrawal could undo a newer one: say newswire withdraw once more")
    if letter.topic not in AS_IT_WAS:
        return Refusal(f"nobody reads {letter.topic or 'a topic without a name'}")
    if letter.is_pointer:
        return _from_pointer(letter)
    return Message(letter.topic, letter.record.key, letter.record.value, _headers(letter))


def mark(letter: Letter, how: How, by: str, outcomes_end: int | None = None) -> Message:
    """Return the record that says what became of a letter.

    Args:
        letter: it lies under its key.
        how: what became of it.
        by: who says so.
        outcomes_end: where the outcomes of its entry's partition ended, if it was sent back.
    """
    kept = {
        name: letter.record.headers[name]
        for name in (ENTRY, FEED, "dl_topic")
        if name in letter.record.headers
    }
    headers = {
        **kept, HANDLED: letter.id, "dl_how": how, "dl_by": by, "dl_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    if outcomes_end is not None and letter.entry_id:
        headers[OUTCOMES_END] = str(outcomes_end)
    return Message(DEAD_LETTERS, letter.record.key, None, headers)


async def send_back(log: Log, letters: Sequence[Letter], by: str) -> AsyncIterator[Tally]:
    """Send letters back, in order; yields the sums after each chunk."""
    tally = Tally()
    for chunk in chunks(letters):
        ends = await log.end_offsets(Outcome.topic)
        messages: list[Message] = []
        sent: Counter[str] = Counter()
        for letter in chunk:
            back = sent_back(letter)
            if isinstance(back, Refusal):
                tally.refused.append((letter, back.why))
                continue
            end = ends[log.partition_of(letter.entry_id)] if letter.entry_id else None
            messages += [back, mark(letter, How.REPLAYED, by, end)]
            sent[letter.stage] += 1
        if messages:
            await log.publish(messages)
        tally.done += sent
        yield tally


async def drop(log: Log, letters: Sequence[Letter], by: str) -> AsyncIterator[Tally]:
    """Mark letters as dropped: they are not listed any more; yields the sums after each chunk."""
    tally = Tally()
    for chunk in chunks(letters):
        await log.publish([mark(letter, How.DROPPED, by) for letter in chunk])
        tally.done += Counter(letter.stage for letter in chunk)
        yield tally


def chunks(letters: Sequence[Letter]) -> list[list[Letter]]:
    """Return letters in portions that can be published together."""
    made: list[list[Letter]] = []
    size = 0
    for letter in letters:
        length = len(letter.record.value or b"")
        if not made or len(made[-1]) >= CHUNK or size + length > CHUNK_BYTES:
            made.append([])
            size = 0
        made[-1].append(letter)
        size += length
    return made


def _headers(letter: Letter) -> dict[str, str]:
    """Return the headers that a message had, and that it is sent back after so many attempts."""
    own = {name: text for name, text in letter.record.headers.items() if not name.startswith("dl_")}
    return {REPLAY: AGAIN, **own, ATTEMPTS: str(max(1, letter.attempts))}


def _to_owner(letter: Letter) -> Message | Refusal:
    if letter.is_pointer:
        return _gone(letter)
    if letter.record.value is None:
        return Refusal("it was a removal: say newswire withdraw once more")
    try:
        enriched = Enriched.from_bytes(letter.record.value)
    except ValidationError:
        return Refusal(
            "its bytes are no enriched article: newswire replay --stage enrich makes a new version"
        )
    headers = _headers(letter)
    return back_to_owner(
        enriched, REINDEX, source=SOURCE, entry_id=letter.entry_id, feed_id=headers.get(FEED), cause=headers
    )


def _from_pointer(letter: Letter) -> Message | Refusal:
    """Return an entry made of what is left of it: its address and ids are enough for a fetch."""
    if letter.topic != Entry.topic:
        return _gone(letter)
    try:
        entry = Entry.from_bytes(letter.record.value or b"")
    except ValidationError:
        return _gone(letter)
    return Message(letter.topic, letter.record.key, entry.to_bytes(), _headers(letter))


def _gone(letter: Letter) -> Refusal:
    told = letter.original if isinstance(letter.original, dict) else {}
    size, digest = told.get("size"), told.get("sha256")
    return Refusal(f"the original is gone, it was too large: {size} bytes, SHA-256 {digest}")
