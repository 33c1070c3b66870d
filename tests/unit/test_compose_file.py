"""docker-compose.yml: what every container has, what none may have, and what the settings need."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from newswire_enrich.settings import EnrichSettings
from newswire_index.settings import IndexSettings
from newswire_ingest.settings import IngestSettings

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"setup", "kibana-setup", "newsroom-feeds"}
OURS = {"ingest", "enrich", "index"}
DEMO = {"newsroom", "newsroom-feeds"}
LAPTOP_MB = 4096

each_service = pytest.mark.parametrize("name", SERVICES)
each_lasting = pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))


def megabytes(name: str) -> int:
    """Return a service's memory limit."""
    return int(SERVICES[name]["mem_limit"].removesuffix("m"))


def test_what_is_there() -> None:
    """Kafka, Elasticsearch, Kibana, the three services, and what is done once."""
    assert SERVICES.keys() == {"kafka", "elasticsearch", "kibana", *OURS, *ONCE, "newsroom"}
    assert {name for name, service in SERVICES.items() if "profiles" in service} == DEMO
    assert all(SERVICES[name]["profiles"] == ["demo"] for name in DEMO)


@each_service
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    """No capability, no new privilege, no file system to write on, an init that reaps."""
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["init"] is True
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "user", "network_mode"} & service.keys()


@each_service
def test_a_container_has_limits(name: str) -> None:
    """Of memory, processors, processes and what is kept of its log."""
    service = SERVICES[name]

    assert megabytes(name) > 0
    assert 0 < service["cpus"] <= 2, "more than a small machine has stops the container from being made"
    assert service["pids_limit"] > 0
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_the_memory_limits_fit_a_laptop() -> None:
    """What the file says of their sum is true; what is done once is over before the rest is large."""
    total = sum(megabytes(name) for name in SERVICES.keys() - ONCE - DEMO)

    assert total <= LAPTOP_MB
    assert f"add up to {total:,} MB" in TEXT


@each_lasting
def test_what_runs_on_is_started_again_and_watched(name: str) -> None:
    """By a health check of its own."""
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()


@pytest.mark.parametrize("name", sorted(ONCE))
def test_what_is_done_once_ends(name: str) -> None:
    """Doing it again is for the next start."""
    assert SERVICES[name]["restart"] == "no"
    assert SERVICES[name]["healthcheck"] == {"disable": True}


@each_service
def test_who_waits_for_whom_says_what_for(name: str) -> None:
    """Until it is healthy, or has done what it does once; not just until it was started."""
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert wait == {"condition": wanted}


def test_everything_waits_for_the_set_up() -> None:
    """And that for the two that it sets up; the dashboards come when Kibana is there."""
    assert SERVICES["setup"]["depends_on"].keys() == {"kafka", "elasticsearch"}
    assert all("setup" in SERVICES[name]["depends_on"] for name in {*OURS, "kibana", "newsroom-feeds"})
    assert SERVICES["kibana-setup"]["depends_on"].keys() == {"kibana"}


@each_service
def test_images_are_pinned_or_built_here(name: str) -> None:
    """To a version in full."""
    service = SERVICES[name]

    if service["image"].startswith("newswire/"):
        assert "build" in service or name == "newsroom-feeds"  # which uses the image of ingest
    else:
        assert re.fullmatch(r"(apache/kafka|docker\.elastic\.co/.+):\d+\.\d+\.\d+", service["image"])


def test_elasticsearch_and_kibana_are_of_one_version() -> None:
    """Any other pair is not supported."""
    versions = {SERVICES[name]["image"].partition(":")[2] for name in ("elasticsearch", "kibana")}

    assert len(versions) == 1


@each_service
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    """A port without an address would be open to the network, past the firewall."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_only_what_is_looked_at_has_a_port() -> None:
    """Kafka's is off unless asked for."""
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"elasticsearch", "kibana"}


def test_the_network_is_private() -> None:
    """All are in it, nothing leads out of it, and only ingest reaches the internet."""
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}

    assert COMPOSE["networks"]["private"] == {"internal": True}
    assert all("private" in each for each in networks.values())
    assert {name for name, each in networks.items() if "internet" in each} == {"ingest"}
    assert {name for name, each in networks.items() if "published" in each} == {"elasticsearch", "kibana"}


def test_nothing_stands_in_the_way_of_more_of_a_service() -> None:
    """A name or a port of its own could be had once only."""
    assert all(not {"container_name", "ports", "hostname"} & SERVICES[name].keys() for name in OURS)


def test_what_lasts_lies_in_named_volumes() -> None:
    """Apart from files of the checkout, which are mounted to be read."""
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, _, rest = volume.partition(":")
            assert source in COMPOSE["volumes"] or (source.startswith("./deploy/") and rest.endswith(":ro"))


def test_no_password_stands_in_the_file() -> None:
    """Each lies in a file, made by `make env`; without one compose stops and says so."""
    for service in SERVICES.values():
        for variable, value in (service.get("environment") or {}).items():
            secret = re.search(r"PASSWORD|SECRET|TOKEN|API_?KEY|ENCRYPTION", variable)
            assert not secret or (variable.endswith("_FILE") and str(value).startswith("/run/secrets/"))
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("${SECRETS_FOLDER:?run make env}/")


def test_every_secret_is_used_and_every_file_read_is_mounted() -> None:
    """None is given to who does not need it."""
    mounted = {
        name: {each if isinstance(each, str) else each["source"] for each in service.get("secrets", [])}
        for name, service in SERVICES.items()
    }

    assert set().union(*mounted.values()) == set(COMPOSE["secrets"])
    for name, service in SERVICES.items():
        read = set(re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(service)))
        assert read == mounted[name] - {"kibana_yml"}
    assert mounted["ingest"] == mounted["enrich"] == set()


def test_authentication_is_on() -> None:
    """And what is not wanted in a small deployment is off."""
    assert SERVICES["elasticsearch"]["environment"]["xpack.security.enabled"] == "true"
    assert SERVICES["index"]["environment"]["NEWSWIRE_ELASTICSEARCH_USERNAME"].endswith("newswire_index")


def test_kafka_makes_no_topic_unasked() -> None:
    """One that was misspelt would otherwise be there, with the wrong number of partitions."""
    kafka = SERVICES["kafka"]["environment"]

    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert all(value == 1 for key, value in kafka.items() if re.search("REPLICATION_FACTOR|MIN_ISR", key))


@pytest.mark.parametrize(
    ("name", "settings"), [("ingest", IngestSettings), ("enrich", EnrichSettings), ("index", IndexSettings)]
)
def test_every_setting_of_a_service_can_be_set_in_env(name: str, settings: type[Any]) -> None:
    """One that the file does not pass on would silently have no effect."""
    fixed = {"NEWSWIRE_ENRICH_TOPICS"}  # the image's, over which deploy/topics.yaml is mounted
    prefix = settings.model_config["env_prefix"]
    known = {f"{prefix}{field.upper()}" for field in settings.model_fields}

    assert known - fixed <= SERVICES[name]["environment"].keys()


def test_the_demo_is_hasty_and_real_publishers_are_not() -> None:
    """Its settings are in a file of their own, which has nothing that the services do not know."""
    lines = (ROOT / "deploy/demo.env").read_text(encoding="utf-8").splitlines()
    demo = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert demo.pop("COMPOSE_PROFILES") == "demo"
    assert demo.keys() <= SERVICES["ingest"]["environment"].keys()
    assert "NEWSWIRE_INGEST_ALLOW_PRIVATE" not in demo
