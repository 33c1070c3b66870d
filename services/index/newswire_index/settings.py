"""Settings of the index service: NEWSWIRE_INDEX_ variables."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from newswire.topics import RETENTION_DAYS
from newswire_index.recency import MAX_DAYS


class IndexSettings(BaseSettings):
    """How articles are stored and searched."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_INDEX_", frozen=True)

    retention_days: float = Field(RETENTION_DAYS, gt=0, description="After the end of a month it is dropped")
    recency: float = Field(
        0,
        ge=0,
        le=MAX_DAYS,
        description="Half-life in days with which a search lets recent articles count more; 0: not at all",
    )
    batch: int = Field(200, ge=1, le=5000, description="Articles written at once")
    bulk_bytes: int = Field(
        5_000_000,
        ge=1000,
        le=100_000_000,
        description="Of one request to Elasticsearch; a larger article goes alone",
    )
    pipeline: str | None = Field(
        None, min_length=1, description="Ingest pipeline of yours in Elasticsearch, for every article"
    )
