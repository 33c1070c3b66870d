"""Elasticsearch in a container, where a Docker engine answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from servers.containers import Box, container_of
from servers.elasticsearch_server import PASSWORD, VERSION, ElasticsearchServer, wait_until_it_answers
from servers.elasticsearch_settings import HEAP, ONE_NODE, yml
from servers.missing import ServerMissingError
from servers.ports import free_ports

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

IMAGE = f"docker.elastic.co/elasticsearch/elasticsearch:{VERSION}"
START_SECONDS = 180.0  # 10 on a quiet machine
PORT = 9200  # inside
USER = "elastic"  # the superuser that the image makes
HOME = "/usr/share/elasticsearch"
SNAPSHOTS = "/tmp/snapshots"  # noqa: S108 - of the container
GIVEN = "given.yml"  # what `configure` may write anew while the container is stopped

OWN = {
    "path.repo": SNAPSHOTS,
    "network.host": "0.0.0.0",  # noqa: S104 - of the container
    "xpack.security.http.ssl.enabled": "false",
}
IDLE = {  # what would keep the machine busy, with nothing to do
    "xpack.ml.enabled": "false",
    "ingest.geoip.downloader.enabled": "false",
}
SCRIPT = f"""\
set -e
cd {HOME}/config
[ -f {GIVEN} ] || printf '%s' "$ELASTICSEARCH_YML" > {GIVEN}
cp {GIVEN} new.yml
mv -f new.yml elasticsearch.yml
exec /usr/local/bin/docker-entrypoint.sh eswrapper
"""


class ContainerElasticsearch(ElasticsearchServer):
    """A container with Elasticsearch; `kill` and `start` are those of Docker."""

    origin = "container"

    def __init__(self, container: "DockerContainer", *, secured: bool = False) -> None:
        self._box = Box(container)
        (port,) = free_ports(1)
        user = (USER, PASSWORD) if secured else (None, None)
        super().__init__(f"http://{self._box.host()}:{port}", *user, snapshots=SNAPSHOTS)
        self._settings: Mapping[str, str] = {}
        container.with_bind_ports(PORT, port)
        container.with_env("ELASTICSEARCH_YML", self._yml()).with_env("ELASTIC_PASSWORD", PASSWORD)
        container.with_env("ES_JAVA_OPTS", f"-Xms{HEAP} -Xmx{HEAP} -XX:+UseSerialGC")
        for name, value in IDLE.items():
            container.with_env(name, value)
        container.with_command(["sh", "-c", SCRIPT])

    def _yml(self) -> str:
        secured = {"xpack.security.enabled": str(self.username is not None).lower()}
        return yml(ONE_NODE, OWN, secured, self._settings)

    def configure(self, settings: Mapping[str, str]) -> None:
        """Write them into the stopped container."""
        if dict(settings) != dict(self._settings):
            self.stop()
            self._settings = dict(settings)
            self._box.put(f"{HOME}/config", GIVEN, self._yml())

    def start(self) -> None:
        """Start the container, if it does not run, and wait until the node serves."""
        self._box.start()
        if not wait_until_it_answers(self, START_SECONDS, self._box.runs):
            said = self._box.said()[-3000:]
            raise ServerMissingError(f"Elasticsearch did not start in its container:\n{said}")

    def kill(self) -> None:
        """Kill the container's processes."""
        self._box.kill()

    def stop(self) -> None:
        """Stop the container in order."""
        self._box.stop()

    def close(self) -> None:
        """Remove the container with its data."""
        self._box.close()


def start_elasticsearch_container(*, secured: bool = False) -> ElasticsearchServer:
    """Return a running Elasticsearch of our own in a container."""
    server = ContainerElasticsearch(container_of(IMAGE), secured=secured)
    try:
        server.start()
    except ServerMissingError:
        server.close()
        raise
    except Exception as error:
        server.close()
        raise ServerMissingError(f"the container of Elasticsearch did not start ({error})") from error
    return server
