"""Elasticsearch as a child process of the tests."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from servers.child import end_child, start_child
from servers.elasticsearch_home import OLDEST_JAVA, elasticsearch_home
from servers.elasticsearch_server import PASSWORD, USER, ElasticsearchServer, wait_until_it_answers
from servers.elasticsearch_settings import ALONE, HEAP, JVM_OPTIONS, LOG4J, ONE_NODE, write_users, yml
from servers.folders import ServerFolder
from servers.java import find_jdk
from servers.missing import ServerMissingError
from servers.ports import connects, free_ports

START_SECONDS = 180.0  # 10 on a quiet machine
STOP_SECONDS = 30.0
TRIES = 3  # somebody may take a port between our choice and the start
LAUNCHER = "org.elasticsearch.server.launcher.ServerLauncher"
OTHER_USER = 1000  # in a user namespace of its own: outside, all stays root's
NOBODY = 65534
NOT_OURS = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JAVA_OPTS", "ES_JAVA_OPTS")


class NodeEndedError(Exception):
    """The node ended, or hung, while it started; the text holds the end of its log."""


class ChildElasticsearch(ElasticsearchServer):
    """A launcher and a node, each a JVM of one process group, with data in a temporary folder.

    Args:
        jdk: that runs it.
        home: with Elasticsearch in it.
        secured: whether authentication is on.
    """

    origin = "child process"

    def __init__(self, jdk: Path, home: Path, *, secured: bool = False) -> None:
        self._http, self._transport = free_ports(2)
        self._temporary = ServerFolder("newswire-elasticsearch-")
        self.folder = self._temporary.path
        user = (USER, PASSWORD) if secured else (None, None)
        super().__init__(f"http://127.0.0.1:{self._http}", *user, snapshots=str(self.folder / "snapshots"))
        self._jdk = jdk
        self._home = home
        self._settings: Mapping[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._prepare()

    @property
    def pid(self) -> int | None:
        """The process id of the launcher, and of its group, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def _prepare(self) -> None:
        for name in ("config", "data", "logs", "snapshots", "tmp"):
            (self.folder / name).mkdir()
        config = self.folder / "config"
        (config / "jvm.options").write_text(JVM_OPTIONS)
        (config / "log4j2.properties").write_text(LOG4J)
        for name in ("users", "users_roles", "roles.yml", "role_mapping.yml"):
            (config / name).touch()
        if self.username is not None:
            write_users(config, USER, PASSWORD)
        self._write_yml()
        if user_command()[:1] == ["setpriv"]:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def _write_yml(self) -> None:
        own = {
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "path.repo": self.snapshots or "",
            "network.host": "127.0.0.1",
            "http.port": str(self._http),
            "transport.port": str(self._transport),
            "xpack.security.enabled": str(self.username is not None).lower(),
        }
        (self.folder / "config" / "elasticsearch.yml").write_text(yml(ONE_NODE, ALONE, own, self._settings))

    def configure(self, settings: Mapping[str, str]) -> None:
        """Write them down."""
        if dict(settings) != dict(self._settings):
            self.stop()
            self._settings = dict(settings)
            self._write_yml()

    def start(self) -> None:
        """Start the process, if it does not run, and wait until it serves."""
        if self.pid is not None:
            return
        log = self.folder / "node.log"
        log.write_bytes(b"")
        tools = self._home / "lib" / "tools" / "server-launcher"
        small = ["-Xms4m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command = [*user_command(), str(self._jdk / "bin" / "java"), *small, "-cp", f"{tools}/*", LAUNCHER]
        self._process = start_child(command, log, self._environment(), self._home)
        if not wait_until_it_answers(self, START_SECONDS, lambda: self.pid is not None):
            self.kill()
            raise NodeEndedError(f"Elasticsearch did not start:\n{log.read_text(errors='replace')[-4000:]}")

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        return {
            **ours,
            "ES_HOME": str(self._home),
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "ES_DISTRIBUTION_TYPE": "zip",
            "ES_JAVA_HOME": str(self._jdk),
            "ES_JAVA_OPTS": f"-Xms{HEAP} -Xmx{HEAP}",
            "JAVA": str(self._jdk / "bin" / "java"),
            "JAVA_TYPE": "ES_JAVA_HOME",
        }

    def kill(self) -> None:
        """Send SIGKILL to both and wait for the end."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        self._wait_for_the_port()

    def stop(self) -> None:
        """Send SIGTERM to the launcher, which ends the node in order, and wait for the end."""
        if self._process is None:
            return
        end_child(self._process, signal.SIGTERM, STOP_SECONDS)
        self.kill()

    def _wait_for_the_port(self) -> None:
        """Wait for the end of the node, which is not our child."""
        deadline = time.monotonic() + STOP_SECONDS
        while connects(f"127.0.0.1:{self._http}") and time.monotonic() < deadline:
            time.sleep(0.02)

    def close(self) -> None:
        """Kill it, which is quick, and remove its folder."""
        self.kill()
        self._temporary.remove()


@cache
def user_command() -> list[str]:
    """Return the words before a command that run it as somebody else than root: no root may run it."""
    if os.geteuid() != 0:
        return []
    other = [f"--map-{kind}={OTHER_USER}" for kind in ("user", "group")]
    namespace = ["unshare", "--user", *other]
    if shutil.which("unshare") and _works([*namespace, "true"]):
        return namespace
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=KILL"]
    if shutil.which("setpriv") and _works([*nobody, "true"]):
        return nobody
    raise ServerMissingError("Elasticsearch does not run as root, and here root cannot be somebody else")


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0


def start_elasticsearch_child(*, secured: bool = False) -> ElasticsearchServer:
    """Return a running Elasticsearch of our own, on free ports."""
    jdk = find_jdk(OLDEST_JAVA)
    home = elasticsearch_home(jdk)
    if not _works([*user_command(), "test", "-r", str(home / "lib")]):
        raise ServerMissingError(f"as root, who runs it as somebody else: {home} is not for others to read")
    for left in reversed(range(TRIES)):
        server = ChildElasticsearch(jdk, home, secured=secured)
        try:
            server.start()
        except NodeEndedError:
            server.close()
            if not left:
                raise
        except BaseException:
            server.close()
            raise
        else:
            return server
    raise AssertionError("unreachable")
