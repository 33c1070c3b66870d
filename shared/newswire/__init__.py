"""What every Newswire service and every consumer of its topics shares.

For consumers: ``newswire.subscribe``, and what it yields. The names are loaded when they are first used, as
``import newswire`` stands on the way of every command.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newswire.errors import NewswireError
    from newswire.events import Enriched
    from newswire.kafka_settings import KafkaSettings
    from newswire.settings import Settings
    from newswire.subscribing import Removed, Subscription, Withdrawn, subscribe

__all__ = [
    "Enriched",
    "KafkaSettings",
    "NewswireError",
    "Removed",
    "Settings",
    "Subscription",
    "Withdrawn",
    "subscribe",
]

_HOMES = {
    "Enriched": "events",
    "KafkaSettings": "kafka_settings",
    "NewswireError": "errors",
    "Removed": "subscribing",
    "Settings": "settings",
    "Subscription": "subscribing",
    "Withdrawn": "subscribing",
    "subscribe": "subscribing",
}


def __getattr__(name: str) -> Any:
    """Load a public name."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    """Return the public names beside those that are loaded."""
    return sorted({*globals(), *__all__})
