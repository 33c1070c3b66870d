"""Apache Kafka as a child process of the tests."""

import signal
import subprocess
import time
from pathlib import Path

from servers.child import end_child, start_child
from servers.folders import ServerFolder
from servers.java import find_java
from servers.kafka_jars import kafka_jars
from servers.kafka_properties import CLUSTER_ID, LOG4J, STARTED, properties, scram_users
from servers.kafka_server import KafkaServer
from servers.ports import free_ports

START_SECONDS = 60.0  # 3 on a quiet machine
STOP_SECONDS = 20.0
TRIES = 3  # somebody may take a port between our choice and the start


class BrokerEndedError(Exception):
    """The broker ended, or hung, while it started; the text holds the end of its log."""


class ChildKafka(KafkaServer):
    """A broker and controller in one JVM, with data in a temporary folder."""

    origin = "child process"

    def __init__(self, java: str, jars: Path) -> None:
        ports = free_ports(4)
        names = ("PLAINTEXT", "SASL_PLAINTEXT", "INTERNAL", "CONTROLLER")
        self._listen = {name: f"127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)}
        super().__init__(self._listen["PLAINTEXT"], self._listen["SASL_PLAINTEXT"])
        self._temporary = ServerFolder("newswire-kafka-")
        self.folder = self._temporary.path
        self._java = [java, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", f"{jars}/*"]
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def _configure(self) -> None:
        (self.folder / "log4j2.properties").write_text(LOG4J)
        self._java.append(f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}")
        advertise = {name: address for name, address in self._listen.items() if name != "CONTROLLER"}
        settings = properties(self._listen, advertise, str(self.folder / "data"))
        (self.folder / "server.properties").write_text(settings)

    def _format(self) -> None:
        if (self.folder / "data" / "meta.properties").exists():
            return
        tool = [*self._java, "-XX:TieredStopAtLevel=1", "-Xmx128m", "kafka.tools.StorageTool", "format"]
        arguments = ["-t", CLUSTER_ID, "-c", str(self.folder / "server.properties"), *scram_users()]
        done = subprocess.run(
            [*tool, *arguments], capture_output=True, text=True, check=False, timeout=START_SECONDS
        )
        if done.returncode != 0:
            raise BrokerEndedError(f"the data folder was not formatted:\n{done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start the process, if it does not run, and wait until it serves."""
        if self.pid is not None:
            return
        self._format()
        log = self.folder / "broker.log"
        log.write_bytes(b"")
        command = [*self._java, "-Xms64m", "-Xmx512m", "kafka.Kafka", str(self.folder / "server.properties")]
        self._process = start_child(command, log)
        deadline = time.monotonic() + START_SECONDS
        while STARTED not in (said := log.read_text(errors="replace")):
            if self.pid is None or time.monotonic() > deadline:
                self.kill()
                raise BrokerEndedError(f"Kafka did not start:\n{said[-3000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Send SIGTERM and wait for the end."""
        self._end(signal.SIGTERM)

    def _end(self, signum: int) -> None:
        if self._process is not None:
            end_child(self._process, signum, STOP_SECONDS)
            self._process = None

    def close(self) -> None:
        """Kill it, which is quick, and remove its folder."""
        self.kill()
        self._temporary.remove()


def start_kafka_child() -> KafkaServer:
    """Return a running Kafka of our own, on free ports."""
    java, jars = find_java(), kafka_jars()
    for left in reversed(range(TRIES)):
        server = ChildKafka(java, jars)
        try:
            server.start()
        except BrokerEndedError:
            server.close()
            if not left:
                raise
        except BaseException:
            server.close()
            raise
        else:
            return server
    raise AssertionError("unreachable")
