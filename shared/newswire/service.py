"""What a service offers to ``newswire run``, and how the installed ones are found."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from newswire.errors import SettingsError
from newswire.log.port import Log
from newswire.replaying import Replayer, Say
from newswire.settings import SHARED, Settings, check_names, load
from newswire.worker import Worker

GROUP = "newswire.services"

Bootstrap = Callable[[Settings, Any, Log], AbstractAsyncContextManager[Sequence[Worker]]]
Replay = Callable[[Settings, Any, Log, Say], AbstractAsyncContextManager[Replayer]]
ImportFeeds = Callable[[Log, Path], Awaitable[str]]


@dataclass(frozen=True)
class Service:
    """One service.

    Attributes:
        name: as in ``newswire run --only NAME``.
        settings: its own settings.
        bootstrap: builds every real client and yields the workers; ends the clients afterwards.
        import_feeds: takes over a feed list, and says in a line what it found.
        replay: opens the service's part in ``newswire replay``, if it has one.
    """

    name: str
    settings: type[BaseSettings]
    bootstrap: Bootstrap
    import_feeds: ImportFeeds | None = None
    replay: Replay | None = None


def installed(only: Sequence[str] = ()) -> list[Service]:
    """Return the installed services, all or the named ones, in order of name."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    for name in only:
        if name not in points:
            raise SettingsError(
                f"no service named {name!r} is installed; there is {', '.join(sorted(points))}"
            )
    return [points[name].load()() for name in sorted(set(only or points))]


def load_all(services: Sequence[Service]) -> tuple[Settings, list[BaseSettings]]:
    """Read the shared settings and those of each service; raises SettingsError."""
    here = {service.name for service in services}
    foreign = [
        f"NEWSWIRE_{point.name.upper()}_" for point in entry_points(group=GROUP) if point.name not in here
    ]
    check_names([*SHARED, *(service.settings for service in services)], foreign)
    return load(Settings), [load(service.settings) for service in services]
