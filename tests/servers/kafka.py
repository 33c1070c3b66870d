"""Finds or starts a real Kafka: a given address, else a container, else Kafka's jars as a child process.

NEWSWIRE_TEST_KAFKA gives the address (host:port, several with commas), NEWSWIRE_TEST_KAFKA_SASL that of a
listener with SASL where the user of `kafka_server` may log in.
"""

import os
import time
from collections.abc import Callable, Sequence

from servers.kafka_child import start_kafka_child
from servers.kafka_container import start_kafka_container
from servers.kafka_server import KafkaServer
from servers.missing import ServerMissingError
from servers.ports import connects

__all__ = ["GivenKafka", "KafkaServer", "find_kafka"]

ADDRESS = "NEWSWIRE_TEST_KAFKA"
SASL_ADDRESS = "NEWSWIRE_TEST_KAFKA_SASL"
GIVEN_SECONDS = 30.0  # CI may start its services and the tests at once

Way = Callable[[], KafkaServer]
WAYS: tuple[Way, ...] = (start_kafka_container, start_kafka_child)


class GivenKafka(KafkaServer):
    """Somebody else's Kafka: we use it and leave it running."""

    origin = "given address"
    can_be_killed = False

    def start(self) -> None:
        """Wait until it accepts connections."""
        deadline = time.monotonic() + GIVEN_SECONDS
        while not any(connects(address) for address in self.bootstrap.split(",")):
            if time.monotonic() > deadline:
                # not a missing server, which may be skipped: this one was promised
                raise ConnectionError(f"nobody answers at {ADDRESS}={self.bootstrap}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Refuse: it is not ours."""
        raise PermissionError(f"the Kafka at {self.bootstrap} is not ours")

    def stop(self) -> None:
        """Refuse: it is not ours."""
        self.kill()

    def close(self) -> None:
        """Leave it as it is."""


def find_kafka(*, killable: bool = False, ways: Sequence[Way] = WAYS) -> KafkaServer:
    """Return a running Kafka; raise ServerMissingError if there is no way to one.

    Args:
        killable: one that the caller may kill, and that nobody else uses; a given address is passed over.
        ways: how to start one, tried in this order.
    """
    address = os.environ.get(ADDRESS)
    if address and not killable:
        given = GivenKafka(address, os.environ.get(SASL_ADDRESS) or None)
        given.start()
        return given
    reasons = [f"{ADDRESS} may not be killed" if address else f"{ADDRESS} is not set"]
    for way in ways:
        try:
            return way()
        except ServerMissingError as missing:
            reasons.append(str(missing))
    raise ServerMissingError("; ".join(reasons))
