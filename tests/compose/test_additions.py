"""The additions in deploy/ go together with docker-compose.yml, as Compose understands it."""

import pytest
from compose.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.compose, pytest.mark.timeout(3600)]


def services_with(stack: Stack, addition: str) -> set[str]:
    """Return the services that are there with an addition."""
    files = ("-f", "docker-compose.yml", "-f", f"deploy/{addition}.yml")
    return set(stack.compose(*files, "config", "--services").split())


def test_kafka_can_be_opened(stack: Stack) -> None:
    """Nothing else changes."""
    assert services_with(stack, "kafka-outside") >= {"kafka", "ingest"}


def test_servers_of_ones_own_replace_the_bundled(stack: Stack) -> None:
    """What is left is ours."""
    stack.settings.update(
        NEWSWIRE_LOG="kafka://one:9093",
        NEWSWIRE_KAFKA_USERNAME="newswire",
        NEWSWIRE_STORE="https://elasticsearch.example:9200",
        NEWSWIRE_KIBANA_URL="https://kibana.example:5601",
    )
    try:
        found = services_with(stack, "external")
    finally:
        for name in [name for name in stack.settings if name.startswith("NEWSWIRE_")]:
            del stack.settings[name]

    assert found == {"setup", "kibana-setup", "ingest", "enrich", "index"}
