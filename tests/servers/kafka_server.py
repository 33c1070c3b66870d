"""What a test may do with a Kafka, wherever it came from."""

from abc import ABC, abstractmethod
from typing import Self

VERSION = "4.3.1"
USER = "tester"
PASSWORD = "tester-secret"  # noqa: S105 - of brokers that live as long as a test run


class KafkaServer(ABC):
    """A running Kafka with a PLAINTEXT listener and, if it is known, a SASL_PLAINTEXT one.

    The SASL listener takes PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
    """

    origin: str
    can_be_killed = True

    def __init__(self, bootstrap: str, sasl_bootstrap: str | None) -> None:
        self.bootstrap = bootstrap
        self.sasl_bootstrap = sasl_bootstrap
        self.user = USER
        self.password = PASSWORD

    @abstractmethod
    def start(self) -> None:
        """Start it, if it does not run, on the same ports with the same data; return when it answers."""

    @abstractmethod
    def kill(self) -> None:
        """Kill it as `kill -9` does; the data stays."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it in order; the data stays."""

    @abstractmethod
    def close(self) -> None:
        """End it and remove its data."""

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End it and remove its data."""
        self.close()
