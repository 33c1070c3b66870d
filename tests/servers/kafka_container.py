"""Apache Kafka in a container, where a Docker engine answers."""

import gc
import time
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from servers.kafka_properties import CLUSTER_ID, STARTED, properties, scram_users
from servers.kafka_server import VERSION, KafkaServer
from servers.missing import ServerMissingError
from servers.ports import free_ports

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

IMAGE = f"apache/kafka:{VERSION}"
PING_SECONDS = 5
START_SECONDS = 60.0
PORTS = {"PLAINTEXT": 9092, "SASL_PLAINTEXT": 9094, "INTERNAL": 9095, "CONTROLLER": 9093}  # inside
OUTSIDE = ("PLAINTEXT", "SASL_PLAINTEXT")

# Formats at the first start only; the same command runs at every start of the container.
SCRIPT = """\
printf '%s' "$SERVER_PROPERTIES" > /tmp/server.properties
cd /opt/kafka/bin
./kafka-storage.sh format --ignore-formatted -t "$CLUSTER" -c /tmp/server.properties "$@" || exit 1
exec ./kafka-server-start.sh /tmp/server.properties
"""


class ContainerKafka(KafkaServer):
    """A container with Kafka; `kill` and `start` are those of Docker."""

    origin = "container"

    def __init__(self, container: "DockerContainer") -> None:
        host = container.get_docker_client().host().replace("localhost", "127.0.0.1")
        outside = dict(zip(OUTSIDE, free_ports(len(OUTSIDE)), strict=True))
        addresses = {name: f"{host}:{port}" for name, port in outside.items()}
        super().__init__(addresses["PLAINTEXT"], addresses["SASL_PLAINTEXT"])
        for name, port in outside.items():
            container.with_bind_ports(PORTS[name], port)
        listen = {
            name: f"{'0.0.0.0' if name in OUTSIDE else '127.0.0.1'}:{port}"  # noqa: S104 - of the container
            for name, port in PORTS.items()
        }
        advertise = {**addresses, "INTERNAL": listen["INTERNAL"]}
        container.with_env("SERVER_PROPERTIES", properties(listen, advertise, "/tmp/data"))  # noqa: S108
        container.with_env("CLUSTER", CLUSTER_ID).with_env("KAFKA_HEAP_OPTS", "-Xms64m -Xmx512m")
        container.with_command(["sh", "-c", SCRIPT, "sh", *scram_users()])
        self._container = container
        self._starts = 0

    def _engines(self) -> Any:
        """Return the engine's own view of the container; None before the first start."""
        return self._container.get_wrapped_container() if self._starts else None

    def start(self) -> None:
        """Start the container, if it does not run, and wait until the broker serves."""
        engines = self._engines()
        if engines is None:
            self._container.start()
        else:
            engines.reload()
            if engines.status == "running":
                return
            engines.start()
        self._starts += 1
        deadline = time.monotonic() + START_SECONDS
        # the log goes on over restarts
        while (said := self._said()).count(STARTED) < self._starts:
            if time.monotonic() > deadline:
                raise ServerMissingError(f"Kafka did not start in its container:\n{said[-3000:]}")
            time.sleep(0.1)

    def _said(self) -> str:
        return "".join(part.decode(errors="replace") for part in self._container.get_logs())

    def kill(self) -> None:
        """Kill the container's process."""
        self._if_running("kill")

    def stop(self) -> None:
        """Stop the container in order."""
        self._if_running("stop")

    def _if_running(self, action: str) -> None:
        engines = self._engines()
        if engines is None:
            return
        engines.reload()
        if engines.status == "running":
            getattr(engines, action)()
            engines.wait()

    def close(self) -> None:
        """Remove the container with its data."""
        self._container.stop()


@cache
def why_no_container() -> str | None:
    """Return why no container can be had, None if one can; the answer is looked for once."""
    with warnings.catch_warnings():
        # the docker package leaves a socket open when nobody answers
        warnings.simplefilter("ignore", ResourceWarning)
        reason = _ask_docker()
        gc.collect()
    return reason


def _ask_docker() -> str | None:
    # slow to import, and needed by nobody who has no engine or has given an address
    from docker.errors import DockerException  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415

    try:
        DockerClient(timeout=PING_SECONDS).client.ping()
    except (DockerException, RequestException, OSError):
        return "no Docker engine answers"
    client = DockerClient().client
    try:
        if not client.images.list(IMAGE):
            client.images.pull(IMAGE)
    except (DockerException, RequestException, OSError) as error:
        return f"Docker cannot pull {IMAGE} ({error})"
    return None


def start_kafka_container() -> KafkaServer:
    """Return a running Kafka of our own in a container."""
    reason = why_no_container()
    if reason is not None:
        raise ServerMissingError(reason)
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    server = ContainerKafka(DockerContainer(IMAGE))
    try:
        server.start()
    except ServerMissingError:
        server.close()
        raise
    except Exception as error:
        server.close()
        raise ServerMissingError(f"the container of Kafka did not start ({error})") from error
    return server
