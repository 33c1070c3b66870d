"""From the address in a setting to a log or a file."""

from pathlib import Path

from newswire.errors import SettingsError
from newswire.kafka_settings import KafkaSettings
from newswire.log.port import Log
from newswire.settings import load

SQLITE = "sqlite:///"
KAFKA = "kafka://"


def sqlite_path(address: str) -> Path:
    """Return the file of a ``sqlite:///`` address: relative after three slashes, absolute after four."""
    if not address.startswith(SQLITE) or len(address) == len(SQLITE):
        raise SettingsError(
            f"not a SQLite address: {address!r} (sqlite:///relative.db or sqlite:////absolute.db)"
        )
    return Path(address.removeprefix(SQLITE))


def open_log(
    address: str, *, prefix: str = "", partitions: int = 12, kafka: KafkaSettings | None = None
) -> Log:
    """Return the log at an address, not yet opened.

    Args:
        address: ``sqlite:///var/newswire.db`` or ``kafka://host:9092,host2:9092``.
        prefix: stands before the names of topics and groups.
        partitions: of each topic, when the log is made.
        kafka: how Kafka is reached; default from the environment.
    """
    if address.startswith("sqlite:"):
        from newswire.log.sqlite import SqliteLog  # noqa: PLC0415  only the adapter in use is loaded

        return SqliteLog(sqlite_path(address), prefix=prefix, partitions=partitions)
    if address.startswith(KAFKA):
        from newswire.log.kafka import KafkaLog  # noqa: PLC0415
        from newswire.log.kafka_connection import connection_to  # noqa: PLC0415

        connection = connection_to(address, kafka or load(KafkaSettings))
        return KafkaLog(connection, prefix=prefix, partitions=partitions)
    raise SettingsError(
        f"NEWSWIRE_LOG: expected sqlite:///… or kafka://…, not {address.split(':', maxsplit=1)[0]}:…"
    )
