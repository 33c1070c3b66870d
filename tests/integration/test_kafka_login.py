"""Reaching Kafka with a user, over TLS, or not at all: whatever is wrong is said in one line."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers.certificates import Certificate
from servers.kafka import KafkaServer
from servers.kafka_child import ChildKafka, start_kafka_child
from servers.missing import ServerMissingError, do_without
from servers.ports import free_ports
from structlog.testing import capture_logs

from newswire.errors import LogUnavailableError, SettingsError
from newswire.kafka_settings import KafkaSettings
from newswire.log import open_log
from newswire.log.kafka_connection import connection_to, wait_for_broker, why_not

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
WRONG = "wr0ng-secret"
CLOSING_SECONDS = 40.0  # longer than asyncio waits for the other side
FETCHING_SECONDS = 660  # where Docker answers, nobody has fetched the jars before


def settings(**more: Any) -> KafkaSettings:
    """Return settings that wait for nobody."""
    return KafkaSettings(**{"wait_seconds": 0, **more})


def sasl(kafka: KafkaServer) -> str:
    """Return the address of the listener that asks for a user."""
    if kafka.sasl_bootstrap is None:
        pytest.skip("the given Kafka has no SASL listener: NEWSWIRE_TEST_KAFKA_SASL is not set")
    return f"kafka://{kafka.sasl_bootstrap}"


async def use(address: str, **more: Any) -> None:
    """Open a log, publish nothing, and close it."""
    log = open_log(address, kafka=settings(**more))
    try:
        await log.open()
    finally:
        await log.close()


def connections() -> set[object]:
    """Return our own ends of this process's connections."""
    return {each.laddr for each in psutil.Process().net_connections("tcp") if each.raddr}


@pytest.fixture(autouse=True)
async def ended_connections() -> AsyncIterator[None]:
    """Wait until all are closed: aiokafka does not, and to end TLS takes a word of each side."""
    before = connections()
    yield
    async with asyncio.timeout(CLOSING_SECONDS):
        while connections() - before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_the_right_password_opens_the_log(kafka: KafkaServer, mechanism: str, tmp_path: Path) -> None:
    """Given as it is, or in a file that ends with a new line."""
    file = tmp_path / "password"
    file.write_text(f"{kafka.password}\n")
    await use(sasl(kafka), username=kafka.user, password=kafka.password, mechanism=mechanism)
    await use(sasl(kafka), username=kafka.user, password_file=file, mechanism=mechanism)


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_wrong_password_is_said_plainly_and_at_once(kafka: KafkaServer, mechanism: str) -> None:
    """User and mechanism are named, the password is not; nobody waits for a broker that is there."""
    with pytest.raises(SettingsError) as caught:
        await use(
            sasl(kafka), username=kafka.user, password=WRONG, mechanism=mechanism, wait_seconds=1000
        )  # fmt: skip

    said = str(caught.value)
    assert f"refuses the user '{kafka.user}' ({mechanism})" in said
    assert WRONG not in said
    assert "\n" not in said


async def test_an_unknown_user_is_refused_like_a_wrong_password(kafka: KafkaServer) -> None:
    """Nobody learns which of the two it was."""
    with pytest.raises(SettingsError, match="refuses the user 'nobody'"):
        await use(sasl(kafka), username="nobody", password=WRONG)


async def test_a_listener_that_wants_a_user_is_told_apart(kafka: KafkaServer) -> None:
    """The connection is closed without a word; ours says what that may mean."""
    with pytest.raises(LogUnavailableError, match="does it want a user or TLS"):
        await use(sasl(kafka))


async def test_a_user_for_a_listener_that_wants_none_is_said(kafka: KafkaServer) -> None:
    """The broker does not know how to ask for one there."""
    with pytest.raises((SettingsError, LogUnavailableError), match=str(kafka.bootstrap.split(",")[0])):
        await use(f"kafka://{kafka.bootstrap}", username=kafka.user, password=kafka.password)


async def test_nobody_listening_ends_in_one_line_when_the_time_is_over() -> None:
    """While it waits it says so once."""
    (port,) = free_ports(1)
    connection = connection_to(f"kafka://127.0.0.1:{port}", settings(wait_seconds=1.2))
    started = time.monotonic()
    with capture_logs() as lines, pytest.raises(LogUnavailableError) as caught:
        await wait_for_broker(connection)

    assert time.monotonic() - started >= 1.2
    assert f"Kafka does not answer at kafka://127.0.0.1:{port}" in str(caught.value)
    assert "(waited 1.2 s)" in str(caught.value)
    assert [line["event"] for line in lines] == ["log.waiting"]


async def test_any_of_several_brokers_is_enough(kafka: KafkaServer) -> None:
    """Those that are away are passed over."""
    (port,) = free_ports(1)
    await use(f"kafka://127.0.0.1:{port},{kafka.bootstrap}")


@pytest.fixture(scope="module")
def tls_kafka() -> Iterator[ChildKafka]:
    """A Kafka with an SSL listener."""
    try:
        server = start_kafka_child(tls=True)
    except ServerMissingError as missing:
        do_without("Kafka with TLS", missing)
    with server:
        yield server


@pytest.fixture
def certificate(tls_kafka: ChildKafka) -> Certificate:
    """Return the certificate that it shows."""
    assert tls_kafka.certificate
    return tls_kafka.certificate


@pytest.mark.timeout(FETCHING_SECONDS)
async def test_a_trusted_certificate_opens_the_log(tls_kafka: ChildKafka, certificate: Certificate) -> None:
    """And what is spoken is TLS."""
    address = f"kafka://{tls_kafka.ssl_bootstrap}"
    await use(address, tls=True, ca_file=certificate.trusted)
    connection = connection_to(address, settings(tls=True, ca_file=certificate.trusted))

    assert connection.security["security_protocol"] == "SSL"
    assert await why_not(connection) is None


@pytest.mark.timeout(FETCHING_SECONDS)
async def test_an_untrusted_certificate_is_said_plainly_and_at_once(tls_kafka: ChildKafka) -> None:
    """Waiting would not make it better."""
    with pytest.raises(SettingsError, match=r"certificate is not trusted: self.signed certificate") as caught:
        await use(f"kafka://{tls_kafka.ssl_bootstrap}", tls=True, wait_seconds=1000)

    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@pytest.mark.timeout(FETCHING_SECONDS)
async def test_the_certificate_of_another_host_is_refused(
    tls_kafka: ChildKafka, certificate: Certificate
) -> None:
    """The name in the address must be one of the certificate's."""
    address = (tls_kafka.ssl_bootstrap or "").replace("127.0.0.1", "localhost")
    with pytest.raises(SettingsError, match="certificate is not valid for 'localhost'"):
        await use(f"kafka://{address}", tls=True, ca_file=certificate.trusted, wait_seconds=1000)


@pytest.mark.timeout(FETCHING_SECONDS)
async def test_speaking_plainly_to_a_listener_with_tls_is_told_apart(tls_kafka: ChildKafka) -> None:
    """It may be that TLS is wanted."""
    with pytest.raises(LogUnavailableError, match=str(tls_kafka.ssl_bootstrap)):
        await use(f"kafka://{tls_kafka.ssl_bootstrap}")


@pytest.mark.timeout(FETCHING_SECONDS)
async def test_speaking_tls_to_a_plain_listener_is_told_apart(tls_kafka: ChildKafka) -> None:
    """Its answer is no TLS."""
    with pytest.raises(LogUnavailableError, match=tls_kafka.bootstrap):
        await use(f"kafka://{tls_kafka.bootstrap}", tls=True)
