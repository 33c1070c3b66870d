"""What all events are made of: the two base classes, and the types of fields that many events have."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

DATE_LENGTH = len("2026-01-31")
Known = TypeVar("Known")

Open = Annotated[Known | str, Field(union_mode="left_to_right")]
"""A value of an enum that may grow: one that this reader does not know yet is read as a plain string.

An enum without it is closed: one more value would be a new version of the event.
"""


def _moment(value: Any) -> Any:
    """Read an ISO 8601 string as a date where it says no more, else as a date and time."""
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value) if len(value) == DATE_LENGTH else datetime.fromisoformat(value)


Moment = Annotated[AwareDatetime | date, BeforeValidator(_moment)]
"""A date and time with the offset that the page gave, or a date where it says no more."""

ArticleId = Annotated[str, Field(description="The article: 128 bits of its canonical URL's hash, in hex")]
EntryId = Annotated[str, Field(description="The entry, in hex")]
FeedId = Annotated[str, Field(description="The feed, in hex, or `manual`")]
ContentHash = Annotated[
    str, Field(description="128 bits of the hash of title and text, white space folded, in hex")
]
OutletName = Annotated[str | None, Field(description="Who published, by name")]
EntityTag = Annotated[str | None, Field(description="The server's ETag, for conditional requests")]
LastModified = Annotated[
    str | None, Field(description="The server's Last-Modified, for conditional requests")
]


class Event(BaseModel):
    """A value on a topic."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]

    def to_bytes(self) -> bytes:
        """Return the event as UTF-8 JSON, without fields that hold nothing."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> Self:
        """Read an event; raises ``pydantic.ValidationError`` on bytes that are none."""
        return cls.model_validate_json(value)


class Part(BaseModel):
    """A value inside an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")
