"""Making events small enough for a log that takes no message above a size: pure.

What is cut is said in the notes. What is still too large is refused by the log, and dead-lettered.
"""

from newswire.events import Article, Enriched, Entry, Mention, Page, WaitingEntry

TEXT_BYTES = 900_000  # of a text in UTF-8: with all around it, under the 1 MB that Kafka takes unasked
EVENT_BYTES = 950_000  # of a whole event in JSON; headers and key come on top
FIELD_BYTES = 1_000  # of a title, a name or a tag, where they are too long
FIELDS = 50  # names or tags that are kept then
MENTIONS = 20  # that an entity keeps when there is no room for all


def cut(text: str, size: int) -> str:
    """Return the beginning of a text that has at most so many bytes in UTF-8, whole characters only."""
    data = text.encode()
    return text if len(data) <= size else data[:size].decode(errors="ignore")


def fit_article(article: Article) -> Article:
    """Return the article with its text cut where that is too long."""
    whole = len(article.text.encode())
    size = min(whole, TEXT_BYTES)
    fitted = article
    while whole > size or len(fitted.to_bytes()) > EVENT_BYTES:
        note = f"cut: the text had {whole} bytes"
        fitted = article.model_copy(update={"text": cut(article.text, size), "notes": (*article.notes, note)})
        written = len(fitted.to_bytes())  # in JSON a quote or a line end takes two bytes
        if written <= EVENT_BYTES or size == 0:
            break
        size = size * EVENT_BYTES // (written + 1)
    return fitted


def fit_entry(entry: Entry) -> Entry:
    """Return the entry with the feed's own texts cut where they are too long."""
    size = TEXT_BYTES
    while len(entry.to_bytes()) > EVENT_BYTES and size > 0:
        texts = {"content": cut(entry.content or "", size), "summary": cut(entry.summary or "", size // 4)}
        entry = entry.model_copy(update={name: text or None for name, text in texts.items()})
        size //= 2
    return entry if len(entry.to_bytes()) <= EVENT_BYTES else _with_short_fields(entry)


def fit_page(page: Page) -> Page:
    """Return the record without the texts of waiting entries, last ones first, where they are too many."""
    waiting = list(page.waiting)
    for number in range(len(waiting) - 1, -1, -1):
        if len(page.to_bytes()) <= EVENT_BYTES:
            break
        waiting[number] = _without_texts(waiting[number])
        page = page.model_copy(update={"waiting": tuple(waiting)})
    return page


def fit_enriched(article: Enriched) -> Enriched:
    """Return the article with fewer mentions, then with less text, where it is too large."""
    if len(article.to_bytes()) <= EVENT_BYTES:
        return article
    note = f"cut: no more than {MENTIONS} mentions of an entity"
    entities = tuple(
        entity.model_copy(update={"mentions": entity.mentions[:MENTIONS]}) for entity in article.entities
    )
    fitted = article.model_copy(update={"entities": entities, "notes": (*article.notes, note)})
    over = len(fitted.to_bytes()) - EVENT_BYTES
    return fitted if over <= 0 else _with_less_text(fitted, max(0, len(article.text.encode()) - over))


def _with_less_text(article: Enriched, size: int) -> Enriched:
    """Return the article with its text cut, and with what stood in the rest of it."""
    text = cut(article.text, size)
    topics = tuple(
        topic.model_copy(update={"evidence": _within(topic.evidence, text)}) for topic in article.topics
    )
    entities = tuple(
        entity.model_copy(update={"mentions": _within(entity.mentions, text)}) for entity in article.entities
    )
    note = f"cut: the text had {len(article.text.encode())} bytes"
    changes = {"text": text, "topics": topics, "entities": entities, "notes": (*article.notes, note)}
    return article.model_copy(update=changes)


def _within(mentions: tuple[Mention, ...], text: str) -> tuple[Mention, ...]:
    return tuple(each for each in mentions if each.field != "text" or each.end <= len(text))


def _with_short_fields(entry: Entry) -> Entry:
    """Return an entry whose feed wrote a book where others write a line; its id is made already."""
    changes = {
        "title": cut(entry.title or "", FIELD_BYTES) or None,
        "native_id": cut(entry.native_id or "", FIELD_BYTES) or None,
        "authors": tuple(cut(each, FIELD_BYTES) for each in entry.authors[:FIELDS]),
        "tags": tuple(cut(each, FIELD_BYTES) for each in entry.tags[:FIELDS]),
    }
    return entry.model_copy(update=changes)


def _without_texts(waiting: WaitingEntry) -> WaitingEntry:
    bare = waiting.entry.model_copy(update={"content": None, "summary": None})
    return waiting.model_copy(update={"entry": bare})
