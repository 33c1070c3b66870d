"""docker-compose.yml brought up from a clean copy of the checkout, as a user would, and looked at."""

import base64
import json
import os
import shlex
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers.missing import ServerMissingError
from servers.ports import free_ports

ROOT = Path(__file__).parents[2]
PROJECT = "newswire-test"
COMPOSE = "NEWSWIRE_TEST_COMPOSE"  # instead of `docker compose`
DOCKER = "NEWSWIRE_TEST_DOCKER"  # instead of `docker`
UP_SECONDS = 1800.0  # with everything built anew and fetched
ANSWER_SECONDS = 120.0
WAIT_SECONDS = 900.0  # for a container to come back on a machine that does much else
SERVICES = ("kafka", "elasticsearch", "kibana", "ingest", "enrich", "index")
OURS = ("ingest", "enrich", "index")
PORTS = ("ELASTICSEARCH_PORT", "KIBANA_PORT")

# Kills whatever runs in a container but its init, which then ends as after a crash: restart policies apply.
# (After `docker kill` they do not: that counts as stopped by hand.)
CRASH = ("sh", "-c", "kill -9 -1")


def require_engine() -> None:
    """Raise ServerMissingError if no Docker engine answers here, or there is no Compose."""
    for name, default in ((DOCKER, "docker"), (COMPOSE, "docker compose")):
        command = os.environ.get(name, default)
        try:
            done = subprocess.run(
                [*shlex.split(command), "version"],
                cwd=ROOT, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServerMissingError(f"{command} cannot be run: {error}") from error
        if done.returncode:
            raise ServerMissingError(f"{command}: {(done.stderr.strip() or 'no answer').splitlines()[-1]}")


def copy_checkout(folder: Path) -> None:
    """Copy what git has or would add, as it lies there: a clean clone with today's changes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


@dataclass
class Stack:
    """A project in the engine, made of a folder.

    Attributes:
        folder: a copy of the checkout.
        settings: variables that it is brought up with.
        healthy_at: when `up` was done, by the monotonic clock.
    """

    folder: Path
    settings: dict[str, str] = field(
        default_factory=lambda: dict(zip(PORTS, map(str, free_ports(2)), strict=True))
    )
    healthy_at: float = 0.0

    def _run(self, command: str, *arguments: str, seconds: float) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*shlex.split(command), *arguments],
            cwd=self.folder, env={**os.environ, **self.settings, "COMPOSE_PROJECT_NAME": PROJECT},
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def make(self, *arguments: str) -> str:
        """Run a target of the Makefile, and return what it said."""
        compose = os.environ.get(COMPOSE, "docker compose")
        done = self._run("make", *arguments, f"COMPOSE={compose}", seconds=UP_SECONDS)
        assert done.returncode == 0, f"make {' '.join(arguments)}:\n{(done.stdout + done.stderr)[-8000:]}"
        return done.stdout + done.stderr

    def compose(self, *arguments: str, seconds: float = UP_SECONDS) -> str:
        """Run a command of Compose, and return its output."""
        done = self._run(os.environ.get(COMPOSE, "docker compose"), *arguments, seconds=seconds)
        assert done.returncode == 0, f"compose {' '.join(arguments)}:\n{done.stderr[-4000:]}"
        return done.stdout

    def docker(self, *arguments: str) -> str:
        """Run a command of Docker, and return its output."""
        done = self._run(os.environ.get(DOCKER, "docker"), *arguments, seconds=ANSWER_SECONDS)
        assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stderr[-4000:]}"
        return done.stdout

    def up(self) -> None:
        """Do what a user does, with the demo."""
        self.make("env")
        self.make("up", "DEMO=1")
        self.healthy_at = time.monotonic()

    def down(self) -> None:
        """Leave nothing behind."""
        self.make("down", "VOLUMES=1")

    def secrets(self) -> dict[str, str]:
        """Return the passwords and keys in .env."""
        lines = (self.folder / ".env").read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        return {name: value for name, value in values.items() if name.endswith(("_PASSWORD", "_KEY"))}

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return what the engine says of the containers of a service, or of all."""
        listed = ["ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"]
        if service:
            listed += ["--filter", f"label=com.docker.compose.service={service}"]
        ids = self.docker(*listed).split()
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", *ids)) if ids else []
        return found

    def container(self, service: str) -> dict[str, Any]:
        """Return what the engine says of the one container of a service."""
        (found,) = self.containers(service)
        return found

    def is_healthy(self, service: str) -> bool:
        """Tell whether all containers of a service run and are healthy."""
        states = [each["State"] for each in self.containers(service)]
        return bool(states) and all(
            state["Running"] and state["Health"]["Status"] == "healthy" for state in states
        )

    def crash(self, *services: str) -> None:
        """End services as `kill -9` does, all at once, and wait until they are back and healthy."""
        before = {name: self.container(name) for name in services}
        for found in before.values():
            # the shell that kills is spared, but not what it runs in: the exit code says nothing
            self._run(os.environ.get(DOCKER, "docker"), "exec", found["Id"], *CRASH, seconds=ANSWER_SECONDS)
        until(
            lambda: all(
                self.container(name)["RestartCount"] > old["RestartCount"] for name, old in before.items()
            )
        )
        until(lambda: all(self.is_healthy(name) for name in before))

    def exec(self, service: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the first container of a service."""
        compose = os.environ.get(COMPOSE, "docker compose")
        return self._run(compose, "exec", "-T", service, *command, seconds=UP_SECONDS)

    def newswire(self, service: str, *arguments: str) -> str:
        """Run the command line in a service's container, and return its standard output."""
        done = self.exec(service, "newswire", *arguments)
        assert done.returncode == 0, f"newswire {' '.join(arguments)}:\n{(done.stdout + done.stderr)[-4000:]}"
        return done.stdout

    def ledger(self) -> dict[str, Any]:
        """Return what the ledger says; also where something is lost."""
        found: dict[str, Any] = json.loads(self.exec("ingest", "newswire", "ledger", "--json").stdout)
        return found

    def elasticsearch(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        method: str = "",
        user: str = "elastic",
        password: str | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Ask Elasticsearch through its port on this machine; without a user if that is empty."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.settings['ELASTICSEARCH_PORT']}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method or ("GET" if body is None else "POST"),
            headers={"Content-Type": "application/json"},
        )
        if user:
            pair = f"{user}:{password or self.secrets()['ELASTIC_PASSWORD']}"
            request.add_header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")


def until(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Poll a condition until it holds; fail after the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.5)
