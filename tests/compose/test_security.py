"""Who can get at what: secrets, Elasticsearch, the containers themselves."""

import json

import pytest
from compose.stack import OURS, PROJECT, SERVICES, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.compose, pytest.mark.timeout(3600)]

BUILT = ("ingest", "enrich", "index", "newsroom")
FORBIDDEN = 403
UNAUTHORISED = 401


def test_no_secret_is_shown_by_the_engine(stack: Stack) -> None:
    """In no history of an image, no inspection of image or container, no log, no configuration."""
    images = [f"newswire/{name}" for name in BUILT]
    shown = {
        "history": "".join(stack.docker("history", "--no-trunc", image) for image in images),
        "images": stack.docker("image", "inspect", *images),
        "containers": json.dumps(stack.containers()),
        "logs": stack.compose("--profile", "*", "logs", "--no-color"),
        "configuration": stack.compose("--profile", "*", "config"),
    }

    for place, text in shown.items():
        assert text.strip()
        for name, secret in stack.secrets().items():
            assert secret not in text, f"{name} is shown in {place}"


def test_no_secret_stands_in_the_arguments_of_a_process(stack: Stack) -> None:
    """Which everybody on the machine may list."""
    listed = "".join(
        stack.docker("top", each["Id"], "-eo", "pid,args")
        for each in stack.containers()
        if each["State"]["Running"]
    )

    assert listed
    assert not [name for name, secret in stack.secrets().items() if secret in listed]


def test_elasticsearch_answers_nobody_without_a_password(stack: Stack) -> None:
    """Nor with a wrong one."""
    assert stack.elasticsearch("", user="")[0] == UNAUTHORISED
    assert stack.elasticsearch("newswire-articles/_search", user="")[0] == UNAUTHORISED
    assert stack.elasticsearch("", user="elastic", password="changeme")[0] == UNAUTHORISED  # noqa: S106


@pytest.mark.parametrize(
    ("user", "variable"), [("newswire_index", "INDEX_PASSWORD"), ("newswire_reader", "READER_PASSWORD")]
)
def test_a_user_of_ours_can_neither_read_nor_delete_what_is_not_ours(
    stack: Stack, user: str, variable: str
) -> None:
    """Whoever takes over the index service has the coverage, and nothing else."""
    password = stack.secrets()[variable]
    assert stack.elasticsearch("other/_doc/1?refresh=true", {"a": 1}, method="PUT")[0] in {200, 201}

    for path, method in (
        ("other/_search", "GET"),
        ("other/_doc/1", "DELETE"),
        ("other", "DELETE"),
        ("_security/user", "GET"),
        ("_snapshot", "GET"),
    ):
        status, _ = stack.elasticsearch(path, method=method, user=user, password=password)
        assert status == FORBIDDEN, (path, method)
    assert stack.elasticsearch("newswire-articles/_search", user=user, password=password)[0] == 200


def test_a_reader_changes_nothing(stack: Stack) -> None:
    """Looking at dashboards needs no more."""
    password = stack.secrets()["READER_PASSWORD"]
    status, _ = stack.elasticsearch(
        "newswire-articles/_doc/x", {}, method="PUT", user="newswire_reader", password=password
    )

    assert status == FORBIDDEN


@pytest.mark.parametrize("name", [*SERVICES, "newsroom"])
def test_nobody_is_root_and_nothing_can_be_written(stack: Stack, name: str) -> None:
    """In any container."""
    user = stack.exec(name, "id", "-u").stdout.strip()
    touched = stack.exec(name, "sh", "-c", "touch /usr/newswire-was-here")

    assert user.isdigit()
    assert user != "0"
    assert touched.returncode != 0
    assert "Read-only file system" in touched.stderr


@pytest.mark.parametrize("name", BUILT)
def test_our_images_say_that_they_are_not_root(stack: Stack, name: str) -> None:
    """By number, which an orchestrator can check."""
    (image,) = json.loads(stack.docker("image", "inspect", f"newswire/{name}"))

    assert image["Config"]["User"] == "10001:10001"


def test_ports_are_open_on_this_machine_only(stack: Stack) -> None:
    """Elasticsearch's and Kibana's, and no other."""
    bound = {
        each["Config"]["Labels"]["com.docker.compose.service"]: {
            binding["HostIp"]
            for bindings in each["NetworkSettings"]["Ports"].values()
            for binding in bindings or ()
        }
        for each in stack.containers()
    }

    assert {name: hosts for name, hosts in bound.items() if hosts} == {
        "elasticsearch": {"127.0.0.1"},
        "kibana": {"127.0.0.1"},
    }


def test_only_what_fetches_pages_has_a_way_out(stack: Stack) -> None:
    """The network that all share leads nowhere."""
    (private,) = json.loads(stack.docker("network", "inspect", f"{PROJECT}_private"))
    networks = {name: set(stack.container(name)["NetworkSettings"]["Networks"]) for name in OURS}

    assert private["Internal"] is True
    assert networks["enrich"] == networks["index"] == {f"{PROJECT}_private"}
    assert networks["ingest"] == {f"{PROJECT}_private", f"{PROJECT}_internet"}
