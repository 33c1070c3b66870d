"""Settings of the ingest service: NEWSWIRE_INGEST_ variables."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEGABYTE = 1_000_000


class IngestSettings(BaseSettings):
    """How feeds are polled and pages fetched."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_INGEST_", frozen=True)

    user_agent: str = Field("Newswire/0.1", min_length=1, description="Who we say we are")
    allow_private: bool = Field(False, description="Fetch from private addresses too; never on a server")
    resolve: Annotated[dict[str, str], NoDecode] = Field(
        default={}, description="Where hosts are served instead: *.example=http://127.0.0.1:8900,…"
    )
    poll_seconds: float = Field(900, gt=0, description="Between two polls of a feed that says nothing itself")
    poll_retry_seconds: float = Field(300, gt=0, description="Added for each failed poll in a row")
    poll_concurrency: int = Field(16, ge=1, description="Feeds polled at once")
    page_timeout_seconds: float = Field(30, gt=0, description="For a feed or a page, all in all")
    page_bytes: int = Field(10 * MEGABYTE, gt=0, description="Of a feed or a page, on the wire and unpacked")
    domain_spacing_seconds: float = Field(2, ge=0, description="Between two requests to a registered domain")
    domain_concurrency: int = Field(1, ge=1, description="Requests to a registered domain at once")
    fetch_concurrency: int = Field(32, ge=1, description="Pages fetched at once")
    fetch_attempts: int = Field(4, ge=1, description="Of a page that fails for a passing reason")
    fetch_retry_seconds: float = Field(60, gt=0, description="Added for each attempt at a page")
    failure_memory_seconds: float = Field(3600, ge=0, description="For which a page is not tried again")

    @field_validator("resolve", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        """Read ``host=origin`` pairs with commas between."""
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        if any(not host.strip() or not origin.strip().startswith("http") for host, _, origin in pairs):
            raise ValueError("expected host=http://address:port, with commas between")
        return {host.strip(): origin.strip() for host, _, origin in pairs}
