"""Finds or starts a real Elasticsearch: a given address, else a container, else a child process.

NEWSWIRE_TEST_ELASTICSEARCH gives the address (http://host:port), NEWSWIRE_TEST_ELASTICSEARCH_USERNAME and
NEWSWIRE_TEST_ELASTICSEARCH_PASSWORD a superuser where authentication is on.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence

from servers.elasticsearch_child import start_elasticsearch_child
from servers.elasticsearch_container import start_elasticsearch_container
from servers.elasticsearch_server import ElasticsearchServer
from servers.missing import ServerMissingError

__all__ = ["ElasticsearchServer", "GivenElasticsearch", "find_elasticsearch"]

ADDRESS = "NEWSWIRE_TEST_ELASTICSEARCH"
USERNAME = f"{ADDRESS}_USERNAME"
PASSWORD = f"{ADDRESS}_PASSWORD"
GIVEN_SECONDS = 60.0  # CI may start its services and the tests at once

Way = Callable[..., ElasticsearchServer]
WAYS: tuple[Way, ...] = (start_elasticsearch_container, start_elasticsearch_child)


class GivenElasticsearch(ElasticsearchServer):
    """Somebody else's Elasticsearch: we use it and leave it running."""

    origin = "given address"
    can_be_killed = False

    def start(self) -> None:
        """Wait until it serves."""
        deadline = time.monotonic() + GIVEN_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                # not a missing server, which may be skipped: this one was promised
                raise ConnectionError(f"no Elasticsearch serves at {ADDRESS}={self.url}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Refuse: it is not ours."""
        raise PermissionError(f"the Elasticsearch at {self.url} is not ours")

    def stop(self) -> None:
        """Refuse: it is not ours."""
        self.kill()

    def configure(self, settings: Mapping[str, str]) -> None:
        """Refuse, if there is anything to set."""
        if settings:
            self.kill()

    def close(self) -> None:
        """Leave it as it is."""


def find_elasticsearch(
    *, killable: bool = False, secured: bool = False, ways: Sequence[Way] = WAYS
) -> ElasticsearchServer:
    """Return a running Elasticsearch; raise ServerMissingError if there is no way to one.

    Args:
        killable: one that the caller may kill, and that nobody else uses; a given address is passed over.
        secured: one with authentication on; a given address without a user is passed over.
        ways: how to start one, tried in this order.
    """
    address, username = os.environ.get(ADDRESS), os.environ.get(USERNAME) or None
    if address and not killable and not (secured and username is None):
        given = GivenElasticsearch(address.rstrip("/"), username, os.environ.get(PASSWORD))
        given.start()
        return given
    reasons = [_why_not_given(address, killable=killable)]
    for way in ways:
        try:
            return way(secured=secured)
        except ServerMissingError as missing:
            reasons.append(str(missing))
    raise ServerMissingError("; ".join(reasons))


def _why_not_given(address: str | None, *, killable: bool) -> str:
    if not address:
        return f"{ADDRESS} is not set"
    return f"{ADDRESS} may not be killed" if killable else f"{USERNAME} is not set"
