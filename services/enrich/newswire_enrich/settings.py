"""Settings of the enrich service: NEWSWIRE_ENRICH_ variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).parents[3]  # where the rules lie when the package is installed from a checkout
RULES = Path("deploy/topics.yaml")


def default_rules() -> Path:
    """Return the rules of the working folder, else those of the checkout."""
    return RULES if RULES.exists() else CHECKOUT / RULES


class EnrichSettings(BaseSettings):
    """How articles are tagged."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_ENRICH_", frozen=True)

    topics: Path = Field(default_factory=default_rules, description="Topic rules: deploy/topics.yaml")
    batch: int = Field(32, ge=1, le=1000, description="Articles handled at once by a partition")
