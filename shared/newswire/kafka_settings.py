"""Settings of the Kafka log: NEWSWIRE_KAFKA_ variables."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from newswire.credentials import check_log_in

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
MEGABYTE = 1_000_000


class KafkaSettings(BaseSettings):
    """How Kafka is reached, and how its topics are made; used where the log is one."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_KAFKA_", frozen=True, hide_input_in_errors=True)

    username: str | None = Field(None, min_length=1, description="To log in with SASL")
    password: SecretStr | None = Field(None, description="Of the user")
    password_file: Path | None = Field(None, description="File with the password, such as a mounted secret")
    mechanism: Mechanism = Field("SCRAM-SHA-512", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    tls: bool = Field(False, description="Encrypt the connection, and check the broker's certificate")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's (PEM)")
    certificate_file: Path | None = Field(None, description="Our own certificate, if the broker asks (PEM)")
    key_file: Path | None = Field(None, description="Private key of our certificate, if in a file of its own")

    wait_seconds: float = Field(60, ge=0, description="For the broker at the start")
    session_seconds: float = Field(
        10, ge=1, le=300, description="After which a silent process loses its partitions"
    )
    hand_over_seconds: float = Field(
        5, ge=0, le=25, description="For batches in hand before partitions are shared out anew"
    )
    step_seconds: float = Field(15, ge=1, le=60, description="For one atomic step")
    compression: Literal["zstd", "lz4", "none"] = Field("zstd", description="Of what is published")

    replication: int | None = Field(
        None, ge=1, le=15, description="Copies of each topic that is made; default the broker's own number"
    )
    min_insync_replicas: int | None = Field(
        None, ge=1, le=15, description="Copies that must have a message; default the broker's own number"
    )
    max_message_bytes: int = Field(
        MEGABYTE, ge=100_000, le=100 * MEGABYTE, description="The largest message; brokers take 1 MB unasked"
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        """Refuse settings that only make sense with another."""
        check_log_in("NEWSWIRE_KAFKA_", self.username, self.password, self.password_file)
        if not self.tls and (self.ca_file or self.certificate_file):
            raise ValueError("certificates are given, but NEWSWIRE_KAFKA_TLS is not true")
        if self.key_file and not self.certificate_file:
            raise ValueError("NEWSWIRE_KAFKA_KEY_FILE needs NEWSWIRE_KAFKA_CERTIFICATE_FILE")
        if (self.min_insync_replicas or 1) > (self.replication or self.min_insync_replicas or 1):
            raise ValueError(
                "NEWSWIRE_KAFKA_MIN_INSYNC_REPLICAS is larger than NEWSWIRE_KAFKA_REPLICATION: "
                "nothing could be published"
            )
        return self
