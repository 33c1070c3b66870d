"""The additions in deploy/ go together with docker-compose.yml, as Compose understands it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from compose.stack import SERVICES, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.compose, pytest.mark.timeout(3600)]


@contextmanager
def settings(stack: Stack, **given: str) -> Iterator[None]:
    """Let settings hold for some commands."""
    before = dict(stack.settings)
    stack.settings.update(given)
    try:
        yield
    finally:
        stack.settings.clear()
        stack.settings.update(before)


def services_with(stack: Stack, addition: str, **given: str) -> set[str]:
    """Return the services that are there with an addition."""
    with settings(stack, COMPOSE_FILE=f"docker-compose.yml:deploy/{addition}.yml", **given):
        return set(stack.compose("config", "--services").split())


def test_additions_change_services_and_bring_none(stack: Stack) -> None:
    """A port for Kafka, a folder for snapshots."""
    all_of_them = {*SERVICES, "setup", "kibana-setup"}

    assert services_with(stack, "kafka-outside") == all_of_them
    assert services_with(stack, "snapshots", SNAPSHOTS_FOLDER="./snapshots") == all_of_them


def test_servers_of_ones_own_replace_the_bundled(stack: Stack) -> None:
    """What is left is ours."""
    found = services_with(
        stack,
        "external",
        NEWSWIRE_LOG="kafka://one:9093",
        NEWSWIRE_KAFKA_USERNAME="newswire",
        NEWSWIRE_STORE="https://elasticsearch.example:9200",
        NEWSWIRE_KIBANA_URL="https://kibana.example:5601",
    )

    assert found == {"setup", "kibana-setup", "ingest", "enrich", "index"}
