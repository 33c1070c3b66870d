"""Settings of the Elasticsearch store: NEWSWIRE_ELASTICSEARCH_ variables."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from newswire.credentials import check_log_in


class ElasticsearchSettings(BaseSettings):
    """How Elasticsearch is reached, and how its indices are made; used where the store is one."""

    model_config = SettingsConfigDict(
        env_prefix="NEWSWIRE_ELASTICSEARCH_", frozen=True, hide_input_in_errors=True
    )

    username: str | None = Field(None, min_length=1, description="To log in with")
    password: SecretStr | None = Field(None, description="Of the user")
    password_file: Path | None = Field(None, description="File with the password, such as a mounted secret")
    api_key: SecretStr | None = Field(None, description="Instead of a user: an encoded API key")
    api_key_file: Path | None = Field(None, description="File with the API key")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's (PEM)")

    wait_seconds: float = Field(60, ge=0, description="For Elasticsearch at the start")
    timeout_seconds: float = Field(30, gt=0, le=600, description="For one request")
    shards: int = Field(1, ge=1, le=64, description="Primary shards of a month that is made")
    replicas: int | None = Field(
        None, ge=0, le=10, description="Copies of each shard; default one where there is a node for it"
    )
    refresh_seconds: float = Field(
        1, gt=0, le=3600, description="Until what was written can be found, at the most"
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        """Refuse settings that contradict each other, without saying a secret."""
        prefix = "NEWSWIRE_ELASTICSEARCH_"
        check_log_in(prefix, self.username, self.password, self.password_file)
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError(f"give {prefix}API_KEY or {prefix}API_KEY_FILE, not both")
        if self.username is not None and (self.api_key is not None or self.api_key_file is not None):
            raise ValueError(f"give {prefix}USERNAME or {prefix}API_KEY, not both")
        return self
