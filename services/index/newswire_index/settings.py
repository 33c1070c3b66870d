"""Settings of the index service: NEWSWIRE_INDEX_ variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from newswire.topics import RETENTION_DAYS


class IndexSettings(BaseSettings):
    """How articles are stored."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_INDEX_", frozen=True)

    retention_days: float = Field(RETENTION_DAYS, gt=0, description="After the end of a month it is dropped")
    batch: int = Field(200, ge=1, le=5000, description="Articles written at once")
    bulk_bytes: int = Field(
        5_000_000,
        ge=1000,
        le=100_000_000,
        description="Of one request to Elasticsearch; a larger article goes alone",
    )
