"""Settings: environment variables that start with NEWSWIRE_, read once at the start.

Each service adds a class of its own with a longer prefix (``NEWSWIRE_INGEST_``). A variable that nobody
knows stops the start, as a misspelt setting would otherwise be a silent default.
"""

import difflib
import os
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from newswire.elasticsearch_settings import ElasticsearchSettings
from newswire.errors import SettingsError
from newswire.kafka_settings import KafkaSettings
from newswire.kibana_settings import KibanaSettings
from newswire.users_settings import UsersSettings

PREFIX = "NEWSWIRE_"
TEST_PREFIX = "NEWSWIRE_TEST_"  # where the tests look for servers
OWN = {"NEWSWIRE_PARENT"}  # from a process to its children

DEFAULT_ADDRESS = "sqlite:///var/newswire.db"


class Settings(BaseSettings):
    """What all services share."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    log: str = Field(DEFAULT_ADDRESS, description="Address of the log")
    store: str = Field(DEFAULT_ADDRESS, description="Address of the store that is searched")
    prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]*$", description="Stands before topics, groups and indices"
    )
    partitions: int = Field(12, ge=1, le=1000, description="Of each topic, when the log is made")
    retention_days: float = Field(
        30,
        gt=0,
        description="Of what is not kept for ever in the log: entries, articles, outcomes and others",
    )
    enriched_retention_days: float = Field(
        400, gt=0, description="Of enriched articles in the log; NEWSWIRE_INDEX_RETENTION_DAYS should agree"
    )
    cache: Path = Field(Path("var/cache"), description="Folder for caches that may be lost")
    workers: int | None = Field(
        None, ge=1, le=256, description="Child processes of a service; default one a core"
    )
    health_port: int | None = Field(
        None, ge=0, le=65535, description="For /healthz, /readyz and /metrics of `newswire run`; default none"
    )
    health_host: str = Field("127.0.0.1", min_length=1, description="Where that port is opened")
    health_stuck_seconds: float = Field(
        120, ge=1, description="A partition that has not moved for so long, with messages to read, is stuck"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Of the log lines")


SHARED: tuple[type[BaseSettings], ...] = (
    Settings,
    KafkaSettings,
    ElasticsearchSettings,
    UsersSettings,
    KibanaSettings,
)
"""What belongs to no service."""

S = TypeVar("S", bound=BaseSettings)


def variables(settings: type[BaseSettings]) -> set[str]:
    """Return the names of the environment variables that a class reads."""
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper() for name in settings.model_fields}


def check_names(classes: Iterable[type[BaseSettings]], foreign: Iterable[str] = ()) -> None:
    """Raise SettingsError for a NEWSWIRE_ variable that no class reads.

    Args:
        classes: the settings in use.
        foreign: prefixes of services that are not here; their variables are let be.
    """
    known = set().union(*(variables(each) for each in classes))
    skipped = (TEST_PREFIX, *foreign)
    for name in sorted(os.environ):
        if (
            name.upper().startswith(PREFIX)
            and name.upper() not in known | OWN
            and not name.startswith(skipped)
        ):
            close = difflib.get_close_matches(name.upper(), known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise SettingsError(f"unknown setting {name}{hint}")


def load(settings: type[S]) -> S:
    """Read a class of settings from the environment; SettingsError names the variable that is wrong."""
    try:
        return settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if not first["loc"]:  # a check of several settings names them; what was given may hold a password
            raise SettingsError(str(first["msg"]).removeprefix("Value error, ")) from None
        prefix = settings.model_config.get("env_prefix", "")
        name = f"{prefix}{'.'.join(str(part) for part in first['loc'])}".upper()
        raise SettingsError(f"{name}: {first['msg']} (given: {first['input']!r})") from error


def load_settings() -> Settings:
    """Read the shared settings, for commands that need no service; those of services are let be."""
    services = entry_points(group="newswire.services")
    check_names(SHARED, [f"{PREFIX}{service.name.upper()}_" for service in services])
    return load(Settings)
