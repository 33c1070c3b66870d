"""From the address in a setting to a log or a file."""

from pathlib import Path

from newswire.errors import SettingsError
from newswire.log.port import Log

SQLITE = "sqlite:///"


def sqlite_path(address: str) -> Path:
    """Return the file of a ``sqlite:///`` address: relative after three slashes, absolute after four."""
    if not address.startswith(SQLITE) or len(address) == len(SQLITE):
        raise SettingsError(
            f"not a SQLite address: {address!r} (sqlite:///relative.db or sqlite:////absolute.db)"
        )
    return Path(address.removeprefix(SQLITE))


def open_log(address: str, *, prefix: str = "", partitions: int = 12) -> Log:
    """Return the log at an address, not yet opened.

    Args:
        address: ``sqlite:///var/newswire.db``.
        prefix: stands before the names of topics and groups.
        partitions: of each topic, when the log is made.
    """
    if address.startswith("sqlite:"):
        from newswire.log.sqlite import SqliteLog  # noqa: PLC0415  only the adapter in use is loaded

        return SqliteLog(sqlite_path(address), prefix=prefix, partitions=partitions)
    raise SettingsError(f"NEWSWIRE_LOG={address!r}: expected sqlite:///…")
