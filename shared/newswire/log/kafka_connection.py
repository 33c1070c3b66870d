"""Reaching Kafka: what every client is made with, waiting for the broker, and why it cannot be reached.

aiokafka says of a wrong password no more than that it cannot connect. So before any client is made, the
brokers are asked by a connection of our own, whose error has the reason.
"""

import asyncio
import logging
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    InvalidTransactionTimeout,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from newswire.credentials import secret_from
from newswire.errors import LogUnavailableError, SettingsError
from newswire.kafka_settings import KafkaSettings
from newswire.log.address import KAFKA

logger = structlog.get_logger()

DEFAULT_PORT = 9092
BROKER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
ASK_SECONDS = 5.0  # for one broker to answer
AGAIN_SECONDS = 0.5  # between two rounds of asking
REQUEST_MS = 40_000  # a member that joins is answered when all others have let go of their partitions
REFUSED = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)


NOT_ALLOWED = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    InvalidTransactionTimeout,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""What a broker says to what it will never do, however often it is asked."""


@dataclass(frozen=True)
class Connection:
    """Where Kafka is and how it is spoken to."""

    servers: tuple[str, ...]
    settings: KafkaSettings
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """The address for people."""
        return KAFKA + ",".join(self.servers)

    @property
    def security(self) -> dict[str, Any]:
        """What both clients and bare connections are made with."""
        settings = self.settings
        options: dict[str, Any] = {"ssl_context": self.context}
        if settings.username is None:
            return {**options, "security_protocol": "SSL" if settings.tls else "PLAINTEXT"}
        return {
            **options,
            "security_protocol": "SASL_SSL" if settings.tls else "SASL_PLAINTEXT",
            "sasl_mechanism": settings.mechanism,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": self.password,
        }

    @property
    def options(self) -> dict[str, Any]:
        """What every client of aiokafka is made with."""
        return {
            "bootstrap_servers": list(self.servers),
            "client_id": "newswire",
            "request_timeout_ms": REQUEST_MS,
            **self.security,
        }


def connection_to(address: str, settings: KafkaSettings) -> Connection:
    """Return the connection for an address; raises SettingsError for one that is none, or a bad file."""
    quieten()
    servers = tuple(_server(part) for part in address.removeprefix(KAFKA).rstrip("/").split(","))
    password = secret_from("NEWSWIRE_KAFKA_PASSWORD", settings.password, settings.password_file)
    return Connection(servers, settings, password, _context(settings))


def _server(text: str) -> str:
    if "@" in text:  # not repeated: it may be a password
        raise SettingsError(
            "NEWSWIRE_LOG: no user in the address: set NEWSWIRE_KAFKA_USERNAME and NEWSWIRE_KAFKA_PASSWORD"
        )
    found = BROKER.fullmatch(text.strip())
    host, port = (found["host"], int(found["port"] or DEFAULT_PORT)) if found else ("", 0)
    if not 0 < port < 1 << 16:
        raise SettingsError(f"NEWSWIRE_LOG: not a broker's address: {text!r} (kafka://host:9092,host2:9092)")
    return f"{host}:{port}"


def _context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate_file:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"NEWSWIRE_KAFKA_: a certificate cannot be used: {error}") from error
    return context


async def wait_for_broker(connection: Connection) -> None:
    """Return when a broker answers.

    Raises SettingsError at once if it refuses us, LogUnavailableError if none answers in the time set.
    """
    deadline = time.monotonic() + connection.settings.wait_seconds
    told = False
    while True:
        reason = await why_not(connection)
        if reason is None:
            return
        if time.monotonic() >= deadline:
            seconds = connection.settings.wait_seconds
            raise LogUnavailableError(
                f"Kafka does not answer at {connection.shown}: {reason} (waited {seconds:g} s)"
            )
        if not told:
            logger.warning("log.waiting", log=connection.shown, reason=reason)
            told = True
        await asyncio.sleep(AGAIN_SECONDS)


async def why_not(connection: Connection) -> str | None:
    """Ask the brokers in turn; return why none of them answers, or None if one does."""
    reason = "no broker was named"
    for server in connection.servers:
        host, _, port = server.rpartition(":")
        try:
            asked = await create_conn(
                host.strip("[]"), int(port), client_id="newswire", request_timeout_ms=int(ASK_SECONDS * 1000),
                **connection.security,
            )  # fmt: skip
        except REFUSED as error:
            raise SettingsError(_refusal(connection, server, error)) from error
        except ssl.SSLCertVerificationError as error:
            raise SettingsError(
                f"Kafka at {server}: its certificate is not trusted: {error.verify_message}"
            ) from error
        except (OSError, KafkaError, TimeoutError) as error:
            reason = f"{server}: {str(error) or type(error).__name__}"
            continue
        try:
            await asked.send(MetadataRequest([]))  # a broker that wants a user answers nothing before
        except (OSError, KafkaError, TimeoutError):
            reason = f"{server} closes the connection; does it want a user or TLS? (NEWSWIRE_KAFKA_…)"
        else:
            return None
        finally:
            asked.close()
    return reason


def _refusal(connection: Connection, server: str, error: KafkaError) -> str:
    settings = connection.settings
    said = str(error.args[0]) if error.args and isinstance(error.args[0], str) else type(error).__name__
    return f"Kafka at {server} refuses the user {settings.username!r} ({settings.mechanism}): {said}"


def refuse_for_good(error: BaseException, what: str) -> None:
    """Raise SettingsError if an error, or what it came from, is one that no retry can mend."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, NOT_ALLOWED):
            raise SettingsError(f"Kafka refuses {what}: {cause!r}") from error
        cause = cause.__cause__


def quieten() -> None:
    """Keep aiokafka from writing to standard error, unless somebody set up its logging.

    While a broker is away it says so many times a second; the log says it once.
    """
    theirs = logging.getLogger("aiokafka")
    if not theirs.handlers:
        theirs.addHandler(logging.NullHandler())
