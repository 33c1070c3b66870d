"""Settings of the enrich service: NEWSWIRE_ENRICH_ variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EnrichSettings(BaseSettings):
    """How articles are tagged."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_ENRICH_", frozen=True)

    topics: Path = Field(Path("deploy/topics.yaml"), description="The topic rules")
    batch: int = Field(32, ge=1, le=1000, description="Articles handled at once by a partition")
