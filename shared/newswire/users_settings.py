"""Settings of ``newswire index users``: NEWSWIRE_USERS_ variables."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class UsersSettings(BaseSettings):
    """The passwords of the users that are made in Elasticsearch; used by ``newswire index users`` only."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_USERS_", frozen=True, hide_input_in_errors=True)

    index_password: SecretStr | None = Field(None, description="Of the user of the index service")
    index_password_file: Path | None = Field(None, description="File with it, such as a mounted secret")
    reader_password: SecretStr | None = Field(None, description="Of the user who reads in Kibana")
    reader_password_file: Path | None = Field(None, description="File with it")
    kibana_password: SecretStr | None = Field(None, description="Of `kibana_system`, as whom Kibana logs in")
    kibana_password_file: Path | None = Field(None, description="File with it")

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        """Refuse a password that is given twice, without saying it."""
        for whose in ("index", "reader", "kibana"):
            name = f"{whose}_password"
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                variable = f"NEWSWIRE_USERS_{name.upper()}"
                raise ValueError(f"give {variable} or {variable}_FILE, not both")
        return self
