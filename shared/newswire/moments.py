"""Moments as people type them: an instant, a day, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

from newswire.errors import SettingsError

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """Read ``2h``, ``2026-11-20`` or ``2026-11-20T10:00``, in UTC where no zone is given.

    Raises SettingsError for what is none of these.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2].lower()]: int(ago[1])})
        read = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise SettingsError(f"no time: {text[:100]!r}; say 2h, 3d, 2026-11-20 or 2026-11-20T10:00") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)
