"""Apache Kafka in a container, where a Docker engine answers."""

import time
from typing import TYPE_CHECKING

from servers.containers import Box, container_of
from servers.kafka_properties import CLUSTER_ID, STARTED, properties, scram_users
from servers.kafka_server import VERSION, KafkaServer
from servers.missing import ServerMissingError
from servers.ports import free_ports

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

IMAGE = f"apache/kafka:{VERSION}"
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
        self._box = Box(container)
        host = self._box.host()
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

    def start(self) -> None:
        """Start the container, if it does not run, and wait until the broker serves."""
        if not self._box.start():
            return
        deadline = time.monotonic() + START_SECONDS
        while (said := self._box.said()).count(STARTED) < self._box.starts:
            if time.monotonic() > deadline:
                raise ServerMissingError(f"Kafka did not start in its container:\n{said[-3000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill the container's process."""
        self._box.kill()

    def stop(self) -> None:
        """Stop the container in order."""
        self._box.stop()

    def close(self) -> None:
        """Remove the container with its data."""
        self._box.close()


def start_kafka_container() -> KafkaServer:
    """Return a running Kafka of our own in a container."""
    server = ContainerKafka(container_of(IMAGE))
    try:
        server.start()
    except ServerMissingError:
        server.close()
        raise
    except Exception as error:
        server.close()
        raise ServerMissingError(f"the container of Kafka did not start ({error})") from error
    return server
