"""The Elasticsearch that tests start is a real one: it keeps its data, checks passwords and policies."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from e2e.harness import until
from servers.elasticsearch import ElasticsearchServer
from servers.elasticsearch_child import ChildElasticsearch, start_elasticsearch_child
from servers.elasticsearch_home import OLDEST_JAVA, elasticsearch_home
from servers.elasticsearch_server import VERSION
from servers.folders import remove_left_behind
from servers.java import find_jdk
from servers.missing import ServerMissingError, do_without

pytestmark = pytest.mark.integration

TESTS = Path(__file__).parents[1]
VICTIM = """
import os, signal
from servers.elasticsearch_child import start_elasticsearch_child
server = start_elasticsearch_child()
print(server.pid, server.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
DELETES = {"phases": {"delete": {"min_age": "400d", "actions": {"delete": {}}}}}


def write(server: ElasticsearchServer, index: str, number: int) -> int:
    """Write a document, and return the status of the answer."""
    path = f"/{index}/_doc/{number}?refresh=true"
    return server.ask(path, "PUT", {"number": number}).status


def count(server: ElasticsearchServer, index: str) -> int:
    """Return how many documents an index has."""
    found: int = server.ask(f"/{index}/_count").body["count"]
    return found


def settings_of(server: ElasticsearchServer) -> dict[str, str]:
    """Return what the node of a server was set to."""
    (node,) = server.ask("/_nodes/settings?flat_settings=true").body["nodes"].values()
    settings: dict[str, str] = node["settings"]
    return settings


def processes_of(server: ElasticsearchServer) -> list[psutil.Process]:
    """Return the launcher and the node."""
    assert isinstance(server, ChildElasticsearch)
    assert server.pid is not None
    launcher = psutil.Process(server.pid)
    return [launcher, *launcher.children(recursive=True)]


def group_lives(number: int) -> bool:
    """Say whether there is a process in a group."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def an_index(server: ElasticsearchServer, **settings: object) -> Iterator[str]:
    """Make an index, and delete it at the end."""
    name = f"test-{uuid4().hex}"
    made = server.ask(f"/{name}", "PUT", {"settings": {"number_of_replicas": 0, **settings}})
    assert made.status == 200, made.body
    yield name
    server.ask(f"/{name}", "DELETE")


def test_what_is_written_is_found(elasticsearch: ElasticsearchServer) -> None:
    """The plainest use of an index works, and it is the version that people deploy."""
    with an_index(elasticsearch) as index:
        write(elasticsearch, index, 1)

        assert elasticsearch.ask(f"/{index}/_search?q=number:1").body["hits"]["total"]["value"] == 1
    assert elasticsearch.ask("/").body["version"]["number"].startswith(VERSION.split(".", maxsplit=1)[0])


def test_snapshots_can_be_taken(elasticsearch: ElasticsearchServer) -> None:
    """The folder that it names is one for repositories."""
    if elasticsearch.snapshots is None:
        pytest.skip("nobody knows a folder for snapshots of the given Elasticsearch")
    name = uuid4().hex
    settings = {"type": "fs", "settings": {"location": f"{elasticsearch.snapshots}/{name}"}}
    made = elasticsearch.ask(f"/_snapshot/{name}", "PUT", settings)
    taken = elasticsearch.ask(f"/_snapshot/{name}/one?wait_for_completion=true", "PUT", {"indices": "-*"})
    elasticsearch.ask(f"/_snapshot/{name}", "DELETE")

    assert (made.status, taken.status) == (200, 200), taken.body


def test_who_gives_no_password_is_kept_out(secured_elasticsearch: ElasticsearchServer) -> None:
    """A wrong one and none are answered alike; the right one may do everything."""
    server = secured_elasticsearch
    right = server.ask("/_security/_authenticate")
    assert server.username is not None
    guests = (None, (server.username, "wrong"), ("nobody", "wrong"))
    statuses = [server.ask_as(guest, "/").status for guest in guests]

    assert right.status == 200
    assert "superuser" in right.body["roles"]
    assert statuses == [401] * 3


def test_a_user_may_do_what_the_role_says(secured_elasticsearch: ElasticsearchServer) -> None:
    """Policies ask for a privilege too, though here a plugin of ours keeps them."""
    server, name = secured_elasticsearch, f"test-{uuid4().hex}"
    for policies in ("read_ilm", "manage_ilm"):
        server.ask(f"/_security/role/{name}-{policies}", "PUT", {"cluster": [policies]})
        user = {"password": "of-the-user", "roles": [f"{name}-{policies}"]}
        server.ask(f"/_security/user/{name}-{policies}", "PUT", user)
    reader, manager = ((f"{name}-{policies}", "of-the-user") for policies in ("read_ilm", "manage_ilm"))
    policy = f"/_ilm/policy/{name}"

    assert server.ask_as(reader, policy, "PUT", {"policy": DELETES}).status == 403
    assert server.ask_as(manager, policy, "PUT", {"policy": DELETES}).status == 200
    assert server.ask_as(reader, policy).status == 200
    assert server.ask_as(manager, policy, "DELETE").status == 200


def test_policies_are_kept_and_read(elasticsearch: ElasticsearchServer) -> None:
    """A policy has a version that counts its changes, and knows who uses it."""
    name = f"test-{uuid4().hex}"
    path = f"/_ilm/policy/{name}"
    changed = {"phases": {"delete": {"min_age": "30d", "actions": {"delete": {}}}}}
    for policy in (DELETES, changed):
        assert elasticsearch.ask(path, "PUT", {"policy": policy}).body == {"acknowledged": True}
    settings = {"index.lifecycle.name": name, "index.lifecycle.origination_date": 1_793_491_200_000}
    with an_index(elasticsearch, **settings) as index:
        kept = elasticsearch.ask(path).body[name]
        refused = elasticsearch.ask(path, "DELETE")

        assert (kept["version"], kept["policy"]["phases"]["delete"]["min_age"]) == (2, "30d")
        assert kept["in_use_by"]["indices"] == [index]
        assert refused.status == 400
    assert elasticsearch.ask(path, "DELETE").status == 200
    assert elasticsearch.ask(path).status == 404
    assert elasticsearch.ask(path, "DELETE").status == 404


def test_policies_are_found_by_pattern(elasticsearch: ElasticsearchServer) -> None:
    """Without a name all are read."""
    name = f"test-{uuid4().hex}"
    elasticsearch.ask(f"/_ilm/policy/{name}", "PUT", {"policy": DELETES})
    found = [elasticsearch.ask(f"/_ilm/policy{path}") for path in ("", f"/{name[:-1]}*", f"/no-{name}*")]
    elasticsearch.ask(f"/_ilm/policy/{name}", "DELETE")

    assert [name in answer.body for answer in found] == [True, True, False]
    assert [answer.status for answer in found] == [200] * 3


@pytest.mark.parametrize(
    "policy",
    [
        {"phases": {"delete": {"min_age": "3 weeks", "actions": {"delete": {}}}}},
        {"phases": {"delete": {"min_age": "3d", "actions": {"shrink": {"number_of_shards": 1}}}}},
        {"phases": {"end": {"actions": {}}}},
    ],
    ids=["age", "action", "phase"],
)
def test_a_wrong_policy_is_refused(elasticsearch: ElasticsearchServer, policy: object) -> None:
    """Elasticsearch's own classes read it: what passes here passes there."""
    assert elasticsearch.ask("/_ilm/policy/wrong", "PUT", {"policy": policy}).status == 400


@pytest.fixture
def _archive() -> None:
    """Elasticsearch from its archive, also where containers can be had."""
    try:
        elasticsearch_home(find_jdk(OLDEST_JAVA))
    except ServerMissingError as missing:
        do_without("Elasticsearch from its archive", missing)


@pytest.mark.usefixtures("_archive")
@pytest.mark.timeout(2000)  # where Docker answers, nobody has fetched the archive before
def test_data_and_address_survive_a_kill_and_settings_come_with_a_start() -> None:
    """Clients of a node that was killed find it again where it was, with all that it acknowledged."""
    policy = f"/_ilm/policy/{uuid4().hex}"
    with contextlib.closing(start_elasticsearch_child()) as server:
        address = server.url
        server.ask(policy, "PUT", {"policy": DELETES})
        with an_index(server) as index:
            write(server, index, 1)
            server.kill()
            with pytest.raises(OSError, match="refused"):
                write(server, index, 2)
            server.configure({"thread_pool.write.queue_size": "1"})
            server.start()
            server.start()
            write(server, index, 3)

            assert server.url == address
            assert count(server, index) == 2
        assert server.ask(policy).status == 200
        assert settings_of(server)["thread_pool.write.queue_size"] == "1"
        left = processes_of(server)
    assert len(left) == 2
    until(lambda: not any(process.is_running() for process in left))
    assert not Path(str(server.snapshots)).parent.exists()


@pytest.mark.usefixtures("_archive")
@pytest.mark.timeout(2000)
def test_it_dies_with_a_killed_test_run() -> None:
    """A test run that dies by kill -9 leaves no node running, and its data only until the next run."""
    done = subprocess.run(
        [sys.executable, "-c", VICTIM], cwd=TESTS, capture_output=True, text=True, check=False, timeout=150
    )
    pid, folder = done.stdout.split()

    assert done.returncode == -signal.SIGKILL
    until(lambda: not group_lives(int(pid)))
    assert Path(folder).exists()
    remove_left_behind("newswire-elasticsearch-")
    assert not Path(folder).exists()
