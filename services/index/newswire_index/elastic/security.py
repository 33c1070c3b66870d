"""Who may do what in Elasticsearch: two roles that can do what they must and no more, and their users.

    newswire_index   the index service: writes, makes, moves and drops what is Newswire's; sees nothing else
    newswire_reader  people in Kibana: read what the read aliases show, and what was imported into Kibana

Kibana itself logs in as ``kibana_system``, which Elasticsearch brings along: it gets a password here.
"""

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elastic_transport import ObjectApiResponse
from elasticsearch import (
    AsyncElasticsearch,
    AuthenticationException,
    AuthorizationException,
    BadRequestError,
    NotFoundError,
)

from newswire.credentials import secret_from
from newswire.errors import SettingsError
from newswire.settings import load
from newswire.users_settings import UsersSettings
from newswire_index.elastic.client import reason_of, unavailable
from newswire_index.elastic.mapping import mark
from newswire_index.elastic.names import REBUILD, ElasticNames
from newswire_index.elastic.setup import kept
from newswire_index.elastic.steps import Do, End, Step, done, step_for

Json = dict[str, Any]

KIBANA = "kibana_system"
FEATURES = ("discover_v2", "dashboard_v2", "visualize_v2", "maps_v2")  # of Kibana 9, what a reader opens
OFF = "authentication is off in this Elasticsearch: it knows no users (xpack.security.enabled)"


@dataclass(frozen=True)
class Passwords:
    """Of the users; one without is not made, or stays as it is."""

    index: str | None = field(default=None, repr=False)
    reader: str | None = field(default=None, repr=False)
    kibana: str | None = field(default=None, repr=False)


def passwords_from(index: Path | None, reader: Path | None, kibana: Path | None) -> Passwords:
    """Return the passwords of these files and, where none is given, of the settings; raises SettingsError."""
    settings = load(UsersSettings)

    def one(whose: str, file: Path | None) -> str | None:
        given = None if file else getattr(settings, f"{whose}_password")
        told = file or getattr(settings, f"{whose}_password_file")
        return secret_from(f"NEWSWIRE_USERS_{whose.upper()}_PASSWORD", given, told)

    return Passwords(one("index", index), one("reader", reader), one("kibana", kibana))


def index_role(names: ElasticNames) -> Json:
    """Return the role of the index service.

    ``monitor`` lets it ask for the version and the templates. No privilege less than ``manage`` moves
    aliases; it holds for our own indices only.
    """
    ours = [name for each in kept() for name in (names.of(each.kind), names.pattern(each.kind))]
    return _role(["monitor"], [*ours, names.of(REBUILD)], ["read", "write", "manage"])


def reader_role(names: ElasticNames, space: str = "") -> Json:
    """Return the role of people in Kibana: the read aliases, and reading in one of Kibana's spaces.

    Args:
        names: how our things are called.
        space: of Kibana; empty is its own.
    """
    role = _role([], [names.of(each.kind) for each in kept()], ["read", "view_index_metadata"])
    role["applications"] = [
        {
            "application": "kibana-.kibana",
            "privileges": [f"feature_{feature}.read" for feature in FEATURES],
            "resources": [f"space:{space or 'default'}"],
        }
    ]
    return role


class Users:
    """Makes roles and users, or brings them up to date.

    Args:
        client: of somebody who may.
        names: how our things are called.
        space: of Kibana, that readers see.
    """

    def __init__(self, client: AsyncElasticsearch, names: ElasticNames, space: str = "") -> None:
        self._client = client
        self._names = names
        self._space = space

    async def run(self, passwords: Passwords, *, dry_run: bool = False) -> list[Step]:
        """Make what is missing, and return what became of each; with ``dry_run`` what would.

        Raises SettingsError where this cannot be done, StoreUnavailableError where it cannot be now.
        """
        index, reader = (f"{self._names.prefix}newswire_{who}" for who in ("index", "reader"))
        with unavailable(), _permitted():
            steps = [
                await self._role(index, index_role(self._names)),
                await self._role(reader, reader_role(self._names, self._space)),
                await self._user(index, passwords.index),
                await self._user(reader, passwords.reader),
                await self._kibana(passwords.kibana),
            ]
            blocking = [step for step in steps if step.blocks]
            return blocking or (steps if dry_run else [await done(step) for step in steps])

    async def _role(self, name: str, ours: Json) -> Step:
        security = self._client.security
        theirs = await _found(security.get_role(name=name), name)
        return _step("role", name, theirs, ours, lambda: security.put_role(name=name, body=ours))

    async def _user(self, name: str, password: str | None) -> Step:
        if password is None:
            return Step("user", name, End.LEFT_OUT, "no password was given")
        ours: Json = {"roles": [name], "metadata": mark(), "enabled": True}
        security = self._client.security
        theirs = await _found(security.get_user(username=name), name)
        step = _step(
            "user", name, theirs, ours,
            lambda: security.put_user(username=name, body={**ours, "password": password}),
        )  # fmt: skip
        return await self._password(name, password) if step.end is End.UNCHANGED else step

    async def _kibana(self, password: str | None) -> Step:
        if password is None:
            return Step("user", KIBANA, End.LEFT_OUT, "no password was given")
        return await self._password(KIBANA, password)

    async def _password(self, name: str, password: str) -> Step:
        if await self._knows(name, password):
            return Step("user", name, End.UNCHANGED)
        return Step(
            "user", name, End.UPDATED, "password",
            do=lambda: self._client.security.change_password(username=name, password=password),
        )  # fmt: skip

    async def _knows(self, name: str, password: str) -> bool:
        """Say whether a user has this password."""
        try:
            await self._client.options(basic_auth=(name, password)).security.authenticate()
        except AuthenticationException:
            return False
        return True


def _role(cluster: list[str], indices: list[str], privileges: list[str]) -> Json:
    return {
        "cluster": cluster,
        "indices": [{"names": indices, "privileges": privileges, "allow_restricted_indices": False}],
        "applications": [],
        "metadata": mark(),
    }


async def _found(asked: Awaitable[ObjectApiResponse[Any]], name: str) -> Json | None:
    """Return a role or user from an answer; None if there is none."""
    try:
        found: Json = (await asked).body
    except NotFoundError:
        return None
    return found.get(name)


def _step(what: str, name: str, theirs: Json | None, ours: Json, do: Do) -> Step:
    return step_for(what, name, None if theirs is None else _told(theirs, ours), _told(ours, ours), do)


def _told(thing: Json, parts: Mapping[str, Any]) -> Json:
    """Return what a role or user says of these parts."""
    return {"_meta": thing.get("metadata"), **{part: thing.get(part) for part in parts}}


@contextmanager
def _permitted() -> Iterator[None]:
    """Say it where there are no users, and who may not make them."""
    try:
        yield
    except BadRequestError as error:
        raise SettingsError(OFF if "no handler found" in str(error.body) else reason_of(error)) from error
    except AuthorizationException as error:
        raise SettingsError(f"this user may make no users: {reason_of(error)}") from error
