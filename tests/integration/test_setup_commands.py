"""``newswire index setup`` and ``users`` against a real Elasticsearch, as whoever deploys runs them."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from integration.elastic_scene import Scene, scene_in
from servers.elasticsearch import ElasticsearchServer
from typer.testing import CliRunner, Result

from newswire_index import commands

pytestmark = pytest.mark.integration

SECRETS = {"index": "hunter2-index", "reader": "hunter2-reader"}


def newswire(*arguments: str) -> Result:
    """Run a command in this process."""
    app = typer.Typer()
    commands.register(app)
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def world(elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name a server and a prefix of its own in the environment; remove what was made."""
    yield from use(elasticsearch, monkeypatch)


@pytest.fixture
def secured_world(
    secured_elasticsearch: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The same, with authentication on."""
    yield from use(secured_elasticsearch, monkeypatch)


def use(server: ElasticsearchServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the prefix of a world that the environment names."""
    monkeypatch.setenv("NEWSWIRE_STORE", server.url)
    if server.username is not None:
        monkeypatch.setenv("NEWSWIRE_ELASTICSEARCH_USERNAME", server.username)
        monkeypatch.setenv("NEWSWIRE_ELASTICSEARCH_PASSWORD", server.password or "")
    with asyncio.Runner() as runner:
        around = scene_in(server)
        scene: Scene = runner.run(around.__aenter__())
        monkeypatch.setenv("NEWSWIRE_PREFIX", scene.names.prefix)
        yield scene.names.prefix
        runner.run(around.__aexit__(None, None, None))


def test_setup_says_of_each_thing_what_became_of_it(world: str) -> None:
    """Created at first, unchanged from then on."""
    first, second = newswire("index", "setup"), newswire("index", "setup", "--json")
    rows = [json.loads(line) for line in second.stdout.splitlines()]

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert f"created\tcomponent template {world}newswire-articles" in first.stdout.splitlines()
    assert {line.split("\t")[0] for line in first.stdout.splitlines()} == {"created"}
    assert {row["end"] for row in rows} == {"unchanged"}


def test_a_dry_run_makes_nothing(world: str) -> None:
    """What it says would be created is not there afterwards."""
    assert newswire("index", "setup", "--dry-run").stdout == newswire("index", "setup", "--dry-run").stdout
    assert "unchanged" not in newswire("index", "setup").stdout
    assert world


def test_the_retention_is_that_of_the_index_service(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One setting for both, so that they do not contradict each other."""
    newswire("index", "setup")
    monkeypatch.setenv("NEWSWIRE_INDEX_RETENTION_DAYS", "30")

    assert f"updated\tpolicy {world}newswire-articles" in newswire("index", "setup").stdout.splitlines()


def test_users_are_made_and_no_password_is_shown(secured_world: str, tmp_path: Path) -> None:
    """Neither when it is set nor when it is found unchanged."""
    files = []
    for name, secret in SECRETS.items():
        (tmp_path / name).write_text(f"{secret}\n", encoding="utf-8")
        files += [f"--{name}-password-file", str(tmp_path / name)]
    first, second = newswire("index", "users", *files), newswire("index", "users", *files)
    user = f"user {secured_world}newswire_index"

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert f"created\t{user}" in first.stdout.splitlines()
    assert f"unchanged\t{user}" in second.stdout.splitlines()
    assert "left out\tuser kibana_system: no password was given" in first.stdout.splitlines()
    assert not [secret for secret in SECRETS.values() if secret in first.output + second.output]
