"""What can be added to docker-compose.yml: a port for Kafka, servers of one's own, snapshots."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from newswire.settings import SHARED

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
    "services"
]
ADDITIONS = ("kafka-outside", "external", "snapshots")
OF_OTHERS = {"kafka", "elasticsearch", "kibana"}

each_addition = pytest.mark.parametrize("name", ADDITIONS)


class Loader(yaml.SafeLoader):
    """Takes what Compose knows beyond YAML for what it is about."""


Loader.add_constructor("!reset", lambda _loader, _node: None)
Loader.add_constructor("!override", lambda loader, node: dict(loader.construct_pairs(node, deep=True)))


def read(name: str) -> dict[str, Any]:
    """Return an addition."""
    text = (ROOT / f"deploy/{name}.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader)  # noqa: S506 - a safe loader
    return found


@each_addition
def test_an_addition_adds_to_services_that_are_there(name: str) -> None:
    """A misspelt one would be a new service without an image."""
    assert read(name)["services"].keys() <= SERVICES.keys()


@each_addition
def test_an_addition_says_how_it_is_taken(name: str) -> None:
    """And the page that explains it names it."""
    text = (ROOT / f"deploy/{name}.yml").read_text(encoding="utf-8")

    assert f"COMPOSE_FILE=docker-compose.yml:deploy/{name}.yml" in text
    assert f"deploy/{name}.yml" in (ROOT / "deploy/README.md").read_text(encoding="utf-8")


@each_addition
def test_an_addition_takes_no_protection_away(name: str) -> None:
    """It changes what a container is told, where it is reached and what it keeps."""
    allowed = {"environment", "networks", "ports", "secrets", "volumes", "profiles", "depends_on"}

    assert all(service.keys() <= allowed for service in read(name)["services"].values())


def test_kafka_outside_is_on_loopback() -> None:
    """It has no log-in."""
    kafka = read("kafka-outside")["services"]["kafka"]

    assert all(port.startswith("127.0.0.1:") for port in kafka["ports"])
    assert "OUTSIDE:PLAINTEXT" in SERVICES["kafka"]["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]


def test_servers_of_ones_own_take_the_place_of_the_bundled() -> None:
    """Those do not start, and nobody waits for them."""
    services = read("external")["services"]

    assert all(services[name]["profiles"] == ["bundled"] for name in OF_OTHERS)
    for name, service in SERVICES.items():
        waits = services.get(name, {}).get("depends_on", service.get("depends_on")) or {}
        assert name in OF_OTHERS or "profiles" in service or not waits.keys() & OF_OTHERS


def test_servers_of_ones_own_are_reached_over_tls_with_a_log_in() -> None:
    """Across machines nothing is plain."""
    external = read("external")
    kafka = external["x-kafka"]

    assert kafka["NEWSWIRE_KAFKA_TLS"] == "true"
    assert {"NEWSWIRE_KAFKA_USERNAME", "NEWSWIRE_KAFKA_PASSWORD_FILE"} <= kafka.keys()
    assert "https://" in external["x-elasticsearch"]["NEWSWIRE_STORE"]
    for name in ("setup", "ingest", "enrich", "index"):
        assert external["services"][name]["environment"].items() >= kafka.items()
        assert set(external["services"][name]["secrets"]) == {"kafka_password", "ca"}


@each_addition
def test_settings_are_spelt_as_the_programs_know_them(name: str) -> None:
    """One that nobody knows would stop the start."""
    known = {
        f"{each.model_config['env_prefix']}{field}".upper() for each in SHARED for field in each.model_fields
    }
    given = {
        variable
        for service in read(name)["services"].values()
        for variable in service.get("environment", {})
        if re.match("NEWSWIRE_", variable)
    }

    assert given <= known
