"""Settings of ``newswire kibana``: NEWSWIRE_KIBANA_ variables."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from newswire.credentials import check_log_in


class KibanaSettings(BaseSettings):
    """Where Kibana is, and who brings it our dashboards."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_KIBANA_", frozen=True, hide_input_in_errors=True)

    url: str = Field("http://127.0.0.1:5601", pattern="^https?://", description="Address of Kibana")
    username: str | None = Field(None, min_length=1, description="To log in with")
    password: SecretStr | None = Field(None, description="Of the user")
    password_file: Path | None = Field(None, description="File with the password, such as a mounted secret")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's (PEM)")
    space: str = Field("", pattern=r"^[a-z0-9_-]*$", description="Space to import to; default Kibana's own")
    wait_seconds: float = Field(60, ge=0, description="For Kibana to answer")

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        """Refuse settings that contradict each other, without saying a secret."""
        check_log_in("NEWSWIRE_KIBANA_", self.username, self.password, self.password_file)
        return self
