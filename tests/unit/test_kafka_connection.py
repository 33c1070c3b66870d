"""From an address and settings to a connection; what is wrong is refused before anybody is asked."""

import logging
from pathlib import Path

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from pydantic import SecretStr

from newswire.errors import SettingsError
from newswire.kafka_settings import KafkaSettings
from newswire.log import open_log
from newswire.log.kafka import KafkaLog
from newswire.log.kafka_connection import connection_to, quieten, refuse_for_good

pytestmark = pytest.mark.unit

SECRET = "hunter2-secret"  # noqa: S105 - to look for it where it must not be
LOGIN = KafkaSettings(username="desk", password=SecretStr(SECRET))


@pytest.mark.parametrize(
    ("address", "servers"),
    [
        ("kafka://broker", ("broker:9092",)),
        ("kafka://broker:19092/", ("broker:19092",)),
        ("kafka://a:1,b:2, c", ("a:1", "b:2", "c:9092")),
        ("kafka://10.0.0.1:9093", ("10.0.0.1:9093",)),
        ("kafka://[::1]:9093,[fe80::1]", ("[::1]:9093", "[fe80::1]:9092")),
    ],
)
def test_an_address_names_brokers(address: str, servers: tuple[str, ...]) -> None:
    """One or more; the port may be left out."""
    connection = connection_to(address, KafkaSettings())

    assert connection.servers == servers
    assert connection.shown == f"kafka://{','.join(servers)}"
    assert connection.options["bootstrap_servers"] == list(servers)


@pytest.mark.parametrize(
    "address",
    ["kafka://", "kafka://a,,b", "kafka://:9092", "kafka://a:", "kafka://a:b", "kafka://a:0",
     "kafka://a:65536", "kafka://a:9092/topic", "kafka://a:-1", "kafka://::1:9092"],
)  # fmt: skip
def test_what_is_no_brokers_address_is_refused(address: str) -> None:
    """With an example of one that is."""
    with pytest.raises(SettingsError, match=r"NEWSWIRE_LOG: not a broker's address: .*kafka://host:9092"):
        connection_to(address, KafkaSettings())


@pytest.mark.parametrize("address", [f"kafka://desk:{SECRET}@broker:9092", f"kafka://a,desk:{SECRET}@b"])
def test_a_user_in_the_address_is_refused_unrepeated(address: str) -> None:
    """Addresses are shown in many places; the settings to use instead are named."""
    with pytest.raises(SettingsError, match="NEWSWIRE_KAFKA_USERNAME") as caught:
        connection_to(address, KafkaSettings())

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "protocol"),
    [
        (KafkaSettings(), "PLAINTEXT"),
        (KafkaSettings(tls=True), "SSL"),
        (LOGIN, "SASL_PLAINTEXT"),
        (KafkaSettings(username="desk", password=SecretStr(SECRET), tls=True), "SASL_SSL"),
    ],
)
def test_settings_decide_how_it_is_spoken(settings: KafkaSettings, protocol: str) -> None:
    """All clients alike."""
    security = connection_to("kafka://broker", settings).security

    assert security["security_protocol"] == protocol
    assert (security["ssl_context"] is not None) == settings.tls
    assert ("sasl_mechanism" in security) == (settings.username is not None)


def test_the_user_is_handed_on() -> None:
    """With the mechanism of the settings."""
    security = connection_to("kafka://broker", LOGIN).security

    assert security["sasl_plain_username"] == "desk"
    assert security["sasl_plain_password"] == SECRET
    assert security["sasl_mechanism"] == "SCRAM-SHA-512"


def test_a_connection_shows_no_password() -> None:
    """Nor does the log that has it."""
    connection = connection_to("kafka://broker", LOGIN)

    assert SECRET not in f"{connection!r} {connection} {connection.shown}"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_may_lie_in_a_file(tmp_path: Path, ending: str) -> None:
    """As editors and secret mounts leave it; blanks are part of it."""
    file = tmp_path / "password"
    file.write_bytes(f" {SECRET} {ending}".encode())
    settings = KafkaSettings(username="desk", password_file=file)

    assert connection_to("kafka://broker", settings).password == f" {SECRET} "


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Missing, or no text."""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match="NEWSWIRE_KAFKA_PASSWORD_FILE cannot be read"):
        connection_to("kafka://broker", KafkaSettings(username="desk", password_file=file))


@pytest.mark.parametrize("name", ["ca_file", "certificate_file"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_said(tmp_path: Path, name: str, content: str | None) -> None:
    """Missing, or something else."""
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match="a certificate cannot be used"):
        connection_to("kafka://broker", KafkaSettings.model_validate({"tls": True, name: file}))


def test_the_address_of_a_log_leads_to_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """With prefix and partitions; how it is reached comes from the environment."""
    monkeypatch.setenv("NEWSWIRE_KAFKA_REPLICATION", "0")
    with pytest.raises(SettingsError, match="NEWSWIRE_KAFKA_REPLICATION"):
        open_log("kafka://broker:9092")
    monkeypatch.delenv("NEWSWIRE_KAFKA_REPLICATION")
    log = open_log("kafka://broker:9092", prefix="p-", partitions=5, kafka=KafkaSettings())

    assert isinstance(log, KafkaLog)
    assert log.partitions == 5


async def test_a_topic_that_nobody_made_is_named() -> None:
    """In full, before anybody is asked."""
    log = open_log("kafka://broker:9092", prefix="p-", kafka=KafkaSettings())
    with pytest.raises(SettingsError, match="the topic p-nowhere does not exist at kafka://broker:9092"):
        await log.read("nowhere", 0, 0)


async def test_a_log_that_was_never_opened_can_be_closed() -> None:
    """Twice, as the start may fail anywhere."""
    log = open_log("kafka://broker:9092", kafka=KafkaSettings())
    await log.close()
    await log.close()


def test_aiokafka_writes_nothing_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """While a broker is away it would, many times a second; handlers do not pile up."""
    theirs = logging.getLogger("aiokafka")
    theirs.propagate, before = False, list(theirs.handlers)
    try:
        quieten()
        quieten()
        theirs.error("Unable to connect")
        count = len(theirs.handlers)
    finally:
        theirs.propagate, theirs.handlers = True, before

    assert count == max(1, len(before))
    assert capsys.readouterr().err == ""


def test_what_no_retry_can_mend_ends_the_start() -> None:
    """Also where it is the cause of something else."""
    wrapped = ConnectionError("wrapped")
    wrapped.__cause__ = GroupAuthorizationFailedError("readers")
    for error in (TopicAuthorizationFailedError("t"), wrapped):
        with pytest.raises(SettingsError, match=r"Kafka refuses the group g: .*AuthorizationFailed"):
            refuse_for_good(error, "the group g")
    refuse_for_good(KafkaConnectionError("away"), "the group g")
